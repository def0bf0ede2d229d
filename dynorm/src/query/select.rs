//! What a query gives: entities, or some of their fields.

use std::fmt;
use std::marker::PhantomData;

use super::Found;
use super::evaluate::find;
use crate::attribute::Attribute;
use crate::codec::{Item, ValueError};
use crate::collection::Collection;
use crate::entity::{Entity, decode_entity};
use crate::expression::{DocumentPath, Path};
use crate::field::{Field, TypedKind};

/// What a query gives for each item: the [`Whole`] entity, or what [`Query::select`](super::Query::select) was given: a field, a
/// place inside one, or a tuple of those.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be selected from `{E}`",
    label = "expected a field of `{E}`, or a tuple of its fields",
    note = "for example `.select((User::ID, User::EMAIL))`"
)]
pub trait Selection<E: Entity>: Send + Sync + 'static {
    /// What an item gives.
    type Output: Send + 'static;
    /// What many items give: a `Collection` of entities, a `Vec` of anything else.
    type Many: Send;

    #[doc(hidden)]
    #[allow(private_interfaces, reason = "called by queries alone")]
    fn paths(&self) -> Option<Vec<DocumentPath>>;

    #[doc(hidden)]
    fn decode(&self, item: &Item<'_>) -> Result<Option<Self::Output>, ValueError>;

    #[doc(hidden)]
    fn many(items: Vec<Self::Output>, found: Found) -> Self::Many;
}

/// The whole entity.
pub struct Whole<E>(PhantomData<fn() -> E>);

impl<E> Whole<E> {
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<E> fmt::Debug for Whole<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Whole")
    }
}

#[diagnostic::do_not_recommend]
impl<E: Entity> Selection<E> for Whole<E> {
    type Output = E;
    type Many = Collection<E>;

    #[allow(private_interfaces, reason = "called by queries alone")]
    fn paths(&self) -> Option<Vec<DocumentPath>> {
        None
    }

    fn decode(&self, item: &Item<'_>) -> Result<Option<E>, ValueError> {
        decode_entity(item)
    }

    fn many(items: Vec<E>, found: Found) -> Collection<E> {
        found.into_collection(items)
    }
}

/// One part of a selection.
pub trait Selected<E>: Send + Sync + 'static {
    /// What it gives.
    type Output: Send + 'static;

    #[doc(hidden)]
    #[allow(private_interfaces, reason = "called by queries alone")]
    fn path(&self) -> DocumentPath;

    #[doc(hidden)]
    fn decode_part(&self, item: &Item<'_>) -> Result<Self::Output, ValueError>;
}

#[diagnostic::do_not_recommend]
impl<E: 'static, T: Attribute + Send + 'static, K: TypedKind + 'static> Selected<E> for Field<E, T, K> {
    type Output = T;

    #[allow(private_interfaces, reason = "called by queries alone")]
    fn path(&self) -> DocumentPath {
        (*self).into()
    }

    fn decode_part(&self, item: &Item<'_>) -> Result<T, ValueError> {
        let name = self.name();
        match item.get(name)? {
            Some(value) => T::decode(value).map_err(|error| error.in_field(name)),
            None => T::absent().ok_or_else(|| ValueError::new("the attribute is missing").in_field(name)),
        }
    }
}

#[diagnostic::do_not_recommend]
impl<E: 'static, T: Attribute + Send + 'static, S: 'static> Selected<E> for Path<E, T, S> {
    type Output = Option<T>;

    #[allow(private_interfaces, reason = "called by queries alone")]
    fn path(&self) -> DocumentPath {
        self.clone().untyped()
    }

    fn decode_part(&self, item: &Item<'_>) -> Result<Option<T>, ValueError> {
        let path = self.clone().untyped();
        let value = find(&path, item)?.filter(|value| !value.is_null());
        value.map(T::decode).transpose().map_err(|error| error.in_field(format!("{path:?}")))
    }
}

macro_rules! selections {
    ($([$($generics:tt)*] $type:ty: $($part:ident $position:tt),* => |$this:ident, $item:ident| $paths:expr, $output:ty, $decode:expr;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<E: Entity, $($generics)*> Selection<E> for $type {
            type Output = $output;
            type Many = Vec<$output>;

            #[allow(private_interfaces, reason = "called by queries alone")]
            fn paths(&self) -> Option<Vec<DocumentPath>> {
                let $this = self;
                Some($paths)
            }

            fn decode(&self, $item: &Item<'_>) -> Result<Option<Self::Output>, ValueError> {
                let $this = self;
                Ok(Some($decode))
            }

            fn many(items: Vec<Self::Output>, _: Found) -> Self::Many {
                items
            }
        }
    )*};
}

selections! {
    [T: Attribute + Send + 'static, K: TypedKind + 'static] Field<E, T, K>: => |this, item| vec![this.path()], T, this.decode_part(item)?;
    [T: Attribute + Send + 'static, S: 'static] Path<E, T, S>: => |this, item| vec![this.path()], Option<T>, this.decode_part(item)?;
}

macro_rules! tuple_selections {
    ($(($($part:ident $position:tt),*);)*) => {$(
        selections! {
            [$($part: Selected<E>),*] ($($part,)*): => |this, item|
                vec![$(this.$position.path()),*],
                ($($part::Output,)*),
                ($(this.$position.decode_part(item)?,)*);
        }
    )*};
}

tuple_selections! {
    (A 0);
    (A 0, B 1);
    (A 0, B 1, C 2);
    (A 0, B 1, C 2, D 3);
    (A 0, B 1, C 2, D 3, F 4);
    (A 0, B 1, C 2, D 3, F 4, G 5);
    (A 0, B 1, C 2, D 3, F 4, G 5, H 6);
    (A 0, B 1, C 2, D 3, F 4, G 5, H 6, I 7);
}
