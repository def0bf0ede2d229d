//! Times that a write can set.

use super::{Attribute, Stamp, Timestamp, VersionStep};
use crate::codec::{Encoder, ValueError};

/// A type that `#[entity(created_at)]` and `#[entity(updated_at)]` can set to the current time:
/// [`Timestamp`], an `Option` of it, `time::OffsetDateTime`, and with the feature `chrono` its
/// `DateTime<Utc>` and `NaiveDateTime`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stamped with the current time",
    label = "`created_at` and `updated_at` need a moment in time",
    note = "use `dynorm::Timestamp`, `time::OffsetDateTime`, `chrono::DateTime<Utc>` (feature `chrono`), \
            or an `Option` of one"
)]
pub trait Moment {
    /// Returns true if no time is set: for `None`, and for 1970-01-01T00:00:00Z, the default.
    fn is_unset(&self) -> bool;

    /// Converts a timestamp.
    fn at(now: Timestamp) -> Self;

    /// Returns the current time, for an update.
    #[doc(hidden)]
    fn of_stamp(stamp: &Stamp) -> Self
    where
        Self: Sized,
    {
        Self::at(stamp.now)
    }

    /// Writes the current time.
    #[doc(hidden)]
    fn now(stamp: &Stamp, encoder: &mut Encoder) -> Result<(), ValueError>
    where
        Self: Attribute,
    {
        encoder.value(&Self::at(stamp.now))
    }

    /// Sets the current time, unless a time is set.
    #[doc(hidden)]
    fn stamp_created_at(moment: &mut Self, stamp: &Stamp)
    where
        Self: Sized,
    {
        if moment.is_unset() {
            *moment = Self::at(stamp.now);
        }
    }

    /// The current time.
    #[doc(hidden)]
    fn stamp_updated_at(moment: &mut Self, stamp: &Stamp)
    where
        Self: Sized,
    {
        if stamp.version != VersionStep::Lower {
            *moment = Self::at(stamp.now);
        }
    }
}

#[diagnostic::do_not_recommend]
impl Moment for Timestamp {
    fn is_unset(&self) -> bool {
        *self == Self::default()
    }

    fn at(now: Timestamp) -> Self {
        now
    }
}

#[diagnostic::do_not_recommend]
impl Moment for time::OffsetDateTime {
    fn is_unset(&self) -> bool {
        *self == Self::UNIX_EPOCH
    }

    fn at(now: Timestamp) -> Self {
        now.into()
    }
}

#[diagnostic::do_not_recommend]
impl<T: Moment> Moment for Option<T> {
    fn is_unset(&self) -> bool {
        self.as_ref().is_none_or(T::is_unset)
    }

    fn at(now: Timestamp) -> Self {
        Some(T::at(now))
    }
}

#[cfg(feature = "chrono")]
#[diagnostic::do_not_recommend]
impl Moment for chrono::DateTime<chrono::Utc> {
    fn is_unset(&self) -> bool {
        *self == Self::UNIX_EPOCH
    }

    fn at(now: Timestamp) -> Self {
        Self::from_timestamp_micros(now.unix_micros()).unwrap_or(Self::UNIX_EPOCH)
    }
}

#[cfg(feature = "chrono")]
#[diagnostic::do_not_recommend]
impl Moment for chrono::NaiveDateTime {
    fn is_unset(&self) -> bool {
        *self == chrono::DateTime::UNIX_EPOCH.naive_utc()
    }

    fn at(now: Timestamp) -> Self {
        chrono::DateTime::<chrono::Utc>::at(now).naive_utc()
    }
}
