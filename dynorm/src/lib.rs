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

// What an application writes. The rest is in the modules.
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

/// The AWS SDK for DynamoDB, of the version that dynorm stands on.
pub use aws_sdk_dynamodb as aws;
/// The crate behind [`Id`].
pub use ulid;

/// Conditions, and what they and updates are made of: fields, paths into them, operators, and the values on
/// their other side.
///
/// The constants of an entity are the fields: `User::AGE.ge(18)` is a [`Condition`]. The traits say which
/// operators a type takes.
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

/// Tables: what is known of an entity and its table, and the operations that create, delete and change
/// tables.
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

/// What an application needs in nearly every file that touches its database.
///
/// [`Repository`] comes without its name, so that a `Repository` of your own does not hide the operations; there is no
/// `Result` and no `Error` in it.
pub mod prelude {
    #[doc(no_inline)]
    pub use crate::{
        Collection, Database, Entity, Expires as _, Id, Repository as _, SoftDelete as _, Timestamp,
    };
    // The derive macro alone: with the trait would come its methods `encode` and `decode`, which other traits have too.
    #[doc(no_inline)]
    pub use dynorm_derive::{Attribute, Projection};
}
