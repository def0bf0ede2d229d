//! What DynamoDB takes as the value of a key.

use std::fmt;

use super::{ValueError, value_size};

/// What a key attribute is to the table or index that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyRole {
    Partition,
    Sort,
}

impl KeyRole {
    /// The most bytes that DynamoDB takes.
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
    const fn limit(self) -> usize {
        match self {
            Self::Partition => 2048,
            Self::Sort => 1024,
        }
    }
}

impl fmt::Display for KeyRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Partition => "partition key",
            Self::Sort => "sort key",
        })
    }
}

/// False for the length of nearly every key as JSON, which is never shorter than what it stands for.
pub(crate) const fn may_be_refused(json: usize) -> bool {
    const EMPTY: usize = r#"{"S":""}"#.len();
    json <= EMPTY || json > KeyRole::Sort.limit()
}

/// Checks the encoded value of a key attribute: not empty, and not longer than DynamoDB takes.
pub(crate) fn check_key(json: &[u8], role: KeyRole, of: &dyn fmt::Display) -> Result<(), ValueError> {
    if !may_be_refused(json.len()) {
        return Ok(());
    }
    let size = value_size(json)?;
    if size == 0 {
        return Err(ValueError::new(format!("the {role} of {of} cannot be empty")));
    }
    if size > role.limit() {
        return Err(ValueError::new(format!(
            "the {role} of {of} takes at most {} bytes, and this has {size}",
            role.limit()
        )));
    }
    Ok(())
}
