//! `create`: an item that must not exist, and the outcome after a lost answer.

use dynorm::prelude::*;
use dynorm::testing::{Fault, FaultLog, Faults};
use dynorm_tests::canned::{self, Answer};
use dynorm_tests::database;

#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct Member {
    #[entity(id)]
    id: Id<Member>,
    name: String,
    nick: Option<String>,
    #[entity(created_at)]
    created_at: Timestamp,
    #[entity(updated_at)]
    updated_at: Timestamp,
}

#[derive(Entity, Clone, Debug, PartialEq)]
struct Seat {
    #[entity(partition)]
    flight: String,
    #[entity(sort)]
    number: u32,
    guest: String,
}

fn seat(guest: &str) -> Seat {
    Seat { flight: "DY1".into(), number: 12, guest: guest.into() }
}

async fn engine() -> Database {
    let db = database();
    db.create_table::<Member>().await.unwrap();
    db.create_table::<Seat>().await.unwrap();
    db
}

#[tokio::test]
async fn a_new_item_is_created_and_stamped_in_all_three_ways() {
    let db = engine().await;
    let member = Member { name: "Ada".into(), ..Member::default() };
    let copy = MemberRepo::create(&member).on(&db).await.unwrap();
    assert!(member.id.is_unset() && !copy.id.is_unset());
    let owned = MemberRepo::create(member.clone()).on(&db).await.unwrap();
    let mut in_place = member;
    MemberRepo::create(&mut in_place).on(&db).await.unwrap();
    assert_eq!(in_place.created_at, in_place.updated_at);
    for member in [&copy, &owned, &in_place] {
        assert_eq!(&MemberRepo::get(member.id).on(&db).await.unwrap(), member);
    }
    assert_eq!(MemberRepo::count().on(&db).await.unwrap(), 3);
}

#[tokio::test]
async fn an_item_that_exists_stays_and_comes_with_the_error() {
    let db = engine().await;
    let ada = SeatRepo::create(seat("Ada")).on(&db).await.unwrap();
    let error = SeatRepo::create(seat("Bea")).on(&db).await.unwrap_err();
    assert!(error.is_condition_failed() && error.outcome_known() && !error.is_retryable());
    let table = db.table_name::<Seat>();
    assert_eq!(
        error.to_string(),
        format!(
            "creating `Seat` with flight = DY1, number = 12 in the table `{table}`: an item with this key \
            exists, and nothing was changed"
        )
    );
    assert_eq!(error.current::<Seat>().unwrap().unwrap(), ada);
    assert!(error.current::<Member>().is_none(), "it was no `Member` that was created");
    assert!(!format!("{error:?} {error:#?}").contains("Ada"), "values stay out of errors");
    assert_eq!(SeatRepo::get(("DY1", 12)).on(&db).await.unwrap(), ada);
    // Other errors have no item.
    let error = SeatRepo::get(("DY1", 13)).on(&db).await.unwrap_err();
    assert!(error.current::<Seat>().is_none());
}

#[tokio::test]
async fn what_was_stamped_is_taken_back_if_the_item_exists_and_only_then() {
    let db = engine().await;
    let stored = MemberRepo::create(Member::default()).on(&db).await.unwrap();
    let before = Member { id: stored.id, ..Member::default() };
    let mut member = before.clone();
    MemberRepo::create(&mut member).on(&db).await.unwrap_err();
    assert_eq!(member, before);

    // After a lost answer, the stored item may be this very entity.
    let faulty = Faults::scripted([Fault::CutAfter]).on(&db);
    let mut member = Member::default();
    let error = MemberRepo::create(&mut member).on(&faulty).await.unwrap_err();
    assert!(error.is_condition_failed() && !error.outcome_known());
    assert!(!member.id.is_unset());
    assert_eq!(error.current::<Member>().unwrap().unwrap(), member);
}

#[tokio::test]
async fn a_condition_that_fails_after_a_lost_answer_proves_nothing() {
    let db = engine().await;
    let create = async |script: &[Fault]| {
        SeatRepo::delete_by_id(("DY1", 12)).on(&db).await.unwrap();
        let (log, script) = (FaultLog::default(), script.to_vec());
        let faulty = Faults::scripted(script).log(&log).on(&db);
        let outcome = SeatRepo::create(seat("Ada")).on(&faulty).await;
        (outcome, log.total().requests)
    };
    let (error, _) = create(&[Fault::CutAfter]).await;
    let error = error.unwrap_err();
    assert!(error.is_condition_failed() && !error.outcome_known());
    assert!(
        error.to_string().ends_with(
            "an item with this key exists; an earlier attempt got no answer, and may have been applied"
        ),
        "{error}"
    );
    // Faults before or between make no difference.
    let (error, requests) = create(&[Fault::Throttle, Fault::CutAfter, Fault::Throttle]).await;
    assert!(!error.unwrap_err().outcome_known());
    assert_eq!(requests, 4);
    // A lost request is repeated, and so is every transient error.
    for fault in [Fault::CutBefore, Fault::Refused, Fault::Throttle, Fault::HotKeyRange, Fault::ServerError] {
        let (outcome, requests) = create(&[fault, fault]).await;
        assert_eq!((outcome.unwrap(), requests), (seat("Ada"), 3), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_attempts_end_and_the_last_failure_is_told() {
    let (db, requests) = canned::database(|_| Answer::throttled());
    let error = SeatRepo::create(seat("Ada")).on(&db).await.unwrap_err();
    assert!(error.is_throttled() && error.outcome_known());
    assert_eq!(requests.len(), 6);

    // After one lost attempt the outcome stays unknown, whatever comes later.
    let (db, _) = canned::database(|request| match request.number {
        0 => Answer::Cut,
        _ => Answer::error(400, "TransactionConflictException", "why"),
    });
    let error = SeatRepo::create(seat("Ada")).on(&db).await.unwrap_err();
    assert!(matches!(error, dynorm::Error::Conflict(_)) && !error.outcome_known(), "{error}");

    // Permanent errors are not repeated.
    for code in ["ValidationException", "ResourceNotFoundException", "AccessDeniedException"] {
        let (db, requests) = canned::database(move |_| Answer::error(400, code, "why"));
        SeatRepo::create(seat("Ada")).on(&db).await.unwrap_err();
        assert_eq!(requests.len(), 1, "{code}");
    }
}

#[tokio::test]
async fn what_is_sent() {
    let (db, requests) = canned::database(|_| Answer::ok("{}"));
    SeatRepo::create(seat("Ada")).on(&db).await.unwrap();
    assert_eq!(
        requests.all()[0].text(),
        r##"{"TableName":"seats","Item":{"flight":{"S":"DY1"},"number":{"N":"12"},"guest":{"S":"Ada"}},"ConditionExpression":"attribute_not_exists(#0)","ExpressionAttributeNames":{"#0":"flight"},"ReturnValuesOnConditionCheckFailure":"ALL_OLD"}"##
    );
}

#[tokio::test]
async fn of_many_who_create_at_once_one_does() {
    let db = engine().await;
    let tasks = (0..20).map(|n| {
        let db = db.clone();
        tokio::spawn(async move { SeatRepo::create(seat(&format!("guest {n}"))).on(&db).await })
    });
    let mut created = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        match task.await.unwrap() {
            Ok(seat) => created.push(seat),
            Err(error) => assert!(error.is_condition_failed(), "{error}"),
        }
    }
    assert_eq!(created, [SeatRepo::get(("DY1", 12)).on(&db).await.unwrap()]);
}
