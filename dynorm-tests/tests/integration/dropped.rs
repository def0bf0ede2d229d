//! What an entity that was passed by `&mut` says after its future was dropped, at each of its await points,
//! or has ended without an answer: its version goes back unless the save is known to be done, its id and its
//! times stay, and the next save is a version conflict just where the dropped one was made after all.

use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use dynorm::prelude::*;
use dynorm::testing::{Fault, Faults};
use dynorm::{HookResult, Hooks, Retry, Tracked};
use dynorm_tests::canned::{self, Answer};
use futures_util::future::BoxFuture;

#[derive(Entity, Clone, Debug, Default, PartialEq)]
#[entity(hooks)]
struct Draft {
    #[entity(id)]
    id: Id<Draft>,
    title: String,
    #[entity(version)]
    version: u64,
    #[entity(created_at)]
    created_at: Timestamp,
    #[entity(updated_at)]
    updated_at: Timestamp,
}

/// Hooks that wait, so that a future can be dropped in them.
impl Hooks for Draft {
    async fn saving(&mut self) -> HookResult {
        tokio::task::yield_now().await;
        Ok(())
    }
    async fn saved(&self) {
        tokio::task::yield_now().await;
    }
}

/// One whose saves are transactions.
#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct Member {
    #[entity(id)]
    id: Id<Member>,
    #[entity(unique)]
    title: String,
    #[entity(version)]
    version: i32,
    #[entity(created_at)]
    created_at: Timestamp,
    #[entity(updated_at)]
    updated_at: Timestamp,
}

/// What the tests look at.
trait Versioned: Entity + Default + PartialEq + std::fmt::Debug {
    fn state(&self) -> State<Self>;
    fn rename(&mut self, title: &str);
    async fn stored(&self, db: &Database) -> Option<Self>;
    async fn save_again(&mut self, db: &Database) -> dynorm::Result<()>;
}

#[derive(Debug, PartialEq)]
struct State<E> {
    id: Id<E>,
    version: u64,
    created_at: Timestamp,
}

impl<E> Clone for State<E> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

macro_rules! versioned {
    ($($entity:ident $repo:ident;)*) => {$(
        impl Versioned for $entity {
            fn state(&self) -> State<Self> {
                State { id: self.id, version: u64::try_from(self.version).unwrap(), created_at: self.created_at }
            }
            fn rename(&mut self, title: &str) {
                self.title = title.to_owned();
            }
            async fn stored(&self, db: &Database) -> Option<Self> {
                $repo::find(self.id).consistent().on(db).await.unwrap()
            }
            async fn save_again(&mut self, db: &Database) -> dynorm::Result<()> {
                $repo::save(self).on(db).await
            }
        }
    )*};
}

versioned! {
    Draft DraftRepo;
    Member MemberRepo;
}

/// An operation that takes entities by `&mut`.
type Operation<E> = for<'e> fn(&'e mut Vec<E>, &'e Database) -> BoxFuture<'e, dynorm::Result<()>>;

macro_rules! operations {
    ($entity:ident, $repo:ident) => {{
        let operations: Vec<(&str, Operation<$entity>)> = vec![
            ("save", |all, db| Box::pin(async { $repo::save(&mut all[0]).on(db).await })),
            ("merge", |all, db| Box::pin(async { $repo::save(&mut all[0]).merge().on(db).await })),
            ("save when", |all, db| {
                Box::pin(async {
                    let any = $entity::TITLE.not_exists() | $entity::TITLE.exists();
                    $repo::save(&mut all[0]).when(any).on(db).await
                })
            }),
            ("transaction", |all, db| {
                Box::pin(async {
                    let [one, other, ..] = all.as_mut_slice() else { panic!() };
                    dynorm::transaction().save(one).save(other).on(db).await
                })
            }),
            ("batch_save", |all, db| {
                Box::pin(async { Ok($repo::batch_save(all).concurrency(1).on(db).await.map(drop)?) })
            }),
            ("mixed batch", |all, db| {
                Box::pin(async { Ok(dynorm::batch().save(all).on(db).await.map(drop)?) })
            }),
            ("stream", |all, db| {
                Box::pin(async {
                    Ok($repo::batch_save_stream(all.iter_mut()).concurrency(1).on(db).await.map(drop)?)
                })
            }),
            ("save_all", |all, db| {
                Box::pin(async {
                    let mut collection = Collection::from(std::mem::take(all));
                    let mut save = InCollection { all, collection: &mut collection };
                    Ok(save.collection().save_all().on(db).await.map(drop)?)
                })
            }),
            ("chunk", |all, db| {
                Box::pin(async {
                    let mut collection = Collection::from(std::mem::take(all));
                    let mut save = InCollection { all, collection: &mut collection };
                    let mut chunk = save.collection().chunk(10).next().unwrap();
                    Ok(chunk.save_all().on(db).await.map(drop)?)
                })
            }),
        ];
        operations
    }};
}

/// Gives the entities of a collection back, also when it is dropped.
struct InCollection<'c, E> {
    all: &'c mut Vec<E>,
    collection: &'c mut Collection<E>,
}

impl<E> InCollection<'_, E> {
    fn collection(&mut self) -> &mut Collection<E> {
        self.collection
    }
}

impl<E> Drop for InCollection<'_, E> {
    fn drop(&mut self) {
        *self.all = std::mem::take(self.collection).into_vec();
    }
}

/// Polls a future so many times, and drops it then.
struct Polls<F> {
    future: Option<Pin<Box<F>>>,
    left: usize,
}

impl<F: Future> Future for Polls<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<F::Output>> {
        if self.left > 0 {
            self.left -= 1;
            let Some(future) = &mut self.future else { return Poll::Ready(None) };
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(Some(output));
            }
        }
        if self.left > 0 {
            return Poll::Pending;
        }
        self.future = None;
        Poll::Ready(None)
    }
}

async fn embedded() -> Database {
    let db = Database::memory().unwrap();
    db.create_table::<Draft>().await.unwrap();
    db.create_table::<Member>().await.unwrap();
    db
}

/// Each request is on its way for a while before the server acts, and its answer afterwards.
fn slow(db: &Database) -> Database {
    let way = Duration::from_millis(5);
    canned::over(db, move |_| Answer::Late(way).after(way)).0
}

/// Two entities: both new, or both stored and changed since.
async fn entities<E: Versioned>(db: &Database, are_new: bool, name: &str) -> Vec<E> {
    let mut all = vec![E::default(), E::default()];
    for (n, entity) in all.iter_mut().enumerate() {
        entity.rename(&format!("{name} {n} before"));
        if !are_new {
            entity.save_again(db).await.unwrap();
            entity.rename(&format!("{name} {n} after"));
        }
    }
    all
}

/// Holds an entity against what it was before an operation of which nobody knows how it ended. True if the
/// write was made.
async fn check<E: Versioned>(db: &Database, was: &State<E>, entity: &mut E, context: &str) -> bool {
    let is = entity.state();
    if !was.id.is_unset() {
        assert_eq!(is.id, was.id, "{context}");
    }
    if was.created_at != Timestamp::default() {
        assert_eq!(is.created_at, was.created_at, "{context}");
    }
    let stored = if is.id.is_unset() { None } else { entity.stored(db).await };
    let stored_version = stored.as_ref().map_or(0, |stored| stored.state().version);
    let is_made = stored_version == was.version + 1;
    assert!(is_made || stored_version == was.version, "{context}");
    if is.version == was.version + 1 {
        // It was told, so it is true.
        assert_eq!(stored.as_ref(), Some(&*entity), "{context}");
    } else {
        assert_eq!(is.version, was.version, "{context}");
    }
    let knows = is.version == stored_version;
    match entity.save_again(db).await {
        Ok(()) => assert!(knows, "{context}: it was made, and is overwritten"),
        Err(error) => {
            assert!(!knows && error.is_version_conflict(), "{context}: {error}");
            assert!(error.to_string().contains("an earlier save of this entity that was dropped"), "{error}");
            // Known to have failed, so it is as it was.
            assert_eq!(entity.state(), is, "{context}");
        }
    }
    is_made
}

/// Drops an operation after each number of polls.
async fn drop_everywhere<E: Versioned>(name: &str, operation: Operation<E>) {
    let db = embedded().await;
    let slow = slow(&db);
    let (mut made, mut not_made) = (0, 0);
    for are_new in [true, false] {
        for polls in 0.. {
            assert!(polls < 500, "{name} does not come to its end");
            let kind = if are_new { "new" } else { "stored" };
            let context = format!("{name} of {kind} entities dropped after {polls} polls");
            let mut all: Vec<E> = entities(&db, are_new, &context).await;
            let were: Vec<State<E>> = all.iter().map(E::state).collect();
            let future = operation(&mut all, &slow);
            let ended = Polls { future: Some(Box::pin(future)), left: polls }.await;
            // What is under way in the engine comes to its end.
            tokio::time::sleep(Duration::from_secs(1)).await;
            for (was, entity) in were.iter().zip(&mut all) {
                if check(&db, was, entity, &context).await { made += 1 } else { not_made += 1 }
            }
            if let Some(ended) = ended {
                ended.unwrap();
                break;
            }
        }
    }
    // Both happen, so both are tried.
    assert!(made > 2 && not_made > 2, "{name}: {made} made, {not_made} not made");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_write_takes_the_version_back_unless_it_is_known_to_be_made() {
    for (name, operation) in operations!(Draft, DraftRepo) {
        drop_everywhere(name, operation).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_write_of_unique_values_does_so_too() {
    for (name, operation) in operations!(Member, MemberRepo) {
        drop_everywhere(name, operation).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_creation_leaves_a_new_entity() {
    let db = embedded().await;
    let slow = slow(&db);
    for polls in 0..200 {
        let context = format!("create dropped after {polls} polls");
        let mut draft = Draft { title: context.clone(), ..Draft::default() };
        let was = draft.state();
        let create = DraftRepo::create(&mut draft).on(&slow).into_future();
        let ended = Polls { future: Some(Box::pin(create)), left: polls }.await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        check(&db, &was, &mut draft, &context).await;
        if ended.is_some() {
            return;
        }
    }
    panic!("it does not come to its end");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_save_of_a_tracked_entity_keeps_its_changes() {
    let db = embedded().await;
    let slow = slow(&db);
    for polls in 0..200 {
        let stored = DraftRepo::save(Draft::default()).on(&db).await.unwrap();
        let mut draft = Tracked::new(stored.clone());
        draft.title = format!("after {polls}");
        let save = draft.save().on(&slow).into_future();
        let ended = Polls { future: Some(Box::pin(save)), left: polls }.await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = DraftRepo::get(stored.id).consistent().on(&db).await.unwrap();
        let knows = draft.version == now.version;
        assert!(knows || draft.version == 1);
        assert_eq!(draft.title, format!("after {polls}"));
        match draft.save().on(&db).await {
            Ok(()) => assert!(knows),
            Err(error) => assert!(!knows && error.is_version_conflict(), "{error}"),
        }
        if ended.is_some() {
            return;
        }
    }
    panic!("it does not come to its end");
}

/// Nothing answers: the writes are made, or not made, and nobody knows.
async fn lose_every_answer<E: Versioned>(name: &str, operation: Operation<E>, fault: Fault) {
    let db = embedded().await;
    for are_new in [true, false] {
        let mut all: Vec<E> = entities(&db, are_new, &format!("{name} {are_new}")).await;
        let were: Vec<State<E>> = all.iter().map(E::state).collect();
        let writes = ["PutItem", "UpdateItem", "BatchWriteItem", "TransactWriteItems"];
        let faulty = Faults::scripted([fault; 1_000]).only(writes).on(&db);
        let error = operation(&mut all, &faulty).await.unwrap_err();
        let outcome_known = match error.failures() {
            [] => error.outcome_known(),
            failures => failures.iter().all(|failure| failure.reason.outcome_known()),
        };
        assert!(!outcome_known, "{name}: {error}");
        for (was, entity) in were.iter().zip(&mut all) {
            assert_eq!(entity.state().version, was.version, "{name}, {fault:?}");
            check(&db, was, entity, &format!("{name}, {fault:?}")).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_without_an_answer_takes_the_version_back() {
    for fault in [Fault::CutBefore, Fault::CutAfter] {
        for (name, operation) in operations!(Draft, DraftRepo) {
            lose_every_answer(name, operation, fault).await;
        }
        for (name, operation) in operations!(Member, MemberRepo) {
            lose_every_answer(name, operation, fault).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_batch_has_not_written_can_be_saved_again_in_each_way() {
    let db = embedded().await;
    let throttled = Faults::scripted([Fault::Throttle; 1_000]).on(&db);
    let once = Retry::default().rounds(0);

    // From the error: the same items, with the same times.
    let mut drafts = vec![Draft::default(), Draft::default()];
    let error = DraftRepo::batch_save(&mut drafts).retry(once).on(&throttled).await.unwrap_err();
    assert!(drafts.iter().all(|draft| draft.version == 0 && !draft.id.is_unset()));
    assert!(error.failures().iter().all(|failure| failure.entity.version == 0));
    let times: Vec<Timestamp> = drafts.iter().map(|draft| draft.updated_at).collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let error = error.retry().await.unwrap_err();
    let saved = error.retry().on(&db).await.unwrap();
    assert!(saved.iter().all(|draft| draft.version == 1));
    assert_eq!(saved.pluck(Draft::UPDATED_AT), times);
    assert_eq!(saved.pluck(Draft::ID), drafts.iter().map(|draft| draft.id).collect::<Vec<_>>());

    // From the caller's own, from the failures, and from all entities of the error.
    let mut drafts = saved.into_vec();
    let error = DraftRepo::batch_save(&mut drafts).retry(once).on(&throttled).await.unwrap_err();
    DraftRepo::batch_save(&mut drafts).on(&db).await.unwrap();
    assert!(drafts.iter().all(|draft| draft.version == 2));
    assert!(error.failures().iter().all(|failure| failure.entity.version == 1));
    let error = DraftRepo::batch_save(drafts).retry(once).on(&throttled).await.unwrap_err();
    let one = DraftRepo::save(error.failures()[0].entity.clone()).on(&db).await.unwrap();
    assert_eq!(one.version, 3);
    let mut all = error.into_entities();
    all[0] = one;
    all.save_all().on(&db).await.unwrap();
    assert_eq!(all.pluck(Draft::VERSION), [4, 3]);

    // From a stream.
    let stream = DraftRepo::batch_save_stream(all.iter().cloned()).retry(once).on(&throttled);
    let error = stream.await.unwrap_err();
    for failure in error.into_failures() {
        DraftRepo::save(failure.entity).on(&db).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_is_known_to_have_failed_leaves_the_entity_as_it_was() {
    let db = embedded().await;
    let throttled = Faults::scripted([Fault::Throttle; 1_000]).on(&db);
    for (name, operation) in operations!(Draft, DraftRepo).into_iter().take(4) {
        for are_new in [true, false] {
            let mut all: Vec<Draft> = entities(&db, are_new, name).await;
            let before = all.clone();
            let error = operation(&mut all, &throttled).await.unwrap_err();
            assert!(error.outcome_known(), "{name}: {error}");
            assert_eq!(all, before, "{name}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_timeout_around_a_save_conflicts_only_if_the_save_was_made() {
    let db = embedded().await;
    for (is_made, answer) in [(false, Answer::Never), (true, Answer::Late(Duration::from_secs(9)))] {
        let (silent, _) = canned::over(&db, move |_| answer.clone());
        let mut draft = Draft { title: "tea".into(), ..Draft::default() };
        let save = DraftRepo::save(&mut draft).on(&silent).into_future();
        tokio::time::timeout(Duration::from_secs(1), pin!(save)).await.unwrap_err();
        assert_eq!(draft.version, 0);
        assert!(!draft.id.is_unset());
        let again = DraftRepo::save(&mut draft).on(&db).await;
        assert_eq!(again.is_err_and(|error| error.is_version_conflict()), is_made);
    }
}

#[tokio::test]
async fn an_update_or_a_creation_raises_the_version_once() {
    let db = embedded().await;
    let member = Member { title: "ada".into(), ..Member::default() };
    let member = MemberRepo::update_or_create(member).set(Member::TITLE, "ada").on(&db).await.unwrap();
    assert_eq!(member.version, 1);
}
