//! Saves one user, by serde_dynamo and the SDK.

use std::collections::BTreeSet;

use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::Client;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct User {
    id: String,
    email: String,
    first_name: String,
    last_name: String,
    is_active: bool,
    age: u32,
    tags: BTreeSet<String>,
    city: Option<String>,
    created: String,
    updated: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let client = Client::new(&aws_config::defaults(BehaviorVersion::latest()).load().await);
    let user = User { id: "1".to_owned(), email: "ada@example.com".to_owned(), age: 36, ..User::default() };
    let item = serde_dynamo::to_item(&user)?;
    client.put_item().table_name("users").set_item(Some(item)).send().await?;
    Ok(())
}
