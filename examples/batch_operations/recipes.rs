//! Jobs built from batches.

use std::path::Path;

use anyhow::Context as _;
use dynorm::prelude::*;
use dynorm::{MAX_BATCH_WRITE_ITEMS, Stats};
use tokio::task::JoinSet;

use crate::{Record, RecordRepo, Status, User, UserRepo};

/// Imports users from a CSV file whose first line names the columns. The example `planes` imports a file of
/// any size, and continues after malformed rows.
pub(crate) async fn import_users(file: &Path) -> anyhow::Result<usize> {
    let users = parse_csv(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut imported = 0;
    for batch in users.chunks(MAX_BATCH_WRITE_ITEMS) {
        UserRepo::batch_save(batch)
            .await
            .with_context(|| format!("the batch that starts at {imported} failed"))?;
        imported += batch.len();
        println!("  imported {imported}/{} users", users.len());
    }
    Ok(imported)
}

fn parse_csv(file: &Path) -> csv::Result<Vec<User>> {
    csv::Reader::from_path(file)?.deserialize().collect()
}

/// Deactivates users by their ids. Each user is written as it was read, so changes made in between are lost:
/// `batch_save` has no conditions, since DynamoDB does not support them in batches.
pub(crate) async fn deactivate_users(ids: &[Id<User>]) -> dynorm::Result<Stats> {
    let mut users = UserRepo::batch_get(ids).await?;
    let update = users.update_all(|user| {
        user.status = Status::Inactive;
        user.deactivated_at = Some(Timestamp::now());
    });
    Ok(update.await?)
}

/// Deletes the records of one kind that are older than `older_than`.
pub(crate) async fn clean_up_old_records(kind: &str, older_than: Timestamp) -> dynorm::Result<Stats> {
    // A condition on the age alone would need a scan, which reads and costs the whole table. The query of an
    // index reads only one kind, and the filter is applied by the server. `created_at` is not a key of the
    // index, since a filter cannot name one.
    let old = RecordRepo::by_kind(kind).filter(Record::CREATED_AT.lt(older_than)).get_all().await?;
    Ok(old.delete_all().await?) // sends nothing if there are none
}

/// Processes all users, 100 in a task. A single batch sends several requests in parallel by itself; tasks are
/// for work between reading and saving.
pub(crate) async fn process_all_users() -> dynorm::Result<Stats> {
    let users = UserRepo::all().await?;
    let mut tasks = JoinSet::new();
    for mut chunk in users.into_chunks(100) {
        // A chunk is a collection of its own and remembers its database, so the task needs nothing else.
        tasks.spawn(async move {
            chunk.each(|user| user.processed_at = Some(Timestamp::now()));
            chunk.save_all().await
        });
    }
    // Waits for all tasks before it returns the first error, so that none is aborted.
    let mut total = Stats::default();
    for saved in tasks.join_all().await {
        total += saved?;
    }
    Ok(total)
}
