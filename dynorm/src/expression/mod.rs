//! Expressions: the one place where their text is built. Every name and every value in it is a placeholder,
//! so that no reserved word, dot or dash in the name of an attribute ever matters.
//!
//! | what | where |
//! |---|---|
//! | the texts of a request, with their names and values | `placeholders.rs` |
//! | a condition as a tree, and its text | `node.rs` |
//! | a condition of an entity, and what its operators take | `condition.rs` |
//! | the operators: of fields, of places in them, of sizes, of names learnt at run time | `operators.rs`, `path.rs`, `size.rs`, `by_name.rs` |
//! | changes, and their text | `update.rs`; what they take, `target.rs` and `arithmetic.rs` |

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
