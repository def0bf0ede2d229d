//! What can be stored in an attribute: the [`Attribute`] trait, and its implementations for the types of Rust and of the
//! crates that a user of DynamoDB has in hand.

mod codec;
mod collections;
mod flatten;
mod float;
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
pub(crate) use stamp::Stamp;
#[doc(no_inline)]
pub use timestamp::Timestamp;
pub use timestamp::TimestampError;

pub use crate::codec::{
    Encoder, Entries, Item, Items, MapEncoder, ScalarType, Scalars, Value, ValueError, ValueType,
};
use crate::codec::{Fields, ItemWriter};

/// A type that can be stored in an attribute of an item.
///
/// `#[derive(Attribute)]` implements it for structs (a map), for enums (text, or a map with a tag) and for newtypes (as
/// what they hold). By hand it is two functions; see [`Encoder`] for an example.
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
/// | [`Timestamp`], `time::OffsetDateTime`, `time::Date`, `chrono::DateTime<Utc>`*, `NaiveDateTime`*, `NaiveDate`* | `S`, in RFC 3339 and UTC, which sorts by time |
/// | `time::Duration`, `std::time::Duration` | `N`, seconds |
/// | `rust_decimal::Decimal`* | `N` |
/// | `serde_json::Value`* | the type that fits |
/// | the SDK's `AttributeValue` | what it is |
///
/// Those with a star need the feature named after their crate.
///
/// Two things do not come back as they were, since DynamoDB has no place for the difference: `Some(None)` and
/// `Some(BTreeSet::new())` are read as `None`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored in an attribute",
    label = "this type does not implement `dynorm::Attribute`",
    note = "for a type of your own: `#[derive(Attribute)]` on it",
    note = "for a type that serde knows: `#[entity(serde)]` on the field",
    note = "for any other: `#[entity(with = module)]` on the field, or `#[entity(skip)]` to leave it out of the item"
)]
pub trait Attribute: Sized {
    /// The type itself, without the `Option` around it: what a condition compares the field with.
    type Base: Attribute;
    /// What DynamoDB makes of it, from [`shape`]: says which operators a field of this type has and whether it can be a key.
    type Shape: shape::Shape;

    /// Writes the value. It must write exactly one.
    fn encode(&self, encoder: &mut Encoder) -> Result<(), ValueError>;

    /// Reads the value.
    fn decode(value: Value<'_>) -> Result<Self, ValueError>;

    /// True for a value that is left out of the item, as `None` and the empty set are.
    fn is_absent(&self) -> bool {
        false
    }

    /// What a field holds when the item does not have its attribute; `None` makes that an error.
    #[must_use]
    fn absent() -> Option<Self> {
        None
    }

    /// The type as a key.
    #[doc(hidden)]
    const SCALAR: Option<ScalarType> = <Self::Shape as shape::Shape>::SCALAR;

    /// Whatever is read is written again in the same spelling, or in one that DynamoDB takes for equal in a key.
    #[doc(hidden)]
    const EXACT: bool = false;

    /// Whether `stored`, which was read as `value`, is how the value is written; `None` if only writing it would say so.
    #[doc(hidden)]
    fn is_spelled(_value: &Self, _stored: &Value<'_>) -> Option<bool> {
        Self::EXACT.then_some(true)
    }

    /// As the field at `index` of a struct. No method, so that it is in nobody's way.
    #[doc(hidden)]
    fn put(value: &Self, item: &mut ItemWriter<'_>, index: usize) -> Result<(), ValueError> {
        item.field(index, value)
    }

    /// The reverse of `put`.
    #[doc(hidden)]
    fn get<const N: usize>(fields: &Fields<'_, N>, index: usize) -> Result<Self, ValueError> {
        fields.get(index)
    }

    /// The same, with a default for a field that is not there.
    #[doc(hidden)]
    fn get_or<const N: usize>(
        fields: &Fields<'_, N>,
        index: usize,
        default: impl FnOnce() -> Self,
    ) -> Result<Self, ValueError> {
        fields.get_or(index, default)
    }

    /// As a part of a key.
    #[doc(hidden)]
    fn key_part(value: &Self) -> Option<&dyn Part> {
        Some(value)
    }

    /// How many values of this type are stored: bytes differ from all others here.
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
