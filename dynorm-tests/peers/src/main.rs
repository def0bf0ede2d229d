//! The peers of dynorm at the same work: save users and read them back, by each crate's own batch operations.
//! The benchmark suite starts this program with the name of a peer, an endpoint and a number of users, and
//! reads its output.
//!
//! The users are those of the suite, except that ids and timestamps are strings here, which is less work.

mod facade;
mod modyne;
mod toasty;
mod user;

#[path = "../../benches/suite/clock.rs"]
mod clock;

use anyhow::bail;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};

use clock::Took;
use user::User;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [_, peer, endpoint, items] = arguments.as_slice() else {
        bail!("usage: dynorm-peers --client PEER ENDPOINT ITEMS")
    };
    let users: Vec<User> = (1..=items.parse()?).map(User::sample).collect();
    let client = client(endpoint);
    let [save, read] = match peer.as_str() {
        "dynamodb-facade" => facade::run(client, users).await?,
        "modyne" => modyne::run(client, users).await?,
        "toasty" => toasty::run(client, users).await?,
        _ => bail!("there is no peer {peer}"),
    };
    println!("{} {} {} {}", save.cpu, save.wall, read.cpu, read.wall);
    Ok(())
}

/// The output for work that a peer cannot do.
const NOT_DONE: Took = Took { cpu: f64::NAN, wall: f64::NAN };

fn client(endpoint: &str) -> Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new("AKIDPEERS", "secret", None, None, "peers"))
        .endpoint_url(endpoint)
        .build();
    Client::from_conf(config)
}

/// Each run has its own table.
fn table(peer: &str) -> String {
    format!("{peer}-{}", std::process::id())
}

async fn create_table(client: &Client, table: &str) -> anyhow::Result<()> {
    let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash).build()?;
    let id = AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::S);
    client
        .create_table()
        .table_name(table)
        .key_schema(key)
        .attribute_definitions(id.build()?)
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await?;
    Ok(())
}
