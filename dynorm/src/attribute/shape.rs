//! The shapes: how DynamoDB stores a Rust type, as types. They decide at compile time what can be a key, an
//! element of a set, or the operand of an operator. [`Attribute::Shape`](super::Attribute::Shape) names one
//! of them.

use std::marker::PhantomData;

use super::ScalarType;
pub use super::numeric::Numeric;

mod sealed {
    pub trait Sealed {}
}

/// One of the shapes of this module.
pub trait Shape: sealed::Sealed + 'static {
    /// The key type, for shapes that can be keys.
    const SCALAR: Option<ScalarType>;
    /// True if all values have texts of the same length, in the same order as the values.
    #[doc(hidden)]
    const FIXED: bool = false;
    /// True if a value may be absent, which leaves the item out of the indexes that the field is a key of.
    #[doc(hidden)]
    const OPTIONAL: bool = false;
    /// The shape of a `Vec`: binary for bytes, a list for everything else.
    #[doc(hidden)]
    type Many<T: 'static>: Shape;
    /// The shape of a newtype around this one.
    #[doc(hidden)]
    type Newtype: Shape;
    /// `T`, for the derive macros: it can be named only if the shape is known.
    #[doc(hidden)]
    type Itself<T>;
}

/// A shape that can be an element of a set: text, numbers and bytes.
#[diagnostic::on_unimplemented(
    message = "a set cannot hold elements of this type",
    label = "DynamoDB has sets of text, of numbers and of bytes",
    note = "use a `Vec` for other elements"
)]
pub trait Scalar: Shape {
    /// The type of the elements.
    const TYPE: ScalarType;
}

/// A shape that can be the key of a map: stored as text.
#[diagnostic::on_unimplemented(
    message = "a map cannot have keys of this type",
    label = "the keys of a map are stored as text, and these are not",
    note = "use keys that are stored as text, such as `String`, `Id`, or an enum without data"
)]
pub trait TextLike: Scalar {}

/// A shape that can be a key of a table: text, numbers and bytes, never absent.
pub trait Key: Scalar {}

/// A shape that can be a key of an index: as for a table, and it may be absent, which leaves the item out of
/// the index.
pub trait IndexKey: Shape {}

/// A shape that can be used in a key template: text, numbers and booleans.
pub trait Part: Shape {}

/// A shape that can be used in the template of a table's key: as [`Part`], but never absent.
pub trait PresentPart: Part {}

/// A shape that a template can pad with zeros: integers.
pub trait Padded: Shape {}

/// A shape that DynamoDB can order: text, numbers and bytes.
pub trait Ordered: Shape {
    /// `T`, which can be named only for an ordered shape.
    #[doc(hidden)]
    type Operand<T>;
}

/// A shape with prefixes, for `begins_with`: text and bytes.
pub trait Prefixed: Shape {
    /// The type of a prefix.
    type Prefix;
}

/// A shape that `contains` applies to: text contains text, lists and sets contain elements.
pub trait Container: Shape {
    /// The type that it may contain.
    type Contained;
}

/// A shape with a size: text, bytes, lists, sets and maps.
pub trait Measured: Shape {}

/// A shape that may be left out of an item: an `Option`, and a set, which is left out if it is empty.
pub trait Absentable: Shape {}

/// A set.
pub trait HasMembers: Shape {
    /// What it holds.
    type Member;
}

/// A map whose entries are the fields of a struct.
pub trait HasFields: Shape {}

/// A list.
pub trait HasElements: Shape {
    /// What it holds.
    type Element;
}

/// A map with keys of text.
pub trait HasEntries: Shape {
    /// The type of its values.
    type Entry;
}

macro_rules! shapes {
    ($($(#[$doc:meta])* $name:ident: $scalar:expr, [$($marker:ident),*];)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $name {}
        impl sealed::Sealed for $name {}
        impl Shape for $name {
            const SCALAR: Option<ScalarType> = $scalar;
            type Many<T: 'static> = List<T>;
            type Newtype = Self;
            type Itself<T> = T;
        }
        $(
            #[diagnostic::do_not_recommend]
            impl $marker for $name {}
        )*
    )*};
}

shapes! {
    /// Text.
    Text: Some(ScalarType::String), [TextLike, Key, IndexKey, Part, PresentPart, Measured];
    /// A number.
    Number: Some(ScalarType::Number), [Key, IndexKey, Part, PresentPart];
    /// An integer: a number that the template of a key can pad with zeros.
    Integer: Some(ScalarType::Number), [Key, IndexKey, Part, PresentPart, Padded];
    /// Bytes.
    Binary: Some(ScalarType::Binary), [Key, IndexKey, Measured];
    /// A variant of an enum without data: text without an order.
    Choice: Some(ScalarType::String), [TextLike, Key, IndexKey, Part, PresentPart];
    /// A boolean.
    Bool: None, [Part, PresentPart];
    /// A map whose entries are the fields of a struct.
    Structure: None, [Measured, HasFields];
    /// Any type, which depends on the value: `serde_json::Value`, an enum with data.
    Any: None, [];
}

/// Text of the same length for all values, in the same order as the values: times and ids. A key made by a
/// template still sorts by it if other text follows. It consists of ASCII letters, digits, `-`, `:`, `.` and
/// `+`, and begins with a digit or one of `a` to `f`, which distinguishes it from the fixed text of other
/// templates.
#[derive(Debug)]
pub enum FixedText {}
impl sealed::Sealed for FixedText {}
impl Shape for FixedText {
    const SCALAR: Option<ScalarType> = Some(ScalarType::String);
    const FIXED: bool = true;
    type Many<T: 'static> = List<T>;
    type Newtype = Self;
    type Itself<T> = T;
}
#[diagnostic::do_not_recommend]
impl TextLike for FixedText {}
#[diagnostic::do_not_recommend]
impl Key for FixedText {}
#[diagnostic::do_not_recommend]
impl IndexKey for FixedText {}
#[diagnostic::do_not_recommend]
impl Part for FixedText {}
#[diagnostic::do_not_recommend]
impl PresentPart for FixedText {}
#[diagnostic::do_not_recommend]
impl Measured for FixedText {}

/// A `u8`: a number, or binary as the element of a `Vec`.
#[derive(Debug)]
pub enum Byte {}
impl sealed::Sealed for Byte {}
impl Shape for Byte {
    const SCALAR: Option<ScalarType> = Some(ScalarType::Number);
    type Many<T: 'static> = Binary;
    type Newtype = Integer;
    type Itself<T> = T;
}
#[diagnostic::do_not_recommend]
impl Key for Byte {}
#[diagnostic::do_not_recommend]
impl IndexKey for Byte {}
#[diagnostic::do_not_recommend]
impl Part for Byte {}
#[diagnostic::do_not_recommend]
impl PresentPart for Byte {}
#[diagnostic::do_not_recommend]
impl Padded for Byte {}

#[diagnostic::do_not_recommend]
impl Scalar for Text {
    const TYPE: ScalarType = ScalarType::String;
}
#[diagnostic::do_not_recommend]
impl Scalar for FixedText {
    const TYPE: ScalarType = ScalarType::String;
}
#[diagnostic::do_not_recommend]
impl Scalar for Choice {
    const TYPE: ScalarType = ScalarType::String;
}
#[diagnostic::do_not_recommend]
impl Scalar for Number {
    const TYPE: ScalarType = ScalarType::Number;
}
#[diagnostic::do_not_recommend]
impl Scalar for Integer {
    const TYPE: ScalarType = ScalarType::Number;
}
#[diagnostic::do_not_recommend]
impl Scalar for Byte {
    const TYPE: ScalarType = ScalarType::Number;
}
#[diagnostic::do_not_recommend]
impl Scalar for Binary {
    const TYPE: ScalarType = ScalarType::Binary;
}

/// A list of `T`.
#[derive(Debug)]
pub struct List<T>(PhantomData<fn() -> T>);
/// A set of `T`.
#[derive(Debug)]
pub struct Set<T>(PhantomData<fn() -> T>);
/// A map with values of the type `T`.
#[derive(Debug)]
pub struct Map<T>(PhantomData<fn() -> T>);
/// A value of the shape `S` that may be absent.
#[derive(Debug)]
pub struct Optional<S>(PhantomData<fn() -> S>);

impl<T> sealed::Sealed for List<T> {}
impl<T> sealed::Sealed for Set<T> {}
impl<T> sealed::Sealed for Map<T> {}
impl<S> sealed::Sealed for Optional<S> {}

impl<T: 'static> Shape for List<T> {
    const SCALAR: Option<ScalarType> = None;
    type Many<U: 'static> = List<U>;
    type Newtype = Self;
    type Itself<U> = U;
}
impl<T: 'static> Shape for Set<T> {
    const SCALAR: Option<ScalarType> = None;
    type Many<U: 'static> = List<U>;
    type Newtype = Self;
    type Itself<U> = U;
}
impl<T: 'static> Shape for Map<T> {
    const SCALAR: Option<ScalarType> = None;
    type Many<U: 'static> = List<U>;
    type Newtype = Self;
    type Itself<U> = U;
}
impl<S: Shape> Shape for Optional<S> {
    const SCALAR: Option<ScalarType> = S::SCALAR;
    const FIXED: bool = S::FIXED;
    const OPTIONAL: bool = true;
    type Many<U: 'static> = List<U>;
    type Newtype = Optional<S::Newtype>;
    type Itself<T> = T;
}
impl<S: IndexKey> IndexKey for Optional<S> {}
impl<S: Part> Part for Optional<S> {}
impl<S: Padded> Padded for Optional<S> {}
impl Ordered for Text {
    type Operand<T> = T;
}
impl Ordered for FixedText {
    type Operand<T> = T;
}
impl Ordered for Number {
    type Operand<T> = T;
}
impl Ordered for Integer {
    type Operand<T> = T;
}
impl Ordered for Byte {
    type Operand<T> = T;
}
impl Ordered for Binary {
    type Operand<T> = T;
}
impl<S: Ordered> Ordered for Optional<S> {
    type Operand<T> = S::Operand<T>;
}
impl Prefixed for Text {
    type Prefix = String;
}
impl Prefixed for FixedText {
    type Prefix = String;
}
impl Prefixed for Binary {
    type Prefix = Vec<u8>;
}
impl<S: Prefixed> Prefixed for Optional<S> {
    type Prefix = S::Prefix;
}
impl<S: Measured> Measured for Optional<S> {}
impl<S: Shape> Absentable for Optional<S> {}
impl<T: 'static> Absentable for Set<T> {}
impl<T: 'static> HasMembers for Set<T> {
    type Member = T;
}
impl<S: HasMembers> HasMembers for Optional<S> {
    type Member = S::Member;
}
impl<S: HasFields> HasFields for Optional<S> {}
impl<T: 'static> Measured for List<T> {}
impl<T: 'static> Measured for Set<T> {}
impl<T: 'static> Measured for Map<T> {}
impl Container for Text {
    type Contained = String;
}
impl Container for FixedText {
    type Contained = String;
}
impl<T: 'static> Container for List<T> {
    type Contained = T;
}
impl<T: 'static> Container for Set<T> {
    type Contained = T;
}
impl<S: Container> Container for Optional<S> {
    type Contained = S::Contained;
}
impl<T: 'static> HasElements for List<T> {
    type Element = T;
}
impl<S: HasElements> HasElements for Optional<S> {
    type Element = S::Element;
}
impl<T: 'static> HasEntries for Map<T> {
    type Entry = T;
}
impl<S: HasEntries> HasEntries for Optional<S> {
    type Entry = S::Entry;
}
