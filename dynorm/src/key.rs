//! Keys: the types that they can have, the types that callers can pass for them, and key templates.

mod overlap;
mod template;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

pub(crate) use crate::attribute::EncodedPart;
pub(crate) use crate::attribute::Part;
use crate::attribute::{Attribute, shape};
use crate::codec::ScalarType;
pub(crate) use crate::codec::{KeyRole, check_key};

pub(crate) use overlap::shared_key;
pub use template::{KeySource, Segment, Template};

/// A type that the partition key or sort key of a table can have: stored as text, a number or bytes, and
/// never absent.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the key of a table",
    label = "a key is text, a number or bytes, and always there",
    note = "DynamoDB's keys are strings, numbers or binaries; `Option`, booleans, lists, sets and maps \
            cannot be one"
)]
pub trait KeyAttribute: Attribute {
    #[doc(hidden)]
    const SCALAR: Option<ScalarType> = <Self as Attribute>::SCALAR;
}

#[diagnostic::do_not_recommend]
impl<T: Attribute<Shape: shape::Key>> KeyAttribute for T {}

/// A type that the key of an index can have: as for a table, and it may be an `Option`. An item whose key is
/// `None` is not in the index.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the key of an index",
    label = "the key of an index is text, a number or bytes, or an `Option` of one",
    note = "DynamoDB's keys are strings, numbers or binaries; booleans, lists, sets and maps cannot be one"
)]
pub trait IndexKeyAttribute: Attribute {
    /// The key type, and whether a value may be absent.
    #[doc(hidden)]
    const KEY: (Option<ScalarType>, bool) =
        (<Self as Attribute>::SCALAR, <Self::Shape as shape::Shape>::OPTIONAL);
}

#[diagnostic::do_not_recommend]
impl<T: Attribute<Shape: shape::IndexKey>> IndexKeyAttribute for T {}

/// A type that an `#[entity(unique)]` field can have: as the key of an index.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be unique",
    label = "a unique field is text, a number or bytes, or an `Option` of one",
    note = "its values become keys of a table, and DynamoDB's keys are strings, numbers or binaries"
)]
pub trait UniqueAttribute: Attribute {
    #[doc(hidden)]
    const UNIQUE: () = ();
}

#[diagnostic::do_not_recommend]
impl<T: Attribute<Shape: shape::IndexKey>> UniqueAttribute for T {}

/// A type that can be used in the template of a table's key: stored as text, a number or a boolean, and never
/// absent.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand in the template of a key",
    label = "a part of a table's key is text, a number or a boolean, and always there",
    note = "bytes, `Option`, lists, sets and maps cannot be part of a key"
)]
pub trait KeyPart: Attribute {
    #[doc(hidden)]
    const FIXED: bool = <Self::Shape as shape::Shape>::FIXED;
}

#[diagnostic::do_not_recommend]
impl<T: Attribute<Base = T, Shape: shape::PresentPart>> KeyPart for T {}

/// A type that can be used in the template of an index key: as for a table, and it may be an `Option`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand in the template of an index key",
    label = "a part of an index key is text, a number or a boolean, or an `Option` of one",
    note = "bytes, lists, sets and maps cannot be part of a key"
)]
pub trait IndexKeyPart: Attribute {
    /// Whether all values have texts of the same length, and whether a value may be absent.
    #[doc(hidden)]
    const PART: (bool, bool) =
        (<Self::Shape as shape::Shape>::FIXED, <Self::Shape as shape::Shape>::OPTIONAL);
}

#[diagnostic::do_not_recommend]
impl<T: Attribute<Shape: shape::Part>> IndexKeyPart for T {}

/// A type that the template of a table's key can pad with zeros: an integer.
///
/// Padding needs values that are never written with leading zeros: the texts `"7"` and `"007"` would make the
/// same key.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be padded in the template of a key",
    label = "only an integer can be padded with zeros, and in the key of a table it is always there",
    note = "text, enums, times, floats and decimals would lose what tells them apart, or their order: \
            write `{{field}}` without a width"
)]
pub trait PaddedKeyPart: Attribute {
    #[doc(hidden)]
    const FIXED: bool = false;
}

#[diagnostic::do_not_recommend]
impl<T: Attribute<Base = T, Shape: shape::PresentPart + shape::Padded>> PaddedKeyPart for T {}

/// A type that the template of an index key can pad with zeros: an integer, or an `Option` of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be padded in the template of an index key",
    label = "only an integer, or an `Option` of one, can be padded with zeros",
    note = "text, enums, times, floats and decimals would lose what tells them apart, or their order: \
            write `{{field}}` without a width"
)]
pub trait PaddedIndexKeyPart: Attribute {
    /// As [`IndexKeyPart::PART`].
    #[doc(hidden)]
    const PART: (bool, bool) = (false, <Self::Shape as shape::Shape>::OPTIONAL);
}

#[diagnostic::do_not_recommend]
impl<T: Attribute<Shape: shape::Part + shape::Padded>> PaddedIndexKeyPart for T {}

/// A value that can be passed as a key `K`: the key by value or by reference, `&str` for text, and a tuple of
/// such parts for a composite key.
///
/// ```
/// # use dynorm::key::IntoKey;
/// # use dynorm::Timestamp;
/// fn key(key: impl IntoKey<(String, Timestamp)>) -> (String, Timestamp) {
///     key.into_key()
/// }
/// assert_eq!(key(("kitchen", Timestamp::default())), key((&"kitchen".to_string(), &Timestamp::default())));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the key that is wanted here",
    label = "the key is `{K}`",
    note = "a key is given by value or by reference, text also as `&str`, and a composite key as \
            a tuple of its parts in order"
)]
pub trait IntoKey<K> {
    /// Converts to the key.
    fn into_key(self) -> K;
}

#[diagnostic::do_not_recommend]
impl<K: Attribute> IntoKey<K> for K {
    fn into_key(self) -> K {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<K: Attribute + Clone> IntoKey<K> for &K {
    fn into_key(self) -> K {
        self.clone()
    }
}

#[diagnostic::do_not_recommend]
impl<K: Attribute + Clone> IntoKey<K> for &&K {
    fn into_key(self) -> K {
        (*self).clone()
    }
}

macro_rules! text_keys {
    ($($given:ty => |$text:ident| $owned:expr),*) => {$(
        #[diagnostic::do_not_recommend]
        impl IntoKey<String> for $given {
            fn into_key(self) -> String {
                let $text = self;
                $owned
            }
        }
    )*};
}

text_keys!(
    &str => |text| text.to_owned(),
    &&str => |text| (*text).to_owned(),
    Cow<'_, str> => |text| text.into_owned(),
    &Cow<'_, str> => |text| text.clone().into_owned()
);

/// The type of an entity's key: one value, or a tuple of parts.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the type of a key",
    label = "a key is an attribute that is `Clone`, `Debug`, `Send` and `Sync`",
    note = "for a type of your own: `#[derive(Attribute, Clone, Debug)]` on it"
)]
pub trait EntityKey: IntoKey<Self> + Clone + fmt::Debug + Send + Sync + 'static {
    /// True if every part is [`Attribute::EXACT`].
    #[doc(hidden)]
    const EXACT: bool;

    /// Returns the part at `position`, in the order of the tuple.
    #[doc(hidden)]
    fn part(&self, position: usize) -> Option<&dyn Part>;
}

#[diagnostic::do_not_recommend]
impl<K: Attribute + Clone + fmt::Debug + Send + Sync + 'static> EntityKey for K {
    const EXACT: bool = <K as Attribute>::EXACT;

    fn part(&self, position: usize) -> Option<&dyn Part> {
        (position == 0).then_some(self)
    }
}

macro_rules! tuple_keys {
    ($(($($part:ident $given:ident $position:tt),+);)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($part: Attribute + Clone + fmt::Debug + Send + Sync + 'static),+> EntityKey for ($($part,)+) {
            const EXACT: bool = $(<$part as Attribute>::EXACT)&&+;

            fn part(&self, position: usize) -> Option<&dyn Part> {
                match position {
                    $($position => Some(&self.$position),)+
                    _ => None,
                }
            }
        }

        #[diagnostic::do_not_recommend]
        impl<$($part,)+ $($given: IntoKey<$part>),+> IntoKey<($($part,)+)> for ($($given,)+) {
            fn into_key(self) -> ($($part,)+) {
                ($(self.$position.into_key(),)+)
            }
        }

        #[diagnostic::do_not_recommend]
        impl<'g, $($part,)+ $($given),+> IntoKey<($($part,)+)> for &'g ($($given,)+)
        where
            $(&'g $given: IntoKey<$part>,)+
        {
            fn into_key(self) -> ($($part,)+) {
                ($((&self.$position).into_key(),)+)
            }
        }
    )*};
}

tuple_keys! {
    (A GA 0, B GB 1);
    (A GA 0, B GB 1, C GC 2);
    (A GA 0, B GB 1, C GC 2, D GD 3);
    (A GA 0, B GB 1, C GC 2, D GD 3, E GE 4);
    (A GA 0, B GB 1, C GC 2, D GD 3, E GE 4, F GF 5);
}
