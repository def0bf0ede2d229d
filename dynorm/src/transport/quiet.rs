//! What keeps items out of the SDK's trace.
//!
//! At the level TRACE the SDK writes requests and answers with all that their `Debug` shows. Of a body that is a stream that is
//! nothing. A stream takes more time than bytes, so bodies become one only while somebody traces.

use aws_smithy_types::body::SdkBody;

/// True if somebody listens to what the SDK says of each request.
pub(crate) fn is_traced() -> bool {
    tracing::enabled!(target: "aws_smithy_runtime::client::orchestrator", tracing::Level::TRACE)
}

/// The same body, of which `Debug` shows nothing.
pub(crate) fn opaque(body: SdkBody) -> SdkBody {
    SdkBody::from_body_1_x(body)
}
