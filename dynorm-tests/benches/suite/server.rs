//! The servers: the embedded engine, and one without tables that waits before it answers.

use std::io::Write as _;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::codec::json;
use crate::shapes::{FIRST_MILLISECOND, Shape as _, User};

/// Serves until it is killed.
pub(crate) fn serve(kind: &str, milliseconds: u64) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?.port());
        std::io::stdout().flush()?;
        match kind {
            "engine" => {
                dynoxide::server::serve_on(listener, dynoxide::Database::memory()?).await;
                Ok(())
            }
            "delay" => delay(&listener, Duration::from_millis(milliseconds)).await,
            _ => bail!("there is no server {kind}"),
        }
    })
}

/// Accepts every write, and finds an item for every key.
async fn delay(listener: &TcpListener, pause: Duration) -> anyhow::Result<()> {
    loop {
        let (connection, _) = listener.accept().await?;
        connection.set_nodelay(true)?;
        // A closed connection is not an error.
        tokio::spawn(async move {
            let _ = converse(connection, pause).await;
        });
    }
}

async fn converse(mut connection: TcpStream, pause: Duration) -> anyhow::Result<()> {
    let mut buffer = Vec::new();
    loop {
        let head = loop {
            if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            if connection.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        let text = String::from_utf8_lossy(&buffer[..head]).to_lowercase();
        let header = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let length: usize = header("content-length:").context("no length")?.parse()?;
        let operation =
            header("x-amz-target:").and_then(|target| target.split_once('.')).map(|(_, name)| name);
        let operation = operation.unwrap_or_default().to_owned();
        while buffer.len() < head + length {
            if connection.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        }
        let body = String::from_utf8_lossy(&buffer[head..head + length]).into_owned();
        buffer.drain(..head + length);
        tokio::time::sleep(pause).await;
        let answer = answer(&operation, &body);
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: \
            {}\r\n\r\n{answer}",
            answer.len()
        );
        connection.write_all(answer.as_bytes()).await?;
    }
}

fn answer(operation: &str, body: &str) -> String {
    match operation {
        "batchgetitem" => {
            let table = body.split('"').nth(3).unwrap_or_default();
            let mut items: Vec<String> = keys(body).collect();
            if table.starts_with("toasty") {
                // toasty stores sets as lists, and cannot read sets.
                let (set, list) = (r#""SS":["newsletter","vip"]"#, r#""L":[{"S":"newsletter"},{"S":"vip"}]"#);
                items.iter_mut().for_each(|item| *item = item.replace(set, list));
            }
            format!(r#"{{"Responses":{{"{table}":[{}]}},"UnprocessedKeys":{{}}}}"#, items.join(","))
        }
        "getitem" => {
            keys(body).next().map_or_else(|| "{}".to_owned(), |item| format!(r#"{{"Item":{item}}}"#))
        }
        "batchwriteitem" => r#"{"UnprocessedItems":{}}"#.to_owned(),
        "createtable" => r#"{"TableDescription":{"TableStatus":"ACTIVE"}}"#.to_owned(),
        "describetable" => r#"{"Table":{"TableStatus":"ACTIVE"}}"#.to_owned(),
        "listtables" => r#"{"TableNames":[]}"#.to_owned(),
        _ => "{}".to_owned(),
    }
}

/// The users with the keys in a request; the id contains the number of the sample.
fn keys(body: &str) -> impl Iterator<Item = String> {
    body.split(r#""id":{"S":""#).skip(1).filter_map(|key| {
        let ulid = dynorm::ulid::Ulid::from_string(key.split('"').next()?).ok()?;
        Some(json(&User::sample(usize::try_from(ulid.timestamp_ms() - FIRST_MILLISECOND).ok()?)))
    })
}
