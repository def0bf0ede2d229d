//! The position at which a query continues, as text that can be sent to a browser and back.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result, Subject};
use crate::sealed::Sealed;

/// The position at which a query continues: opaque text of letters, digits, `-`, `_` and, if it is signed,
/// one `.`, so that it can be part of a URL.
///
/// A cursor belongs to its query. With other conditions, another order or another entity it is refused. It
/// contains the keys of an item, so anyone who has it can read those keys, and can forge a cursor with
/// others. [`PageQuery::signed`](super::PageQuery::signed) prevents forging, but not reading.
/// [`PageQuery::signed`](super::PageQuery::signed) protects against the latter.
///
/// ```
/// # use dynorm::prelude::*;
/// # #[derive(Entity, Clone, Debug, Default)]
/// # struct User { #[entity(id)] id: Id<User>, #[entity(index = "by_city")] city: String }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> dynorm::Result<()> {
/// # let db = Database::memory()?;
/// # db.create_table::<User>().await?;
/// # db.install();
/// # UserRepo::batch_save(vec![User { city: "Paris".into(), ..Default::default() }; 30]).await?;
/// let first = UserRepo::by_city("Paris").page(20).await?;
/// let text = first.next.expect("there is more").to_string();
///
/// let cursor: dynorm::Cursor = text.parse()?;
/// let second = UserRepo::by_city("Paris").page(20).after(cursor).await?;
/// assert_eq!((first.items.len(), second.items.len()), (20, 10));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Cursor(pub(super) String);

/// The first character of every cursor, the version of its format.
pub(super) const VERSION: char = '1';

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Hides the cursor's text, since keys may be sensitive.
impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cursor")
    }
}

/// Parses the text of a cursor. Fails if the text cannot be a cursor; whether it belongs to a query is
/// checked when it is used.
impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if text.starts_with(VERSION) && text.bytes().all(is_plain) {
            return Ok(Self(text.to_owned()));
        }
        // Not shown, since the text comes from outside: it may be of any length, and an altered cursor still
        // contains keys.
        let what = match text.len() {
            0..=40 => format!("{text:?}"),
            length => format!("a text of {length} bytes"),
        };
        Err(Error::invalid_cursor(Subject::default(), format!("{what} is not a cursor")))
    }
}

impl serde::Serialize for Cursor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Cursor {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A cursor, or an `Option` of one, for [`PageQuery::after`](super::PageQuery::after).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a cursor",
    label = "expected a `Cursor`, or an `Option` of one",
    note = "parse a string by `text.parse::<dynorm::Cursor>()?`"
)]
pub trait IntoCursor: Sealed {
    #[doc(hidden)]
    fn into_cursor(self) -> Option<Cursor>;
}

impl Sealed for Cursor {}

#[diagnostic::do_not_recommend]
impl IntoCursor for Cursor {
    fn into_cursor(self) -> Option<Cursor> {
        Some(self)
    }
}

#[diagnostic::do_not_recommend]
impl IntoCursor for &Cursor {
    fn into_cursor(self) -> Option<Cursor> {
        Some(self.clone())
    }
}

#[diagnostic::do_not_recommend]
impl<C: IntoCursor> IntoCursor for Option<C> {
    fn into_cursor(self) -> Option<Cursor> {
        self.and_then(IntoCursor::into_cursor)
    }
}
