//! Ids of entities.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use ulid::Ulid;

use super::{Attribute, Stamp, generator, shape};
use crate::codec::{Encoder, Value, ValueError};

/// The id of a `T`: a [ULID](https://github.com/ulid/spec), stored as its text of 26 characters. Ids sort by
/// the time of their creation.
///
/// The type parameter keeps the ids of different entities apart: an `Id<Order>` is not an `Id<User>`. `Id<T>`
/// is `Copy` for every `T`. The default means "not set yet"; the first save of an entity sets it.
///
/// # Order
///
/// The ids that one process creates, of any type and in any thread, are in the order of their creation, also
/// within a millisecond, and a batch gives its entities ids in the order of its inputs. When the clock is set
/// back, new ids keep the latest time that it has shown until it reaches that time again. The ids of several
/// processes are in order as far as their clocks agree, to the millisecond.
///
/// An id shows when it was created, and it is not a secret: within a millisecond, each id exceeds the one
/// before it by a random number of 48 bits. For a token that nobody may guess, use random bits of its own.
///
/// ```
/// use dynorm::Id;
///
/// struct User;
///
/// let id: Id<User> = Id::new();
/// assert_eq!(id.to_string().parse::<Id<User>>()?, id);
/// assert!(Id::<User>::default().is_unset());
/// # Ok::<(), dynorm::ulid::DecodeError>(())
/// ```
pub struct Id<T> {
    ulid: Ulid,
    of: PhantomData<fn() -> T>,
}

impl<T> Id<T> {
    /// Creates a fresh id, greater than every id that this process has created before.
    ///
    /// ```
    /// let (one, other) = (dynorm::Id::<()>::new(), dynorm::Id::new());
    /// assert!(one < other && one.to_string() < other.to_string());
    /// ```
    #[must_use]
    #[allow(
        clippy::new_without_default,
        reason = "the default is the id that is not set yet, not a fresh one"
    )]
    pub fn new() -> Self {
        generator::next().into()
    }

    /// Returns true for the default, which means "not set yet".
    ///
    /// ```
    /// assert!(!dynorm::Id::<()>::new().is_unset());
    /// ```
    #[must_use]
    pub const fn is_unset(self) -> bool {
        self.ulid.is_nil()
    }

    /// Returns the ULID.
    ///
    /// ```
    /// # use dynorm::Id;
    /// let ulid = dynorm::ulid::Ulid::generate();
    /// assert_eq!(Id::<()>::from(ulid).ulid(), ulid);
    /// ```
    #[must_use]
    pub const fn ulid(self) -> Ulid {
        self.ulid
    }
}

impl<T> From<Ulid> for Id<T> {
    fn from(ulid: Ulid) -> Self {
        Self { ulid, of: PhantomData }
    }
}

impl<T> From<Id<T>> for Ulid {
    fn from(id: Id<T>) -> Self {
        id.ulid
    }
}

impl<T> FromStr for Id<T> {
    type Err = ulid::DecodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_ulid(text).map(Into::into)
    }
}

/// Parses a ULID. Its text can hold 130 bits and a ULID has 128: a text that does not fit is refused, where
/// the crate would drop the upper bits and read two texts as one id.
pub(super) fn parse_ulid(text: &str) -> Result<Ulid, ulid::DecodeError> {
    if text.starts_with(|first: char| first > '7') {
        return Err(ulid::DecodeError::InvalidChar);
    }
    Ulid::from_string(text)
}

impl<T> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.ulid, f)
    }
}

impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.ulid, f)
    }
}

// Implemented by hand, since a derive would require the same of `T`.
impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Id<T> {}
impl<T> Default for Id<T> {
    fn default() -> Self {
        Ulid::nil().into()
    }
}
impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.ulid == other.ulid
    }
}
impl<T> Eq for Id<T> {}
impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.ulid.cmp(&other.ulid)
    }
}
impl<T> Hash for Id<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.ulid.hash(state);
    }
}

/// Serializes the id as text.
impl<T> serde::Serialize for Id<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, T> serde::Deserialize<'de> for Id<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[diagnostic::do_not_recommend]
impl<T> Attribute for Id<T> {
    type Base = Self;
    type Shape = shape::FixedText;

    fn encode(&self, encoder: &mut Encoder) -> Result<(), ValueError> {
        self.ulid.encode(encoder)
    }

    fn decode(value: Value<'_>) -> Result<Self, ValueError> {
        Ulid::decode(value).map(Into::into)
    }

    fn is_spelled(id: &Self, stored: &Value<'_>) -> Option<bool> {
        Ulid::is_spelled(&id.ulid, stored)
    }
}

/// A type that `#[entity(id)]` can set at the first save: [`Id`], `ulid::Ulid`, `String` (a ULID as text)
/// and, with the feature `uuid`, `uuid::Uuid`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be filled with a fresh id",
    label = "`#[entity(id)]` needs a type that can",
    note = "use `dynorm::Id<…>`, `ulid::Ulid`, `uuid::Uuid` (feature `uuid`) or `String`; for a key \
            that you set yourself, write `#[entity(partition)]`"
)]
pub trait Identifier {
    /// Returns true if no id is set.
    fn is_unset(&self) -> bool;

    /// Creates an id that no other entity has. The ids of one process are in the order of their creation; see
    /// [`Id`](Id#order).
    fn fresh() -> Self;

    /// Sets a fresh id, unless one is set.
    #[doc(hidden)]
    fn stamp_id(id: &mut Self, _: &Stamp)
    where
        Self: Sized,
    {
        if id.is_unset() {
            *id = Self::fresh();
        }
    }
}

#[diagnostic::do_not_recommend]
impl<T> Identifier for Id<T> {
    fn is_unset(&self) -> bool {
        (*self).is_unset()
    }

    fn fresh() -> Self {
        Self::new()
    }
}

#[diagnostic::do_not_recommend]
impl Identifier for Ulid {
    fn is_unset(&self) -> bool {
        self.is_nil()
    }

    fn fresh() -> Self {
        generator::next()
    }
}

#[diagnostic::do_not_recommend]
impl Identifier for String {
    fn is_unset(&self) -> bool {
        self.is_empty()
    }

    fn fresh() -> Self {
        generator::next().to_string()
    }
}
