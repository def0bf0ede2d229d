//! How long a server may take, where the client does not say.

use std::time::Duration;

use aws_sdk_dynamodb::Config;
use aws_smithy_types::timeout::TimeoutConfig;

/// What the SDK's own default is.
const CONNECT: Duration = Duration::from_millis(3_100);

/// From the request to the first byte of the answer. DynamoDB takes milliseconds, and seconds at its worst; the rest is for a
/// request of 16 MB that leaves by a slow line.
const READ: Duration = Duration::from_secs(30);

/// One attempt, answer included: 16 MB take so long at 1.5 Mbit/s. A server that sends a byte now and then ends here.
const ATTEMPT: Duration = Duration::from_secs(90);

/// An operation of the SDK with all of its attempts: three that end at their limit, and the waits between them.
const OPERATION: Duration = Duration::from_secs(300);

/// The time limits of a client, and ours where it has none. One that it has switched off stays off.
pub(crate) fn limits_of(config: &Config) -> TimeoutConfig {
    let ours = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .read_timeout(READ)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(OPERATION);
    let its = config.timeout_config().map(TimeoutConfig::to_builder).unwrap_or_default();
    its.take_unset_from(ours).build()
}
