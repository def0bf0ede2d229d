#![doc = include_str!("../README.md")]

extern crate self as dynorm;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
pub mod attribute;
mod backoff;
pub mod batch;
mod codec;
mod collection;
mod database;
#[cfg(feature = "embedded")]
mod embedded;
mod encoded;
mod entity;
pub mod error;
mod expression;
mod field;
mod hooks;
pub mod key;
pub mod operation;
pub mod query;
mod repository;
mod rules;
mod sealed;
mod snapshot;
#[cfg(feature = "testing")]
pub mod testing;
mod tracked;
pub mod transaction;
mod transport;
mod unique;
mod validation;
mod write;

// The names that applications use. The rest is in the modules.
#[doc(inline)]
pub use attribute::{Attribute, Id, Timestamp};
#[doc(inline)]
pub use batch::{
    Duplicates, Fate, MAX_BATCH_GET_ITEMS, MAX_BATCH_WRITE_ITEMS, MAX_RETRIES, Progress, Retry, Stats, batch,
    batch_get,
};
pub use collection::Collection;
pub use database::Database;
pub use dynorm_derive::{Attribute, Entity, Projection};
pub use entity::{Entity, HookResult, from_item, to_item};
#[doc(inline)]
pub use error::{Error, Result};
pub use expression::{Condition, field};
pub use hooks::Hooks;
#[doc(inline)]
pub use query::{Cursor, Page, Projection, Query};
pub use repository::Repository;
pub use rules::{Expires, SoftDelete, Versioned};
pub use tracked::Tracked;
#[doc(inline)]
pub use transaction::{MAX_TRANSACTION_OPERATIONS, transact_get, transaction};

/// The AWS SDK for DynamoDB, in the version that dynorm uses.
pub use aws_sdk_dynamodb as aws;
/// The crate behind [`Id`].
pub use ulid;

/// Conditions and updates: fields, paths into them, operators and their operands.
///
/// The constants of an entity are its fields: `User::AGE.ge(18)` is a [`Condition`]. The traits say which
/// operators a type supports.
pub mod condition {
    pub use crate::expression::{
        Addend, Assign, Comparand, ContainerAttribute, FieldByName, GrowingAttribute, IntoElement, IntoValue,
        ListAttribute, MapAttribute, NumberAttribute, Operand, OperandList, OrderedAttribute, Path,
        PrefixedAttribute, Removable, SetAttribute, Size, SizedAttribute, Stored, StructIn, Sum, Target,
        TargetKind,
    };
    #[doc(no_inline)]
    pub use crate::expression::{Condition, field};
    pub use crate::field::{ChangeableKind, Entry, Field, Key, Opaque, Plain, TypedAttribute, TypedKind};
}

/// The descriptions of entities and tables, and the operations that create, delete and change tables.
///
/// [`Entity::INFO`] is the description of an entity.
pub mod schema {
    pub use crate::codec::FieldInfo;
    pub use crate::entity::{EntityInfo, IndexInfo, StampedField};
    pub use crate::operation::create_table::{CreateTable, DeleteTable};
    pub use crate::operation::time_to_live::EnableTtl;
    pub use crate::rules::{Expiry, Mark, Version};
    pub use crate::validation::Validated;
}

/// The items that nearly every file of an application needs.
///
/// The trait [`Repository`] is imported without its name, so that it does not conflict with a `Repository` of
/// your own. `Result` and `Error` are not included.
pub mod prelude {
    #[doc(no_inline)]
    pub use crate::{
        Collection, Database, Entity, Expires as _, Id, Repository as _, SoftDelete as _, Timestamp,
    };
    // Only the derive macros: the traits have methods such as `encode` and `decode`, which could conflict
    // with those of other traits.
    #[doc(no_inline)]
    pub use dynorm_derive::{Attribute, Projection};
}
