//! Batches of entities with a version or soft deletes: one request for each item, with the same fates as
//! other batches.

use dynorm::prelude::*;
use dynorm::testing::Faults;
use dynorm::{Fate, Retry};
use dynorm_tests::database;

#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct Stock {
    #[entity(partition)]
    sku: u32,
    left: u32,
    #[entity(version)]
    version: u64,
}

#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct Note {
    #[entity(id)]
    id: Id<Note>,
    text: String,
    #[entity(deleted_at)]
    deleted_at: Option<Timestamp>,
    #[entity(version)]
    version: u32,
}

#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct Plain {
    #[entity(id)]
    id: Id<Plain>,
}

fn stocks(count: u32) -> Vec<Stock> {
    (0..count).map(|sku| Stock { sku, left: 5, version: 0 }).collect()
}

async fn tables() -> Database {
    let db = database();
    db.create_table::<Stock>().await.unwrap();
    db.create_table::<Note>().await.unwrap();
    db.create_table::<Plain>().await.unwrap();
    db
}

#[tokio::test]
async fn a_batch_checks_and_raises_the_version_of_each_item() {
    let db = tables().await;
    let mut saved = StockRepo::batch_save(stocks(60)).on(&db).await.unwrap();
    assert!(saved.iter().all(|stock| stock.version == 1));
    assert_eq!(saved.stats().requests, 60);
    // Another writer changes three of them.
    for sku in [3, 30, 59] {
        StockRepo::update(sku).subtract(Stock::LEFT, 1).on(&db).await.unwrap();
    }
    saved.iter_mut().for_each(|stock| stock.left = 9);
    let error = StockRepo::batch_save(&saved).on(&db).await.unwrap_err();
    let failed: Vec<usize> = error.failures().iter().map(|failure| failure.index).collect();
    assert_eq!(failed, [3, 30, 59]);
    for failure in error.failures() {
        assert_eq!(failure.fate, Fate::Rejected);
        assert!(failure.reason.is_version_conflict(), "{}", failure.reason);
        assert_eq!(failure.reason.current::<Stock>().unwrap().unwrap().left, 4);
        assert_eq!(failure.reason.attempted::<Stock>().unwrap().unwrap().left, 9);
    }
    let all = StockRepo::all().on(&db).await.unwrap();
    assert!(all.iter().all(|stock| stock.version == 2));
    assert_eq!(all.iter().filter(|stock| stock.left == 9).count(), 57);
    // A conflict remains a conflict when it is sent again.
    let error = error.retry().on(&db).await.unwrap_err();
    assert_eq!(error.failures().len(), 3);

    let error = StockRepo::batch_delete_entities(&saved).on(&db).await.unwrap_err();
    assert_eq!(error.failures().len(), 60);
    assert!(error.failures().iter().all(|failure| failure.reason.is_version_conflict()));
    StockRepo::batch_delete_entities(&all).on(&db).await.unwrap();
    assert_eq!(StockRepo::count().on(&db).await.unwrap(), 0);
    // A missing item counts as deleted.
    StockRepo::batch_delete_entities(&all).on(&db).await.unwrap();
}

#[tokio::test]
async fn a_stream_and_a_collection_check_the_version_too() {
    let db = tables().await;
    let stats = StockRepo::batch_save_stream(stocks(100)).on(&db).await.unwrap();
    assert_eq!((stats.items, stats.requests), (100, 100));
    let mut failed = Vec::new();
    StockRepo::batch_save_stream(stocks(110))
        .on_failure(|failure| failed.push(failure))
        .on(&db)
        .await
        .unwrap();
    assert_eq!(failed.len(), 100);
    assert!(failed.iter().all(|failure| failure.reason.is_version_conflict()));
    let mut all = StockRepo::all().on(&db).await.unwrap();
    all.update_all(|stock| stock.left += 1).await.unwrap();
    assert!(all.iter().all(|stock| stock.version == 2 && stock.left == 6));
    all.delete_all().await.unwrap();
    assert_eq!(StockRepo::count().on(&db).await.unwrap(), 0);
}

#[tokio::test]
async fn a_batch_marks_what_it_deletes() {
    let db = tables().await;
    let notes = NoteRepo::batch_save(vec![Note::default(); 40]).on(&db).await.unwrap();
    let ids: Vec<Id<Note>> = notes.iter().map(|note| note.id).collect();
    NoteRepo::batch_delete(&ids[..30]).on(&db).await.unwrap();
    assert_eq!(NoteRepo::count().on(&db).await.unwrap(), 10);
    let trashed = NoteRepo::scan().only_trashed().get_all().on(&db).await.unwrap();
    assert!(trashed.len() == 30 && trashed.iter().all(|note| note.is_trashed() && note.version == 2));
    let missing = [Id::new(), ids[39]];
    let error = NoteRepo::batch_delete(missing).on(&db).await.unwrap_err();
    assert_eq!(error.failures().len(), 1);
    assert!(error.failures()[0].reason.is_not_found() && error.failures()[0].index == 0);
    let mut deleted = NoteRepo::batch_delete_stream(ids.clone()).on(&db).await.unwrap();
    deleted.elapsed = std::time::Duration::ZERO;
    assert_eq!((deleted.items, NoteRepo::count().on(&db).await.unwrap()), (40, 0));
    NoteRepo::batch_delete(&ids).force().on(&db).await.unwrap();
    assert_eq!(NoteRepo::scan().with_trashed().count().on(&db).await.unwrap(), 0);
}

#[tokio::test]
async fn a_batch_takes_marks_away() {
    let db = tables().await;
    let notes = NoteRepo::batch_save(vec![Note::default(); 40]).on(&db).await.unwrap();
    let ids = notes.pluck(Note::ID);
    NoteRepo::batch_delete(&ids[..30]).on(&db).await.unwrap();
    let missing = Id::new();
    let wanted: Vec<Id<Note>> = ids[..20].iter().copied().chain([missing]).collect();
    let error = NoteRepo::batch_restore(&wanted).on(&db).await.unwrap_err();
    assert_eq!(
        (error.failures().len(), error.failures()[0].index, error.failures()[0].key),
        (1, 20, missing)
    );
    assert_eq!(error.failures()[0].fate, Fate::Rejected);
    assert!(error.failures()[0].reason.is_not_found());
    let fates: Vec<Fate> = error.fates().collect();
    assert!(fates[..20].iter().all(|fate| *fate == Fate::Done));
    assert_eq!(
        error.to_string(),
        format!(
            "restoring `Note` in the table `{}`: 1 of 21 items is not done; the first is #20 (rejected) \
            with id = {missing}",
            db.table_name::<Note>()
        )
    );
    // A missing item is still missing the next time.
    assert_eq!(error.retry().on(&db).await.unwrap_err().failures().len(), 1);
    let restored = NoteRepo::batch_get(&ids[..20]).on(&db).await.unwrap();
    assert!(restored.len() == 20 && restored.iter().all(|note| note.version == 3));

    let trashed = NoteRepo::scan().only_trashed().get_all().on(&db).await.unwrap();
    let stats = trashed.restore_all().await.unwrap();
    assert_eq!((stats.items, stats.requests), (10, 10));
    assert_eq!(NoteRepo::count().on(&db).await.unwrap(), 40);
    let mut all = NoteRepo::all().on(&db).await.unwrap();
    all.delete_all().await.unwrap();
    for chunk in all.chunk(25) {
        chunk.restore_all().await.unwrap();
    }
    assert_eq!(NoteRepo::count().on(&db).await.unwrap(), 40);

    // Repeats until all are done or unknown.
    NoteRepo::batch_delete(&ids).on(&db).await.unwrap();
    let faulty = Faults::seeded(3).throttle(0.2).server_error(0.1).cut_before(0.1).cut_after(0.1).on(&db);
    let quick = Retry::default().rounds(50).base_delay(std::time::Duration::from_millis(1));
    NoteRepo::batch_restore(&ids).retry(quick).on(&faulty).await.unwrap();
    assert_eq!(NoteRepo::count().on(&db).await.unwrap(), 40);
}

#[tokio::test]
async fn a_batch_of_several_entities_follows_the_rules_of_each() {
    let db = tables().await;
    let mut stocks = stocks(5);
    let notes = NoteRepo::batch_save(vec![Note::default(); 5]).on(&db).await.unwrap();
    let plain = PlainRepo::batch_save(vec![Plain::default(); 5]).on(&db).await.unwrap();
    let stats = dynorm::batch()
        .save(&mut stocks)
        .delete_entities(&*notes)
        .delete_entities(&*plain)
        .on(&db)
        .await
        .unwrap();
    assert_eq!(stats.items, 15);
    assert!(stocks.iter().all(|stock| stock.version == 1));
    assert_eq!(NoteRepo::scan().only_trashed().count().on(&db).await.unwrap(), 5);
    assert_eq!(PlainRepo::count().on(&db).await.unwrap(), 0);
    let stale = self::stocks(1);
    let error = dynorm::batch().save(&stale).save(&*plain).on(&db).await.unwrap_err();
    assert_eq!(error.failures().count(), 1);
    assert_eq!(PlainRepo::count().on(&db).await.unwrap(), 5);
}

/// After a lost answer, the outcome is reported as unknown, and what is reported as written is written.
#[tokio::test(start_paused = true)]
async fn under_faults_every_fate_is_true() {
    for seed in 0..20 {
        let db = tables().await;
        let faulty =
            Faults::seeded(seed).throttle(0.1).server_error(0.05).cut_before(0.1).cut_after(0.1).on(&db);
        let saved = StockRepo::batch_save(stocks(80)).retry(Retry::default().seed(seed)).on(&faulty).await;
        let table = StockRepo::all().on(&db).await.unwrap();
        let is_there = |sku: u32| table.iter().any(|stock| stock.sku == sku && stock.version == 1);
        let fates: Vec<Fate> = match &saved {
            Ok(saved) => saved.stats().fates().collect(),
            Err(error) => error.fates().collect(),
        };
        assert_eq!(fates.len(), 80);
        for (sku, fate) in (0u32..).zip(fates) {
            match fate {
                Fate::Done => assert!(is_there(sku), "seed {seed}, {sku}"),
                // There is no other writer, so a conflict can only be with its own attempt.
                Fate::Rejected => panic!("seed {seed}, {sku}: a conflict with itself is taken for a refusal"),
                _ => {}
            }
        }
        assert!(table.iter().all(|stock| stock.version == 1), "seed {seed}: written twice");
    }
}
