//! Keeping items out of the SDK's trace.
//!
//! At the level TRACE the SDK logs requests and answers with their `Debug` output, which contains a body
//! unless it is a stream. Streams are slower, so bodies become streams only while that level is enabled.

use aws_smithy_types::body::SdkBody;

/// Returns true if the SDK's trace of requests is enabled.
pub(crate) fn is_traced() -> bool {
    tracing::enabled!(target: "aws_smithy_runtime::client::orchestrator", tracing::Level::TRACE)
}

/// Returns the same body, but with a `Debug` output that does not show it.
pub(crate) fn opaque(body: SdkBody) -> SdkBody {
    SdkBody::from_body_1_x(body)
}
