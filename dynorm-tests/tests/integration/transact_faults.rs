//! The effect of the fault kit on transactions, as the SDK sees it.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use dynorm::prelude::*;
use dynorm::testing::{Fault, FaultLog, Faults};

#[derive(Entity, Clone, Debug, PartialEq)]
#[entity(table = "coins")]
struct Coin {
    #[entity(partition)]
    number: u32,
}

async fn engine() -> Database {
    let db = Database::memory().unwrap();
    db.create_table::<Coin>().await.unwrap();
    db
}

/// Writes three coins with the SDK's own transaction.
async fn write(db: &Database) -> Result<(), TransactWriteItemsError> {
    let put = |number: u32| {
        let number = AttributeValue::N(number.to_string());
        let put = Put::builder().table_name("coins").item("number", number).build().unwrap();
        TransactWriteItem::builder().put(put).build()
    };
    let request = db.client().transact_write_items().set_transact_items(Some((1..=3).map(put).collect()));
    request.send().await.map(drop).map_err(SdkError::into_service_error)
}

#[tokio::test]
async fn a_transaction_is_cancelled_for_one_of_its_items() {
    let db = engine().await;
    let cancelled = async |fault: Fault| {
        let TransactWriteItemsError::TransactionCanceledException(error) =
            write(&Faults::scripted([fault]).on(&db)).await.unwrap_err()
        else {
            panic!("{fault:?} is not modelled")
        };
        let codes: Vec<&str> =
            error.cancellation_reasons().iter().filter_map(|reason| reason.code()).collect();
        let failed: Vec<&str> = codes.iter().copied().filter(|code| *code != "None").collect();
        assert_eq!((codes.len(), failed.len()), (3, 1));
        assert!(error.message().unwrap().ends_with(&format!("[{}]", codes.join(", "))), "{error:?}");
        failed[0].to_owned()
    };
    assert_eq!(cancelled(Fault::Conflict).await, "TransactionConflict");
    assert_eq!(cancelled(Fault::Throttle).await, "ProvisionedThroughputExceeded");
    assert_eq!(cancelled(Fault::HotKeyRange).await, "ThrottlingError");
    let error = write(&Faults::scripted([Fault::InProgress]).on(&db)).await.unwrap_err();
    assert!(matches!(error, TransactWriteItemsError::TransactionInProgressException(_)), "{error:?}");
    assert_eq!(CoinRepo::count().on(&db).await.unwrap(), 0);
}

#[tokio::test]
async fn the_same_seed_cancels_for_the_same_items() {
    let db = engine().await;
    let places = async |seed: u64| {
        let (log, mut places) = (FaultLog::default(), Vec::new());
        let faulty = Faults::seeded(seed).conflict(0.5).in_progress(0.2).log(&log).on(&db);
        for _ in 0..40 {
            places.push(match write(&faulty).await {
                Err(TransactWriteItemsError::TransactionCanceledException(error)) => {
                    error.cancellation_reasons().iter().position(|reason| reason.code() != Some("None"))
                }
                Err(_) => Some(9),
                Ok(()) => None,
            });
        }
        let tally = log.total();
        assert_eq!(tally.requests, 40);
        assert_eq!(tally.conflicts + tally.in_progress + tally.executed, 40);
        assert!(tally.conflicts > 10 && tally.in_progress > 2, "{tally}");
        places
    };
    let first = places(1).await;
    assert_eq!(first, places(1).await);
    assert_ne!(first, places(2).await);
    assert!((0..3).all(|place| first.contains(&Some(place))), "{first:?}");
}

#[tokio::test]
async fn single_writes_meet_transactions_too_and_reads_do_not() {
    let db = engine().await;
    let log = FaultLog::default();
    let faulty = Faults::scripted([Fault::Conflict; 4]).log(&log).on(&db);
    let number = || AttributeValue::N("1".into());
    let error = faulty.client().put_item().table_name("coins").item("number", number()).send().await;
    assert_eq!(error.unwrap_err().code(), Some("TransactionConflictException"));
    let error = faulty.client().delete_item().table_name("coins").key("number", number()).send().await;
    assert_eq!(error.unwrap_err().code(), Some("TransactionConflictException"));
    faulty.client().get_item().table_name("coins").key("number", number()).send().await.unwrap();
    faulty.client().scan().table_name("coins").send().await.unwrap();
    assert_eq!((log.total().conflicts, log.total().executed), (2, 2));
}
