//! Time limits for clients that set none.

use std::time::Duration;

use aws_sdk_dynamodb::Config;
use aws_smithy_types::timeout::TimeoutConfig;

/// To connect. It is the SDK's own default.
const CONNECT: Duration = Duration::from_millis(3_100);

/// From the request to the first byte of the answer. DynamoDB takes milliseconds, and seconds at worst; the
/// rest is for sending a request of 16 MB over a slow connection.
const READ: Duration = Duration::from_secs(30);

/// One attempt, including its answer: 16 MB take this long at 1.5 Mbit/s. It also stops servers that send a
/// byte now and then.
const ATTEMPT: Duration = Duration::from_secs(90);

/// An operation of the SDK with all attempts: three at their limit, and the delays between them.
const OPERATION: Duration = Duration::from_secs(300);

/// Returns the time limits of a client, with those above for limits that it does not set. A limit that the
/// client disables stays disabled.
pub(crate) fn limits_of(config: &Config) -> TimeoutConfig {
    let ours = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .read_timeout(READ)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(OPERATION);
    let its = config.timeout_config().map(TimeoutConfig::to_builder).unwrap_or_default();
    its.take_unset_from(ours).build()
}
