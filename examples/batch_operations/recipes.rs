//! Jobs that are made of batches.

use std::path::Path;

use anyhow::Context as _;
use dynorm::prelude::*;
use dynorm::{MAX_BATCH_WRITE_ITEMS, Stats};
use tokio::task::JoinSet;

use crate::{Record, RecordRepo, Status, User, UserRepo};

/// Imports users from a CSV file, whose first line names the columns. The example `planes` imports a file that is too large
/// for the memory, and goes on after malformed rows.
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

/// Deactivates users by their ids. Each is written as it was read: what somebody else changes in between is lost, as with
/// every `batch_save`, since DynamoDB takes no conditions there.
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
    // "Older than" alone would be a scan with a filter, which dynorm does not have yet, and which DynamoDB bills for the
    // whole table. A query by an index reads, and pays for, one kind only; the filter then decides on the server what comes
    // back. That is why `created_at` is no key of the index: a filter may not name one.
    let old = RecordRepo::by_kind(kind).filter(Record::CREATED_AT.lt(older_than)).get_all().await?;
    Ok(old.delete_all().await?) // of no records, it sends nothing
}

/// Works on all users, a hundred to a task. One batch has several requests under way by itself, so tasks are for work of
/// your own between reading and saving.
pub(crate) async fn process_all_users() -> dynorm::Result<Stats> {
    let users = UserRepo::all().await?;
    let mut tasks = JoinSet::new();
    for mut chunk in users.into_chunks(100) {
        // A chunk is a collection of its own, and remembers its database: the task needs nothing else.
        tasks.spawn(async move {
            chunk.each(|user| user.processed_at = Some(Timestamp::now()));
            chunk.save_all().await
        });
    }
    // Waits for every task, before it gives the first error. To leave at once would cut the others off amid their work.
    let mut total = Stats::default();
    for saved in tasks.join_all().await {
        total += saved?;
    }
    Ok(total)
}
