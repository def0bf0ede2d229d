//! `first_or_create`: returns the stored item, or creates the given one.

use dynorm::prelude::*;
use dynorm::testing::{Fault, Faults};
use dynorm_tests::canned::{self, Answer};
use dynorm_tests::database;

#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct Settings {
    #[entity(partition)]
    user: String,
    dark: bool,
    #[entity(created_at)]
    created_at: Timestamp,
}

fn settings(dark: bool) -> Settings {
    Settings { user: "ada".into(), dark, ..Settings::default() }
}

async fn engine() -> Database {
    let db = database();
    db.create_table::<Settings>().await.unwrap();
    db
}

#[tokio::test]
async fn the_first_creates_and_the_others_find() {
    let db = engine().await;
    let first = SettingsRepo::first_or_create(settings(true)).on(&db).await.unwrap();
    assert!(first.dark && first.created_at > Timestamp::default());
    assert_eq!(SettingsRepo::first_or_create(&settings(false)).on(&db).await.unwrap(), first);
    assert_eq!(SettingsRepo::get("ada").on(&db).await.unwrap(), first);
}

#[tokio::test]
async fn an_entity_without_an_id_is_always_created() {
    #[derive(Entity, Clone, Debug, Default, PartialEq)]
    struct Event {
        #[entity(id)]
        id: Id<Event>,
    }
    let db = database();
    db.create_table::<Event>().await.unwrap();
    let one = EventRepo::first_or_create(Event::default()).on(&db).await.unwrap();
    assert!(!one.id.is_unset());
    assert_ne!(EventRepo::first_or_create(Event::default()).on(&db).await.unwrap(), one);
    assert_eq!(EventRepo::first_or_create(&one).on(&db).await.unwrap(), one);
}

#[tokio::test]
async fn of_many_at_once_all_get_the_same() {
    let db = engine().await;
    let tasks = (0..20).map(|n| {
        let db = db.clone();
        tokio::spawn(
            async move { SettingsRepo::first_or_create(settings(n % 2 == 0)).on(&db).await.unwrap() },
        )
    });
    let stored = async || SettingsRepo::get("ada").on(&db).await.unwrap();
    for task in tasks.collect::<Vec<_>>() {
        let found = task.await.unwrap();
        assert_eq!(found, stored().await);
    }
}

#[tokio::test]
async fn one_who_loses_the_race_gets_what_is_there() {
    let db = engine().await;
    let theirs = SettingsRepo::save(settings(true)).on(&db).await.unwrap();
    // The read happens before the other writer's item is stored.
    let (racing, requests) =
        canned::over(&db, |request| if request.number == 0 { Answer::ok("{}") } else { Answer::Engine });
    assert_eq!(SettingsRepo::first_or_create(settings(false)).on(&racing).await.unwrap(), theirs);
    assert_eq!(requests.targets(), ["GetItem", "PutItem"]);
    // A server that does not return the item is asked again.
    let (racing, requests) = canned::over(&db, |request| match request.number {
        0 => Answer::ok("{}"),
        1 => Answer::error(400, "ConditionalCheckFailedException", "why"),
        _ => Answer::Engine,
    });
    assert_eq!(SettingsRepo::first_or_create(settings(false)).on(&racing).await.unwrap(), theirs);
    assert_eq!(requests.targets(), ["GetItem", "PutItem", "GetItem"]);
    assert_eq!(requests.all()[0].body["ConsistentRead"], true);
}

#[tokio::test]
async fn a_lost_answer_changes_nothing() {
    let db = engine().await;
    let faulty = Faults::scripted([Fault::None, Fault::CutAfter]).on(&db);
    let made = SettingsRepo::first_or_create(settings(true)).on(&faulty).await.unwrap();
    assert_eq!(SettingsRepo::get("ada").on(&db).await.unwrap(), made);
}
