//! The rules that an entity may have beside its fields: a version, a mark instead of deletion, an end.

use std::fmt;

use crate::attribute::{Moment, Stamp, Timestamp, VersionStep};
use crate::codec::{Encoder, Fields, Item, ItemWriter, Value, ValueError};
use crate::entity::{Entity, EntityInfo};
use crate::expression::{DocumentPath, Node, Term};

/// An entity with `#[entity(deleted_at)]`: a delete marks its item, reads leave out what is marked, and a restore takes the
/// mark away. The derive macro implements it.
///
/// ```
/// # use dynorm::prelude::*;
/// #[derive(Entity, Clone, Debug, Default)]
/// struct Note {
///     #[entity(id)]
///     id: Id<Note>,
///     text: String,
///     #[entity(deleted_at)]
///     deleted_at: Option<Timestamp>,
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> dynorm::Result<()> {
/// # let db = Database::memory()?;
/// # db.create_table::<Note>().await?;
/// # db.install();
/// let note = NoteRepo::save(Note { text: "milk".into(), ..Default::default() }).await?;
/// NoteRepo::delete(&note).await?;
/// assert!(NoteRepo::find(note.id).await?.is_none());
/// assert!(NoteRepo::find(note.id).with_trashed().await?.is_some_and(|note| note.is_trashed()));
/// let note = NoteRepo::restore(note.id).await?;
/// assert!(!note.is_trashed());
/// NoteRepo::force_delete(&note).await?;
/// assert!(NoteRepo::find(note.id).with_trashed().await?.is_none());
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is deleted for good, and not marked as deleted",
    label = "this entity has no field with `#[entity(deleted_at)]`",
    note = "add one: `#[entity(deleted_at)] deleted_at: Option<Timestamp>`"
)]
pub trait SoftDelete: Entity {
    /// True for an entity that is marked as deleted.
    fn is_trashed(&self) -> bool;
}

/// An entity with `#[entity(ttl)]`: from the moment that the field holds its item counts as gone, and DynamoDB deletes it
/// within a few days. The derive macro implements it.
///
/// The moment is stored in seconds since 1970, rounded up, as DynamoDB wants it.
///
/// ```
/// # use dynorm::prelude::*;
/// # use std::time::Duration;
/// #[derive(Entity, Clone, Debug, Default)]
/// struct Session {
///     #[entity(id)]
///     id: Id<Session>,
///     #[entity(ttl)]
///     expires_at: Option<Timestamp>,
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> dynorm::Result<()> {
/// # let db = Database::memory()?;
/// # db.create_table::<Session>().await?;
/// # db.install();
/// let past = Timestamp::now().checked_sub(Duration::from_secs(60));
/// let session = SessionRepo::save(Session { expires_at: past, ..Default::default() }).await?;
/// assert!(SessionRepo::find(session.id).await?.is_none());
/// assert!(SessionRepo::find(session.id).with_expired().await?.is_some_and(|session| session.is_expired()));
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not expire",
    label = "this entity has no field with `#[entity(ttl)]`",
    note = "add one: `#[entity(ttl)] expires_at: Option<Timestamp>`"
)]
pub trait Expires: Entity {
    /// When it expires; `None` for never.
    fn expires_at(&self) -> Option<Timestamp>;

    /// True from that moment on.
    fn is_expired(&self) -> bool {
        self.expires_at().is_some_and(|end| end <= Timestamp::now())
    }
}

/// An entity with `#[entity(version)]`: every write raises the version, and a write of the whole entity, or its deletion,
/// needs the one that it was read with. The derive macro implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no version",
    label = "this entity has no field with `#[entity(version)]`",
    note = "add one: `#[entity(version)] version: u64`"
)]
pub trait Versioned: Entity {}

/// A type that a version can have: `u32`, `u64`, `i32` and `i64`. A new entity has 0, the first save makes it 1.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a version",
    label = "a version is a `u64`, `u32`, `i64` or `i32`",
    note = "for example `#[entity(version)] version: u64`"
)]
pub trait Version {
    /// The version as a number.
    fn number(&self) -> u64;

    /// True while it was never raised.
    #[doc(hidden)]
    fn is_new(&self) -> bool {
        self.number() == 0
    }

    #[doc(hidden)]
    fn raise(version: &mut Self, stamp: &Stamp)
    where
        Self: Sized;
}

macro_rules! versions {
    ($($type:ty),*) => {$(
        #[diagnostic::do_not_recommend]
        impl Version for $type {
            fn number(&self) -> u64 {
                u64::try_from(*self).unwrap_or(0)
            }

            fn raise(version: &mut Self, stamp: &Stamp) {
                *version = match stamp.version {
                    VersionStep::Raise => version.saturating_add(1),
                    VersionStep::Keep => *version,
                    VersionStep::Lower => version.saturating_sub(1),
                };
            }
        }
    )*};
}

versions!(u32, u64, i32, i64);

/// A type that `#[entity(deleted_at)]` can have: an `Option` of a moment.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot mark what is deleted",
    label = "`deleted_at` needs an `Option` of a moment",
    note = "use `Option<Timestamp>`: `None` for what is not deleted"
)]
pub trait Mark {
    /// True for what is marked.
    fn is_set(&self) -> bool;
}

#[diagnostic::do_not_recommend]
impl<T: Moment> Mark for Option<T> {
    fn is_set(&self) -> bool {
        self.is_some()
    }
}

/// A type that `#[entity(ttl)]` can have: [`Timestamp`] and `Option<Timestamp>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot say when an item expires",
    label = "`ttl` needs a `Timestamp` or an `Option<Timestamp>`"
)]
pub trait Expiry: Sized {
    /// The moment, if there is one.
    fn at(&self) -> Option<Timestamp>;

    #[doc(hidden)]
    fn from_moment(at: Option<Timestamp>) -> Result<Self, ValueError>;

    /// Writes it in seconds since 1970, which is what DynamoDB looks at.
    #[doc(hidden)]
    fn encode(value: &Self, encoder: &mut Encoder) -> Result<(), ValueError> {
        match value.at() {
            Some(at) => encoder.number(&seconds(at).to_string()),
            None => encoder.null(),
        }
    }

    #[doc(hidden)]
    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        if value.is_null() {
            return Self::from_moment(None);
        }
        let wrong = || ValueError::new("expected a number of seconds since 1970");
        let seconds = value.as_number()?.parse::<i64>().map_err(|_| wrong())?;
        let micros = seconds.checked_mul(1_000_000).ok_or_else(wrong)?;
        Self::from_moment(Some(Timestamp::from_unix_micros(micros).map_err(|_| wrong())?))
    }

    /// Writes it as the field at `index` of a struct.
    #[doc(hidden)]
    fn put(value: &Self, item: &mut ItemWriter<'_>, index: usize) -> Result<(), ValueError> {
        item.field_with(index, |encoder| Self::encode(value, encoder))
    }

    #[doc(hidden)]
    fn get<const N: usize>(fields: &Fields<'_, N>, index: usize) -> Result<Self, ValueError> {
        fields.get_with(index, Self::decode)
    }

    #[doc(hidden)]
    fn get_or<const N: usize>(
        fields: &Fields<'_, N>,
        index: usize,
        default: impl FnOnce() -> Self,
    ) -> Result<Self, ValueError> {
        fields.get_with_or(index, Self::decode, default)
    }
}

#[diagnostic::do_not_recommend]
impl Expiry for Timestamp {
    fn at(&self) -> Option<Timestamp> {
        Some(*self)
    }

    fn from_moment(at: Option<Timestamp>) -> Result<Self, ValueError> {
        at.ok_or_else(|| ValueError::new("expected a number of seconds since 1970"))
    }
}

#[diagnostic::do_not_recommend]
impl Expiry for Option<Timestamp> {
    fn at(&self) -> Option<Timestamp> {
        *self
    }

    fn from_moment(at: Option<Timestamp>) -> Result<Self, ValueError> {
        Ok(at)
    }
}

/// Rounded up, so that nothing ends before its time.
fn seconds(at: Timestamp) -> i64 {
    at.unix_micros().div_euclid(1_000_000) + i64::from(at.unix_micros().rem_euclid(1_000_000) > 0)
}

/// What must be true of the item before a write, whatever else is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Existence {
    Any,
    /// It does not exist.
    Absent,
    /// It exists, and is of the entity: others may share the table. It is neither marked as deleted nor at its end.
    Present,
    /// It exists, and is of the entity.
    Stored,
    /// If it exists, it is of the entity.
    Own,
}

/// The items that a read sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Visibility {
    pub(crate) trashed: Trashed,
    pub(crate) expired: bool,
}

/// What a read makes of items that are marked as deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Trashed {
    #[default]
    Without,
    With,
    Only,
}

impl Visibility {
    pub(crate) const ALL: Self = Self { trashed: Trashed::With, expired: true };

    /// The condition that an item is marked as it should be.
    pub(crate) fn of_mark(self, info: &'static EntityInfo) -> Option<Node> {
        let name = match self.trashed {
            Trashed::Without => "attribute_not_exists",
            Trashed::Only => "attribute_exists",
            Trashed::With => return None,
        };
        let arguments = vec![Term::Path(DocumentPath::of(info.mark()?))];
        Some(Node::Function { name, arguments })
    }

    /// The condition that an item has not expired.
    pub(crate) fn of_end(self, info: &'static EntityInfo) -> Option<Node> {
        if self.expired { None } else { live(info, Timestamp::now()) }
    }

    /// True for an item that is seen.
    pub(crate) fn sees(self, info: &'static EntityInfo, item: &Item<'_>) -> Result<bool, ValueError> {
        self.sees_at(info, item, Timestamp::now)
    }

    /// True for an item that was seen then.
    pub(crate) fn sees_at(
        self,
        info: &'static EntityInfo,
        item: &Item<'_>,
        then: impl FnOnce() -> Timestamp,
    ) -> Result<bool, ValueError> {
        if let Some(mark) = info.mark() {
            let is_trashed = item.get(mark)?.is_some_and(|value| !value.is_null());
            let wanted = match self.trashed {
                Trashed::Without => !is_trashed,
                Trashed::Only => is_trashed,
                Trashed::With => true,
            };
            if !wanted {
                return Ok(false);
            }
        }
        match info.end() {
            Some(end) if !self.expired => is_live(item, end, then()),
            _ => Ok(true),
        }
    }
}

/// DynamoDB keeps items whose end is no number.
fn is_live(item: &Item<'_>, end: &str, now: Timestamp) -> Result<bool, ValueError> {
    let Some(value) = item.get(end)? else { return Ok(true) };
    let Ok(number) = value.as_number() else { return Ok(true) };
    let now = seconds_now(now).to_string();
    Ok(crate::codec::compare_numbers(number, &now).is_none_or(std::cmp::Ordering::is_gt))
}

/// An item is gone in the second that its end names.
fn seconds_now(now: Timestamp) -> i64 {
    now.unix_micros().div_euclid(1_000_000)
}

fn live(info: &'static EntityInfo, now: Timestamp) -> Option<Node> {
    let end = || Term::Path(DocumentPath::of(info.end().unwrap_or_default()));
    info.end()?;
    let now = Term::Value(format!(r#"{{"N":"{}"}}"#, seconds_now(now)).into_bytes());
    Some(Node::Or(vec![
        Node::Function { name: "attribute_not_exists", arguments: vec![end()] },
        Node::Compare { left: end(), operator: ">", right: now },
    ]))
}

/// What must be true of an item that a write takes for existing: it is neither marked as deleted nor at its end.
pub(crate) fn present(info: &'static EntityInfo) -> Option<Node> {
    let visible = Visibility::default();
    // One condition, so that its text can stand beside others.
    let all: Vec<Node> = [visible.of_mark(info), visible.of_end(info)].into_iter().flatten().collect();
    (!all.is_empty()).then_some(Node::And(all))
}

/// What is true of an item that has expired, so that another may take its place.
pub(crate) fn expired(info: &'static EntityInfo) -> Option<Node> {
    let end = info.end()?;
    let now = Term::Value(format!(r#"{{"N":"{}"}}"#, seconds_now(Timestamp::now())).into_bytes());
    Some(Node::Compare { left: Term::Path(DocumentPath::of(end)), operator: "<=", right: now })
}

/// What a write of the version `number` needs to find: the one before.
pub(crate) fn version_before(info: &'static EntityInfo, before: u64) -> Option<Node> {
    let path = || Term::Path(DocumentPath::of(info.version_attribute().unwrap_or_default()));
    info.version_attribute()?;
    Some(if before == 0 {
        Node::Function { name: "attribute_not_exists", arguments: vec![path()] }
    } else {
        let value = Term::Value(format!(r#"{{"N":"{before}"}}"#).into_bytes());
        Node::Compare { left: path(), operator: "=", right: value }
    })
}

/// The version of a stored item; 0 if it has none.
pub(crate) fn stored_version(info: &'static EntityInfo, item: &Item<'_>) -> Result<u64, ValueError> {
    let Some(name) = info.version_attribute() else { return Ok(0) };
    let Some(value) = item.get(name)? else { return Ok(0) };
    let number = value.as_number().map_err(|error| error.in_field(name))?;
    number.parse().map_err(|_| ValueError::new("expected a version").in_field(name))
}

/// Two versions that should be one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Versions {
    pub(crate) expected: u64,
    /// `None` if there is no item.
    pub(crate) found: Option<u64>,
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { expected, found } = self;
        match (expected, found) {
            (0, Some(found)) => {
                write!(f, "the entity is new and the table has version {found} of it")
            }
            (_, Some(found)) => {
                write!(f, "the write was based on version {expected}, and the table has version {found}")
            }
            (_, None) => write!(f, "the write was based on version {expected}, and the item is gone"),
        }?;
        if found.is_some_and(|found| Some(found) == expected.checked_add(1)) {
            f.write_str(
                " (by another writer, or by an earlier save of this entity that was dropped or got no answer)",
            )?;
        }
        f.write_str(": read it again, and repeat the change")
    }
}
