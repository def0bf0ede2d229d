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
    label = "expected a field of `{E}`, or a tuple of up to eight",
    note = "for example `.select((User::ID, User::EMAIL))`",
    note = "a field that is stored through `serde` or `with` cannot be selected: read the entity"
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
impl<E: 'static, T: Attribute + Send + 'static, K: TypedKind + 'static> Selected<E> for Path<E, T, K> {
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

// One by one and not by a macro, whose source the compiler would show beside the message.

#[diagnostic::do_not_recommend]
impl<E: Entity, T: Attribute + Send + 'static, K: TypedKind + 'static> Selection<E> for Field<E, T, K> {
    type Output = T;
    type Many = Vec<T>;

    #[allow(private_interfaces, reason = "called by queries alone")]
    fn paths(&self) -> Option<Vec<DocumentPath>> {
        Some(vec![self.path()])
    }

    fn decode(&self, item: &Item<'_>) -> Result<Option<T>, ValueError> {
        self.decode_part(item).map(Some)
    }

    fn many(items: Vec<T>, _: Found) -> Self::Many {
        items
    }
}

#[diagnostic::do_not_recommend]
impl<E: Entity, T: Attribute + Send + 'static, K: TypedKind + 'static> Selection<E> for Path<E, T, K> {
    type Output = Option<T>;
    type Many = Vec<Option<T>>;

    #[allow(private_interfaces, reason = "called by queries alone")]
    fn paths(&self) -> Option<Vec<DocumentPath>> {
        Some(vec![self.path()])
    }

    fn decode(&self, item: &Item<'_>) -> Result<Option<Option<T>>, ValueError> {
        self.decode_part(item).map(Some)
    }

    fn many(items: Vec<Option<T>>, _: Found) -> Self::Many {
        items
    }
}

macro_rules! tuple_selections {
    ($(($($part:ident $position:tt),*);)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<E: Entity, $($part: Selected<E>),*> Selection<E> for ($($part,)*) {
            type Output = ($($part::Output,)*);
            type Many = Vec<Self::Output>;

            #[allow(private_interfaces, reason = "called by queries alone")]
            fn paths(&self) -> Option<Vec<DocumentPath>> {
                Some(vec![$(self.$position.path()),*])
            }

            fn decode(&self, item: &Item<'_>) -> Result<Option<Self::Output>, ValueError> {
                Ok(Some(($(self.$position.decode_part(item)?,)*)))
            }

            fn many(items: Vec<Self::Output>, _: Found) -> Self::Many {
                items
            }
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
