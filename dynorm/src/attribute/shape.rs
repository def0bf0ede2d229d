//! What DynamoDB makes of a Rust type, as types: they decide at compile time what can be a key, an element of a set, or
//! the operand of an operator. [`Attribute::Shape`](super::Attribute::Shape) names one.

use std::marker::PhantomData;

use super::ScalarType;
pub use super::numeric::Numeric;

mod sealed {
    pub trait Sealed {}
}

/// One of the shapes of this module.
pub trait Shape: sealed::Sealed + 'static {
    /// The type as a key or as an element of a set, for shapes that can be one.
    const SCALAR: Option<ScalarType>;
    /// Every value makes a text of one length, and the order of the texts is that of the values.
    #[doc(hidden)]
    const FIXED: bool = false;
    /// A value may be absent, which leaves the item out of the indexes that it is a key of.
    #[doc(hidden)]
    const OPTIONAL: bool = false;
    /// The shape of many of them: `B` for bytes, a list for everything else.
    #[doc(hidden)]
    type Many<T: 'static>: Shape;
    /// The shape of a newtype around it.
    #[doc(hidden)]
    type Newtype: Shape;
    /// `T`, for the derive macros: it can be named only where the shape is known.
    #[doc(hidden)]
    type Itself<T>;
}

/// Text, numbers and bytes: the elements that a set can have.
#[diagnostic::on_unimplemented(
    message = "a set cannot hold elements of this type",
    label = "DynamoDB has sets of text, of numbers and of bytes",
    note = "use a `Vec` for other elements"
)]
pub trait Scalar: Shape {
    /// Which of the three it is.
    const TYPE: ScalarType;
}

/// Stored as text: what the keys of a map can be.
#[diagnostic::on_unimplemented(
    message = "a map cannot have keys of this type",
    label = "the keys of a map are stored as text, and these are not",
    note = "use keys that are stored as text, such as `String`, `Id`, or an enum without data"
)]
pub trait TextLike: Scalar {}

/// Text, numbers and bytes, and never absent: what the key of a table can be.
pub trait Key: Scalar {}

/// What the key of an index can be: as for a table, and it may be absent, which leaves the item out of the index.
pub trait IndexKey: Shape {}

/// What can stand in the template of a key: text, numbers and truth values.
pub trait Part: Shape {}

/// What can stand in the template of a table's key: as [`Part`], and never absent.
pub trait PresentPart: Part {}

/// What a template can pad with zeros: integers.
pub trait Padded: Shape {}

/// What DynamoDB can put in order: text, numbers and bytes.
pub trait Ordered: Shape {
    /// `T`, which can be named only for a shape with an order.
    #[doc(hidden)]
    type Operand<T>;
}

/// What has a beginning: text and bytes.
pub trait Prefixed: Shape {
    /// What it begins with.
    type Prefix;
}

/// What may contain something: a text a part of it, a list or a set an element.
pub trait Container: Shape {
    /// What it may contain.
    type Contained;
}

/// What has a size: text, bytes, and everything with elements.
pub trait Measured: Shape {}

/// What may be left out of an item: an `Option`, and a set, which is left out when it is empty.
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
    /// What its entries hold.
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
    /// One of the variants of an enum: text without an order.
    Choice: Some(ScalarType::String), [TextLike, Key, IndexKey, Part, PresentPart];
    /// A truth value.
    Bool: None, [Part, PresentPart];
    /// A map whose entries are the fields of a struct.
    Structure: None, [Measured, HasFields];
    /// Whatever the value at hand is: `serde_json::Value`, an enum with data.
    Any: None, [];
}

/// Text of one length for all values, whose order is that of the values: times and ids. A template may put something behind
/// it, and the key still sorts by it. It is made of ASCII letters, digits, `-`, `:`, `.` and `+`, and begins with a digit or
/// with one of `a` to `f`: so it is told apart from the fixed text of other templates.
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

/// A `u8`: a number, of which many are bytes.
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
