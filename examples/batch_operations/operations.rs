//! The batch operations and their options.

use std::time::Duration;

use anyhow::Context as _;
use dynorm::batch::BatchSaveError;
use dynorm::prelude::*;
use dynorm::{Error, Fate, MAX_BATCH_WRITE_ITEMS, Retry, Stats};

use crate::{Status, User, UserRepo};

// Batch get

/// Returns the users in the order of their ids. Missing users are skipped; `.positional()` would keep their
/// places.
pub(crate) async fn emails_of(ids: &[Id<User>]) -> dynorm::Result<Vec<String>> {
    let users = UserRepo::batch_get(ids).await?;
    Ok(users.into_iter().map(|user| user.email).collect())
}

/// DynamoDB takes 100 keys in a request. `batch_get` takes any number, and sends several requests in
/// parallel.
pub(crate) async fn read_any_number(ids: &[Id<User>]) -> dynorm::Result<Collection<User>> {
    Ok(UserRepo::batch_get(ids).await?)
}

// Batch save

pub(crate) async fn save_three() -> dynorm::Result<Vec<User>> {
    let mut users = vec![
        User { email: "user1@example.com".into(), first_name: "User".into(), ..Default::default() },
        User { email: "user2@example.com".into(), first_name: "User".into(), ..Default::default() },
        User { email: "user3@example.com".into(), first_name: "User".into(), ..Default::default() },
    ];
    // `&mut` sets ids and timestamps in place. `batch_save(users)` takes the users, and returns them with
    // both.
    UserRepo::batch_save(&mut users).await?;
    Ok(users)
}

// Batch delete

/// Deleting a missing item is not an error.
pub(crate) async fn delete_by_ids(ids: &[Id<User>]) -> dynorm::Result<Stats> {
    Ok(UserRepo::batch_delete(ids).await?)
}

pub(crate) async fn delete_banned() -> dynorm::Result<Stats> {
    let users = UserRepo::by_status(Status::Banned).get_all().await?;
    Ok(UserRepo::batch_delete_entities(&users).await?)
}

// Collections: the result of a query or a batch is a slice that can be saved and deleted as a whole.

pub(crate) async fn tidy_pending() -> dynorm::Result<Stats> {
    let mut users = UserRepo::by_status(Status::Pending).get_all().await?;
    users.each(|user| user.last_name = user.last_name.trim().to_owned());
    Ok(users.save_all().await?)
}

pub(crate) async fn delete_nameless() -> dynorm::Result<Stats> {
    let users = UserRepo::by_status(Status::Pending).filter(User::FIRST_NAME.eq("")).get_all().await?;
    Ok(users.delete_all().await?)
}

/// Sets one field of all users. A value of the wrong type, or a field of the key, would not compile.
pub(crate) async fn activate_pending() -> dynorm::Result<Stats> {
    let mut users = UserRepo::by_status(Status::Pending).get_all().await?;
    Ok(users.update_field(User::STATUS, Status::Active).await?)
}

/// Changes several fields of all users. Every save sets `updated_at`.
pub(crate) async fn process_active() -> dynorm::Result<Stats> {
    let mut users = UserRepo::by_status(Status::Active).get_all().await?;
    let update = users.update_all(|user| {
        user.status = Status::Processed;
        user.processed_at = Some(Timestamp::now());
    });
    Ok(update.await?)
}

// Chunking

/// A batch is split into requests anyway. Use chunks for work between them, such as reporting progress.
pub(crate) async fn process_in_chunks() -> anyhow::Result<usize> {
    let mut users = UserRepo::all().await?;
    let chunks = users.chunk(MAX_BATCH_WRITE_ITEMS);
    let total = chunks.len();
    for (number, mut chunk) in (1..).zip(chunks) {
        println!("  processing batch {number} of {total}");
        chunk.each(|user| user.processed_at = Some(Timestamp::now()));
        chunk.save_all().await.with_context(|| format!("batch {number} failed"))?;
    }
    Ok(total)
}

// Retry handling

/// DynamoDB may leave items of a batch unprocessed, or throttle all of it. They are sent again after a
/// random, growing delay. Only rounds without progress count as retries. After [`dynorm::MAX_RETRIES`] of
/// them the batch fails; [`Retry`] changes this. The statistics report the retries.
pub(crate) async fn save_patiently(users: Vec<User>) -> dynorm::Result<Stats> {
    let patient = Retry::default()
        .rounds(8)
        .base_delay(Duration::from_millis(20)) // the first delay is at most this, doubled each time,
        .max_delay(Duration::from_secs(2)); // and never more than this
    let saved = UserRepo::batch_save(users).retry(patient).await?;
    Ok(saved.stats().clone())
}

// Error handling

/// With `rounds(0)` nothing is sent twice, so every failure is reported at once.
pub(crate) async fn save_without_patience(users: &[User]) -> Result<Collection<User>, BatchSaveError<User>> {
    UserRepo::batch_save(users).retry(Retry::default().rounds(0)).await
}

/// What to do about an error of a batch or of a single operation.
pub(crate) fn what_to_do(error: &Error) -> &'static str {
    if error.is_throttled() {
        // `ProvisionedThroughputExceededException` and other throttling, for every failed item.
        "send less, or raise the capacity of the table"
    } else if error.is_retryable() {
        // `InternalServerError`, no answer, or no connection. Sending the batch again writes the same items
        // with the same ids.
        "try again later"
    } else if error.failures().iter().any(|failure| failure.fate == Fate::Rejected) {
        // `ValidationException`, or an error that dynorm found before sending. The other items are written.
        "correct the items that were rejected"
    } else {
        // A missing table, missing permissions or credentials, and the like.
        "correct the set-up"
    }
}

/// After the last retry some items may be left. The error holds them, each with its fate and the reason.
/// `retry` sends only those again. The `?` operator converts the error into an [`Error`], which lists them
/// without the entities.
pub(crate) async fn save_and_go_on(users: &[User]) -> dynorm::Result<Collection<User>> {
    let error = match save_without_patience(users).await {
        Ok(saved) => return Ok(saved),
        Err(error) => error,
    };
    if let Some(first) = error.failures().first() {
        let (failed, total) = (error.failures().len(), users.len());
        println!("  {failed} of {total} are left; the first, {}, is {}", first.entity.email, first.fate);
    }
    // Here one could wait, alert somebody, or put `error.failures()` into a queue.
    Ok(error.retry().await?) // all users, in order
}
