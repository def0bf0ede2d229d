//! The writes, in all ways to make them, and their results.

use std::fmt;

use dynorm::aws::types::AttributeValue;
use dynorm::prelude::*;
use dynorm::{Error, Fate, Tracked};

use super::state::{Item, STORED, Scene};
use super::subject::{Rules, Subject};

pub(super) const CHANGED: &str = "changed";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Write {
    Save,
    Merge,
    Create,
    Upsert,
    UpdateOrCreate,
    FirstOrCreate,
    Update,
    /// An update of the unique value.
    UpdateCode,
    TrackedSave,
    RetryOnConflict,
    Delete,
    DeleteById,
    ForceDelete,
    ForceDeleteById,
    Restore,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Single,
    /// With the old item in the answer.
    ReturningOld,
    ReturningNothing,
    ExactlyOnce,
    Transaction,
    Batch,
    /// `dynorm::batch()`.
    MixedBatch,
    Stream,
    Collection,
}

/// The caller's condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    Nothing,
    /// Holds for an existing item.
    Holds,
    Fails,
}

impl Write {
    pub(super) const ALL: [Self; 15] = [
        Self::Save,
        Self::Merge,
        Self::Create,
        Self::Upsert,
        Self::UpdateOrCreate,
        Self::FirstOrCreate,
        Self::Update,
        Self::UpdateCode,
        Self::TrackedSave,
        Self::RetryOnConflict,
        Self::Delete,
        Self::DeleteById,
        Self::ForceDelete,
        Self::ForceDeleteById,
        Self::Restore,
    ];

    /// The writes of an entity with these rules.
    pub(super) fn all(rules: Rules) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |write| match write {
            Self::RetryOnConflict => rules.version,
            Self::ForceDelete | Self::ForceDeleteById | Self::Restore => rules.soft_delete,
            _ => true,
        })
    }

    /// The ways to make it, with the caller's conditions that they accept.
    pub(super) fn ways(self) -> Vec<(Way, When)> {
        use Way::*;
        let (conditional, others): (&[Way], &[Way]) = match self {
            Self::Save => (&[Single, Transaction], &[Batch, MixedBatch, Stream, Collection]),
            Self::Merge => (&[Single, Transaction], &[]),
            Self::Create => (&[], &[Single, Transaction, Batch]),
            Self::Upsert | Self::UpdateOrCreate | Self::FirstOrCreate | Self::RetryOnConflict => {
                (&[], &[Single])
            }
            Self::Update => (&[Single, ReturningOld, ReturningNothing, ExactlyOnce, Transaction], &[]),
            Self::UpdateCode => (&[Single, ReturningNothing, ExactlyOnce, Transaction], &[]),
            Self::TrackedSave => (&[Single], &[]),
            Self::Delete => (&[Single, Transaction], &[Batch, MixedBatch, Collection]),
            Self::DeleteById => (&[Single, Transaction], &[Batch, MixedBatch, Stream]),
            Self::ForceDelete | Self::ForceDeleteById => (&[Single, Transaction], &[Batch]),
            Self::Restore => (&[], &[Single, Batch]),
        };
        let conditional = conditional
            .iter()
            .flat_map(|way| [When::Nothing, When::Holds, When::Fails].into_iter().map(|when| (*way, when)));
        conditional.chain(others.iter().map(|way| (*way, When::Nothing))).collect()
    }

    /// It depends on the entity, not only on its key.
    pub(super) fn takes_entity(self) -> bool {
        use Write::*;
        !matches!(self, Update | UpdateCode | RetryOnConflict | DeleteById | ForceDeleteById | Restore)
    }
}

/// The kinds of errors that a caller distinguishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    NotFound,
    Condition,
    Version,
    Unique,
    /// The item is another entity's.
    Type,
    /// Before anything is sent.
    Invalid,
    /// By the server.
    Rejected,
    Other,
}

impl Refusal {
    fn of(error: &Error) -> Self {
        let kinds = [
            (error.is_type_mismatch(), Self::Type),
            (error.is_not_found(), Self::NotFound),
            (error.is_condition_failed(), Self::Condition),
            (error.is_version_conflict(), Self::Version),
            (error.is_unique_conflict(), Self::Unique),
            (matches!(error, Error::Invalid(_)), Self::Invalid),
            (matches!(error, Error::Rejected(_)), Self::Rejected),
        ];
        kinds.into_iter().find(|(is, _)| *is).map_or(Self::Other, |(_, kind)| kind)
    }
}

/// The compared parts of an error.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) kind: Refusal,
    pub(super) outcome_known: bool,
    /// The item in the error.
    pub(super) current: Option<Result<Item, String>>,
    pub(super) message: String,
}

impl Refused {
    fn of<E: Subject>(error: &Error) -> Self {
        let current = error.current::<E>().map(|current| match current {
            Ok(entity) => Ok(item_of(&entity)),
            Err(error) => Err(error.to_string()),
        });
        Self {
            kind: Refusal::of(error),
            outcome_known: error.outcome_known(),
            current,
            message: error.to_string(),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = if self.outcome_known { "" } else { ", outcome unknown" };
        write!(f, "{:?}{known}", self.kind)
    }
}

/// The result of a write: the returned entity, if any, or the error.
pub(super) type Outcome = Result<Option<Item>, Refused>;

fn item_of<E: Subject>(entity: &E) -> Item {
    dynorm::to_item(entity).unwrap().into_iter().collect()
}

fn entity<E: Subject>(result: dynorm::Result<E>) -> Outcome {
    result.map(|entity| Some(item_of(&entity))).map_err(|error| Refused::of::<E>(&error))
}

fn nothing<E: Subject, T>(result: dynorm::Result<T>) -> Outcome {
    result.map(|_| None).map_err(|error| Refused::of::<E>(&error))
}

/// The error of the only operation of a transaction.
fn transaction<E: Subject>(result: dynorm::Result<()>) -> Outcome {
    let Err(error) = result else { return Ok(None) };
    match error.failed_operations() {
        [failed] if failed.reason.outcome_known() == error.outcome_known() => {
            Err(Refused::of::<E>(&failed.reason))
        }
        _ => Err(Refused { kind: Refusal::Other, ..Refused::of::<E>(&error) }),
    }
}

/// The reason of the only failure of a batch.
macro_rules! batch {
    ($entity:ty, $result:expr) => {
        match $result {
            Ok(_) => Ok(None),
            Err(error) => {
                let failures: Vec<_> = error.failures().into_iter().collect();
                match &failures[..] {
                    [failure] if failure.fate == Fate::Rejected => {
                        Err(Refused::of::<$entity>(&failure.reason))
                    }
                    _ => Err(Refused {
                        kind: Refusal::Other,
                        outcome_known: false,
                        current: None,
                        message: format!("{error:?}"),
                    }),
                }
            }
        }
    };
}

/// Adds the caller's condition.
macro_rules! when {
    ($entity:ty, $when:expr, $operation:expr) => {
        match $when {
            When::Nothing => $operation,
            When::Holds => $operation.when(<$entity>::is_text(STORED)),
            When::Fails => $operation.when(<$entity>::is_text("of nobody")),
        }
    };
}

/// Makes the write.
pub(super) async fn run<E: Subject>(
    db: &Database,
    scene: &Scene<E>,
    write: Write,
    way: Way,
    when: When,
) -> Outcome {
    let this = &scene.entity;
    let key = || this.entity_key();
    match write {
        Write::Save => match way {
            Way::Batch => match E::Repo::batch_save([this]).on(db).await {
                Ok(saved) => Ok(saved.first().map(item_of)),
                failed => batch!(E, failed),
            },
            Way::MixedBatch => batch!(E, dynorm::batch().save([this]).on(db).await),
            Way::Stream => batch!(E, E::Repo::batch_save_stream([this.clone()]).on(db).await),
            Way::Collection => {
                let mut all = dynorm::Collection::from(vec![this.clone()]);
                match all.save_all().on(db).await {
                    Ok(_) => Ok(all.first().map(item_of)),
                    failed => batch!(E, failed),
                }
            }
            Way::Transaction => {
                let save = when!(E, when, E::Repo::save(this.clone()));
                transaction::<E>(dynorm::transaction().save(save).on(db).await)
            }
            _ => entity(when!(E, when, E::Repo::save(this)).on(db).await),
        },
        Write::Merge if way == Way::Transaction => {
            let save = when!(E, when, E::Repo::save(this.clone()).merge());
            transaction::<E>(dynorm::transaction().save(save).on(db).await)
        }
        Write::Merge => entity(when!(E, when, E::Repo::save(this).merge()).on(db).await),
        Write::Create => match way {
            Way::Batch => match E::Repo::batch_create([this]).on(db).await {
                Ok(saved) => Ok(saved.first().map(item_of)),
                failed => batch!(E, failed),
            },
            Way::Transaction => transaction::<E>(dynorm::transaction().create(this.clone()).on(db).await),
            _ => entity(E::Repo::create(this).on(db).await),
        },
        Write::Upsert => entity(E::Repo::upsert(this).set(E::TEXT, CHANGED).on(db).await),
        Write::UpdateOrCreate => entity(E::Repo::update_or_create(this).set(E::TEXT, CHANGED).on(db).await),
        Write::FirstOrCreate => entity(E::Repo::first_or_create(this).on(db).await),
        Write::Update | Write::UpdateCode => {
            let update = E::Repo::update(key());
            let update = match write {
                Write::Update => update.set(E::TEXT, CHANGED),
                _ => update.set(E::CODE, E::CODE.get(this).as_str()),
            };
            let update = when!(E, when, update);
            match way {
                Way::ReturningOld => entity(update.returning_old().on(db).await),
                Way::ReturningNothing => nothing::<E, _>(update.returning_nothing().on(db).await),
                Way::ExactlyOnce => entity(update.exactly_once().on(db).await),
                Way::Transaction => transaction::<E>(dynorm::transaction().update(update).on(db).await),
                _ => entity(update.on(db).await),
            }
        }
        Write::TrackedSave => {
            let mut tracked = Tracked::new(scene.original.clone());
            tracked.change_text(CHANGED);
            E::CODE.set(&mut *tracked, E::CODE.get(this).clone());
            let saved = when!(E, when, tracked.save()).on(db).await;
            entity(saved.map(|()| tracked.into_inner()))
        }
        Write::RetryOnConflict => match E::retry_on_conflict(key(), CHANGED) {
            Some(retry) => entity(retry.on(db).await),
            None => panic!("`{}` has no version", E::NAME),
        },
        Write::Delete => match way {
            Way::Batch => batch!(E, E::Repo::batch_delete_entities([this]).on(db).await),
            Way::MixedBatch => batch!(E, dynorm::batch().delete_entities([this]).on(db).await),
            Way::Collection => {
                let all = dynorm::Collection::from(vec![this.clone()]);
                batch!(E, all.delete_all().on(db).await)
            }
            _ => delete::<E>(db, E::Repo::delete(this), way, when).await,
        },
        Write::DeleteById => match way {
            Way::Batch => batch!(E, E::Repo::batch_delete([key()]).on(db).await),
            Way::MixedBatch => batch!(E, dynorm::batch().delete::<E>([key()]).on(db).await),
            Way::Stream => batch!(E, E::Repo::batch_delete_stream([key()]).on(db).await),
            Way::Transaction if when == When::Nothing => {
                transaction::<E>(dynorm::transaction().delete_by_id::<E>(key()).on(db).await)
            }
            _ => delete::<E>(db, E::Repo::delete_by_id(key()), way, when).await,
        },
        Write::ForceDelete => match (way, this.force_delete()) {
            (Way::Batch, _) => {
                let batch = E::force(E::Repo::batch_delete_entities([this])).unwrap();
                batch!(E, batch.on(db).await)
            }
            (_, delete) => self::delete::<E>(db, delete.unwrap(), way, when).await,
        },
        Write::ForceDeleteById => match (way, E::force_delete_by_id(key())) {
            (Way::Batch, _) => {
                let batch = E::force(E::Repo::batch_delete([key()])).unwrap();
                batch!(E, batch.on(db).await)
            }
            (_, delete) => self::delete::<E>(db, delete.unwrap(), way, when).await,
        },
        Write::Restore if way == Way::Batch => {
            batch!(E, E::batch_restore(key()).unwrap().on(db).await)
        }
        Write::Restore => entity(E::restore(key()).unwrap().on(db).await),
    }
}

async fn delete<E: Subject>(
    db: &Database,
    delete: dynorm::operation::Delete<E>,
    way: Way,
    when: When,
) -> Outcome {
    let delete = when!(E, when, delete);
    match way {
        Way::Transaction => transaction::<E>(dynorm::transaction().delete(delete).on(db).await),
        _ => nothing::<E, _>(delete.on(db).await),
    }
}

/// The attributes of a stored item that a read gives: those with a field, except NULL.
pub(super) fn shown(item: &Item) -> Item {
    let shown = |(name, value): &(&String, &AttributeValue)| *name != super::state::EXTRA && !value.is_null();
    item.iter().filter(shown).map(|(name, value)| (name.clone(), value.clone())).collect()
}
