//! Reads of several items at one moment.

use dynorm::Error;
use dynorm::error::OperationKind;
use dynorm::prelude::*;
use dynorm::testing::{Fault, FaultLog, Faults};
use dynorm_tests::canned::{self, Answer};
use dynorm_tests::database;

#[derive(Entity, Clone, Debug, Default, PartialEq)]
#[entity(table = "tg_users")]
struct User {
    #[entity(id)]
    id: Id<User>,
    name: String,
}

#[derive(Entity, Clone, Debug, Default, PartialEq)]
#[entity(table = "tg_carts")]
struct Cart {
    #[entity(partition)]
    owner: String,
    #[entity(sort)]
    number: u32,
}

async fn tables(db: Database) -> Database {
    db.create_table::<User>().await.unwrap();
    db.create_table::<Cart>().await.unwrap();
    db
}

fn cart(number: u32) -> Cart {
    Cart { owner: "ada".to_owned(), number }
}

#[tokio::test]
async fn tuples_and_lists_of_reads() {
    let db = tables(database()).await;
    let user = UserRepo::save(User::default()).on(&db).await.unwrap();
    CartRepo::batch_save((0..3).map(cart)).on(&db).await.unwrap();

    let (found, none) =
        dynorm::transact_get((UserRepo::find(user.id), CartRepo::find(("ada", 9)))).on(&db).await.unwrap();
    assert_eq!((found, none), (Some(user.clone()), None));

    let (found, carts, several, one) = dynorm::transact_get((
        UserRepo::get(user.id),
        CartRepo::transact_get([("ada", 2), ("bea", 2), ("ada", 2)]),
        vec![CartRepo::find(("ada", 0)), CartRepo::find(("ada", 7))],
        vec![(CartRepo::get(("ada", 1)).on(&db), UserRepo::find(Id::new()))],
    ))
    .await
    .unwrap();
    assert_eq!(found, user);
    assert_eq!(carts, [Some(cart(2)), None, Some(cart(2))]);
    assert_eq!(several, [Some(cart(0)), None]);
    assert_eq!(one, [(cart(1), None)]);

    let ids = vec![user.id, Id::new()];
    let users: Vec<Option<User>> = UserRepo::transact_get(&ids).on(&db).await.unwrap();
    assert_eq!(users, [Some(user), None]);
    let nothing: Vec<Option<User>> = UserRepo::transact_get(&ids[..0]).on(&db).await.unwrap();
    assert!(nothing.is_empty());
}

#[tokio::test]
async fn an_item_that_is_not_there_is_not_found() {
    let db = tables(database()).await;
    let reads = (CartRepo::find(("ada", 1)), CartRepo::get(("ada", 2)));
    let error = dynorm::transact_get(reads).on(&db).await.unwrap_err();
    assert!(error.is_not_found());
    assert_eq!(error.key(), Some("owner = ada, number = 2"));
}

#[tokio::test]
async fn a_hundred_items_and_no_more() {
    let db = tables(database()).await;
    let keys = |count: u32| (0..count).map(|number| ("ada", number));
    assert_eq!(CartRepo::transact_get(keys(100).chain(keys(100))).on(&db).await.unwrap().len(), 200);
    let error = CartRepo::transact_get(keys(101)).on(&db).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "a transaction of 101 reads on the table `{}`: it asks for 101 items, and DynamoDB reads 100 at \
            one moment; `batch_get` reads any number, not at one moment",
            db.table_name::<Cart>()
        )
    );
    let error = CartRepo::transact_get([("ada", 1), ("", 1)]).on(&db).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "a transaction of 2 reads was not sent: 2 (read of `Cart` in the table `{}`): owner: the \
            partition key of the table cannot be empty",
            db.table_name::<Cart>()
        )
    );
}

#[tokio::test]
async fn reads_that_meet_a_write_are_repeated() {
    let db = tables(database()).await;
    CartRepo::save(cart(1)).on(&db).await.unwrap();
    let log = FaultLog::default();
    let script = [Fault::Conflict, Fault::Throttle, Fault::HotKeyRange, Fault::CutAfter, Fault::ServerError];
    let faulty = Faults::scripted(script).log(&log).on(&db);
    let found = CartRepo::transact_get([("ada", 1)]).on(&faulty).await.unwrap();
    assert_eq!(found, [Some(cart(1))]);
    assert_eq!(log.of("TransactGetItems").requests, 6);
}

#[tokio::test(start_paused = true)]
async fn the_read_that_is_in_the_way_is_told_by_its_place() {
    let (db, requests) = canned::database(|_| {
        Answer::Json(
            400,
            r#"{"__type":"x#TransactionCanceledException","CancellationReasons":[{"Code":"None"},{"Code":"TransactionConflict"}]}"#.into(),
        )
    });
    let error = CartRepo::transact_get([("ada", 1), ("ada", 1), ("ada", 2)]).on(&db).await.unwrap_err();
    assert_eq!(requests.len(), 8);
    assert_eq!(
        (error.failed_operations()[0].number, error.failed_operations()[0].kind),
        (3, OperationKind::Reading)
    );
    assert!(error.is_retryable() && error.outcome_known());
    assert_eq!(
        error.to_string(),
        "a transaction of 3 reads was cancelled: 3 (read of `Cart` with owner = ada, number = 2 in the \
        table `tg_carts`): another write or transaction is at the item; try again"
    );
    let (db, _) = canned::database(|_| Answer::Cut);
    let error = CartRepo::transact_get([("ada", 1)]).on(&db).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)) && error.outcome_known());
    for (answer, text) in [
        (r#"{"Responses":[]}"#, "the answer has no place for it"),
        (r#"{"Responses":[{"Item":{"owner":{"S":"ada"},"number":{"S":"1"}}}]}"#, "number: expected a number"),
        (r#"{"Responses":7}"#, "expected"),
    ] {
        let (db, _) = canned::database(move |_| Answer::ok(answer));
        let error = CartRepo::transact_get([("ada", 1)]).on(&db).await.unwrap_err();
        assert!(matches!(error, Error::Undecodable(_)) && error.to_string().contains(text), "{error}");
    }
}
