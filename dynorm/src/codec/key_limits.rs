//! The size limits of key values.

use std::fmt;

use super::{ValueError, value_size};

/// The role of a key attribute in its table or index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyRole {
    Partition,
    Sort,
}

impl KeyRole {
    /// The most bytes that DynamoDB accepts.
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

/// Returns false if a key whose JSON has this length is surely within the limits, as nearly every key is.
/// JSON is never shorter than the value that it encodes.
pub(crate) const fn may_be_refused(json: usize) -> bool {
    const EMPTY: usize = r#"{"S":""}"#.len();
    json <= EMPTY || json > KeyRole::Sort.limit()
}

/// Checks the encoded value of a key attribute: it must not be empty, nor longer than DynamoDB accepts.
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
