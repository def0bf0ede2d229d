//! Entities that are saved: by value, by reference or in place.

use std::fmt;

use crate::collection::Collection;
use crate::database::Database;
use crate::entity::{Entity, Stamp, encode_key};
use crate::error::{Error, Result, Subject};
use crate::rules::check_version;

/// The three ways to pass an entity to a save: by value and by reference, which give a stamped entity back, and by `&mut`,
/// which stamps it in place.
///
/// What an entity passed by `&mut` is stamped with is taken back if the write is known to have failed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be saved here",
    label = "expected `{E}`, `&{E}` or `&mut {E}`",
    note = "a variable of the type `&mut {E}` is moved by the call; pass `&mut *variable` to keep it"
)]
pub trait SaveArg<'a, E: Entity>: Send + 'a {
    /// What a save gives back: the stamped entity, or nothing if it was stamped in place.
    type Output;
    /// What a batch gives back: the stamped entities, or the statistics if they were stamped in place.
    type Batch;
    #[doc(hidden)]
    type Held: Held<E> + 'a;

    #[doc(hidden)]
    fn hold(self) -> Self::Held;

    #[doc(hidden)]
    fn output(held: Self::Held) -> Self::Output;

    #[doc(hidden)]
    fn batch_output(held: Vec<Self::Held>, stats: crate::batch::Stats, database: Database) -> Self::Batch;
}

/// An entity during its save.
pub trait Held<E: Entity>: Send {
    fn entity(&self) -> &E;
    fn entity_mut(&mut self) -> &mut E;
    /// Remembers an entity of the caller as it is, for [`revert`](Self::revert), if that is not done yet.
    fn remember(&mut self);
    fn stamp(&mut self, stamp: &Stamp) -> Result<()>;
    /// Takes back what was done to an entity of the caller since it was remembered.
    fn revert(&mut self);
    fn into_entity(self) -> E;
}

/// An entity of our own.
pub struct Own<E>(pub(crate) E);

/// An entity of the caller, with a copy of what it was before it was stamped if it may have to be put back.
pub struct InPlace<'a, E> {
    target: &'a mut E,
    original: Option<E>,
}

impl<E> fmt::Debug for Own<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Own").finish_non_exhaustive()
    }
}

impl<E> fmt::Debug for InPlace<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InPlace").finish_non_exhaustive()
    }
}

impl<E: Entity> Held<E> for Own<E> {
    fn entity(&self) -> &E {
        &self.0
    }

    fn entity_mut(&mut self) -> &mut E {
        &mut self.0
    }

    fn remember(&mut self) {}

    fn stamp(&mut self, stamp: &Stamp) -> Result<()> {
        stamp_entity(&mut self.0, stamp)
    }

    fn revert(&mut self) {}

    fn into_entity(self) -> E {
        self.0
    }
}

impl<E: Entity> Held<E> for InPlace<'_, E> {
    fn entity(&self) -> &E {
        self.target
    }

    fn entity_mut(&mut self) -> &mut E {
        self.target
    }

    fn remember(&mut self) {
        if self.original.is_none() {
            self.original = Some(self.target.clone());
        }
    }

    fn stamp(&mut self, stamp: &Stamp) -> Result<()> {
        stamp_entity(self.target, stamp)
    }

    fn revert(&mut self) {
        if let Some(original) = self.original.take() {
            *self.target = original;
        }
    }

    fn into_entity(self) -> E {
        self.target.clone()
    }
}

macro_rules! by_value {
    ($([$lifetime:lifetime] $type:ty => |$arg:ident| $entity:expr;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$lifetime, E: Entity> SaveArg<$lifetime, E> for $type {
            type Output = E;
            type Batch = Collection<E>;
            type Held = Own<E>;

            fn hold(self) -> Own<E> {
                let $arg = self;
                Own($entity)
            }

            fn output(held: Own<E>) -> E {
                held.0
            }

            fn batch_output(
                held: Vec<Own<E>>,
                stats: crate::batch::Stats,
                database: Database,
            ) -> Collection<E> {
                Collection::new(held.into_iter().map(|own| own.0).collect(), Some(database)).with_stats(stats)
            }
        }
    )*};
}

by_value! {
    ['a] E => |entity| entity;
    ['a] &'a E => |entity| entity.clone();
    ['a] &'a &'a E => |entity| (*entity).clone();
}

#[diagnostic::do_not_recommend]
impl<'a, E: Entity> SaveArg<'a, E> for &'a mut E {
    type Output = ();
    type Batch = crate::batch::Stats;
    type Held = InPlace<'a, E>;

    fn hold(self) -> InPlace<'a, E> {
        InPlace { target: self, original: None }
    }

    fn output(_: InPlace<'a, E>) {}

    fn batch_output(_: Vec<InPlace<'a, E>>, stats: crate::batch::Stats, _: Database) -> crate::batch::Stats {
        stats
    }
}

/// Stamps an entity that is about to be written. One whose version cannot be raised stays as it is.
pub(crate) fn stamp_entity<E: Entity>(entity: &mut E, stamp: &Stamp) -> Result<()> {
    if let Some(version) = entity.item_version()
        && let Err(error) = check_version(E::INFO, version, true)
    {
        let subject = Subject::of(E::INFO);
        let subject = match encode_key::<E>(&entity.entity_key()) {
            Ok(key) => subject.with_key(&key),
            Err(_) => subject,
        };
        return Err(Error::invalid(subject, &error));
    }
    entity.stamp_item(stamp);
    Ok(())
}
