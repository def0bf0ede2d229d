//! The rules of an entity: version, soft deletion, expiry, and the type of its items.

use std::fmt;

use crate::attribute::{Moment, Stamp, Timestamp, VersionStep};
use crate::codec::{Encoder, Fields, Item, ItemWriter, Value, ValueError};
use crate::entity::{Entity, EntityInfo, check_type, decode_entity};
use crate::expression::{Comparison, DocumentPath, Json, Node, Term};
use crate::sealed::Sealed;

/// An entity with `#[entity(deleted_at)]`: a delete sets the deletion time of its item instead of removing
/// it, reads leave out soft-deleted items, and a restore removes the deletion time. Implemented by the derive
/// macro.
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
    /// Returns true if the entity is soft-deleted.
    fn is_trashed(&self) -> bool;
}

/// An entity with `#[entity(ttl)]`: from the time in the field on, its item counts as absent, and DynamoDB
/// deletes it within a few days. Implemented by the derive macro.
///
/// The time is stored in seconds since 1970, rounded up, as DynamoDB's TTL requires.
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
    /// Returns when it expires; `None` for never.
    fn expires_at(&self) -> Option<Timestamp>;

    /// Returns true from the expiry on.
    fn is_expired(&self) -> bool {
        self.expires_at().is_some_and(|end| end <= Timestamp::now())
    }
}

/// An entity with `#[entity(version)]`: every write raises the version, and a save or a delete of the entity
/// requires the version that was read. Implemented by the derive macro.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no version",
    label = "this entity has no field with `#[entity(version)]`",
    note = "add one: `#[entity(version)] version: u64`"
)]
pub trait Versioned: Entity {}

/// A type for versions: `u32`, `u64`, `i32` and `i64`. A new entity has version 0, and the first save makes
/// it 1.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a version",
    label = "a version is a `u64`, `u32`, `i64` or `i32`",
    note = "for example `#[entity(version)] version: u64`"
)]
pub trait Version: Sealed {
    /// The maximum version of the type. An item with it cannot be written any more.
    #[doc(hidden)]
    const LAST: u64;

    /// Returns the version as a number.
    fn number(&self) -> u64;

    /// Returns the version as a number, even if it is negative.
    #[doc(hidden)]
    fn value(&self) -> i128;

    /// Returns true while it was never raised.
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
        impl Sealed for $type {}

        #[diagnostic::do_not_recommend]
        impl Version for $type {
            const LAST: u64 = <$type>::MAX as u64;

            fn number(&self) -> u64 {
                u64::try_from(*self).unwrap_or(0)
            }

            fn value(&self) -> i128 {
                i128::from(*self)
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

/// A type for the deletion time of `#[entity(deleted_at)]`: an `Option` of a time.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot mark what is deleted",
    label = "`deleted_at` needs an `Option` of a moment",
    note = "use `Option<Timestamp>`: `None` for what is not deleted"
)]
pub trait Mark {
    /// Returns true if there is a deletion time.
    fn is_set(&self) -> bool;
}

#[diagnostic::do_not_recommend]
impl<T: Moment> Mark for Option<T> {
    fn is_set(&self) -> bool {
        self.is_some()
    }
}

/// A type for the expiry of `#[entity(ttl)]`: [`Timestamp`] and `Option<Timestamp>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot say when an item expires",
    label = "`ttl` needs a `Timestamp` or an `Option<Timestamp>`"
)]
pub trait Expiry: Sealed + Sized {
    /// Returns the expiry, if there is one.
    fn at(&self) -> Option<Timestamp>;

    #[doc(hidden)]
    fn from_moment(at: Option<Timestamp>) -> Result<Self, ValueError>;

    /// Writes it in seconds since 1970, as DynamoDB's TTL requires.
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

impl Sealed for Timestamp {}

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

/// The last second of the year 9999, after which a [`Timestamp`] holds nothing.
const LAST_SECOND: i64 = 253_402_300_799;

/// Rounds up, so that nothing expires early; but not past the last second, which could not be read back.
fn seconds(at: Timestamp) -> i64 {
    let up = i64::from(at.unix_micros().rem_euclid(1_000_000) > 0);
    (at.unix_micros().div_euclid(1_000_000) + up).min(LAST_SECOND)
}

/// Which items a read returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Visibility {
    pub(crate) trashed: Trashed,
    pub(crate) expired: bool,
}

/// Whether a read returns soft-deleted items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Trashed {
    #[default]
    Without,
    With,
    Only,
}

impl Visibility {
    pub(crate) const ALL: Self = Self { trashed: Trashed::With, expired: true };

    /// Returns the condition on the deletion time, if there is one.
    pub(crate) fn of_deletion(self, info: &'static EntityInfo) -> Option<Node> {
        let mark = info.deleted_at_attribute()?;
        match self.trashed {
            Trashed::Without => Some(Node::absent_or_null(mark)),
            Trashed::Only => {
                Some(Node::exists(mark).and(Node::compare(mark, Comparison::NotEqual, Json::NULL.to_vec())))
            }
            Trashed::With => None,
        }
    }

    /// Returns the condition that an item has not expired.
    pub(crate) fn of_expiry(self, info: &'static EntityInfo) -> Option<Node> {
        if self.expired { None } else { expired(info).map(Node::negated) }
    }

    /// Decodes an item that was requested by its key, if it is visible. An item of another type is an error.
    pub(crate) fn read<E: Entity>(self, item: &Item<'_>) -> Result<Option<E>, ValueError> {
        check_type(item, E::INFO)?;
        if self.sees(E::INFO, item)? { decode_entity(item) } else { Ok(None) }
    }

    /// True for an item that is visible.
    pub(crate) fn sees(self, info: &'static EntityInfo, item: &Item<'_>) -> Result<bool, ValueError> {
        self.sees_at(info, item, Timestamp::now)
    }

    /// True for an item that was visible at that time.
    pub(crate) fn sees_at(
        self,
        info: &'static EntityInfo,
        item: &Item<'_>,
        then: impl FnOnce() -> Timestamp,
    ) -> Result<bool, ValueError> {
        if let Some(mark) = info.deleted_at_attribute() {
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
        match info.expiry_attribute() {
            Some(end) if !self.expired => is_live(item, end, then()),
            _ => Ok(true),
        }
    }
}

/// DynamoDB keeps items whose expiry is not a number.
fn is_live(item: &Item<'_>, end: &str, now: Timestamp) -> Result<bool, ValueError> {
    let Some(value) = item.get(end)? else { return Ok(true) };
    let Ok(number) = value.as_number() else { return Ok(true) };
    let now = seconds_now(now).to_string();
    Ok(crate::codec::compare_numbers(number, &now).is_none_or(std::cmp::Ordering::is_gt))
}

/// An item has expired in the second of its expiry.
fn seconds_now(now: Timestamp) -> i64 {
    now.unix_micros().div_euclid(1_000_000)
}

/// Returns the condition that an item is of the entity's type, under its current or a former name; `None` if
/// the table stores no types.
pub(crate) fn of_type(info: &'static EntityInfo) -> Option<Node> {
    let attribute = Term::Path(DocumentPath::of(info.type_attribute?));
    let value = |name: &str| Term::Value(Json::text(name));
    Some(match info.type_names {
        names @ [_, _, ..] => attribute.one_of(names.iter().map(|name| value(name)).collect()),
        _ => attribute.compare(Comparison::Equal, value(info.type_name())),
    })
}

/// Returns the condition that an item has expired. Items whose expiry is absent or not a number never expire.
pub(crate) fn expired(info: &'static EntityInfo) -> Option<Node> {
    let now = format!(r#"{{"N":"{}"}}"#, seconds_now(Timestamp::now()));
    Some(Node::compare(info.expiry_attribute()?, Comparison::LessOrEqual, now.into_bytes()))
}

/// What a write requires of the existence of the item under its key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Existence {
    /// Nothing, except that an existing item is of the entity.
    #[default]
    Any,
    /// No item, or an expired one.
    Absent,
    /// An item of the entity (others may share the table) that is neither soft-deleted nor expired.
    Present,
    /// An item of the entity.
    Stored,
    /// No item, or one as in `Present`.
    PresentOrAbsent,
}

/// Returns the version on which a write is based, if the entity's version is valid and, if the write `raises`
/// it, can be raised.
pub(crate) fn check_version(
    info: &'static EntityInfo,
    version: i128,
    raises: bool,
) -> Result<u64, ValueError> {
    let name = info.version_attribute().unwrap_or_default();
    match u64::try_from(version) {
        Ok(version) if raises && version >= info.last_version => Err(ValueError::new(format!(
            "its version is {version}, the last that its type holds, so a later one could not be told from it: give the field a larger type"
        ))
        .in_field(name)),
        Ok(version) => Ok(version),
        Err(_) => Err(ValueError::new(format!(
            "its version is {version}, and versions count from 0: it was written by something else"
        ))
        .in_field(name)),
    }
}

/// Returns the condition that an item has this version. An item that dynorm never wrote has none, or 0.
pub(crate) fn has_version(info: &'static EntityInfo, version: u64) -> Option<Node> {
    let name = info.version_attribute()?;
    let equals = Node::equals(name, format!(r#"{{"N":"{version}"}}"#).into_bytes());
    Some(if version == 0 { Node::absent_or_null(name).or(equals) } else { equals })
}

/// Returns the condition that the version of an item can be raised by an update, which does not know it.
pub(crate) fn can_raise_version(info: &'static EntityInfo) -> Option<Node> {
    let name = info.version_attribute()?;
    let last = format!(r#"{{"N":"{}"}}"#, info.last_version).into_bytes();
    let negative = Node::compare(name, Comparison::Less, br#"{"N":"0"}"#.to_vec());
    Some(Node::compare(name, Comparison::GreaterOrEqual, last).or(negative).negated())
}

/// Returns the version of a stored item; 0 if it has none.
pub(crate) fn stored_version(info: &'static EntityInfo, item: &Item<'_>) -> Result<u64, ValueError> {
    let Some(name) = info.version_attribute() else { return Ok(0) };
    match item.get(name)? {
        Some(value) if !value.is_null() => {
            let number = value.as_number().map_err(|error| error.in_field(name))?;
            number.parse().map_err(|_| {
                ValueError::new(format!(
                    "expected a version, which is a whole number from 0, and found {number}"
                ))
                .in_field(name)
            })
        }
        _ => Ok(0),
    }
}

/// The versions of a version conflict.
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

#[cfg(test)]
mod tests {
    use super::{Expiry, LAST_SECOND, seconds};
    use crate::attribute::Timestamp;
    use crate::codec::{Encoder, Scanner, Value};

    #[test]
    fn every_expiry_that_is_written_is_read_back() {
        let last = LAST_SECOND * 1_000_000 + 999_999;
        for micros in [last, last - 1, last - 999_999, last - 1_000_000, 1, 0, -1] {
            let at = Timestamp::from_unix_micros(micros).unwrap();
            let mut encoder = Encoder::default();
            Expiry::encode(&at, &mut encoder).unwrap();
            let json = String::from_utf8(encoder.into_bytes()).unwrap();
            let read: Timestamp = Expiry::decode(Value::parse(&mut Scanner::new(&json)).unwrap()).unwrap();
            assert_eq!(read.unix_micros(), seconds(at) * 1_000_000, "{micros}");
            assert!(read >= at || seconds(at) == LAST_SECOND, "{micros}");
        }
        assert!(Timestamp::from_unix_micros(last + 1).is_err());
    }
}
