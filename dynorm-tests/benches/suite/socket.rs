//! Over a socket: saves users and reads them back, by clients in their own processes, so that the server's
//! cost does not count; and the same with five milliseconds for each request, as over a network.

use std::process::{Command, Stdio};

use anyhow::ensure;

use crate::clock::Took;
use crate::peers;
use crate::process::{Client, Server};
use crate::results::{Row, workspace};
use crate::{DYNORM, SDK};

const ITEMS: usize = 20_000;

/// The engine of the embedded database behind HTTP, and AWS's own engine if it can run.
pub(crate) fn measure() -> anyhow::Result<Vec<Row>> {
    let server = Server::start("engine", 0)?;
    let mut rows = clients("embedded engine", &server.endpoint)?;
    drop(server);
    // The script starts DynamoDB Local, and then this program again with its address.
    let script = workspace().join(".ci/dynamodb-local");
    let output = Command::new(script)
        .arg(std::env::current_exe()?)
        .arg("--clients")
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output();
    match output {
        Ok(output) if output.status.success() => {
            let more: Vec<Row> = serde_json::from_slice(&output.stdout)?;
            rows.extend(more);
        }
        _ => eprintln!("socket: DynamoDB Local does not run here (it needs java and npm), and is left out"),
    }
    Ok(rows)
}

/// Called by the script.
pub(crate) fn clients_of_dynamodb_local() -> anyhow::Result<()> {
    let rows = clients("DynamoDB Local", &std::env::var("DYNORM_TEST_ENDPOINT")?)?;
    println!("{}", serde_json::to_string(&rows)?);
    Ok(())
}

/// The minimum of three runs each: the first warms up the engine, and other load only adds.
fn clients(engine: &str, endpoint: &str) -> anyhow::Result<Vec<Row>> {
    const TURNS: usize = 3;
    let everyone = everyone()?;
    let mut least: Vec<Option<[Took; 2]>> = vec![None; everyone.len()];
    for turn in 0..TURNS {
        for (client, least) in everyone.iter().zip(&mut least) {
            match client.run(endpoint, ITEMS) {
                Ok(took) => {
                    *least = Some(least.map_or(took, |least| [0, 1].map(|i| least[i].least(took[i]))));
                }
                Err(error) if [DYNORM, SDK].contains(&client.name.as_str()) => return Err(error),
                Err(error) if turn == 0 => eprintln!("socket, {engine}: {error:#}"),
                Err(_) => {}
            }
        }
    }
    let mut rows = Vec::new();
    let an_item = |seconds: f64| seconds * 1e6 / ITEMS as f64;
    for (what, index) in [("save", 0), ("read", 1)] {
        for (client, least) in everyone.iter().zip(&least) {
            let Some(took) = least.map(|both| both[index]).filter(|took| !took.wall.is_nan()) else {
                continue;
            };
            rows.push(
                Row::new(format!("{what} 20,000, {engine}"), &client.name)
                    .with("cpu", an_item(took.cpu))
                    .with("wall", an_item(took.wall)),
            );
        }
    }
    Ok(rows)
}

/// Five milliseconds a request, 10,000 items, with the defaults of each client.
pub(crate) fn latency() -> anyhow::Result<Vec<Row>> {
    const ITEMS: usize = 10_000;
    let server = Server::start("delay", 5)?;
    let mut rows = Vec::new();
    for client in everyone()? {
        match client.run(&server.endpoint, ITEMS) {
            Ok([save, read]) => {
                for (what, took) in [("save 10,000", save), ("read 10,000 by their keys", read)] {
                    if !took.wall.is_nan() {
                        rows.push(Row::new(what, &client.name).with("seconds", took.wall));
                    }
                }
            }
            Err(error) => eprintln!("latency: {error:#}"),
        }
    }
    ensure!(!rows.is_empty(), "nobody could be measured");
    Ok(rows)
}

fn everyone() -> anyhow::Result<Vec<Client>> {
    let mut clients = vec![Client::ours(DYNORM)?, Client::ours(SDK)?];
    clients.extend(peers::clients());
    Ok(clients)
}
