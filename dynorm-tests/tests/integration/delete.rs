//! Conditional deletes.

use dynorm::prelude::*;
use dynorm::testing::{Fault, FaultLog, Faults};
use dynorm_tests::canned::{self, Answer};
use dynorm_tests::database;

#[derive(Entity, Clone, Debug, PartialEq)]
struct Draft {
    #[entity(partition)]
    title: String,
    locked: bool,
}

fn draft(locked: bool) -> Draft {
    Draft { title: "tea".into(), locked }
}

async fn engine(locked: bool) -> Database {
    let db = database();
    db.create_table::<Draft>().await.unwrap();
    DraftRepo::save(draft(locked)).on(&db).await.unwrap();
    db
}

#[tokio::test]
async fn it_is_deleted_when_the_condition_holds_and_not_otherwise() {
    let db = engine(true).await;
    let error = DraftRepo::delete(&draft(true)).when(Draft::LOCKED.eq(false)).on(&db).await.unwrap_err();
    assert!(error.is_condition_failed() && error.outcome_known());
    assert_eq!(error.current::<Draft>().unwrap().unwrap(), draft(true));
    assert!(error.to_string().starts_with("deleting `Draft` with title = tea"), "{error}");
    let delete = DraftRepo::delete_by_id("tea").when(Draft::LOCKED.eq(true)).returning_old();
    assert_eq!(delete.on(&db).await.unwrap(), Some(draft(true)));
    // Without an item, no condition that requires one holds.
    let error = DraftRepo::delete_by_id("tea").when(Draft::LOCKED.exists()).on(&db).await.unwrap_err();
    assert!(error.is_condition_failed() && error.current::<Draft>().is_none());
    DraftRepo::delete_by_id("tea").when(Draft::LOCKED.not_exists()).on(&db).await.unwrap();
}

#[tokio::test]
async fn after_a_lost_answer_a_condition_that_fails_proves_nothing() {
    let db = engine(true).await;
    let faulty = Faults::scripted([Fault::CutAfter]).on(&db);
    let delete = DraftRepo::delete_by_id("tea").when(Draft::LOCKED.eq(true)).on(&faulty);
    let error = delete.await.unwrap_err();
    assert!(error.is_condition_failed() && !error.outcome_known());
    assert_eq!(DraftRepo::find("tea").on(&db).await.unwrap(), None);
}

#[tokio::test]
async fn what_was_deleted_is_asked_for_once() {
    let delete = async |fault| {
        let (db, log) = (engine(false).await, FaultLog::default());
        let faulty = Faults::scripted([fault]).log(&log).on(&db);
        let outcome = DraftRepo::delete_by_id("tea").returning_old().on(&faulty).await;
        (outcome, log.total().requests)
    };
    for fault in [Fault::CutAfter, Fault::CutBefore, Fault::ServerError] {
        let (outcome, requests) = delete(fault).await;
        assert_eq!((outcome.unwrap_err().outcome_known(), requests), (false, 1), "{fault:?}");
    }
    // Attempts that certainly did not reach the item are repeated.
    for fault in [Fault::Throttle, Fault::Refused] {
        let (outcome, requests) = delete(fault).await;
        assert_eq!((outcome.unwrap(), requests), (Some(draft(false)), 2), "{fault:?}");
    }
}

#[tokio::test]
async fn what_is_sent() {
    let (db, requests) = canned::database(|_| Answer::ok("{}"));
    DraftRepo::delete_by_id("tea").when(Draft::LOCKED.eq(false)).on(&db).await.unwrap();
    DraftRepo::delete_by_id("tea").on(&db).await.unwrap();
    let start = r#"{"TableName":"drafts","Key":{"title":{"S":"tea"}}"#;
    let sent = requests.all();
    assert_eq!(
        sent[0].text(),
        format!(
            r##"{start},"ConditionExpression":"#0 = :0","ExpressionAttributeNames":{{"#0":"locked"}},"ExpressionAttributeValues":{{":0":{{"BOOL":false}}}},"ReturnValues":"NONE","ReturnValuesOnConditionCheckFailure":"ALL_OLD"}}"##
        )
    );
    assert_eq!(sent[1].text(), format!(r#"{start},"ReturnValues":"NONE"}}"#));
}

/// One that is kept when it is deleted.
#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct Record {
    #[entity(partition)]
    title: String,
    #[entity(deleted_at)]
    deleted_at: Option<Timestamp>,
}

#[tokio::test]
async fn what_is_not_there_is_no_error_unless_it_would_be_kept() {
    let db = database();
    db.create_table::<Draft>().await.unwrap();
    db.create_table::<Record>().await.unwrap();
    let transaction = dynorm::transaction;
    let (draft, record) = (draft(false), Record { title: "tea".into(), ..Record::default() });

    DraftRepo::delete(&draft).on(&db).await.unwrap();
    DraftRepo::delete_by_id("tea").on(&db).await.unwrap();
    DraftRepo::batch_delete(["tea"]).on(&db).await.unwrap();
    transaction().delete_by_id::<Draft>("tea").on(&db).await.unwrap();
    RecordRepo::force_delete(&record).on(&db).await.unwrap();
    RecordRepo::force_delete_by_id("tea").on(&db).await.unwrap();
    RecordRepo::batch_delete(["tea"]).force().on(&db).await.unwrap();

    let errors = [
        RecordRepo::delete(&record).on(&db).await.unwrap_err(),
        RecordRepo::delete_by_id("tea").on(&db).await.unwrap_err(),
        transaction().delete(&record).on(&db).await.unwrap_err(),
        transaction().delete_by_id::<Record>("tea").on(&db).await.unwrap_err(),
    ];
    assert!(errors.iter().all(dynorm::Error::is_not_found), "{errors:?}");
    let error = RecordRepo::batch_delete(["tea"]).on(&db).await.unwrap_err();
    assert!(error.failures()[0].reason.is_not_found(), "{error}");
    assert!(RecordRepo::find("tea").with_trashed().on(&db).await.unwrap().is_none());
}
