//! A deadline is a deadline: whatever a batch waits for, hooks, the reads that they need, capacity, it ends
//! when the time is up, and every input has the fate that is true. Time is paused.

use std::future::pending;
use std::time::Duration;

use dynorm::batch::{GetStreamError, StreamError, StreamFailure};
use dynorm::prelude::*;
use dynorm::{Error, Fate, HookResult, Hooks, Retry, Stats};
use dynorm_tests::canned::{self, Answer};
use futures_util::StreamExt;
use futures_util::stream;
use tokio::time::Instant;

/// Never comes out of the hook that `stuck` names.
#[derive(Entity, Clone, Debug, Default, PartialEq)]
#[entity(hooks)]
struct Job {
    #[entity(partition)]
    number: u32,
    stuck: String,
    #[entity(deleted_at)]
    deleted_at: Option<Timestamp>,
}

impl Job {
    async fn enter(&self, hook: &str) {
        tokio::task::yield_now().await;
        if self.stuck == hook {
            pending::<()>().await;
        }
    }
}

impl Hooks for Job {
    async fn saving(&mut self) -> HookResult {
        self.enter("saving").await;
        Ok(())
    }
    async fn saved(&self) {
        self.enter("saved").await;
    }
    async fn deleting(&self) -> HookResult {
        self.enter("deleting").await;
        Ok(())
    }
    async fn deleted(&self) {
        self.enter("deleted").await;
    }
    async fn restoring(&self) -> HookResult {
        self.enter("restoring").await;
        Ok(())
    }
    async fn restored(&self) {
        self.enter("restored").await;
    }
    async fn retrieved(&mut self) {
        self.enter("retrieved").await;
    }
}

/// A plain entity beside it.
#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct Note {
    #[entity(partition)]
    number: u32,
}

fn deadline() -> Retry {
    Retry::default().deadline(Duration::from_secs(1))
}

/// Three jobs, of which the second is stuck in a hook.
fn jobs(hook: &str) -> Vec<Job> {
    let job = |number| Job {
        number,
        stuck: if number == 1 { hook.into() } else { String::new() },
        ..Job::default()
    };
    (0..3).map(job).collect()
}

async fn tables() -> Database {
    let db = Database::memory().unwrap();
    db.create_table::<Job>().await.unwrap();
    db.create_table::<Note>().await.unwrap();
    db
}

/// A table with these three jobs. Updates do not run the hooks of saves.
async fn stored(hook: &str) -> Database {
    let db = tables().await;
    JobRepo::batch_save(jobs("")).on(&db).await.unwrap();
    JobRepo::update(1).set(Job::STUCK, hook).on(&db).await.unwrap();
    db
}

/// The numbers that reads find, and those that are soft-deleted.
async fn numbers(db: &Database) -> (Vec<u32>, Vec<u32>) {
    let sorted = |mut numbers: Vec<u32>| {
        numbers.sort_unstable();
        numbers
    };
    let live = JobRepo::scan().select(Job::NUMBER).on(db).get_all().await.unwrap();
    let trashed = JobRepo::scan().only_trashed().select(Job::NUMBER).on(db).get_all().await.unwrap();
    (sorted(live.into_iter().collect()), sorted(trashed.into_iter().collect()))
}

/// What comes of a batch, which has to end in time.
async fn in_time<T>(future: impl IntoFuture<Output = T>) -> T {
    let start = Instant::now();
    let output = tokio::time::timeout(Duration::from_secs(3600), future.into_future()).await;
    let output = output.expect("it ends");
    let elapsed = start.elapsed();
    assert!((Duration::from_millis(990)..Duration::from_millis(1_010)).contains(&elapsed), "{elapsed:?}");
    output
}

/// None was sent, since there was no time left.
fn assert_not_sent(error: impl Into<Error>) {
    let error = error.into();
    let fates: Vec<Fate> = error.failures().iter().map(|failure| failure.fate).collect();
    assert_eq!(fates, [Fate::NotSent; 3]);
    assert!(error.failures().iter().all(|failure| matches!(*failure.reason, Error::Timeout(_))), "{error}");
    assert!(error.failures().iter().all(|failure| failure.reason.outcome_known()));
    assert!(error.is_retryable());
}

#[tokio::test(start_paused = true)]
async fn a_hook_before_a_write_that_does_not_end_leaves_all_not_sent() {
    let db = tables().await;
    let error = in_time(JobRepo::batch_save(jobs("saving")).retry(deadline()).on(&db)).await.unwrap_err();
    assert_eq!((error.stats().failed, error.stats().elapsed.as_secs()), (3, 1));
    assert_not_sent(error);
    let error = in_time(JobRepo::batch_create(jobs("saving")).retry(deadline()).on(&db)).await.unwrap_err();
    assert_not_sent(error);
    let save = dynorm::batch().save(jobs("saving")).retry(deadline()).on(&db);
    let error = in_time(save).await.unwrap_err();
    assert_not_sent(error);
    assert_eq!(numbers(&db).await, (vec![], vec![]));

    let db = stored("deleting").await;
    let delete = JobRepo::batch_delete(0..3u32).retry(deadline()).on(&db);
    let error = in_time(delete).await.unwrap_err();
    assert_not_sent(error);
    let all = jobs("deleting");
    let delete = JobRepo::batch_delete_entities(&all).retry(deadline()).on(&db);
    let error = in_time(delete).await.unwrap_err();
    assert_not_sent(error);
    let delete = dynorm::batch().delete::<Job>(0..3u32).retry(deadline()).on(&db);
    let error = in_time(delete).await.unwrap_err();
    assert_not_sent(error);
    assert_eq!(numbers(&db).await, (vec![0, 1, 2], vec![]));

    let db = stored("restoring").await;
    JobRepo::batch_delete(0..3u32).on(&db).await.unwrap();
    let error = in_time(JobRepo::batch_restore(0..3u32).retry(deadline()).on(&db)).await.unwrap_err();
    assert_not_sent(error);
    let trashed = Collection::from(jobs("restoring"));
    let error = in_time(trashed.restore_all().retry(deadline()).on(&db)).await.unwrap_err();
    assert_not_sent(error);
    assert_eq!(numbers(&db).await, (vec![], vec![0, 1, 2]));
}

#[tokio::test(start_paused = true)]
async fn hooks_that_were_cut_off_go_on_where_they_were() {
    let db = tables().await;
    let mut all = jobs("");
    all[1].stuck = "saving".into();
    let error = in_time(JobRepo::batch_save(all).retry(deadline()).on(&db)).await.unwrap_err();
    // Stuck again, in the same place.
    let error = in_time(error.retry()).await.unwrap_err();
    assert_not_sent(error);
}

#[tokio::test(start_paused = true)]
async fn a_hook_after_a_write_that_does_not_end_is_dropped_and_counted() {
    let db = tables().await;
    let saved = in_time(JobRepo::batch_save(jobs("saved")).retry(deadline()).on(&db)).await.unwrap();
    assert_eq!((saved.stats().items, saved.stats().dropped_hooks), (3, 2));
    assert!(saved.stats().to_string().contains("2 without their last hooks"));
    assert_eq!(numbers(&db).await, (vec![0, 1, 2], vec![]));
    let mut all = jobs("saved");
    let stats = in_time(JobRepo::batch_save(&mut all).retry(deadline()).on(&db)).await.unwrap();
    assert_eq!(stats.dropped_hooks, 2);
    let stats = in_time(dynorm::batch().save(&all).retry(deadline()).on(&db)).await.unwrap();
    assert_eq!(stats.dropped_hooks, 2);

    let db = stored("deleted").await;
    let stats = in_time(JobRepo::batch_delete(0..3u32).retry(deadline()).on(&db)).await.unwrap();
    assert_eq!((stats.items, stats.dropped_hooks), (3, 2));
    assert_eq!(numbers(&db).await, (vec![], vec![0, 1, 2]));

    let db = stored("restored").await;
    JobRepo::batch_delete(0..3u32).on(&db).await.unwrap();
    let stats = in_time(JobRepo::batch_restore(0..3u32).retry(deadline()).on(&db)).await.unwrap();
    assert_eq!((stats.items, stats.dropped_hooks), (3, 2));
    assert_eq!(numbers(&db).await, (vec![0, 1, 2], vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_hook_after_a_read_that_does_not_end_leaves_its_item_unread() {
    let db = stored("retrieved").await;
    let fates = [Fate::Done, Fate::Unprocessed, Fate::Unprocessed];
    let error = in_time(JobRepo::batch_get(0..3u32).retry(deadline()).on(&db)).await.unwrap_err();
    assert_eq!(error.fates().collect::<Vec<_>>(), fates);
    assert_eq!(error.found().iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, false]);
    let stats = error.stats();
    assert_eq!((stats.items, stats.failed, stats.dropped_hooks), (1, 2, 2));
    // What has been read keeps what its hook has made of it, and the rest is read again.
    let error = in_time(error.retry()).await.unwrap_err();
    assert_eq!(error.fates().collect::<Vec<_>>(), fates);

    let both = (JobRepo::batch_get(0..3u32), NoteRepo::batch_get(0..3u32));
    let error = in_time(dynorm::batch_get(both).retry(deadline()).on(&db)).await.unwrap_err();
    assert_eq!(error.fates().take(3).collect::<Vec<_>>(), fates);
}

/// What a stream took. A hook that holds it up may keep it from seeing that there is nothing more to come.
fn stats_of<F: StreamFailure>(result: Result<Stats, StreamError<F>>) -> Stats {
    result.unwrap_or_else(|error| {
        assert!(matches!(error.stopped(), Some(Error::Timeout(_))) && error.failures().is_empty(), "{error}");
        error.stats().clone()
    })
}

#[tokio::test(start_paused = true)]
async fn the_hooks_of_a_stream_end_with_it() {
    let db = tables().await;
    let save = JobRepo::batch_save_stream(jobs("saving")).retry(deadline()).on(&db);
    let error = in_time(save).await.unwrap_err();
    assert!(matches!(error.stopped(), Some(Error::Timeout(_))));
    // What was taken from the stream has a fate, and what was not is still in it.
    let failures: Vec<_> =
        error.failures().iter().map(|failure| (failure.entity.number, failure.fate)).collect();
    assert_eq!(failures, [(1, Fate::NotSent)]);
    assert_eq!(numbers(&db).await, (vec![0], vec![]));

    let db = tables().await;
    // The last one is stuck, so that all are taken from the stream.
    let last = jobs("saved").into_iter().rev();
    let save = JobRepo::batch_save_stream(last.take(2)).concurrency(1).retry(deadline()).on(&db);
    let stats = stats_of(in_time(save).await);
    assert_eq!((stats.items, stats.dropped_hooks), (2, 1));
    assert_eq!(numbers(&db).await, (vec![1, 2], vec![]));

    let db = stored("deleting").await;
    let delete = JobRepo::batch_delete_stream(0..3u32).retry(deadline()).on(&db);
    let error = in_time(delete).await.unwrap_err();
    let failures: Vec<_> = error.failures().iter().map(|failure| (failure.key, failure.fate)).collect();
    assert_eq!(failures, [(1, Fate::NotSent), (2, Fate::NotSent)]);
    assert_eq!(numbers(&db).await, (vec![1, 2], vec![0]));

    let db = stored("deleted").await;
    let delete = JobRepo::batch_delete_stream(0..2u32).concurrency(1).retry(deadline()).on(&db);
    let stats = stats_of(in_time(delete).await);
    assert_eq!((stats.items, stats.dropped_hooks), (2, 1));

    let db = stored("retrieved").await;
    let read = JobRepo::batch_get_stream(0..3u32).retry(deadline()).on(&db).collect::<Vec<_>>();
    let read = in_time(read).await;
    assert_eq!(read[0].as_ref().unwrap().number, 0);
    let Err(GetStreamError::Key(failure)) = &read[1] else { panic!("{:?}", read[1]) };
    assert_eq!((failure.index, failure.key, failure.fate), (1, 1, Fate::Unprocessed));
    assert!(matches!(*failure.reason, Error::Timeout(_)));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_early_tells_of_all_that_it_has_taken() {
    // There is no such table, and the second entity is in a hook for ever when that is known.
    let db = Database::memory().unwrap();
    let mut taken = 0;
    let source = stream::iter(jobs("saving")).inspect(|_| taken += 1);
    let save = JobRepo::batch_save_stream(source).on(&db).into_future();
    let error = tokio::time::timeout(Duration::from_secs(60), save).await.expect("it ends").unwrap_err();
    assert!(matches!(error.stopped(), Some(Error::TableNotFound(_))), "{error}");
    assert_eq!(error.failures().len(), taken);
    assert_eq!(error.stats().failed, 2);
}

#[tokio::test(start_paused = true)]
async fn reads_for_hooks_that_nobody_answers_end_in_time() {
    let db = stored("").await;
    let silent = |read: &'static str| {
        canned::over(&db, move |request| if request.target == read { Answer::Never } else { Answer::Engine })
            .0
    };
    let (batches, gets) = (silent("BatchGetItem"), silent("GetItem"));
    let error = in_time(JobRepo::batch_delete(0..3u32).retry(deadline()).on(&batches)).await.unwrap_err();
    assert_not_sent(error);
    let error = in_time(JobRepo::batch_restore(0..3u32).retry(deadline()).on(&batches)).await.unwrap_err();
    assert_not_sent(error);
    let delete = JobRepo::batch_delete_stream(0..3u32).retry(deadline()).on(&gets);
    let error = in_time(delete).await.unwrap_err();
    let fates: Vec<Fate> = error.failures().iter().map(|failure| failure.fate).collect();
    assert_eq!(fates, [Fate::NotSent; 3]);
    assert_eq!(numbers(&db).await, (vec![0, 1, 2], vec![]));
}

#[tokio::test(start_paused = true)]
async fn waits_for_capacity_end_in_time() {
    let notes = || (0..500).map(|number| Note { number });
    let error =
        in_time(NoteRepo::batch_save(notes()).max_units_per_second(10).retry(deadline()).on(&canned::sink()))
            .await
            .unwrap_err();
    assert!(error.stats().items < 60, "{}", error.stats());
    let save = NoteRepo::batch_save_stream(notes()).max_units_per_second(10).retry(deadline());
    let error = in_time(save.on(&canned::sink())).await.unwrap_err();
    assert!(matches!(error.stopped(), Some(Error::Timeout(_))));
}
