#![doc = include_str!("../README.md")]

extern crate self as dynorm;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod attribute;
mod backoff;
mod batch;
mod codec;
mod collection;
mod database;
#[cfg(feature = "embedded")]
mod embedded;
mod encoded;
mod entity;
mod error;
mod expression;
mod field;
mod hooks;
mod key;
mod operation;
mod query;
mod repository;
mod rules;
mod snapshot;
#[cfg(feature = "testing")]
pub mod testing;
mod tracked;
mod transaction;
mod transport;
mod unique;
mod validation;
mod write;

pub use attribute::{
    Attribute, Flatten, Id, Identifier, Moment, ScalarType, Timestamp, TimestampError, shape,
};
pub use batch::{
    Arrangement, Batch, BatchDelete, BatchDeleteError, BatchDeleteStream, BatchError, BatchFailure, BatchGet,
    BatchGetError, BatchGetStream, BatchGets, BatchGetsError, BatchRestore, BatchRestoreError, BatchSave,
    BatchSaveError, BatchSaveRetry, BatchSaveStream, ByIterator, ByStream, Duplicates, Fate, Found,
    GetStreamError, GetTuple, IntoItems, KeyFailure, MAX_BATCH_GET_ITEMS, MAX_BATCH_WRITE_ITEMS, MAX_RETRIES,
    Positional, Progress, ProgressHandle, Retry, SaveFailure, Stats, StreamError, StreamFailure, batch,
    batch_get,
};
pub use codec::{
    Encoder, Entries, FieldInfo, Item, Items, MapEncoder, Scalars, Value, ValueError, ValueType,
};
pub use collection::{Chunk, Collection, GroupKey};
pub use database::Database;
pub use dynorm_derive::{Attribute, Entity, Projection};
pub use entity::{Entity, EntityInfo, HookResult, IndexInfo, StampedField, from_item, to_item};
pub use error::{
    BatchItem, BatchReport, Error, FailedOperation, OperationKind, Report, Result, TransactionReport,
};
pub use expression::{
    Addend, Assign, Condition, ContainerAttribute, FieldByName, GrowingAttribute, IntoElement, IntoValue,
    ListAttribute, MapAttribute, NumberAttribute, Operand, OperandList, OrderedAttribute, Path,
    PrefixedAttribute, Removable, SetAttribute, Size, SizedAttribute, Stored, StructIn, Sum, Target,
    TargetKind, field,
};
pub use field::{ChangeableKind, Entry, Field, Key, Opaque, Plain, TypedAttribute, TypedKind};
pub use hooks::Hooks;
pub use key::{
    EntityKey, IndexKeyAttribute, IndexKeyPart, IntoKey, KeyAttribute, KeyPart, KeySource, Segment, Template,
    UniqueAttribute,
};
pub use operation::{
    Check, Create, CreateTable, Delete, DeleteTable, EnableTtl, Existing, Find, FirstOrCreate, Get, New,
    Nothing, Old, Once, OperationFuture, OrCreate, OrInsert, ReadBack, Restore, RetryOnConflict, Returning,
    Save, SaveArg, SaveTracked, Update, UpdateReturning,
};
pub use query::{
    Count, Cursor, Exists, Explanation, First, GetAll, IntoCursor, IntoOrder, One, OrderBy, Page, PageQuery,
    Projected, Projection, Query, QueryStream, Selection, Whole,
};
pub use repository::Repository;
pub use rules::{Expires, Expiry, Mark, SoftDelete, Version, Versioned};
pub use tracked::Tracked;
pub use transaction::{
    AnyEntity, GetList, IntoDelete, IntoSave, IntoUpdate, MAX_TRANSACTION_OPERATIONS, OfEntity, TransactGet,
    TransactReads, Transaction, transact_get, transaction,
};
pub use validation::{Validated, Violation};

/// The AWS SDK for DynamoDB, of the version that dynorm stands on.
pub use aws_sdk_dynamodb as aws;
/// The crate behind [`Id`].
pub use ulid;

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
