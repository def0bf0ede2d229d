//! The operations, and what can be asked of them.

use std::time::Duration;

use anyhow::Context as _;
use dynorm::batch::BatchSaveError;
use dynorm::prelude::*;
use dynorm::{Error, Fate, MAX_BATCH_WRITE_ITEMS, Retry, Stats};

use crate::{Status, User, UserRepo};

// Batch get

/// The users come in the order of their ids. An id that nobody has is skipped; `.positional()` would keep its place.
pub(crate) async fn emails_of(ids: &[Id<User>]) -> dynorm::Result<Vec<String>> {
    let users = UserRepo::batch_get(ids).await?;
    Ok(users.into_iter().map(|user| user.email).collect())
}

/// DynamoDB takes 100 keys at a time, `batch_get` any number: it sends as many requests as it needs, several at a time.
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
    // `&mut` sets ids and timestamps in place. By value, `batch_save(users)` would give the users back with them.
    UserRepo::batch_save(&mut users).await?;
    Ok(users)
}

// Batch delete

/// That an item is not there is no error.
pub(crate) async fn delete_by_ids(ids: &[Id<User>]) -> dynorm::Result<Stats> {
    Ok(UserRepo::batch_delete(ids).await?)
}

pub(crate) async fn delete_banned() -> dynorm::Result<Stats> {
    let users = UserRepo::by_status(Status::Banned).get_all().await?;
    Ok(UserRepo::batch_delete_entities(&users).await?)
}

// Collections: what a query or a batch gives is a slice that can be saved and deleted as a whole.

pub(crate) async fn tidy_pending() -> dynorm::Result<Stats> {
    let mut users = UserRepo::by_status(Status::Pending).get_all().await?;
    users.each(|user| user.last_name = user.last_name.trim().to_owned());
    Ok(users.save_all().await?)
}

pub(crate) async fn delete_nameless() -> dynorm::Result<Stats> {
    let users = UserRepo::by_status(Status::Pending).filter(User::FIRST_NAME.eq("")).get_all().await?;
    Ok(users.delete_all().await?)
}

/// Sets one field of all. A value of another type, or a field of the key, would not compile.
pub(crate) async fn activate_pending() -> dynorm::Result<Stats> {
    let mut users = UserRepo::by_status(Status::Pending).get_all().await?;
    Ok(users.update_field(User::STATUS, Status::Active).await?)
}

/// Changes several fields of all. `updated_at` is set by every save.
pub(crate) async fn process_active() -> dynorm::Result<Stats> {
    let mut users = UserRepo::by_status(Status::Active).get_all().await?;
    let update = users.update_all(|user| {
        user.status = Status::Processed;
        user.processed_at = Some(Timestamp::now());
    });
    Ok(update.await?)
}

// Chunking

/// A batch of any size is cut into requests anyway. Chunks are for what happens between them: here, a line of progress.
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

/// DynamoDB may leave items of a batch unprocessed, or throttle all of it. What is left is sent again after a pause, which
/// is random and grows each time. Only rounds that bring nothing count as retries; [`dynorm::MAX_RETRIES`] of them end the
/// batch, unless [`Retry`] says otherwise. The statistics tell what it took.
pub(crate) async fn save_patiently(users: Vec<User>) -> dynorm::Result<Stats> {
    let patient = Retry::default()
        .rounds(8)
        .base_delay(Duration::from_millis(20)) // at most this long before the first, then twice as long each time,
        .max_delay(Duration::from_secs(2)); // and never longer than this
    let saved = UserRepo::batch_save(users).retry(patient).await?;
    Ok(saved.stats().clone())
}

// Error handling

/// With `rounds(0)` nothing is sent twice, so that every mishap shows at once.
pub(crate) async fn save_without_patience(users: &[User]) -> Result<Collection<User>, BatchSaveError<User>> {
    UserRepo::batch_save(users).retry(Retry::default().rounds(0)).await
}

/// What to do about an error of a batch, or of a single operation.
pub(crate) fn what_to_do(error: &Error) -> &'static str {
    if error.is_throttled() {
        // `ProvisionedThroughputExceededException` and its kin, of every item that failed.
        "send less, or raise the capacity of the table"
    } else if error.is_retryable() {
        // `InternalServerError`, no answer, no connection. A batch that is sent again writes the same items, ids included.
        "try again later"
    } else if error.failures().iter().any(|failure| failure.fate == Fate::Rejected) {
        // `ValidationException`, or what dynorm found before it was sent. The other items are written.
        "correct the items that were rejected"
    } else {
        // A missing table, no access, no credentials, …
        "correct the set-up"
    }
}

/// When the retries are used up, some items may be left. The error holds them, each with what is known of it and why;
/// `retry` sends just those again. With `?`, it becomes an [`Error`], which lists them without the entities.
pub(crate) async fn save_and_go_on(users: &[User]) -> dynorm::Result<Collection<User>> {
    let error = match save_without_patience(users).await {
        Ok(saved) => return Ok(saved),
        Err(error) => error,
    };
    if let Some(first) = error.failures().first() {
        let (failed, total) = (error.failures().len(), users.len());
        println!("  {failed} of {total} are left; the first, {}, is {}", first.entity.email, first.fate);
    }
    // A good moment to wait, to alert somebody, or to put `error.failures()` into a queue.
    Ok(error.retry().await?) // all of them, in order
}
