//! Versions, soft deletes and expiry: what writes require, and what reads leave out.

use std::time::Duration;

use dynorm::prelude::*;
use dynorm_tests::{database, keep_expired};
use futures_util::TryStreamExt;

#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct Stock {
    #[entity(partition)]
    sku: String,
    left: u32,
    #[entity(version)]
    version: u64,
}

#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct Note {
    #[entity(id)]
    id: Id<Note>,
    #[entity(index("by_author", include = [text]))]
    author: String,
    text: String,
    body: String,
    #[entity(deleted_at)]
    deleted_at: Option<Timestamp>,
    #[entity(ttl)]
    expires_at: Option<Timestamp>,
    #[entity(version)]
    version: u32,
    #[entity(updated_at)]
    updated_at: Timestamp,
}

fn stock(left: u32) -> Stock {
    Stock { sku: "tea".into(), left, version: 0 }
}

async fn stocks() -> Database {
    let db = database();
    db.create_table::<Stock>().await.unwrap();
    db
}

#[tokio::test]
async fn a_save_needs_the_version_that_it_was_read_with() {
    let db = stocks().await;
    let mut mine = stock(9);
    StockRepo::save(&mut mine).on(&db).await.unwrap();
    assert_eq!(mine.version, 1);
    let mut theirs = StockRepo::get("tea").on(&db).await.unwrap();
    theirs.left = 8;
    StockRepo::save(&mut theirs).merge().on(&db).await.unwrap();
    assert_eq!(theirs.version, 2);
    mine.left = 5;
    for merge in [false, true] {
        let save = StockRepo::save(&mut mine).on(&db);
        let error = if merge { save.merge() } else { save }.await.unwrap_err();
        assert!(error.is_version_conflict() && !error.is_condition_failed() && error.outcome_known());
        assert!(
            error.to_string().ends_with(
                "the write was based on version 1, and the table has version 2 (by another writer, or by an \
                 earlier save of this entity that was dropped or got no answer): read it again, and repeat the \
                 change"
            ),
            "{error}"
        );
        assert_eq!(error.current::<Stock>().unwrap().unwrap(), theirs);
        assert_eq!(error.attempted::<Stock>().unwrap().unwrap(), Stock { left: 5, version: 2, ..stock(0) });
        assert_eq!(mine.version, 1, "what is known to have failed is put back");
    }
    // An entity that claims to be new conflicts with the stored item.
    let error = StockRepo::save(stock(1)).on(&db).await.unwrap_err();
    assert!(error.is_version_conflict());
    assert!(error.to_string().contains("the entity is new and the table has version 2 of it"), "{error}");
    // A deleted item is not created again.
    StockRepo::delete_by_id("tea").on(&db).await.unwrap();
    let error = StockRepo::save(&mut theirs).on(&db).await.unwrap_err();
    assert!(error.is_version_conflict() && error.current::<Stock>().is_none());
    assert!(error.to_string().contains("and the item is gone"), "{error}");
}

#[tokio::test]
async fn a_version_stands_beside_other_conditions() {
    let db = stocks().await;
    let saved = StockRepo::save(stock(9)).on(&db).await.unwrap();
    let error = StockRepo::save(&saved).when(Stock::LEFT.gt(10)).on(&db).await.unwrap_err();
    assert!(error.is_condition_failed() && !error.is_version_conflict());
    let saved = StockRepo::save(&saved).when(Stock::LEFT.eq(9)).on(&db).await.unwrap();
    assert_eq!(saved.version, 2);
    let error = StockRepo::save(stock(3)).when(Stock::LEFT.gt(10)).on(&db).await.unwrap_err();
    assert!(error.is_version_conflict());
    let error = StockRepo::save(Stock { sku: "milk".into(), ..stock(3) })
        .when(Stock::LEFT.gt(10))
        .on(&db)
        .await
        .unwrap_err();
    assert!(error.is_condition_failed(), "{error}");
    let error = StockRepo::create(stock(3)).on(&db).await.unwrap_err();
    assert!(error.is_condition_failed());
}

#[tokio::test]
async fn a_delete_needs_the_version_and_an_update_raises_it() {
    let db = stocks().await;
    let saved = StockRepo::save(stock(9)).on(&db).await.unwrap();
    let updated = StockRepo::update("tea").subtract(Stock::LEFT, 1).on(&db).await.unwrap();
    assert_eq!((updated.left, updated.version), (8, 2));
    let error = StockRepo::delete(&saved).on(&db).await.unwrap_err();
    assert!(error.is_version_conflict());
    assert_eq!(error.current::<Stock>().unwrap().unwrap(), updated);
    assert_eq!(StockRepo::delete(&updated).returning_old().on(&db).await.unwrap(), Some(updated.clone()));
    // A missing item counts as deleted.
    StockRepo::delete(&updated).on(&db).await.unwrap();
    let stale =
        StockRepo::update("tea").add(Stock::LEFT, 1).when(Stock::VERSION.eq(1)).on(&db).await.unwrap_err();
    assert!(stale.is_not_found());
}

async fn notes() -> Database {
    let db = database();
    db.create_table::<Note>().await.unwrap();
    keep_expired::<Note>(&db).await;
    db
}

fn note(author: &str) -> Note {
    Note { author: author.into(), text: "t".into(), body: "b".into(), ..Default::default() }
}

#[tokio::test]
async fn a_delete_marks_and_reads_leave_out_what_is_marked() {
    let db = notes().await;
    let kept = NoteRepo::save(note("ada")).on(&db).await.unwrap();
    let gone = NoteRepo::save(note("ada")).on(&db).await.unwrap();
    assert_eq!(NoteRepo::delete(&gone).returning_old().on(&db).await.unwrap(), Some(gone.clone()));
    let trashed = NoteRepo::find(gone.id).with_trashed().on(&db).await.unwrap().unwrap();
    assert!(trashed.is_trashed() && trashed.version == 2 && trashed.updated_at > gone.updated_at);
    // The time of the first deletion stays.
    NoteRepo::delete_by_id(gone.id).on(&db).await.unwrap();
    let again = NoteRepo::get(gone.id).with_trashed().on(&db).await.unwrap();
    assert_eq!(again.deleted_at, trashed.deleted_at);

    assert_eq!(NoteRepo::find(gone.id).on(&db).await.unwrap(), None);
    assert!(NoteRepo::get(gone.id).on(&db).await.unwrap_err().is_not_found());
    let ids = [kept.id, gone.id];
    assert_eq!(NoteRepo::batch_get(ids).positional().on(&db).await.unwrap(), [Some(kept.clone()), None]);
    assert_eq!(NoteRepo::batch_get(ids).with_trashed().on(&db).await.unwrap().len(), 2);
    let streamed: Vec<Note> = NoteRepo::batch_get_stream(ids).on(&db).try_collect().await.unwrap();
    let only_kept = std::slice::from_ref(&kept);
    assert_eq!(streamed, only_kept);
    let all =
        NoteRepo::batch_get_stream(ids).with_trashed().on(&db).try_collect::<Vec<Note>>().await.unwrap();
    assert_eq!(all, [kept.clone(), again.clone()]);
    assert_eq!(*NoteRepo::all().on(&db).await.unwrap(), *only_kept);
    assert_eq!(NoteRepo::count().on(&db).await.unwrap(), 1);
    assert_eq!(*NoteRepo::filter(Note::ID.is_in(ids)).get_all().on(&db).await.unwrap(), *only_kept);
    let by_author = || NoteRepo::by_author("ada");
    assert_eq!(by_author().count().on(&db).await.unwrap(), 1);
    assert_eq!(by_author().with_trashed().get_all().on(&db).await.unwrap().len(), 2);
    assert_eq!(
        *by_author().only_trashed().hydrate().get_all().on(&db).await.unwrap(),
        *std::slice::from_ref(&again)
    );
    assert_eq!(
        NoteRepo::with_trashed().filter(Note::AUTHOR.eq("ada")).hydrate().count().on(&db).await.unwrap(),
        2
    );
    assert_eq!(NoteRepo::scan().only_trashed().count().on(&db).await.unwrap(), 1);

    // A soft-deleted item is absent for an update, and present for a restore.
    let update = NoteRepo::update(gone.id).set(Note::TEXT, "x").on(&db).await.unwrap_err();
    assert!(update.is_not_found());
    let restored = NoteRepo::restore(gone.id).on(&db).await.unwrap();
    assert!(!restored.is_trashed());
    assert_eq!(NoteRepo::find(gone.id).on(&db).await.unwrap(), Some(restored.clone()));
    NoteRepo::force_delete(&restored).on(&db).await.unwrap();
    assert_eq!(NoteRepo::find(gone.id).with_trashed().on(&db).await.unwrap(), None);
    for error in [
        NoteRepo::delete(&restored).on(&db).await.unwrap_err(),
        NoteRepo::delete_by_id(Id::new()).on(&db).await.unwrap_err(),
        NoteRepo::restore(gone.id).on(&db).await.unwrap_err(),
    ] {
        assert!(error.is_not_found(), "{error}");
    }
    let stale = NoteRepo::delete(&Note { version: 7, ..kept.clone() }).on(&db).await.unwrap_err();
    assert!(stale.is_version_conflict(), "{stale}");
}

#[tokio::test]
async fn what_has_expired_is_left_out() {
    let db = notes().await;
    let now = Timestamp::now();
    let ending = |at: Option<Timestamp>| Note { expires_at: at, ..note("bob") };
    let past = NoteRepo::save(ending(now.checked_sub(Duration::from_secs(5)))).on(&db).await.unwrap();
    let future = NoteRepo::save(ending(now.checked_add(Duration::from_secs(500)))).on(&db).await.unwrap();
    let never = NoteRepo::save(ending(None)).on(&db).await.unwrap();
    assert!(past.is_expired() && !future.is_expired() && !never.is_expired());
    assert_eq!(NoteRepo::find(past.id).on(&db).await.unwrap(), None);
    let found = NoteRepo::find(past.id).with_expired().on(&db).await.unwrap().unwrap();
    assert_eq!(found.id, past.id);
    let ids = [past.id, future.id, never.id];
    assert_eq!(NoteRepo::batch_get(ids).on(&db).await.unwrap().len(), 2);
    assert_eq!(NoteRepo::batch_get(ids).with_expired().on(&db).await.unwrap().len(), 3);
    let streamed: Vec<Note> = NoteRepo::batch_get_stream(ids).on(&db).try_collect().await.unwrap();
    assert_eq!(streamed.iter().map(|note| note.id).collect::<Vec<_>>(), [future.id, never.id]);
    let stream = NoteRepo::batch_get_stream(ids).with_expired().on(&db);
    let streamed: Vec<Note> = stream.try_collect().await.unwrap();
    assert_eq!(streamed.iter().map(|note| note.id).collect::<Vec<_>>(), ids);
    assert_eq!(NoteRepo::by_author("bob").count().on(&db).await.unwrap(), 2);
    assert_eq!(NoteRepo::by_author("bob").with_expired().count().on(&db).await.unwrap(), 3);
    assert_eq!(NoteRepo::by_author("bob").hydrate().get_all().on(&db).await.unwrap().len(), 2);
    assert_eq!(NoteRepo::filter(Note::ID.is_in(ids)).get_all().on(&db).await.unwrap().len(), 2);
    assert!(NoteRepo::update(past.id).set(Note::TEXT, "x").on(&db).await.unwrap_err().is_not_found());
    // An expired item can be replaced.
    NoteRepo::create(Note { id: past.id, ..note("bob") }).on(&db).await.unwrap();
    assert!(
        NoteRepo::create(Note { id: future.id, ..note("bob") })
            .on(&db)
            .await
            .unwrap_err()
            .is_condition_failed()
    );
    // A cursor fits its query in a later second too.
    let page = NoteRepo::by_author("bob").page(1).on(&db).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let rest = NoteRepo::by_author("bob").page(10).after(page.next).on(&db).await.unwrap();
    assert_eq!(rest.items.len(), 2);
}

#[tokio::test]
async fn what_is_marked_can_expire() {
    let db = notes().await;
    let note = NoteRepo::save(note("eve")).on(&db).await.unwrap();
    NoteRepo::delete(&note).expire_after(Duration::from_secs(3600)).on(&db).await.unwrap();
    let trashed = NoteRepo::get(note.id).with_trashed().on(&db).await.unwrap();
    let end = trashed.expires_at.unwrap();
    let from_now = (end.unix_micros() - Timestamp::now().unix_micros()) / 1_000_000;
    assert!((3590..=3602).contains(&from_now), "{from_now}");
    NoteRepo::restore(note.id).on(&db).await.unwrap();
    let kept = NoteRepo::update(note.id).set(Note::EXPIRES_AT, None).on(&db).await.unwrap();
    assert_eq!(kept.expires_at, None);
    let set = NoteRepo::update(note.id).set(Note::EXPIRES_AT, Some(end)).on(&db).await.unwrap();
    assert_eq!(set.expires_at, Some(end));
}

#[tokio::test]
async fn transactions_follow_the_rules() {
    let db = notes().await;
    db.create_table::<Stock>().await.unwrap();
    let mut stock = StockRepo::save(stock(9)).on(&db).await.unwrap();
    let gone = NoteRepo::save(note("ada")).on(&db).await.unwrap();
    let stale = stock.clone();
    stock.left = 8;
    dynorm::transaction().save(&mut stock).delete(&gone).on(&db).await.unwrap();
    assert_eq!(stock.version, 2);
    let trashed = NoteRepo::get(gone.id).with_trashed().on(&db).await.unwrap();
    assert!(trashed.is_trashed(), "a delete marks in a transaction, too");
    let (stocked, note) =
        dynorm::transact_get((StockRepo::find("tea"), NoteRepo::find(gone.id))).on(&db).await.unwrap();
    assert_eq!((stocked, note), (Some(stock.clone()), None));

    let mut mine = Stock { left: 1, ..stale };
    let error = dynorm::transaction().save(&mut mine).on(&db).await.unwrap_err();
    assert!(error.is_version_conflict() && error.outcome_known(), "{error}");
    assert_eq!(error.current::<Stock>().unwrap().unwrap(), stock);
    assert_eq!(error.attempted::<Stock>().unwrap().unwrap().left, 1);
    assert_eq!(mine.version, 1, "put back");
    let error = dynorm::transaction().delete(&mine).on(&db).await.unwrap_err();
    assert!(error.is_version_conflict(), "{error}");
    let update = NoteRepo::update(gone.id).set(Note::TEXT, "x");
    let error = dynorm::transaction().update(update).on(&db).await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
}

/// Eight tasks increment the same numbers, with connections cut before and after the write: no increment is
/// lost or applied twice. There are several numbers, since writers of a single item would mostly wait for
/// each other.
#[tokio::test]
async fn writers_that_race_lose_nothing() {
    use dynorm::testing::Faults;
    const TASKS: u32 = 8;
    const EACH: u32 = 1250;
    const SKUS: [&str; 4] = ["tea", "milk", "cups", "sugar"];
    let db = stocks().await;
    StockRepo::batch_save(SKUS.map(|sku| Stock { sku: sku.into(), ..stock(0) })).on(&db).await.unwrap();
    let tasks = (0..TASKS).map(|task| {
        let faulty = Faults::seeded(u64::from(task)).cut_before(0.03).cut_after(0.03).conflict(0.03).on(&db);
        tokio::spawn(async move {
            let (mut unknown, mut changes) = (0u32, 0u32);
            for sku in SKUS.iter().cycle().take(EACH as usize) {
                let raise = |stock: &mut Stock| {
                    stock.left += 1;
                    changes += 1;
                };
                match StockRepo::retry_on_conflict(sku, raise).on(&faulty).await {
                    Ok(_) => {}
                    Err(error) if !error.outcome_known() => unknown += 1,
                    Err(error) => panic!("{error}"),
                }
            }
            (unknown, changes)
        })
    });
    let (mut unknown, mut changes) = (0, 0);
    for task in tasks.collect::<Vec<_>>() {
        let of_task = task.await.unwrap();
        unknown += of_task.0;
        changes += of_task.1;
    }
    let stocks = StockRepo::batch_get(SKUS).consistent().on(&db).await.unwrap();
    assert!(stocks.iter().all(|stock| u64::from(stock.left) + 1 == stock.version), "{stocks:?}");
    let (all, raised) = (TASKS * EACH, stocks.iter().map(|stock| stock.left).sum::<u32>());
    assert!((all - unknown..=all).contains(&raised), "{raised} of {all}, {unknown} unknown");
    assert!(unknown <= all / 20, "{unknown} of {all} are unknown");
    assert!(changes > all + all / 20, "{changes} changes: the writers hardly met");
}
