//! modyne: `BatchWrite` and `BatchGet`, one request each; the caller splits the chunks and repeats
//! unprocessed items.

use anyhow::{Context as _, ensure};
use aws_sdk_dynamodb::Client;
use modyne::keys::{FullKey, PrimaryKey, PrimaryKeyDefinition};
use modyne::model::{BatchGet, BatchWrite};
use modyne::{EntityDef, EntityExt as _, EntityTypeNameRef, ProjectionExt as _, Table};
use serde::Serialize;

use crate::clock::{Clock, Took};
use crate::create_table;
use crate::user::User;

pub struct Users {
    client: Client,
    name: String,
}

impl Table for Users {
    type PrimaryKey = Key;
    type IndexKeys = ();

    fn table_name(&self) -> &str {
        &self.name
    }

    fn client(&self) -> &Client {
        &self.client
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct Key {
    id: String,
}

impl PrimaryKey for Key {
    const PRIMARY_KEY_DEFINITION: PrimaryKeyDefinition =
        PrimaryKeyDefinition { hash_key: "id", range_key: None };
}

impl EntityDef for User {
    const ENTITY_TYPE: &'static EntityTypeNameRef = EntityTypeNameRef::from_static("user");
}

impl modyne::Entity for User {
    type KeyInput<'a> = &'a str;
    type Table = Users;
    type IndexKeys = ();

    fn primary_key(id: &str) -> Key {
        Key { id: id.to_owned() }
    }

    fn full_key(&self) -> FullKey<Key, ()> {
        FullKey { primary: Self::primary_key(&self.id), indexes: () }
    }
}

pub async fn run(client: Client, users: Vec<User>) -> anyhow::Result<[Took; 2]> {
    let table = Users { client, name: crate::table("modyne") };
    create_table(table.client(), table.table_name()).await?;
    let clock = Clock::start()?;
    for chunk in users.chunks(25) {
        let batch = chunk.iter().fold(BatchWrite::new(), |batch, user| batch.operation(user.clone().put()));
        let answer = batch.execute(&table).await?;
        ensure!(answer.unprocessed_items.is_none_or(|items| items.is_empty()), "items came back");
    }
    let save = clock.stop()?;

    let clock = Clock::start()?;
    let mut found = Vec::with_capacity(users.len());
    for chunk in users.chunks(100) {
        let batch = chunk.iter().fold(BatchGet::new(), |batch, user| batch.operation(User::get(&user.id)));
        let answer = batch.execute(&table).await?;
        ensure!(answer.unprocessed_keys.is_none_or(|keys| keys.is_empty()), "keys came back");
        let items = answer.responses.and_then(|mut tables| tables.remove(table.table_name()));
        for item in items.context("no answers")? {
            found.push(User::from_item(item)?);
        }
    }
    let read = clock.stop()?;
    ensure!(found.len() == users.len(), "{} were read", found.len());
    Ok([save, read])
}
