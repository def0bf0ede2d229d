//! Entities that are saved: by value, by reference or in place.

use std::fmt;

use crate::attribute::VersionStep;
use crate::collection::Collection;
use crate::database::Database;
use crate::entity::{Entity, Stamp, encode_key};
use crate::error::{Error, Result, Subject};
use crate::rules::check_version;

/// The three ways to pass an entity to a save: by value and by reference, which give a stamped entity back, and by `&mut`,
/// which stamps it in place.
///
/// An entity passed by `&mut` is put back as it was if the write is known to have failed. If nobody knows,
/// because no answer came or the future was dropped, it keeps its id and its times, and its version goes
/// back: the next save is at the same item, and is a [`VersionConflict`](crate::Error::VersionConflict) if
/// that write was made after all. A batch keeps ids and times of those that have failed, too, since it is
/// made again with them.
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

/// An entity during its save. An entity of the caller, if it is dropped before the save is settled, has its
/// version taken back.
pub trait Held<E: Entity>: Send {
    fn entity(&self) -> &E;
    fn entity_mut(&mut self) -> &mut E;
    /// Remembers an entity of the caller as it is, for [`revert`](Self::revert), if that is not done yet.
    fn remember(&mut self);
    fn stamp(&mut self, stamp: &Stamp) -> Result<()>;
    /// It is saved: what it was stamped with stays.
    fn settle(&mut self);
    /// It is known not to be saved: takes back what was done to an entity of the caller since it was
    /// remembered.
    fn revert(&mut self);
    /// It may be saved or not, or is saved again as it is: takes back that its version was raised, and no
    /// more.
    fn lower(&mut self);
    fn into_entity(self) -> E;
}

/// An entity of our own.
pub struct Own<E>(pub(crate) E);

/// An entity of the caller, with what has to be undone if its save does not come to a good end.
pub struct InPlace<'a, E: Entity> {
    target: &'a mut E,
    undo: Undo<E>,
}

enum Undo<E> {
    Nothing,
    /// Its version was raised.
    Version,
    /// It was this before anything was done to it.
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

/// However its save ends: by its answer, without one, or with a future that nobody polls any more.
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

/// Stamps an entity that is about to be written. One whose version cannot be raised stays as it is.
pub(crate) fn stamp_entity<E: Entity>(entity: &mut E, stamp: &Stamp) -> Result<()> {
    check_version_of(entity, stamp.version == VersionStep::Raise)?;
    entity.stamp_item(stamp);
    Ok(())
}

/// That the version of an entity is one, and one that can be raised if it is.
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
