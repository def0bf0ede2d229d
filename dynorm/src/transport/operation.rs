//! The operations on items.
//!
//! Each is a table of functions that names its own part of the SDK, so a program links only the operations
//! that it uses.
//!
//! To add an operation, add a constant to [`Operation`], and the members of its answer to [`Member`]
//! (`answer.rs`). Also add it to `execute` (`embedded.rs`), and for fault injection to `OPERATIONS`
//! (`testing/connector.rs`) and `costs` (`testing/capacity.rs`).

use std::collections::HashMap;
use std::error::Error as StdError;
use std::fmt;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation as sdk;
use aws_sdk_dynamodb::types::{Delete, Get, KeysAndAttributes, TransactGetItem, TransactWriteItem};
use aws_smithy_runtime_api::client::interceptors::context::Output;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use futures_util::future::BoxFuture;

use super::Failure;
use super::answer::Member;

/// An operation on items.
#[derive(Clone, Copy)]
pub(crate) struct Operation {
    target: &'static str,
    is_read: bool,
    /// The members of an answer.
    pub(super) answer: &'static [Member],
    /// Sends the operation. Only the tables are set: the body is replaced.
    pub(super) send: for<'s> fn(&'s Client, &'s [&'s str]) -> Sent<'s>,
    /// Creates the output that the SDK expects; dynorm reads the answer elsewhere.
    pub(super) empty_output: fn() -> Output,
}

pub(super) type Sent<'s> = BoxFuture<'s, Result<(), Failure>>;

/// Defines an operation on one table.
macro_rules! of_one_table {
    ($target:literal, $is_read:literal, $answer:ident, $method:ident, $output:ident) => {
        Self {
            target: $target,
            is_read: $is_read,
            answer: Member::$answer,
            send: |client, tables| {
                Box::pin(async move {
                    let table = tables.first().copied().unwrap_or_default();
                    done(client.$method().table_name(table).send().await)
                })
            },
            empty_output: || Output::erase(sdk::$method::$output::builder().build()),
        }
    };
}

impl Operation {
    pub(crate) const PUT_ITEM: Self =
        of_one_table!("DynamoDB_20120810.PutItem", false, WRITE, put_item, PutItemOutput);
    pub(crate) const GET_ITEM: Self =
        of_one_table!("DynamoDB_20120810.GetItem", true, GET, get_item, GetItemOutput);
    pub(crate) const UPDATE_ITEM: Self =
        of_one_table!("DynamoDB_20120810.UpdateItem", false, WRITE, update_item, UpdateItemOutput);
    pub(crate) const DELETE_ITEM: Self =
        of_one_table!("DynamoDB_20120810.DeleteItem", false, WRITE, delete_item, DeleteItemOutput);
    pub(crate) const QUERY: Self = of_one_table!("DynamoDB_20120810.Query", true, PAGE, query, QueryOutput);
    pub(crate) const SCAN: Self = of_one_table!("DynamoDB_20120810.Scan", true, PAGE, scan, ScanOutput);

    pub(crate) const BATCH_WRITE_ITEM: Self = Self {
        target: "DynamoDB_20120810.BatchWriteItem",
        is_read: false,
        answer: Member::BATCH_WRITE,
        send: |client, tables| {
            Box::pin(async move {
                let mut request = client.batch_write_item();
                for table in tables {
                    request = request.request_items(*table, Vec::new());
                }
                done(request.send().await)
            })
        },
        empty_output: || Output::erase(sdk::batch_write_item::BatchWriteItemOutput::builder().build()),
    };

    pub(crate) const BATCH_GET_ITEM: Self = Self {
        target: "DynamoDB_20120810.BatchGetItem",
        is_read: true,
        answer: Member::BATCH_GET,
        send: |client, tables| {
            Box::pin(async move {
                let mut request = client.batch_get_item();
                for table in tables {
                    let keys = KeysAndAttributes::builder().set_keys(Some(Vec::new())).build();
                    request = request.request_items(*table, keys.map_err(unfinished)?);
                }
                done(request.send().await)
            })
        },
        empty_output: || Output::erase(sdk::batch_get_item::BatchGetItemOutput::builder().build()),
    };

    pub(crate) const TRANSACT_WRITE_ITEMS: Self = Self {
        target: "DynamoDB_20120810.TransactWriteItems",
        is_read: false,
        answer: Member::TRANSACTION,
        send: |client, tables| {
            Box::pin(async move {
                let mut request = client.transact_write_items();
                for table in tables {
                    let delete = Delete::builder().table_name(*table).set_key(Some(HashMap::new())).build();
                    let item = TransactWriteItem::builder().delete(delete.map_err(unfinished)?).build();
                    request = request.transact_items(item);
                }
                done(request.send().await)
            })
        },
        empty_output: || {
            Output::erase(sdk::transact_write_items::TransactWriteItemsOutput::builder().build())
        },
    };

    pub(crate) const TRANSACT_GET_ITEMS: Self = Self {
        target: "DynamoDB_20120810.TransactGetItems",
        is_read: true,
        answer: Member::TRANSACT_GET,
        send: |client, tables| {
            Box::pin(async move {
                let mut request = client.transact_get_items();
                for table in tables {
                    let get = Get::builder().table_name(*table).set_key(Some(HashMap::new())).build();
                    let item = TransactGetItem::builder().get(get.map_err(unfinished)?).build();
                    request = request.transact_items(item);
                }
                done(request.send().await)
            })
        },
        empty_output: || Output::erase(sdk::transact_get_items::TransactGetItemsOutput::builder().build()),
    };

    pub(super) const fn is_read(self) -> bool {
        self.is_read
    }

    /// Returns the value of the header `x-amz-target`, such as `DynamoDB_20120810.PutItem`.
    pub(super) const fn target(self) -> &'static str {
        self.target
    }

    pub(super) fn name(self) -> &'static str {
        self.target.rsplit('.').next().unwrap_or_default()
    }
}

impl PartialEq for Operation {
    fn eq(&self, other: &Self) -> bool {
        self.target == other.target
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Drops the SDK's output: dynorm reads the answer elsewhere.
fn done<T, E>(sent: Result<T, SdkError<E, HttpResponse>>) -> Result<(), Failure>
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    sent.map(drop).map_err(Failure::new)
}

/// The failure for a request that lacks a required member of the SDK's model.
fn unfinished(error: BuildError) -> Failure {
    Failure::local(error.into())
}
