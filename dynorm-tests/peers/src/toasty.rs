//! toasty: `create_many` and a filter by a list of keys, one request each, so that the caller splits the
//! chunks. An address is two attributes here.

use anyhow::ensure;
use aws_sdk_dynamodb::Client;

use crate::clock::{Clock, Took};
use crate::user;

#[derive(Clone, Debug, toasty::Model)]
struct User {
    #[key]
    id: String,
    email: String,
    first_name: String,
    last_name: String,
    status: String,
    age: i64,
    tags: Vec<String>,
    city: Option<String>,
    zip: Option<String>,
    created_at: String,
    updated_at: String,
}

pub async fn run(client: Client, users: Vec<user::User>) -> anyhow::Result<[Took; 2]> {
    let driver = toasty_driver_dynamodb::DynamoDb::new("dynamodb://localhost".to_owned(), client);
    let mut builder = toasty::Db::builder();
    builder.models(toasty::models!(User)).table_name_prefix(&crate::table("toasty-"));
    let mut db = builder.build(driver).await?;
    db.push_schema().await?;

    let clock = Clock::start()?;
    for chunk in users.chunks(25) {
        let many = chunk.iter().fold(User::create_many(), |many, user| {
            let address = user.address.as_ref();
            many.item(
                User::create()
                    .id(user.id.clone())
                    .email(user.email.clone())
                    .first_name(user.first_name.clone())
                    .last_name(user.last_name.clone())
                    .status(if user.status == user::Status::Active { "active" } else { "pending" })
                    .age(i64::from(user.age))
                    .tags(user.tags.iter().cloned().collect::<Vec<_>>())
                    .city(address.map(|address| address.city.clone()))
                    .zip(address.map(|address| address.zip.clone()))
                    .created_at(user.created_at.clone())
                    .updated_at(user.updated_at.clone()),
            )
        });
        many.exec(&mut db).await?;
    }
    let save = clock.stop()?;

    let clock = Clock::start()?;
    let mut found = Vec::with_capacity(users.len());
    for chunk in users.chunks(100) {
        let ids: Vec<String> = chunk.iter().map(|user| user.id.clone()).collect();
        found.extend(User::filter(User::fields().id().in_list(ids)).exec(&mut db).await?);
    }
    let read = clock.stop()?;
    ensure!(found.len() == users.len(), "{} were read", found.len());
    Ok([save, read])
}
