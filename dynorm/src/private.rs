//! The one door through which the code of the derive macros comes in. Nothing here is for anybody else.

pub use crate::attribute::{Attribute, Flatten, Id, Identifier, Moment, shape};
pub use crate::codec::{Encoder, FieldInfo, Fields, ItemWriter, Value, ValueError, nested_serde};
pub use crate::entity::{Entity, EntityInfo, IndexInfo, Stamp};
pub use crate::field::{Field, Key, Plain};
pub use crate::key::{
    IndexKeyAttribute, IndexKeyPart, IntoKey, KeyAttribute, KeyPart, KeySource, Part, Segment, Template,
};
pub use crate::query::Query;
pub use crate::repository::Repository;

/// What the functions that write return.
pub type Written = Result<(), ValueError>;

/// What the functions that read return.
pub type Read<T> = Result<T, ValueError>;

/// The key of an index without the `Option` around it.
pub type Base<T> = <T as Attribute>::Base;

/// Makes the constant of a field.
#[doc(hidden)]
#[macro_export]
macro_rules! __field {
    ($field:ident, $name:literal) => {
        $crate::__private::Field::new($name, |entity| &entity.$field, |entity, value| entity.$field = value)
    };
}
pub use crate::__field as field;
