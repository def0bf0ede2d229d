//! The entities of saves, passed by value, by reference or by `&mut`.

use std::fmt;

use crate::attribute::VersionStep;
use crate::collection::Collection;
use crate::database::Database;
use crate::entity::{Entity, Stamp, encode_key};
use crate::error::{Error, Result, Subject};
use crate::rules::check_version;

/// The ways to pass an entity to a save: by value and by reference, which return the saved entity, and by
/// `&mut`, which updates it in place.
///
/// A save *stamps* an entity: it sets an id that is not set and the timestamps, and raises the version. An
/// entity passed by `&mut` is restored if the write is known to have failed. If the outcome is unknown,
/// because no answer came or the future was dropped, it keeps its id and timestamps, and its version is
/// lowered again: the next save writes the same item, and is a
/// [`VersionConflict`](crate::Error::VersionConflict) if the first write was applied after all. In a batch,
/// failed entities also keep their ids and timestamps, so that a retry writes the same items.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be saved here",
    label = "expected `{E}`, `&{E}` or `&mut {E}`",
    note = "a variable of the type `&mut {E}` is moved by the call; pass `&mut *variable` to keep it"
)]
pub trait SaveArg<'a, E: Entity>: Send + 'a {
    /// The output of a save: the saved entity, or `()` if it was updated in place.
    type Output;
    /// The output of a batch: the saved entities, or the statistics if they were updated in place.
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

/// An entity during its save. If it is dropped before the save is settled, the version of an entity passed by
/// `&mut` is lowered again.
pub trait Held<E: Entity>: Send {
    fn entity(&self) -> &E;
    fn entity_mut(&mut self) -> &mut E;
    /// Remembers the state of an entity passed by `&mut`, for [`revert`](Self::revert), unless that is done.
    fn remember(&mut self);
    fn stamp(&mut self, stamp: &Stamp) -> Result<()>;
    /// Records that the entity is saved, so that its stamp stays.
    fn settle(&mut self);
    /// Restores the remembered state of an entity passed by `&mut`, since the save is known to have failed.
    fn revert(&mut self);
    /// Lowers the version only, since the outcome is unknown or the entity is saved again unchanged.
    fn lower(&mut self);
    fn into_entity(self) -> E;
}

/// An entity that the save owns.
pub struct Own<E>(pub(crate) E);

/// An entity passed by `&mut`, with what must be undone if its save does not succeed.
pub struct InPlace<'a, E: Entity> {
    target: &'a mut E,
    undo: Undo<E>,
}

enum Undo<E> {
    Nothing,
    /// Its version was raised.
    Version,
    /// Its state before it was stamped.
    All(E),
}

impl<E> fmt::Debug for Own<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Own").finish_non_exhaustive()
    }
}

impl<E: Entity> fmt::Debug for InPlace<'_, E> {
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

    fn settle(&mut self) {}

    fn revert(&mut self) {}

    fn lower(&mut self) {
        self.0.stamp_item(&Stamp::taking_back());
    }

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
        if matches!(self.undo, Undo::Nothing) {
            self.undo = Undo::All(self.target.clone());
        }
    }

    fn stamp(&mut self, stamp: &Stamp) -> Result<()> {
        stamp_entity(self.target, stamp)?;
        if E::INFO.version.is_some() && matches!(self.undo, Undo::Nothing) {
            self.undo = Undo::Version;
        }
        Ok(())
    }

    fn settle(&mut self) {
        self.undo = Undo::Nothing;
    }

    fn revert(&mut self) {
        match std::mem::replace(&mut self.undo, Undo::Nothing) {
            Undo::All(original) => *self.target = original,
            undo => {
                self.undo = undo;
                self.lower();
            }
        }
    }

    fn lower(&mut self) {
        let is_raised = match std::mem::replace(&mut self.undo, Undo::Nothing) {
            Undo::Nothing => false,
            Undo::Version => true,
            Undo::All(original) => self.target.item_version() != original.item_version(),
        };
        if is_raised {
            self.target.stamp_item(&Stamp::taking_back());
        }
    }

    fn into_entity(mut self) -> E {
        self.lower();
        self.target.clone()
    }
}

/// Covers every end of the save: by its answer, without one, or by a dropped future.
impl<E: Entity> Drop for InPlace<'_, E> {
    fn drop(&mut self) {
        self.lower();
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
        InPlace { target: self, undo: Undo::Nothing }
    }

    fn output(_: InPlace<'a, E>) {}

    fn batch_output(_: Vec<InPlace<'a, E>>, stats: crate::batch::Stats, _: Database) -> crate::batch::Stats {
        stats
    }
}

/// Stamps an entity before it is written. One whose version cannot be raised stays unchanged.
pub(crate) fn stamp_entity<E: Entity>(entity: &mut E, stamp: &Stamp) -> Result<()> {
    check_version_of(entity, stamp.version == VersionStep::Raise)?;
    entity.stamp_item(stamp);
    Ok(())
}

/// Checks that the version of an entity is valid, and can be raised if the write raises it.
pub(super) fn check_version_of<E: Entity>(entity: &E, raises: bool) -> Result<()> {
    if let Some(version) = entity.item_version()
        && let Err(error) = check_version(E::INFO, version, raises)
    {
        let subject = Subject::of(E::INFO);
        let subject = match encode_key::<E>(&entity.entity_key()) {
            Ok(key) => subject.with_key(&key),
            Err(_) => subject,
        };
        return Err(Error::invalid(subject, &error));
    }
    Ok(())
}
