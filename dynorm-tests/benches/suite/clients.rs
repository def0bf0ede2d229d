//! Our own two clients: dynorm, and the code that a user would write without it.

use std::collections::HashMap;

use anyhow::{Context as _, bail, ensure};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, KeysAndAttributes,
    PutRequest, ScalarAttributeType, WriteRequest,
};
use dynorm::prelude::*;
use serde_dynamo::aws_sdk_dynamodb_1::{from_item, to_item};

use crate::clock::Clock;
use crate::shapes::{Shape as _, User, UserRepo};
use crate::{DYNORM, SDK};

/// Saves `items` users, reads them back, and prints the measurements.
pub(crate) fn run(way: &str, endpoint: &str, items: usize) -> anyhow::Result<()> {
    let users: Vec<User> = (1..=items).map(User::sample).collect();
    crate::work::runtime()?.block_on(async {
        // Each run has its own table.
        let db = Database::local(endpoint).with_table_prefix(format!("{}-", std::process::id()));
        match way {
            DYNORM => dynorm(&db, &users).await,
            SDK => sdk(db.client(), &db.table_name::<User>(), &users).await,
            _ => bail!("there is no client {way}"),
        }
    })
}

async fn dynorm(db: &Database, users: &[User]) -> anyhow::Result<()> {
    create_table(db.client(), &db.table_name::<User>()).await?;
    let ids: Vec<Id<User>> = users.iter().map(|user| user.id).collect();
    let clock = Clock::start()?;
    let saved = UserRepo::batch_save(users).on(db).await?;
    let save = clock.stop()?;
    ensure!(saved.len() == users.len(), "{} were saved", saved.len());
    drop(saved);

    let clock = Clock::start()?;
    let found = UserRepo::batch_get(&ids).on(db).await?;
    let read = clock.stop()?;
    ensure!(found.len() == users.len(), "{} were read", found.len());
    println!("{} {} {} {}", save.cpu, save.wall, read.cpu, read.wall);
    Ok(())
}

async fn sdk(client: &Client, table: &str, users: &[User]) -> anyhow::Result<()> {
    create_table(client, table).await?;
    let ids: Vec<String> = users.iter().map(|user| user.id.to_string()).collect();
    let clock = Clock::start()?;
    for chunk in users.chunks(25) {
        let mut writes = Vec::with_capacity(chunk.len());
        for user in chunk {
            let put = PutRequest::builder().set_item(Some(to_item(user)?)).build()?;
            writes.push(WriteRequest::builder().put_request(put).build());
        }
        let mut rest = HashMap::from([(table.to_owned(), writes)]);
        while !rest.is_empty() {
            let answer = client.batch_write_item().set_request_items(Some(rest)).send().await?;
            rest = answer.unprocessed_items.unwrap_or_default();
        }
    }
    let save = clock.stop()?;

    let clock = Clock::start()?;
    let mut found: HashMap<String, User> = HashMap::with_capacity(ids.len());
    for chunk in ids.chunks(100) {
        let key = |id: &String| HashMap::from([("id".to_owned(), AttributeValue::S(id.clone()))]);
        let keys = KeysAndAttributes::builder().set_keys(Some(chunk.iter().map(key).collect())).build()?;
        let mut rest = HashMap::from([(table.to_owned(), keys)]);
        while !rest.is_empty() {
            let answer = client.batch_get_item().set_request_items(Some(rest)).send().await?;
            let mut items = answer.responses.context("no answers")?;
            for item in items.remove(table).unwrap_or_default() {
                let user: User = from_item(item)?;
                found.insert(user.id.to_string(), user);
            }
            rest = answer.unprocessed_keys.unwrap_or_default();
        }
    }
    // In the order of the ids, as dynorm returns them.
    let found: Vec<User> = ids.iter().filter_map(|id| found.remove(id)).collect();
    let read = clock.stop()?;
    ensure!(found.len() == ids.len(), "{} were read", found.len());
    println!("{} {} {} {}", save.cpu, save.wall, read.cpu, read.wall);
    Ok(())
}

/// Without indexes, which cost the engine and not the client.
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
