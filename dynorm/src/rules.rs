//! The rules that an entity may have beside its fields: a version, a mark instead of deletion, an end.

use std::fmt;

use crate::attribute::{Moment, Stamp, Timestamp, VersionStep};
use crate::codec::{Encoder, Fields, Item, ItemWriter, Value, ValueError};
use crate::entity::{Entity, EntityInfo, check_type, decode_entity};
use crate::expression::{Comparison, DocumentPath, Json, Node, Term};
use crate::sealed::Sealed;

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
pub trait Version: Sealed {
    /// The last version that the type holds: an item that has it cannot be written any more.
    #[doc(hidden)]
    const LAST: u64;

    /// The version as a number.
    fn number(&self) -> u64;

    /// The same, of a negative one too.
    #[doc(hidden)]
    fn value(&self) -> i128;

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
pub trait Expiry: Sealed + Sized {
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

/// Rounded up, so that nothing ends before its time.
fn seconds(at: Timestamp) -> i64 {
    at.unix_micros().div_euclid(1_000_000) + i64::from(at.unix_micros().rem_euclid(1_000_000) > 0)
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

    /// The condition that an item is soft-deleted or not, as it should be.
    pub(crate) fn of_mark(self, info: &'static EntityInfo) -> Option<Node> {
        let mark = info.deleted_at_attribute()?;
        match self.trashed {
            Trashed::Without => Some(Node::absent_or_null(mark)),
            Trashed::Only => {
                Some(Node::exists(mark).and(Node::compare(mark, Comparison::NotEqual, Json::NULL.to_vec())))
            }
            Trashed::With => None,
        }
    }

    /// The condition that an item has not expired.
    pub(crate) fn of_end(self, info: &'static EntityInfo) -> Option<Node> {
        if self.expired { None } else { expired(info).map(Node::negated) }
    }

    /// The entity in an item that was asked for by its key, if it is seen. One of another type is an error.
    pub(crate) fn read<E: Entity>(self, item: &Item<'_>) -> Result<Option<E>, ValueError> {
        check_type(item, E::INFO)?;
        if self.sees(E::INFO, item)? { decode_entity(item) } else { Ok(None) }
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

/// What is true of an item of the entity's type, under its name or a former one; `None` where the table holds no types.
pub(crate) fn of_type(info: &'static EntityInfo) -> Option<Node> {
    let attribute = Term::Path(DocumentPath::of(info.type_attribute?));
    let value = |name: &str| Term::Value(Json::text(name));
    Some(match info.type_names {
        names @ [_, _, ..] => attribute.one_of(names.iter().map(|name| value(name)).collect()),
        _ => attribute.compare(Comparison::Equal, value(info.type_name())),
    })
}

/// What is true of an item that has expired: of no item whose expiry is absent, or no number.
pub(crate) fn expired(info: &'static EntityInfo) -> Option<Node> {
    let now = format!(r#"{{"N":"{}"}}"#, seconds_now(Timestamp::now()));
    Some(Node::compare(info.expiry_attribute()?, Comparison::LessOrEqual, now.into_bytes()))
}

/// What a write needs of the item under its key, whatever else is asked of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Existence {
    /// Nothing, but that an item is of the entity.
    #[default]
    Any,
    /// There is none, or one that has expired.
    Absent,
    /// It exists, and is of the entity: others may share the table. It is neither soft-deleted nor expired.
    Present,
    /// It exists, and is of the entity.
    Stored,
    /// If it exists, it is as in `Present`.
    PresentOrAbsent,
}

/// The version that a write is based on, if it can be: the entity says it, and the write `raises` it or leaves it.
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

/// The condition that an item has this version. One that was never written by us has none, or 0.
pub(crate) fn has_version(info: &'static EntityInfo, version: u64) -> Option<Node> {
    let name = info.version_attribute()?;
    let equals = Node::equals(name, format!(r#"{{"N":"{version}"}}"#).into_bytes());
    Some(if version == 0 { Node::absent_or_null(name).or(equals) } else { equals })
}

/// The condition that the version of an item can be raised by an update, which does not know it.
pub(crate) fn can_raise_version(info: &'static EntityInfo) -> Option<Node> {
    let name = info.version_attribute()?;
    let last = format!(r#"{{"N":"{}"}}"#, info.last_version).into_bytes();
    let negative = Node::compare(name, Comparison::Less, br#"{"N":"0"}"#.to_vec());
    Some(Node::compare(name, Comparison::GreaterOrEqual, last).or(negative).negated())
}

/// The version of a stored item; 0 if it has none.
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
