//! Expressions. Their text is built here and nowhere else. Every name and value in it is a placeholder, so
//! that reserved words, dots and dashes in attribute names do not matter.
//!
//! - `placeholders.rs`: the expressions of a request, with their names and values
//! - `node.rs`: conditions without types, as a tree, and their text
//! - `condition.rs`: typed conditions, and the operands of comparisons
//! - `operators.rs`, `path.rs`, `size.rs`, `by_name.rs`: the operators of fields, of paths inside them, of
//!   sizes, and of fields whose names are known only at run time
//! - `update.rs`: changes without types, and their text
//! - `target.rs`, `arithmetic.rs`: the types of the targets and values of changes

mod arithmetic;
mod by_name;
mod condition;
mod document_path;
mod json;
mod node;
mod operators;
mod path;
mod placeholders;
mod size;
mod target;
mod update;

pub use arithmetic::{Addend, NumberAttribute, Sum};
pub use by_name::{FieldByName, IntoValue, field};
pub use condition::{Comparand, Condition, Operand, OperandList};
pub use operators::{ContainerAttribute, OrderedAttribute, PrefixedAttribute, SizedAttribute};
pub use path::{ListAttribute, MapAttribute, Path, StructIn};
pub use size::Size;
pub use target::{
    Assign, GrowingAttribute, IntoElement, Removable, SetAttribute, Stored, Target, TargetKind,
};

pub(crate) use document_path::{DocumentPath, Step};
pub(crate) use json::Json;
pub(crate) use node::{Comparison, MAX_IN, Node, Term};
pub(crate) use placeholders::{Expression, check_bytes, check_operators};
pub(crate) use target::{list_of, set_of};
pub(crate) use update::{Action, Change, Number, Source, Start, check_overlaps};
