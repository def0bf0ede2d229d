//! Sends writes as a transaction: one request, which is applied once even if answers are lost.

use super::assembly::Write;
use crate::codec::Request;
use crate::database::Database;
use crate::error::Result;
use crate::transport::{self, Failure, Operation};

/// Sends a write with its claims as a transaction, which is applied once even if answers are lost.
pub(crate) async fn send_one(database: &Database, write: &Write) -> std::result::Result<(), Failure> {
    let writes = std::slice::from_ref(write);
    let body = transaction_body(writes, &ulid::Ulid::generate().to_string());
    send_writes(database, writes, body).await
}

/// Sends a single write as a transaction of one operation, which is applied once even if answers are lost.
pub(crate) async fn carry_out_one(database: &Database, write: Write) -> Result<()> {
    send_one(database, &write).await.map_err(|failure| write.error(failure))
}

/// Returns the number of their operations in a transaction.
pub(crate) fn operations_of(writes: &[Write]) -> usize {
    writes.iter().map(Write::operations).sum()
}

/// Makes the request of a transaction of writes.
pub(crate) fn transaction_body(writes: &[Write], token: &str) -> Vec<u8> {
    let length: usize = writes.iter().map(|write| write.body.len() + 32 + 512 * write.claims.len()).sum();
    let mut request = Request::new(length);
    request.array("TransactItems", &mut writes.iter(), Write::write_operations);
    request.text("ClientRequestToken", token);
    request.finish()
}

/// Sends a transaction, and repeats it if that may help.
pub(crate) async fn send_writes(
    database: &Database,
    writes: &[Write],
    body: Vec<u8>,
) -> std::result::Result<(), Failure> {
    let mut tables: Vec<&str> = writes.iter().map(|write| write.subject.table.as_str()).collect();
    tables.sort_unstable();
    tables.dedup();
    let operation = Operation::TRANSACT_WRITE_ITEMS;
    let operations = operations_of(writes);
    transport::send_transaction(database, operation, &tables, operations, body).await.map(drop)
}
