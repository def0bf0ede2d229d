//! Base64, in which DynamoDB's JSON carries bytes; encoded and decoded by the SDK.

use super::ValueError;

pub(crate) fn encode(bytes: &[u8]) -> String {
    aws_smithy_types::base64::encode(bytes)
}

pub(crate) fn decode(text: &str) -> Result<Vec<u8>, ValueError> {
    aws_smithy_types::base64::decode(text).map_err(|_| ValueError::new("these bytes are not valid base64"))
}
