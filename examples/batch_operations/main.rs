//! All batch operations. [`operations`] has one function for each operation and its options, [`recipes`] has
//! four jobs built from them. Run it with `cargo run --example batch_operations`.

mod operations;
mod recipes;

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use dynorm::prelude::*;
use dynorm::testing::{Fault, Faults};
use dynorm::{Error, MAX_BATCH_GET_ITEMS, MAX_BATCH_WRITE_ITEMS, MAX_RETRIES};
use serde::Deserialize;

/// A user, stored in the table `users`. Serde reads one from a row of a CSV file; missing columns are as in
/// `User::default()`.
#[derive(Entity, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(default)]
struct User {
    #[entity(id)] // gets a new id at the first save
    id: Id<User>,
    email: String,
    first_name: String,
    last_name: String,
    #[entity(index = "by_status")]
    status: Status,
    processed_at: Option<Timestamp>,
    deactivated_at: Option<Timestamp>,
    #[entity(created_at)]
    created_at: Timestamp,
    #[entity(updated_at)]
    updated_at: Timestamp,
}

#[derive(Attribute, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Status {
    #[default]
    Pending,
    Active,
    Processed,
    Inactive,
    Banned,
}

/// An event, kept for a limited time.
#[derive(Entity, Clone, Debug, Default)]
struct Record {
    #[entity(id)]
    id: Id<Record>,
    #[entity(index = "by_kind")]
    kind: String,
    #[entity(created_at)]
    created_at: Timestamp,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let db = Database::memory()?; // on AWS, `Database::from_env().await?`
    db.create_table::<User>().await?;
    db.create_table::<Record>().await?;
    db.install(); // from here on, every `UserRepo::…` uses it

    let ids: Vec<Id<User>> = UserRepo::batch_save(people()).await?.iter().map(|user| user.id).collect();

    let emails = operations::emails_of(ids.get(..3).unwrap_or_default()).await?;
    println!("batch get: {}", emails.join(", "));

    let users = operations::read_any_number(&ids).await?;
    println!("automatic chunking: {} users in {} requests", users.len(), users.stats().requests);

    let saved = operations::save_three().await?;
    let stamped =
        saved.iter().filter(|user| !user.id.is_unset() && user.created_at > Timestamp::default()).count();
    println!("batch save: {} users, {stamped} with id and timestamps", saved.len());

    let saved: Vec<Id<User>> = saved.iter().map(|user| user.id).collect();
    println!("batch delete: {} users", operations::delete_by_ids(&saved).await?.items);

    println!("delete by entity: {} banned users", operations::delete_banned().await?.items);

    println!(
        "collection: {} saved, {} deleted, {} activated, {} processed",
        operations::tidy_pending().await?.items,
        operations::delete_nameless().await?.items,
        operations::activate_pending().await?.items,
        operations::process_active().await?.items,
    );

    println!("chunking: {} batches", operations::process_in_chunks().await?);

    // The first two requests are throttled. Code inside `scope` uses that database without knowing it.
    let throttled = Faults::scripted([Fault::Throttle, Fault::Throttle]).on(&db);
    let stats = throttled.scope(operations::save_patiently(new_users("patient", 50))).await?;
    println!("retry handling: {} users, {} of them sent again", stats.items, stats.retries);

    println!("constants: get {MAX_BATCH_GET_ITEMS}, write {MAX_BATCH_WRITE_ITEMS}, retries {MAX_RETRIES}");

    let too_long = User { first_name: "x".repeat(500_000), ..User::default() };
    for (what, db, users) in [
        ("an item above 400 KB", db.clone(), vec![User::default(), too_long]),
        ("no capacity", Faults::seeded(1).throttle(1.0).on(&db), new_users("throttled", 2)),
        ("a failing server", Faults::seeded(1).server_error(1.0).on(&db), new_users("failing", 2)),
    ] {
        let result = db.scope(operations::save_without_patience(&users)).await;
        let error: Error = result.err().with_context(|| format!("{what} should be an error"))?.into();
        println!("error handling: {what}: {}", operations::what_to_do(&error));
    }

    // Of the first request's 25 users, 20 come back unprocessed.
    let handing_back = Faults::scripted([Fault::Unprocessed(20)]).on(&db);
    let all = handing_back.scope(operations::save_and_go_on(&new_users("partial", 75))).await?;
    println!("partial failures: {} users are saved in the end", all.len());

    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("batch_operations/users.csv");
    println!("import from CSV: {} users", recipes::import_users(&file).await?);

    let some = ids.get(100..140).unwrap_or_default();
    let deactivated = recipes::deactivate_users(some).await?.items; // those that were not deleted above
    println!("bulk status update: {deactivated} users of {} ids deactivated", some.len());

    let year = Duration::from_secs(365 * 86_400);
    let last_year = Timestamp::now().checked_sub(year).context("a year ago there was no calendar")?;
    RecordRepo::batch_save(records(last_year)).await?;
    let deleted = recipes::clean_up_old_records("login", last_year).await?.items;
    println!("clean-up: {deleted} old records deleted, {} left", RecordRepo::count().await?);

    let done = recipes::process_all_users().await?;
    println!("parallel processing: {} users in {} requests", done.items, done.requests);

    println!("every section ran");
    Ok(())
}

/// 250 users: 50 are banned and 50 are pending, of whom 10 have no name.
fn people() -> impl Iterator<Item = User> {
    new_users("user", 250).into_iter().enumerate().map(|(number, user)| User {
        status: match number % 5 {
            0 => Status::Banned,
            1 => Status::Pending,
            _ => Status::Active,
        },
        first_name: if number % 25 == 1 { String::new() } else { user.first_name },
        ..user
    })
}

fn new_users(name: &str, count: usize) -> Vec<User> {
    let user = |number| User {
        email: format!("{name}{number}@example.com"),
        first_name: name.to_owned(),
        last_name: format!("Number {number} "),
        ..User::default()
    };
    (1..=count).map(user).collect()
}

/// 90 records: 60 are logins, half of them older than `before`.
fn records(before: Timestamp) -> impl Iterator<Item = Record> {
    let long_ago = before.checked_sub(Duration::from_secs(1)).unwrap_or_default();
    (0..90).map(move |number| Record {
        kind: if number < 60 { "login" } else { "export" }.to_owned(),
        // A `created_at` that is set already is kept.
        created_at: if number % 2 == 0 { long_ago } else { Timestamp::now() },
        ..Record::default()
    })
}
