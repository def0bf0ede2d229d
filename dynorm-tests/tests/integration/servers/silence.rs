//! Servers that accept a connection and send nothing, or almost nothing.

use std::time::Duration;

use dynorm::aws::config::timeout::TimeoutConfig;
use dynorm::aws::config::{BehaviorVersion, Credentials, Region};
use dynorm::prelude::*;
use dynorm_tests::canned::{self, Answer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::{said, terminals};

#[tokio::test(start_paused = true)]
async fn no_operation_waits_for_ever() {
    for terminal in terminals() {
        let (db, _) = canned::database(|_| Answer::Never);
        let start = Instant::now();
        let hour = Duration::from_secs(3600);
        let outcome = tokio::time::timeout(hour, (terminal.run)(db)).await;
        let error = outcome.unwrap_or_else(|_| panic!("{} hangs", terminal.name)).expect_err(terminal.name);
        assert!(start.elapsed() >= Duration::from_secs(90), "{}", terminal.name);
        assert!(said(&error).contains("no answer came in time"), "{}: {error:?}", terminal.name);
        assert_eq!(error.outcome_known(), !terminal.is_write, "{}: {error:?}", terminal.name);
    }
}

#[tokio::test]
async fn a_client_without_limits_gets_them_and_one_with_limits_keeps_its_own() {
    let limits = |db: &Database| {
        let limits = db.client().config().timeout_config().cloned().unwrap();
        [
            limits.connect_timeout(),
            limits.read_timeout(),
            limits.operation_attempt_timeout(),
            limits.operation_timeout(),
        ]
    };
    let seconds = |seconds: f64| Some(Duration::from_secs_f64(seconds));
    let ours = [seconds(3.1), seconds(30.0), seconds(90.0), seconds(300.0)];
    assert_eq!(limits(&Database::local("http://localhost:1")), ours);
    assert_eq!(limits(&canned::database(|_| Answer::Never).0), ours);
    let client = |limits: TimeoutConfig| {
        let config = dynorm::aws::Config::builder().behavior_version(BehaviorVersion::latest());
        Database::new(dynorm::aws::Client::from_conf(config.timeout_config(limits).build()))
    };
    let own =
        TimeoutConfig::builder().read_timeout(Duration::from_secs(7)).disable_operation_timeout().build();
    assert_eq!(limits(&client(own)), [seconds(3.1), seconds(7.0), seconds(90.0), None]);
    assert_eq!(limits(&client(TimeoutConfig::disabled())), [None; 4]);
}

/// A server that reads everything, and, if `drips`, answers one byte at a time.
async fn server(drips: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut read, mut write) = socket.split();
                let mut buffer = [0; 4096];
                let _ = read.read(&mut buffer).await;
                if drips {
                    let _ = write.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n").await;
                    while write.write_all(b" ").await.is_ok() {
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                } else {
                    while read.read(&mut buffer).await.is_ok_and(|bytes| bytes > 0) {}
                }
            });
        }
    });
    url
}

#[tokio::test]
async fn a_socket_that_is_silent_or_drips_is_given_up() {
    for drips in [false, true] {
        let url = server(drips).await;
        let limits = TimeoutConfig::builder()
            .read_timeout(Duration::from_millis(if drips { 60_000 } else { 50 }))
            .operation_attempt_timeout(Duration::from_millis(if drips { 100 } else { 60_000 }));
        let config = dynorm::aws::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(Credentials::new("a", "b", None, None, "test"))
            .retry_config(dynorm::aws::config::retry::RetryConfig::disabled())
            .endpoint_url(url)
            .timeout_config(limits.build());
        let db = Database::new(dynorm::aws::Client::from_conf(config.build()));
        for name in ["save", "find", "query", "batch_save", "batch_get"] {
            let terminal = terminals().into_iter().find(|terminal| terminal.name == name).unwrap();
            let outcome = tokio::time::timeout(Duration::from_secs(60), (terminal.run)(db.clone())).await;
            let error = outcome.unwrap_or_else(|_| panic!("{name} hangs")).unwrap_err();
            assert!(said(&error).contains("no answer came in time"), "{name} {drips}: {error:?}");
            assert_eq!(error.outcome_known(), !terminal.is_write, "{name}: {error:?}");
        }
    }
}
