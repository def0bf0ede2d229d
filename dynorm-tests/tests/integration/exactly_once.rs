//! Updates as transactions of one operation, and money transfers while answers are lost.

use dynorm::Error;
use dynorm::prelude::*;
use dynorm::testing::{Fault, FaultLog, Faults};
use dynorm_tests::canned::{self, Answer};
use dynorm_tests::database;

#[derive(Entity, Clone, Debug, PartialEq)]
#[entity(table = "ledger")]
struct Account {
    #[entity(partition)]
    number: u32,
    cents: i64,
}

async fn with_accounts(db: Database, count: u32) -> Database {
    db.create_table::<Account>().await.unwrap();
    AccountRepo::batch_save((0..count).map(|number| Account { number, cents: 1000 })).on(&db).await.unwrap();
    db
}

async fn accounts(count: u32) -> Database {
    with_accounts(database(), count).await
}

/// All faults of transactions.
fn trouble(seed: u64) -> Faults {
    let faults = Faults::seeded(seed).conflict(0.1).throttle(0.05).hot_key_range(0.02).in_progress(0.03);
    faults.server_error(0.02).refused(0.02).cut_before(0.05).cut_after(0.1)
}

#[tokio::test]
async fn it_gives_the_entity_as_it_is_then() {
    let db = accounts(1).await;
    let account = AccountRepo::update(0).add(Account::CENTS, 5).exactly_once().on(&db).await.unwrap();
    assert_eq!(account.cents, 1005);
    let update = AccountRepo::update(0).on(&db).add(Account::CENTS, 5).exactly_once();
    let () = update.when(Account::CENTS.eq(1005)).returning_nothing().await.unwrap();
    let () = AccountRepo::update(0)
        .add(Account::CENTS, 5)
        .returning_nothing()
        .exactly_once()
        .on(&db)
        .await
        .unwrap();
    assert_eq!(AccountRepo::get(0).on(&db).await.unwrap().cents, 1015);
}

#[tokio::test]
async fn its_errors_are_those_of_an_update() {
    let db = accounts(1).await;
    let table = db.table_name::<Account>();
    let run = async |number: u32, least: i64| {
        let update = AccountRepo::update(number).add(Account::CENTS, 5).when(Account::CENTS.ge(least));
        update.exactly_once().on(&db).await.unwrap_err()
    };
    let error = run(0, 2000).await;
    assert!(matches!(error, Error::ConditionFailed(_)) && error.outcome_known());
    assert_eq!(error.current::<Account>().unwrap().unwrap().cents, 1000);
    assert_eq!(
        error.to_string(),
        format!(
            "updating `Account` with number = 0 in the table `{table}`: the condition does not hold, and \
            nothing was changed"
        )
    );
    assert!(run(9, 0).await.is_not_found());
    let error = AccountRepo::update(0).exactly_once().on(&db).await.unwrap_err();
    assert!(error.to_string().contains("the update changes nothing"), "{error}");
}

#[tokio::test]
async fn a_lost_answer_is_no_second_update() {
    let db = accounts(1).await;
    let log = FaultLog::default();
    let script = [Fault::CutAfter, Fault::CutBefore, Fault::Conflict, Fault::InProgress, Fault::None];
    let faulty = Faults::scripted(script).only(["TransactWriteItems"]).log(&log).on(&db);
    let account = AccountRepo::update(0).add(Account::CENTS, 1).exactly_once().on(&faulty).await.unwrap();
    assert_eq!(account.cents, 1001);
    let tally = log.of("TransactWriteItems");
    assert_eq!((tally.requests, tally.executed, tally.conflicts, tally.in_progress), (5, 2, 1, 1));
    assert_eq!(
        tally.to_string(),
        "5 requests, 2 executed, 1 cut before, 1 cut after, 1 in conflict, 1 said to be in progress; 5 \
        items sent, 2 executed"
    );
}

#[tokio::test(start_paused = true)]
async fn an_entity_that_cannot_be_read_afterwards_is_updated_all_the_same() {
    let db = with_accounts(Database::memory().unwrap(), 1).await;
    let update = async |answer: Answer| {
        let (faulty, _) = canned::over(&db, move |request| match request.target.as_str() {
            "GetItem" => answer.clone(),
            _ => Answer::Engine,
        });
        AccountRepo::update(0).add(Account::CENTS, 1).exactly_once().on(&faulty).await.unwrap_err()
    };
    let error = update(Answer::Cut).await;
    assert!(matches!(error, Error::Unreachable(_)) && error.outcome_known());
    let text = error.to_string();
    let start = "reading, after an update that was made, `Account` with number = 0 in the table `ledger`: \
        nobody answers";
    assert!(text.starts_with(start) && !text.contains("may or may not"), "{text}");

    let error = update(Answer::ok("{}")).await;
    assert!(error.is_not_found() && error.outcome_known());
    assert_eq!(
        error.to_string(),
        "there is no `Account` with number = 0 in the table `ledger`: it was deleted after the update was \
        made"
    );
    let error = update(Answer::ok(r#"{"Item":{"number":{"N":"0"},"cents":{"S":"x"}}}"#)).await;
    assert!(matches!(error, Error::Undecodable(_)) && error.outcome_known());
    assert_eq!(AccountRepo::get(0).on(&db).await.unwrap().cents, 1003);
}

#[tokio::test]
async fn every_addition_counts_once_whatever_befalls_it() {
    let db = accounts(1).await;
    let log = FaultLog::default();
    let faulty = trouble(1).only(["TransactWriteItems"]).log(&log).on(&db);
    let (mut made, mut open) = (0, 0);
    for _ in 0..150 {
        let update = AccountRepo::update(0).add(Account::CENTS, 1).returning_nothing().exactly_once();
        match update.on(&faulty).await {
            Ok(()) => made += 1,
            Err(error) => open += i64::from(!error.outcome_known()),
        }
    }
    assert_eq!(open, 0, "eight attempts are enough here");
    assert_eq!(AccountRepo::get(0).on(&db).await.unwrap().cents, 1000 + made);
    let tally = log.total();
    assert!(
        tally.cut_after > 5 && tally.conflicts > 5 && tally.throttled > 0 && tally.in_progress > 0,
        "{tally}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_is_neither_made_nor_lost() {
    const ACCOUNTS: u32 = 6;
    let db = accounts(ACCOUNTS).await;
    let log = FaultLog::default();
    let faulty = trouble(7).only(["TransactWriteItems", "TransactGetItems"]).log(&log).on(&db);
    let watch = async |db: &Database| {
        let all: Vec<Option<Account>> = AccountRepo::transact_get(0..ACCOUNTS).on(db).await.unwrap();
        all.iter().flatten().map(|account| account.cents).sum::<i64>()
    };
    let tasks = (0..8u64).map(|task| {
        let db = faulty.clone();
        tokio::spawn(async move {
            let mut random = task.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
            let mut next = |below: u32| {
                random =
                    random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                ((random >> 33) as u32) % below
            };
            let mut refused = 0;
            for _ in 0..25 {
                let from = next(ACCOUNTS);
                let to = (from + 1 + next(ACCOUNTS - 1)) % ACCOUNTS;
                let cents = i64::from(next(400));
                let take =
                    AccountRepo::update(from).subtract(Account::CENTS, cents).when(Account::CENTS.ge(cents));
                let give = AccountRepo::update(to).add(Account::CENTS, cents);
                match dynorm::transaction().update(take).update(give).on(&db).await {
                    Ok(()) => {}
                    Err(error) if error.is_condition_failed() => {
                        assert_eq!(error.failed_operations()[0].number, 1);
                        refused += 1;
                    }
                    Err(error) => assert!(error.is_retryable(), "{error}"),
                }
            }
            refused
        })
    });
    let tasks: Vec<_> = tasks.collect();
    // Half of a transfer is never visible.
    for _ in 0..10 {
        assert_eq!(watch(&faulty).await, i64::from(ACCOUNTS) * 1000);
    }
    let mut refused = 0;
    for task in tasks {
        refused += task.await.unwrap();
    }
    assert_eq!(watch(&db).await, i64::from(ACCOUNTS) * 1000);
    let all = AccountRepo::all().on(&db).await.unwrap();
    assert!(all.iter().all(|account| account.cents >= 0) && refused > 0, "{all:?}");
    let tally = log.total();
    assert!(tally.cut_after > 5 && tally.conflicts > 5 && tally.in_progress > 0, "{log}");
}
