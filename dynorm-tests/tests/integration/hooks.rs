//! Hooks: which of them run, in which order, and the effect of a refusal.

use std::sync::Mutex;

use dynorm::prelude::*;
use dynorm::testing::{Fault, Faults};
use dynorm::{Fate, HookResult, Hooks, Retry, Tracked};
use dynorm_tests::database;
use futures_util::{StreamExt, TryStreamExt};

/// The calls of the hooks of all tests, each with the name of its test.
static LOG: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

fn say(test: &str, what: impl Into<String>) {
    LOG.lock().unwrap().push((test.to_owned(), what.into()));
}

/// The calls of the hooks of a test since the last time.
fn heard(test: &str) -> Vec<String> {
    let mut log = LOG.lock().unwrap();
    let heard = log.extract_if(.., |(of, _)| of == test).map(|(_, what)| what);
    heard.collect()
}

/// Records the calls of its hooks with its title, and refuses in the hook named by `refuses`.
#[derive(Entity, Clone, Debug, Default, PartialEq)]
#[entity(hooks)]
struct Note {
    #[entity(id)]
    id: Id<Note>,
    #[entity(index = "by_test")]
    test: String,
    title: String,
    refuses: String,
    #[entity(created_at)]
    created_at: Timestamp,
    #[entity(deleted_at)]
    deleted_at: Option<Timestamp>,
}

impl Note {
    fn new(test: &str, title: &str) -> Self {
        Self { test: test.into(), title: title.into(), ..Self::default() }
    }

    fn refusing(test: &str, title: &str, refuses: &str) -> Self {
        Self { refuses: refuses.into(), ..Self::new(test, title) }
    }

    fn ask(&self, hook: &str) -> HookResult {
        say(&self.test, format!("{hook} {}", self.title));
        if self.refuses == hook { Err(format!("{} may not be {hook}", self.title).into()) } else { Ok(()) }
    }

    fn tell(&self, hook: &str) {
        say(&self.test, format!("{hook} {}", self.title));
    }
}

impl Hooks for Note {
    async fn saving(&mut self) -> HookResult {
        self.title = self.title.trim().to_owned();
        self.ask("saving")
    }
    async fn creating(&mut self) -> HookResult {
        self.ask("creating")
    }
    async fn updating(&mut self) -> HookResult {
        self.ask("updating")
    }
    async fn created(&self) {
        self.tell("created");
    }
    async fn updated(&self) {
        self.tell("updated");
    }
    async fn saved(&self) {
        // Uses the database of the operation.
        AuditRepo::save(Audit { note: self.id, title: self.title.clone() }).await.unwrap();
        self.tell("saved");
    }
    async fn deleting(&self) -> HookResult {
        tokio::task::yield_now().await;
        self.ask("deleting")
    }
    async fn deleted(&self) {
        tokio::task::yield_now().await;
        self.tell("deleted");
    }
    async fn trashing(&self) -> HookResult {
        self.ask("trashing")
    }
    async fn trashed(&self) {
        self.tell("trashed");
    }
    async fn force_deleting(&self) -> HookResult {
        self.ask("force_deleting")
    }
    async fn force_deleted(&self) {
        self.tell("force_deleted");
    }
    async fn restoring(&self) -> HookResult {
        self.ask("restoring")
    }
    async fn restored(&self) {
        assert_eq!(self.deleted_at, None);
        self.tell("restored");
    }
    async fn retrieved(&mut self) {
        tokio::task::yield_now().await;
        self.tell("retrieved");
        self.title.push('!');
    }
}

#[derive(Entity, Clone, Debug)]
struct Audit {
    #[entity(partition)]
    note: Id<Note>,
    title: String,
}

/// Without `created_at`, the version tells whether the entity is new.
#[derive(Entity, Clone, Debug, Default, PartialEq)]
#[entity(hooks)]
struct Stock {
    #[entity(partition)]
    sku: String,
    left: u32,
    #[entity(version)]
    version: u64,
}

impl Hooks for Stock {
    async fn saving(&mut self) -> HookResult {
        say(&self.sku, "saving");
        Ok(())
    }
    async fn creating(&mut self) -> HookResult {
        say(&self.sku, "creating");
        Ok(())
    }
    async fn updating(&mut self) -> HookResult {
        say(&self.sku, "updating");
        if self.left > 100 {
            return Err("there is no room".into());
        }
        Ok(())
    }
    async fn deleted(&self) {
        say(&self.sku, "deleted");
    }
}

/// Nothing tells whether it is new.
#[derive(Entity, Clone, Debug)]
#[entity(hooks)]
struct Plain {
    #[entity(partition)]
    name: String,
}

impl Hooks for Plain {
    async fn saved(&self) {
        say(&self.name, "saved");
    }
    async fn created(&self) {
        say(&self.name, "created");
    }
    async fn updated(&self) {
        say(&self.name, "updated");
    }
    async fn deleted(&self) {
        say(&self.name, "deleted");
    }
}

async fn tables() -> Database {
    let db = database();
    db.create_table::<Note>().await.unwrap();
    db.create_table::<Audit>().await.unwrap();
    db.create_table::<Stock>().await.unwrap();
    db.create_table::<Plain>().await.unwrap();
    db
}

#[tokio::test]
async fn the_hooks_of_a_save_run_around_it() {
    let (db, test) = (tables().await, "save");
    let mut note = Note::new(test, " tea ");
    NoteRepo::save(&mut note).on(&db).await.unwrap();
    assert_eq!(heard(test), ["saving tea", "creating tea", "created tea", "saved tea"]);
    assert_eq!(note.title, "tea");
    assert_eq!(AuditRepo::get(note.id).on(&db).await.unwrap().title, "tea");

    let again = ["saving tea", "updating tea", "updated tea", "saved tea"];
    NoteRepo::save(&note).on(&db).await.unwrap();
    assert_eq!(heard(test), again);
    NoteRepo::save(&note).merge().on(&db).await.unwrap();
    assert_eq!(heard(test), again);
    let other = Note { id: Id::new(), created_at: Timestamp::now(), ..note.clone() };
    NoteRepo::create(&other).on(&db).await.unwrap();
    assert_eq!(heard(test), ["saving tea", "creating tea", "created tea", "saved tea"]);
    // A failed write calls no hook after it.
    NoteRepo::create(&other).on(&db).await.unwrap_err();
    assert_eq!(heard(test), ["saving tea", "creating tea"]);
    let found = NoteRepo::first_or_create(other).on(&db).await.unwrap();
    assert_eq!((found.title.as_str(), heard(test)), ("tea!", vec!["retrieved tea".to_owned()]));
}

#[tokio::test]
async fn a_refusal_is_an_error_and_nothing_is_written() {
    let (db, test) = (tables().await, "refusal");
    for hook in ["saving", "creating"] {
        let mut note = Note::refusing(test, " tea ", hook);
        let before = note.clone();
        let error = NoteRepo::save(&mut note).on(&db).await.unwrap_err();
        assert!(error.is_refused() && error.outcome_known() && !error.is_retryable());
        assert_eq!(error.table(), Some(db.table_name::<Note>().as_str()));
        assert!(error.to_string().starts_with(&format!("refused by the hook `{hook}` of `")), "{error}");
        let source = std::error::Error::source(&error).unwrap();
        assert_eq!(source.to_string(), format!("tea may not be {hook}"));
        assert_eq!(note, before, "what the hooks have changed is taken back");
    }
    assert_eq!(heard(test), ["saving tea", "saving tea", "creating tea"]);
    assert_eq!(NoteRepo::count().on(&db).await.unwrap(), 0);
    for hook in ["deleting", "trashing", "force_deleting", "restoring"] {
        let note = NoteRepo::save(Note::refusing(test, "tea", hook)).on(&db).await.unwrap();
        if hook == "restoring" {
            NoteRepo::delete(&note).on(&db).await.unwrap();
        }
        let error = match hook {
            "force_deleting" => NoteRepo::force_delete(&note).on(&db).await.unwrap_err(),
            "restoring" => NoteRepo::restore(note.id).on(&db).await.unwrap_err(),
            _ => NoteRepo::delete_by_id(note.id).on(&db).await.unwrap_err(),
        };
        assert!(error.is_refused(), "{error}");
        let stored = NoteRepo::get(note.id).with_trashed().on(&db).await.unwrap();
        assert_eq!(stored.deleted_at.is_some(), hook == "restoring");
    }
    let mut stock = StockRepo::save(Stock { sku: test.into(), left: 1, version: 0 }).on(&db).await.unwrap();
    stock.left = 101;
    let before = stock.clone();
    assert!(StockRepo::save(&mut stock).on(&db).await.unwrap_err().is_refused());
    assert_eq!(stock, before);
    let error = StockRepo::retry_on_conflict(test, |stock| stock.left = 1000).on(&db).await.unwrap_err();
    assert!(error.is_refused());
}

#[tokio::test]
async fn deletes_and_restores_have_their_hooks_with_the_entity_and_by_key() {
    let (db, test) = (tables().await, "delete");
    let note = NoteRepo::save(Note::new(test, "tea")).on(&db).await.unwrap();
    heard(test);
    let trashed = ["deleting tea", "trashing tea", "trashed tea", "deleted tea"];
    NoteRepo::delete(&note).on(&db).await.unwrap();
    assert_eq!(heard(test), trashed);
    NoteRepo::restore(note.id).on(&db).await.unwrap();
    assert_eq!(heard(test), ["restoring tea", "restored tea"]);
    NoteRepo::delete_by_id(note.id).on(&db).await.unwrap();
    assert_eq!(heard(test), trashed);
    NoteRepo::force_delete_by_id(note.id).on(&db).await.unwrap();
    assert_eq!(heard(test), ["force_deleting tea", "deleting tea", "deleted tea", "force_deleted tea"]);
    // Without an item there is no entity to call.
    NoteRepo::force_delete_by_id(note.id).on(&db).await.unwrap();
    assert!(NoteRepo::restore(note.id).on(&db).await.unwrap_err().is_not_found());
    assert_eq!(heard(test), [""; 0]);

    let plain = PlainRepo::save(Plain { name: "plain".into() }).on(&db).await.unwrap();
    PlainRepo::delete(&plain).returning_old().on(&db).await.unwrap().unwrap();
    assert_eq!(heard("plain"), ["saved", "deleted"], "it cannot tell whether it is new");
    PlainRepo::create(&plain).on(&db).await.unwrap();
    assert_eq!(heard("plain"), ["created", "saved"]);
}

#[tokio::test]
async fn a_version_says_what_is_new_and_tracked_saves_have_hooks() {
    let (db, sku) = (tables().await, "tracked");
    let mut stock = StockRepo::save(Stock { sku: sku.into(), left: 1, version: 0 }).on(&db).await.unwrap();
    assert_eq!(heard(sku), ["saving", "creating"]);
    stock.left = 2;
    StockRepo::save(&mut stock).on(&db).await.unwrap();
    assert_eq!(heard(sku), ["saving", "updating"]);
    StockRepo::retry_on_conflict(sku, |stock| stock.left += 1).on(&db).await.unwrap();
    assert_eq!(heard(sku), ["saving", "updating"]);
    let mut tracked: Tracked<Stock> = StockRepo::get(sku).tracked().on(&db).await.unwrap();
    tracked.save().on(&db).await.unwrap();
    assert_eq!(heard(sku), [""; 0], "nothing was changed, so nothing is written");
    tracked.left = 1000;
    assert!(tracked.save().on(&db).await.unwrap_err().is_refused());
    tracked.left = 10;
    tracked.save().on(&db).await.unwrap();
    assert_eq!(heard(sku), ["saving", "updating", "saving", "updating"]);

    let test = "tracked note";
    let note = NoteRepo::save(Note::new(test, "tea")).on(&db).await.unwrap();
    let mut tracked = NoteRepo::get(note.id).tracked().on(&db).await.unwrap();
    tracked.title = "  milk ".into();
    heard(test);
    tracked.save().on(&db).await.unwrap();
    assert_eq!(heard(test), ["saving milk", "updating milk", "updated milk", "saved milk"]);
    assert_eq!((tracked.title.as_str(), tracked.is_dirty(Note::TITLE)), ("milk", false));
    // An update has no entity.
    NoteRepo::update(note.id).set(Note::TITLE, "x").on(&db).await.unwrap();
    assert_eq!(heard(test), [""; 0]);
}

#[tokio::test]
async fn a_batch_reports_what_is_refused_by_index_and_writes_the_others() {
    let (db, test) = (tables().await, "batch");
    let mut notes: Vec<Note> = (0..5).map(|n| Note::new(test, &format!("n{n}"))).collect();
    notes[1].refuses = "saving".into();
    notes[3].refuses = "creating".into();
    let error = NoteRepo::batch_save(&mut notes).on(&db).await.unwrap_err();
    let failed: Vec<(usize, Fate)> =
        error.failures().iter().map(|failure| (failure.index, failure.fate)).collect();
    assert_eq!(failed, [(1, Fate::Rejected), (3, Fate::Rejected)]);
    assert!(error.failures().iter().all(|failure| failure.reason.is_refused()));
    let before = [
        "saving n0",
        "creating n0",
        "saving n1",
        "saving n2",
        "creating n2",
        "saving n3",
        "creating n3",
        "saving n4",
        "creating n4",
    ];
    let after = ["created n0", "saved n0", "created n2", "saved n2", "created n4", "saved n4"];
    assert_eq!(heard(test), [&before[..], &after].concat());
    // They are as new as before.
    assert_eq!(notes[1].created_at, Timestamp::default());
    assert_eq!(error.retry().on(&db).await.unwrap_err().failures().len(), 2);
    assert_eq!(heard(test), [""; 0]);
    assert_eq!(NoteRepo::count().on(&db).await.unwrap(), 3);

    let found = NoteRepo::batch_get([notes[0].id, Id::new(), notes[2].id]).on(&db).await.unwrap();
    assert_eq!(found.pluck(Note::TITLE), ["n0!", "n2!"]);
    assert_eq!(heard(test), ["retrieved n0", "retrieved n2"]);
    notes[0].refuses = "deleting".into();
    let error = NoteRepo::batch_delete_entities([&notes[0], &notes[2]]).on(&db).await.unwrap_err();
    assert_eq!(error.failures().iter().map(|failure| failure.index).collect::<Vec<_>>(), [0]);
    assert_eq!(heard(test), ["deleting n0", "deleting n2", "trashing n2", "trashed n2", "deleted n2"]);
    // By keys, the hooks of the stored entities are called.
    notes[2].refuses = "restoring".into();
    NoteRepo::batch_delete([notes[4].id]).on(&db).await.unwrap();
    assert_eq!(heard(test), ["deleting n4", "trashing n4", "trashed n4", "deleted n4"]);
    let trashed: Collection<Note> = vec![notes[2].clone(), notes[4].clone()].into();
    let error = trashed.restore_all().on(&db).await.unwrap_err();
    assert_eq!(error.failures().iter().map(|failure| failure.index).collect::<Vec<_>>(), [0]);
    assert!(error.failures()[0].reason.is_refused());
    assert_eq!(heard(test), ["restoring n2", "restoring n4", "restored n4"]);
    NoteRepo::batch_restore([notes[2].id]).on(&db).await.unwrap();
    assert_eq!(heard(test), ["restoring n2", "restored n2"]);
    NoteRepo::batch_delete([notes[0].id, Id::new()]).force().on(&db).await.unwrap();
    assert_eq!(heard(test), ["force_deleting n0", "deleting n0", "deleted n0", "force_deleted n0"]);
}

#[tokio::test]
async fn hooks_run_once_though_a_batch_is_sent_again() {
    let test = "batch again";
    let faults = Faults::seeded(7).unprocessed(0.5);
    let db = tables().await;
    let notes: Vec<Note> = (0..40).map(|n| Note::new(test, &format!("n{n}"))).collect();
    let failing = faults.on(&db);
    let error = NoteRepo::batch_save(notes).retry(Retry::default().rounds(0)).on(&failing).await.unwrap_err();
    assert!(error.failures().len() > 1);
    let first = heard(test);
    assert_eq!(first.iter().filter(|what| what.starts_with("creating")).count(), 40);
    let done = first.iter().filter(|what| what.starts_with("created")).count();
    assert_eq!(done, 40 - error.failures().len());
    let saved = error.retry().retry(Retry::default()).on(&db).await.unwrap();
    assert_eq!(saved.len(), 40);
    let second = heard(test);
    assert_eq!(second.iter().filter(|what| what.starts_with("created")).count(), 40 - done);
    assert!(second.iter().all(|what| what.starts_with("created") || what.starts_with("saved")));
}

#[tokio::test]
async fn mixed_batches_and_collections_have_hooks() {
    let (db, test) = (tables().await, "mixed");
    let kept = NoteRepo::save(Note::new(test, "kept")).on(&db).await.unwrap();
    heard(test);
    let notes = [Note::new(test, "a"), Note::refusing(test, "b", "saving")];
    let error = dynorm::batch()
        .save(&notes)
        .save([Plain { name: "mixed plain".into() }])
        .delete::<Note>([kept.id])
        .on(&db)
        .await
        .unwrap_err();
    let failed: Vec<usize> = error.failures().map(|failure| failure.index).collect();
    assert_eq!(failed, [1]);
    assert_eq!(
        heard(test),
        [
            "saving a",
            "creating a",
            "saving b",
            "deleting kept",
            "trashing kept",
            "created a",
            "saved a",
            "trashed kept",
            "deleted kept"
        ]
    );
    assert_eq!(heard("mixed plain"), ["saved"]);

    let mut all = NoteRepo::by_test(test).on(&db).get_all().await.unwrap();
    assert_eq!(heard(test), ["retrieved a"]);
    all.update_all(|note| note.title = "c".into()).await.unwrap();
    all.delete_all().await.unwrap();
    let expected = [
        "saving c",
        "updating c",
        "updated c",
        "saved c",
        "deleting c",
        "trashing c",
        "trashed c",
        "deleted c",
    ];
    assert_eq!(heard(test), expected);
}

#[tokio::test]
async fn streams_have_hooks_as_the_entities_pass() {
    let (db, test) = (tables().await, "stream");
    let notes = (0..60).map(|n| {
        if n == 30 { Note::refusing(test, "n30", "saving") } else { Note::new(test, &format!("n{n}")) }
    });
    let mut failed = Vec::new();
    let stats = NoteRepo::batch_save_stream(futures_util::stream::iter(notes))
        .on(&db)
        .on_failure(|failure| failed.push((failure.index, failure.reason.is_refused())))
        .await
        .unwrap();
    assert_eq!((stats.items, failed), (59, vec![(30, true)]));
    let said = heard(test);
    let count = |hook: &str| said.iter().filter(|what| what.starts_with(hook)).count();
    assert_eq!((count("saving"), count("creating"), count("created"), count("saved")), (60, 59, 59, 59));

    let ids: Vec<Id<Note>> = NoteRepo::all().on(&db).await.unwrap().pluck(Note::ID);
    assert_eq!(heard(test).len(), 59);
    let found: Vec<Note> = NoteRepo::batch_get_stream(ids.clone()).on(&db).try_collect().await.unwrap();
    assert!(found.iter().all(|note| note.title.ends_with('!')));
    assert_eq!(heard(test).len(), 59);
    let stats = NoteRepo::batch_delete_stream(futures_util::stream::iter(ids)).on(&db).await.unwrap();
    assert_eq!(stats.items, 59);
    let said = heard(test);
    let count = |hook: &str| said.iter().filter(|what| what.starts_with(hook)).count();
    assert_eq!((count("deleting"), count("trashing"), count("trashed"), count("deleted")), (59, 59, 59, 59));
}

/// It may be read another time, so it is not refused: nothing was sent, and all can be deleted later.
#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_for_its_hooks_is_not_sent() {
    let db = tables().await;
    let saved = NoteRepo::batch_save(vec![Note::new("unread", "tea"); 3]).on(&db).await.unwrap();
    let ids: Vec<Id<Note>> = saved.pluck(Note::ID);
    for fault in [Fault::Throttle, Fault::ServerError, Fault::CutBefore, Fault::CutAfter] {
        let faulty = Faults::scripted([fault; 1_000]).only(["GetItem", "BatchGetItem"]).on(&db);
        let check = |fates: Vec<Fate>, reasons: Vec<&dynorm::Error>| {
            assert_eq!(fates, [Fate::NotSent; 3], "{fault:?}");
            assert!(reasons.iter().all(|it| it.is_retryable() && it.outcome_known()), "{reasons:?}");
        };
        let error = NoteRepo::batch_delete_stream(ids.clone()).on(&faulty).await.unwrap_err();
        check(
            error.failures().iter().map(|failure| failure.fate).collect(),
            error.failures().iter().map(|failure| &*failure.reason).collect(),
        );
        let error = NoteRepo::batch_delete(&ids).on(&faulty).await.unwrap_err();
        check(
            error.failures().iter().map(|failure| failure.fate).collect(),
            error.failures().iter().map(|failure| &*failure.reason).collect(),
        );
        assert_eq!(NoteRepo::batch_get(&ids).on(&db).await.unwrap().len(), 3);
    }
    assert_eq!(NoteRepo::batch_delete_stream(ids).on(&db).await.unwrap().items, 3);
}

#[tokio::test]
async fn every_read_says_what_it_gives_and_nothing_else() {
    let (db, test) = (tables().await, "read");
    let notes: Vec<Note> = (0..10).map(|n| Note::new(test, &format!("n{n}"))).collect();
    let saved = NoteRepo::batch_save(notes).on(&db).await.unwrap();
    heard(test);
    let first = saved[0].id;
    assert_eq!(NoteRepo::get(first).on(&db).await.unwrap().title, "n0!");
    assert_eq!(heard(test).len(), 1);
    let query = || NoteRepo::by_test(test).on(&db);
    assert_eq!(query().get_all().await.unwrap().len(), 10);
    assert_eq!(heard(test).len(), 10);
    assert_eq!(query().page(3).await.unwrap().items.len(), 3);
    assert_eq!(heard(test).len(), 3);
    assert!(query().first().await.unwrap().is_some());
    assert_eq!(heard(test).len(), 1);
    assert_eq!(query().limit(4).stream().count().await, 4);
    assert_eq!(heard(test).len(), 4);
    assert_eq!(query().filter(Note::TITLE.ne("n1")).count().await.unwrap(), 9);
    assert!(query().exists().await.unwrap());
    assert_eq!(query().select(Note::TITLE).get_all().await.unwrap().len(), 10);
    assert_eq!(heard(test), [""; 0], "nobody gets an entity");
    let (one, none) =
        dynorm::transact_get((NoteRepo::get(first), NoteRepo::find(Id::new()))).on(&db).await.unwrap();
    assert_eq!((one.title.as_str(), none), ("n0!", None));
    assert_eq!(heard(test), ["retrieved n0"]);
}

#[tokio::test]
async fn a_refusal_keeps_all_of_a_transaction_from_being_sent() {
    let (db, test) = (tables().await, "transaction");
    let kept = NoteRepo::save(Note::new(test, "kept")).on(&db).await.unwrap();
    heard(test);
    let (mut a, b) = (Note::new(test, " a "), Note::refusing(test, "b", "creating"));
    let error =
        dynorm::transaction().save(&mut a).create(b).delete_by_id::<Note>(kept.id).on(&db).await.unwrap_err();
    assert!(error.is_refused() && error.outcome_known());
    let failed: Vec<usize> = error.failed_operations().iter().map(|failed| failed.number).collect();
    assert_eq!((failed, a.title.as_str()), (vec![2], " a "));
    heard(test);
    dynorm::transaction().save(&mut a).delete(&kept).on(&db).await.unwrap();
    assert_eq!(
        heard(test),
        [
            "saving a",
            "creating a",
            "deleting kept",
            "trashing kept",
            "created a",
            "saved a",
            "trashed kept",
            "deleted kept"
        ]
    );
    assert_eq!(NoteRepo::by_test(test).on(&db).get_all().await.unwrap().pluck(Note::TITLE), ["a!"]);
}
