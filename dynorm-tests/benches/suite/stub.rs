//! A client whose requests are all answered at once with the same text. Requests are not signed: valgrind
//! does not use the SHA-256 instructions of the processor, so it would count far too many.

use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::{Client, Config};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;

/// Answers every request with `answer`.
pub(crate) fn client(answer: impl Into<Arc<str>>) -> Client {
    client_of(Stub { answer: answer.into(), body: None })
}

/// The body of the last request.
pub(crate) type Recorded = Arc<Mutex<String>>;

/// The same, and records the last request.
pub(crate) fn recording_client(answer: impl Into<Arc<str>>) -> (Client, Recorded) {
    let body = Recorded::default();
    (client_of(Stub { answer: answer.into(), body: Some(body.clone()) }), body)
}

fn client_of(stub: Stub) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .allow_no_auth()
        .endpoint_url("http://localhost")
        .retry_config(RetryConfig::disabled())
        .http_client(stub)
        .build();
    Client::from_conf(config)
}

#[derive(Clone, Debug)]
struct Stub {
    answer: Arc<str>,
    body: Option<Recorded>,
}

impl HttpClient for Stub {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Stub {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if let Some(recorded) = &self.body
            && let Ok(mut recorded) = recorded.lock()
        {
            *recorded = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        }
        let body = SdkBody::from(self.answer.as_bytes());
        let response = StatusCode::try_from(200).map(|status| HttpResponse::new(status, body));
        HttpConnectorFuture::ready(response.map_err(|error| ConnectorError::other(error.into(), None)))
    }
}
