//! The assembly of all writes: the condition of a write, and the meaning of its failure, each in one place.
//!
//! ```text
//! operation/, batch/, transaction/      encode the entity or the key, and describe the write (intent.rs)
//!        │ Intent
//!        ▼
//! condition.rs                          one condition: existence, type, version, unique values,
//!                                       and the caller's own
//! nulls.rs                              the attributes that are NULL where a change depends on them
//! claims.rs                             the claims on unique values that change with the item
//! assembly.rs                           writes both into the request
//!        │ Write: a request by itself, or an operation of a transaction
//!        │ Rule: the same for one item of a batch, beside its bytes
//!        ▼
//! transport                             sends it
//!        │ Failure
//!        ▼
//! meaning.rs                            what the returned item means: an `Error`
//! ```
//!
//! To add a rule, also add its attribute to `EntityInfo`, its condition to `condition.rs`, the meaning of its
//! failure to `meaning.rs`, and the rule to the combinations in `tests.rs`.

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
