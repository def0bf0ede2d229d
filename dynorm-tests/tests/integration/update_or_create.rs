//! `update_or_create`: applies the changes, or creates the entity.

use dynorm::prelude::*;
use dynorm::testing::{Fault, Faults};
use dynorm_tests::canned::{self, Answer};
use dynorm_tests::database;

#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct Basket {
    #[entity(id)]
    id: Id<Basket>,
    items: Vec<String>,
    count: u32,
    place: Place,
    #[entity(updated_at)]
    updated_at: Timestamp,
}

#[derive(Attribute, Clone, Debug, Default, PartialEq)]
struct Place {
    city: String,
}

fn basket(id: Id<Basket>) -> Basket {
    Basket { id, items: vec!["tea".into()], count: 1, ..Basket::default() }
}

async fn engine() -> Database {
    let db = database();
    db.create_table::<Basket>().await.unwrap();
    db
}

#[tokio::test]
async fn the_entity_is_created_as_it_is_and_changed_after_that() {
    let db = engine().await;
    let put = async |id| {
        let put =
            BasketRepo::update_or_create(basket(id)).append(Basket::ITEMS, ["milk"]).add(Basket::COUNT, 1);
        put.set(Basket::PLACE.field(Place::CITY), "Paris").on(&db).await.unwrap()
    };
    let made = put(Id::default()).await;
    assert_eq!((made.items.join(" "), made.count, made.place.city.as_str()), ("tea".to_owned(), 1, ""));
    let after = put(made.id).await;
    assert_eq!(
        (after.items.join(" "), after.count, after.place.city.as_str()),
        ("tea milk".to_owned(), 2, "Paris")
    );
    assert_eq!(BasketRepo::get(made.id).on(&db).await.unwrap(), after);
    assert_eq!(BasketRepo::count().on(&db).await.unwrap(), 1);
    let error = BasketRepo::update_or_create(made).on(&db).await.unwrap_err();
    assert!(error.to_string().contains("the update changes nothing"), "{error}");
}

#[tokio::test]
async fn of_many_at_once_one_creates_and_the_others_change() {
    let db = engine().await;
    let id = Id::new();
    let tasks = (0..20).map(|_| {
        let db = db.clone();
        let put = BasketRepo::update_or_create(basket(id)).add(Basket::COUNT, 1);
        tokio::spawn(async move { put.on(&db).await.unwrap() })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(BasketRepo::get(id).on(&db).await.unwrap().count, 20);
}

#[tokio::test]
async fn one_who_loses_the_race_changes_what_is_there() {
    let db = engine().await;
    let theirs = BasketRepo::save(basket(Id::default())).on(&db).await.unwrap();
    let (racing, requests) = canned::over(&db, |request| match request.number {
        0 => Answer::error(400, "ConditionalCheckFailedException", "why"),
        _ => Answer::Engine,
    });
    let after =
        BasketRepo::update_or_create(basket(theirs.id)).add(Basket::COUNT, 1).on(&racing).await.unwrap();
    assert_eq!(after.count, 2);
    assert_eq!(requests.targets(), ["UpdateItem", "PutItem", "UpdateItem"]);
}

#[tokio::test]
async fn after_a_lost_creation_the_changes_are_not_made() {
    let db = engine().await;
    let id = Id::new();
    let faulty = Faults::scripted([Fault::None, Fault::CutAfter]).on(&db);
    let error = BasketRepo::update_or_create(basket(id)).add(Basket::COUNT, 1).on(&faulty).await.unwrap_err();
    assert!(error.is_condition_failed() && !error.outcome_known());
    assert_eq!(error.current::<Basket>().unwrap().unwrap().count, 1);
    assert_eq!(BasketRepo::get(id).on(&db).await.unwrap().count, 1);
}
