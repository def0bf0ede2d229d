//! Keys: what they are made of, how a caller gives one, and how they are checked before they are sent.

use std::borrow::Cow;
use std::fmt;

pub(crate) use crate::attribute::EncodedPart;
pub use crate::attribute::Part;
use crate::attribute::{Attribute, shape};
use crate::codec::{Encoder, ScalarType, ValueError, scalar_text};
pub(crate) use crate::codec::{KeyRole, check_key};

/// A type that the partition key or sort key of a table can have: stored as text, a number or bytes, and never absent.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the key of a table",
    label = "a key is text, a number or bytes, and always there",
    note = "DynamoDB's keys are strings, numbers or binaries; `Option`, booleans, lists, sets and maps cannot be one"
)]
pub trait KeyAttribute: Attribute {
    #[doc(hidden)]
    const SCALAR: Option<ScalarType> = <Self as Attribute>::SCALAR;
}

#[diagnostic::do_not_recommend]
impl<T: Attribute<Shape: shape::Key>> KeyAttribute for T {}

/// A type that the key of an index can have: like that of a table, and it may be an `Option`, which leaves the item out of
/// the index while it is `None`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the key of an index",
    label = "the key of an index is text, a number or bytes, or an `Option` of one",
    note = "DynamoDB's keys are strings, numbers or binaries; booleans, lists, sets and maps cannot be one"
)]
pub trait IndexKeyAttribute: Attribute {
    /// The type as a key, and whether it may be absent.
    #[doc(hidden)]
    const KEY: (Option<ScalarType>, bool) =
        (<Self as Attribute>::SCALAR, <Self::Shape as shape::Shape>::OPTIONAL);
}

#[diagnostic::do_not_recommend]
impl<T: Attribute<Shape: shape::IndexKey>> IndexKeyAttribute for T {}

/// A type whose values can be unique: that of an index key.
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

/// A type that can stand in the template of a table's key: stored as text, a number or a truth value, and never absent.
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
impl<T: Attribute<Base = T, Shape: shape::Part>> KeyPart for T {}

/// A type that can stand in the template of an index key: as for a table, and it may be an `Option`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand in the template of an index key",
    label = "a part of an index key is text, a number or a boolean, or an `Option` of one",
    note = "bytes, lists, sets and maps cannot be part of a key"
)]
pub trait IndexKeyPart: Attribute {
    /// Whether it is text of one length, and whether it may be absent.
    #[doc(hidden)]
    const PART: (bool, bool) =
        (<Self::Shape as shape::Shape>::FIXED, <Self::Shape as shape::Shape>::OPTIONAL);
}

#[diagnostic::do_not_recommend]
impl<T: Attribute<Shape: shape::Part>> IndexKeyPart for T {}

/// What a caller may give where a key `K` is wanted: the key by value or by reference, `&str` for text, and for a composite
/// key a tuple of such parts.
///
/// ```
/// # use dynorm::{IntoKey, Timestamp};
/// fn key(key: impl IntoKey<(String, Timestamp)>) -> (String, Timestamp) {
///     key.into_key()
/// }
/// assert_eq!(key(("kitchen", Timestamp::default())), key((&"kitchen".to_string(), &Timestamp::default())));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the key that is wanted here",
    label = "the key is `{K}`",
    note = "a key is given by value or by reference, text also as `&str`, and a composite key as a tuple of its parts in order"
)]
pub trait IntoKey<K> {
    /// The key itself.
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

/// The parts of a key as the derive macro and its callers see them: one value, or a tuple.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the type of a key",
    label = "a key is an attribute that is `Clone`, `Debug`, `Send` and `Sync`",
    note = "for a type of your own: `#[derive(Attribute, Clone, Debug)]` on it"
)]
pub trait EntityKey: IntoKey<Self> + Clone + fmt::Debug + Send + Sync + 'static {
    /// Whatever is read is written again in the same spelling, in every part.
    #[doc(hidden)]
    const EXACT: bool;

    /// The part at `position`, in the order of the tuple.
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

/// Where the attribute of a key comes from.
#[derive(Clone, Copy, Debug)]
pub enum KeySource {
    /// The field at this position of the table of fields.
    Field(usize),
    /// Text made of fields, stored in an attribute of its own.
    Template(Template),
}

/// A key made of text and fields, such as `ORDER#{id}`.
#[derive(Clone, Copy, Debug)]
pub struct Template {
    /// The attribute that holds it.
    pub attribute: &'static str,
    /// What it is made of, in order.
    pub segments: &'static [Segment],
}

/// A part of a [`Template`].
#[derive(Clone, Copy, Debug)]
pub enum Segment {
    /// Fixed text.
    Text(&'static str),
    /// The field at this position of the table of fields, with zeros in front up to a width (0: as it is).
    Field(usize, usize),
}

/// Stands before a delimiter that is part of a value, and before itself.
const ESCAPE: char = '\\';

impl Template {
    /// The fields that it is made of, as positions of the table of fields.
    pub(crate) fn fields(&self) -> impl Iterator<Item = usize> + use<> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Field(field, _) => Some(*field),
            Segment::Text(_) => None,
        })
    }

    /// The text for the given fields; `None` if one of them is absent.
    pub(crate) fn render<'p>(
        &self,
        field: &dyn Fn(usize) -> Option<&'p dyn Part>,
    ) -> Result<Option<String>, ValueError> {
        let (text, rendered) = self.render_start(field)?;
        Ok((rendered == self.segments.len()).then_some(text))
    }

    /// The text up to the first field that is absent, and the number of segments that it stands for.
    pub(crate) fn render_start<'p>(
        &self,
        field: &dyn Fn(usize) -> Option<&'p dyn Part>,
    ) -> Result<(String, usize), ValueError> {
        let mut text = String::new();
        for (position, segment) in self.segments.iter().enumerate() {
            match segment {
                Segment::Text(fixed) => text.push_str(fixed),
                Segment::Field(index, width) => {
                    let Some(part) = field(*index).filter(|part| !part.is_absent_part()) else {
                        return Ok((text, position));
                    };
                    self.push_value(&mut text, *width, part)?;
                }
            }
        }
        Ok((text, self.segments.len()))
    }

    /// The text of one value, as a segment of the template.
    pub(crate) fn render_value(&self, segment: &Segment, part: &dyn Part) -> Result<String, ValueError> {
        let mut text = String::new();
        if let Segment::Field(_, width) = segment {
            self.push_value(&mut text, *width, part)?;
        }
        Ok(text)
    }

    fn push_value(&self, text: &mut String, width: usize, part: &dyn Part) -> Result<(), ValueError> {
        let mut encoder = Encoder::default();
        part.encode_part(&mut encoder)?;
        let json = encoder.into_bytes();
        let value = match json.as_slice() {
            br#"{"BOOL":true}"# => Cow::Borrowed("true"),
            br#"{"BOOL":false}"# => Cow::Borrowed("false"),
            json => scalar_text(json)?,
        };
        if width > 0 {
            return push_padded(text, &value, width);
        }
        self.push_escaped(text, &value);
        Ok(())
    }

    /// True if there are characters that are escaped in values.
    pub(crate) fn has_delimiters(&self) -> bool {
        self.segments.windows(2).any(|pair| matches!(pair, [Segment::Field(..), Segment::Text(_)]))
    }

    /// Appends a value so that no delimiter of the template can be found in it: `a#b` and `c` differ from `a` and `b#c`.
    fn push_escaped(&self, text: &mut String, value: &str) {
        for character in value.chars() {
            if character == ESCAPE || self.delimits(character) {
                text.push(ESCAPE);
            }
            text.push(character);
        }
    }

    /// True for the characters that end a value: those that a fixed text behind a field begins with.
    fn delimits(&self, character: char) -> bool {
        self.segments.windows(2).any(|pair| match pair {
            [Segment::Field(..), Segment::Text(text)] => text.starts_with(character),
            _ => false,
        })
    }
}

fn push_padded(text: &mut String, value: &str, width: usize) -> Result<(), ValueError> {
    if !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ValueError::new(
            "a padded part of a key must be a whole number and not negative, since the order of the texts would not be that of the numbers",
        ));
    }
    if value.len() > width {
        return Err(ValueError::new(format!(
            "a number of {} digits does not fit the {width} that the key is padded to, so it would not sort with the others",
            value.len()
        )));
    }
    text.extend(std::iter::repeat_n('0', width - value.len()));
    text.push_str(value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{EntityKey, Segment, Template};

    const TEMPLATE: Template = Template {
        attribute: "pk",
        segments: &[Segment::Text("A#"), Segment::Field(0, 0), Segment::Text("#"), Segment::Field(1, 0)],
    };

    fn render(template: &Template, key: &dyn Fn(usize) -> String) -> String {
        let parts = (key(0), key(1));
        template.render(&|index| parts.part(index)).unwrap().unwrap()
    }

    #[test]
    fn different_values_never_make_the_same_key() {
        let values = ["a", "a#b", "b#c", "c", "", "#", "\\", "\\#", "a\\", "#\\#"];
        let mut seen = std::collections::HashMap::new();
        for first in values {
            for second in values {
                let text = render(&TEMPLATE, &|index| if index == 0 { first } else { second }.to_owned());
                assert_eq!(seen.insert(text.clone(), (first, second)), None, "{text}");
            }
        }
        assert_eq!(render(&TEMPLATE, &|_| "x".to_owned()), "A#x#x");
    }

    #[test]
    fn padding_keeps_the_order_of_numbers_or_says_that_it_cannot() {
        let template = Template { attribute: "sk", segments: &[Segment::Field(0, 5)] };
        let text = |number: i64| template.render(&|index| number.part(index));
        assert_eq!(text(42).unwrap().unwrap(), "00042");
        assert!(text(-1).unwrap_err().to_string().contains("not negative"));
        assert!(text(123_456).unwrap_err().to_string().contains("6 digits"));
    }

    #[test]
    fn an_absent_part_makes_the_key_absent() {
        let key = (Some("a".to_owned()), None::<String>);
        assert_eq!(TEMPLATE.render(&|index| key.part(index)).unwrap(), None);
    }
}
