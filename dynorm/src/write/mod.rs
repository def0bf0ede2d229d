//! The one assembly of writes: what must hold for a write, and what it means when it does not, each decided once.
//!
//! ```text
//! operation/, batch/, transaction/      encode the entity or the key, and say what is wanted (intent.rs)
//!        │ Intent
//!        ▼
//! condition.rs                          existence, type, version, unique values, the caller's own: one condition
//! nulls.rs                              what is NULL where an expression builds on it
//! claims.rs                             the claims on unique values that change with the item
//! assembly.rs                           both, in the request
//!        │ Write: a request by itself, or an operation of a transaction
//!        │ Rule: the same for one item of a batch, beside its bytes
//!        ▼
//! transport                             sends it
//!        │ Failure
//!        ▼
//! meaning.rs                            what the item that was found says of it: an `Error`
//! ```
//!
//! To add a rule, also add its attribute to `EntityInfo`, its condition to `condition.rs`, what its failure means to
//! `meaning.rs`, and the rule to the combinations of `tests.rs`.

mod assembly;
mod claims;
mod condition;
mod intent;
mod meaning;
mod nulls;
#[cfg(test)]
mod tests;
mod transact;

pub(crate) use assembly::{Rule, Write};
pub(crate) use claims::{Known, claim_keys, owner_of, unsettled};
pub(crate) use intent::{Action, Intent, ReturnValues, UniqueValues};
pub(crate) use transact::{carry_out_one, operations_of, send_one, send_writes, transaction_body};
