//! The [`Attribute`] trait, and its implementations for the types of the standard library and of common
//! crates.

// To add a type, implement [`Attribute`] in the file of its kind (`third_party.rs` for a type of another
// crate, with a feature of the crate's name in `Cargo.toml`). Choose its [`shape`], or add one in `shape.rs`
// if no shape has the right operators. Then add a line to the table of [`Attribute`], and the type to the
// round-trip tests in `dynorm-tests`.

mod codec;
mod collections;
mod flatten;
mod float;
mod generator;
mod id;
mod integer;
#[cfg(feature = "serde_json")]
mod json;
mod moment;
mod numeric;
pub(crate) mod part;
mod pointer;
pub mod shape;
pub(crate) mod stamp;
mod text;
#[cfg(any(feature = "chrono", feature = "rust_decimal", feature = "uuid"))]
mod third_party;
mod time;
mod timestamp;

pub use flatten::Flatten;
#[doc(no_inline)]
pub use id::Id;
pub use id::Identifier;
pub use moment::Moment;
pub(crate) use part::EncodedPart;
pub(crate) use part::Part;
pub(crate) use stamp::{Stamp, VersionStep};
#[doc(no_inline)]
pub use timestamp::Timestamp;
pub use timestamp::TimestampError;

pub use crate::codec::{
    Encoder, Entries, Item, Items, MapEncoder, ScalarType, Scalars, Value, ValueError, ValueType,
};
use crate::codec::{Fields, ItemWriter};

/// A type that can be stored in an attribute of an item.
///
/// `#[derive(Attribute)]` implements it for structs (stored as a map), for enums (text, or a map with a tag)
/// and for newtypes (stored as the inner value). To implement it by hand, write two functions; see
/// [`Encoder`] for an example.
///
/// | Rust | DynamoDB |
/// |---|---|
/// | `String`, `Box<str>`, `Arc<str>`, `Cow<str>`, `char` | `S` |
/// | integers to 128 bits, `f32`, `f64` | `N` |
/// | `bool` | `BOOL` |
/// | `Vec<u8>`, `[u8; N]`, `Box<[u8]>` | `B` |
/// | other `Vec<T>`, `[T; N]`, `Box<[T]>` | `L` |
/// | `BTreeSet`, `HashSet` of text, numbers or bytes | `SS`, `NS`, `BS`; an empty one is left out |
/// | `BTreeMap`, `HashMap` with keys that are stored as text | `M` |
/// | `Option<T>` | `T`; `None` is left out, or NULL inside a list or map |
/// | [`Id`], `ulid::Ulid`, `uuid::Uuid`* | `S` |
/// | [`Timestamp`], `time::OffsetDateTime`, `time::Date` | `S`, in RFC 3339 and UTC, which sorts by time |
/// | `chrono::DateTime<Utc>`*, `NaiveDateTime`*, `NaiveDate`* | the same |
/// | `time::Duration`, `std::time::Duration` | `N`, seconds |
/// | `rust_decimal::Decimal`* | `N` |
/// | `serde_json::Value`* | the type that fits |
/// | the SDK's `AttributeValue` | what it is |
///
/// Types with a star need the feature named after their crate.
///
/// Two values are read back as others, since DynamoDB cannot store the difference: `Some(None)` and
/// `Some(BTreeSet::new())` are read as `None`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored in an attribute",
    label = "this type does not implement `dynorm::Attribute`",
    note = "for a type of your own: `#[derive(Attribute)]` on it",
    note = "for a type that serde knows: `#[entity(serde)]` on the field",
    note = "for any other: `#[entity(with = module)]` on the field, or `#[entity(skip)]` to leave it out of \
            the item"
)]
pub trait Attribute: Sized {
    /// The type itself, without an `Option` around it: conditions compare the field with it.
    type Base: Attribute;
    /// How DynamoDB stores the type, as one of [`shape`]: decides which operators a field of this type has,
    /// and whether it can be a key.
    type Shape: shape::Shape;

    /// Writes the value. It must write exactly one.
    fn encode(&self, encoder: &mut Encoder) -> Result<(), ValueError>;

    /// Reads the value.
    fn decode(value: Value<'_>) -> Result<Self, ValueError>;

    /// Returns true for a value that is left out of the item, such as `None` or an empty set.
    fn is_absent(&self) -> bool {
        false
    }

    /// Returns the value of a field whose attribute is missing from the item. `None` makes a missing
    /// attribute an error.
    #[must_use]
    fn absent() -> Option<Self> {
        None
    }

    /// The key type, for types that can be keys.
    #[doc(hidden)]
    const SCALAR: Option<ScalarType> = <Self::Shape as shape::Shape>::SCALAR;

    /// True if every decoded value is encoded with the same spelling, or with one that DynamoDB treats as
    /// equal in a key.
    #[doc(hidden)]
    const EXACT: bool = false;

    /// Returns whether `stored`, which was decoded as `value`, has the spelling that encoding it gives;
    /// `None` if only encoding it can tell.
    #[doc(hidden)]
    fn is_spelled(_value: &Self, _stored: &Value<'_>) -> Option<bool> {
        Self::EXACT.then_some(true)
    }

    /// Writes the value as the field at `index` of a struct. Not a method, so that it cannot conflict with
    /// one.
    #[doc(hidden)]
    fn put(value: &Self, item: &mut ItemWriter<'_>, index: usize) -> Result<(), ValueError> {
        item.field(index, value)
    }

    /// The reverse of `put`.
    #[doc(hidden)]
    fn get<const N: usize>(fields: &Fields<'_, N>, index: usize) -> Result<Self, ValueError> {
        fields.get(index)
    }

    /// The same, with a default for a missing attribute.
    #[doc(hidden)]
    fn get_or<const N: usize>(
        fields: &Fields<'_, N>,
        index: usize,
        default: impl FnOnce() -> Self,
    ) -> Result<Self, ValueError> {
        fields.get_or(index, default)
    }

    /// Returns the value as a part of a key.
    #[doc(hidden)]
    fn key_part(value: &Self) -> Option<&dyn Part> {
        Some(value)
    }

    /// Writes a slice of values: as a list, or as binary for bytes.
    #[doc(hidden)]
    fn encode_slice(slice: &[Self], encoder: &mut Encoder) -> Result<(), ValueError> {
        encoder.list(slice)
    }

    /// The reverse of `encode_slice`.
    #[doc(hidden)]
    fn decode_vec(value: Value<'_>) -> Result<Vec<Self>, ValueError> {
        value
            .as_list()?
            .enumerate()
            .map(|(index, item)| item.and_then(Self::decode).map_err(|error| error.at_index(index)))
            .collect()
    }
}

impl<T: Attribute> Part for T {
    fn encode_part(&self, encoder: &mut Encoder) -> Result<(), ValueError> {
        self.encode(encoder)
    }

    fn is_spelled_part(&self, stored: &Value<'_>) -> Option<bool> {
        T::is_spelled(self, stored)
    }

    fn is_absent_part(&self) -> bool {
        self.is_absent()
    }

    fn may_be_absent_part(&self) -> bool {
        T::absent().is_some()
    }
}
