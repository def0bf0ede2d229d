//! Batches of several entities in shared requests. Time is paused.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dynorm::prelude::*;
use dynorm::{Error, Fate, Retry};
use dynorm_tests::canned::{self, Answer, Recorded, Requests};
use serde_json::Value;

#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct User {
    #[entity(id)]
    id: Id<User>,
    name: String,
    #[entity(created_at)]
    created_at: Timestamp,
}

#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct Cart {
    #[entity(partition)]
    owner: String,
    #[entity(sort)]
    number: u32,
    items: u32,
}

/// Two entities in one table.
#[derive(Entity, Clone, Debug, Default, PartialEq)]
#[entity(table = "shop", partition = "CUSTOMER#{id}", sort = "PROFILE")]
struct Profile {
    id: u32,
    name: String,
}

#[derive(Entity, Clone, Debug, Default, PartialEq)]
#[entity(table = "shop", partition = "CUSTOMER#{customer}", sort = "ORDER#{number}")]
struct Order {
    customer: u32,
    number: u32,
    total: u32,
}

fn users(count: usize) -> Vec<User> {
    (0..count).map(|number| User { name: format!("user {number}"), ..User::default() }).collect()
}

fn carts(count: u32) -> Vec<Cart> {
    (0..count).map(|number| Cart { owner: "ada".to_owned(), number, items: 1 }).collect()
}

/// A database with the tables. The test can give its own answers.
async fn engine(answer: impl Fn(&Recorded) -> Answer + Send + Sync + 'static) -> (Database, Requests) {
    let db = Database::memory().unwrap();
    db.create_table::<User>().await.unwrap();
    db.create_table::<Cart>().await.unwrap();
    db.create_table::<Profile>().await.unwrap();
    let (db, requests) = canned::over(&db, answer);
    requests.clear();
    (db, requests)
}

async fn willing() -> (Database, Requests) {
    engine(|_| Answer::Engine).await
}

/// The number of items of each table in a request.
fn shares(request: &Recorded) -> Vec<(String, usize)> {
    let tables = request.body["RequestItems"].as_object().unwrap().iter();
    let list = |asked: &Value| asked.as_array().or(asked["Keys"].as_array()).unwrap().len();
    tables.map(|(name, asked)| (name.clone(), list(asked))).collect()
}

fn sizes(requests: &Requests) -> Vec<usize> {
    requests.all().iter().map(|request| shares(request).iter().map(|(_, items)| items).sum()).collect()
}

#[tokio::test]
async fn saves_and_deletes_of_several_entities_share_requests() {
    let (db, requests) = willing().await;
    let old = carts(10);
    CartRepo::batch_save(&old).on(&db).await.unwrap();
    requests.clear();

    let mut users = users(30);
    let new: Vec<Cart> = (100..130).map(|number| Cart { number, ..old[0].clone() }).collect();
    let keys: Vec<(String, u32)> = old[..5].iter().map(Entity::entity_key).collect();
    let batch =
        dynorm::batch().save(&mut users).save(&new).delete::<Cart>(&keys).delete_entities(&old[5..]).on(&db);
    let stats = batch.await.unwrap();
    assert_eq!((stats.items, stats.requests, stats.failed), (70, 3, 0));
    assert_eq!(sizes(&requests), [25, 25, 20]);
    assert!(requests.all().iter().any(|request| shares(request).len() == 2));
    assert_eq!(stats.fates().collect::<Vec<_>>(), vec![Fate::Done; 70]);

    // Entities passed by `&mut` are as stored.
    assert!(users.iter().all(|user| !user.id.is_unset() && user.created_at != Timestamp::default()));
    let mut stored = UserRepo::all().on(&db).await.unwrap().into_vec();
    stored.sort_by_key(|user| user.id);
    users.sort_by_key(|user| user.id);
    assert_eq!(stored, users);
    assert_eq!(CartRepo::all().on(&db).await.unwrap(), new);
}

#[tokio::test]
async fn nothing_at_all_is_a_mixed_batch_too() {
    let (db, requests) = willing().await;
    assert_eq!(dynorm::batch().on(&db).await.unwrap().items, 0);
    assert_eq!(
        dynorm::batch()
            .save(Vec::<User>::new())
            .delete::<Cart>(Vec::<(String, u32)>::new())
            .on(&db)
            .await
            .unwrap()
            .requests,
        0
    );
    let nothing = (
        UserRepo::batch_get(Vec::<Id<User>>::new()),
        CartRepo::batch_get(Vec::<(String, u32)>::new()).positional(),
    );
    let (users, carts) = dynorm::batch_get(nothing).on(&db).await.unwrap();
    assert!(users.is_empty() && carts.is_empty() && requests.is_empty());
}

#[tokio::test]
async fn the_last_write_of_an_item_stands_whether_it_saves_or_deletes() {
    let (db, requests) = willing().await;
    let all = carts(3);
    let changed = Cart { items: 7, ..all[1].clone() };
    let batch = dynorm::batch().save(&all).delete_entities(&all[..2]).save([&changed]).on(&db);
    let stats = batch.await.unwrap();
    assert_eq!((stats.items, stats.superseded, stats.requests), (3, 3, 1));
    let fates: Vec<Fate> = stats.fates().collect();
    let superseded = |by| Fate::Superseded { by };
    assert_eq!(fates, [superseded(3), superseded(5), Fate::Done, Fate::Done, superseded(5), Fate::Done]);
    assert_eq!(sizes(&requests), [3]);
    assert_eq!(CartRepo::all().on(&db).await.unwrap(), vec![changed, all[2].clone()]);
}

#[tokio::test]
async fn a_missing_table_holds_up_no_other_and_a_retry_brings_the_rest() {
    let db = Database::memory().unwrap();
    db.create_table::<Cart>().await.unwrap();
    let (mut users, carts) = (users(40), carts(40));
    let key = ("ada".to_owned(), 99);
    let error = dynorm::batch()
        .save(&mut users)
        .save(&carts)
        .delete::<Cart>([&key])
        .delete::<User>([Id::new()])
        .on(&db)
        .await
        .unwrap_err();
    assert_eq!(CartRepo::all().on(&db).await.unwrap(), carts);

    let stats = error.stats();
    assert_eq!((stats.items, stats.failed), (41, 41));
    assert!(error.outcome_known() && !error.is_retryable() && !error.is_throttled());
    let fates: Vec<Fate> = error.fates().collect();
    assert_eq!(fates, [vec![Fate::NotSent; 40], vec![Fate::Done; 41], vec![Fate::NotSent]].concat());
    let failures: Vec<_> = error.failures().collect();
    assert_eq!(failures.len(), 41);
    for (failure, user) in failures.iter().zip(&users) {
        assert!(matches!(**failure.reason, Error::TableNotFound(_)), "{failure:?}");
        assert_eq!((failure.name, failure.fate), ("User", Fate::NotSent));
        assert_eq!((failure.entity::<User>(), failure.key::<User>()), (Some(user), Some(user.id)));
        assert_eq!((failure.entity::<Cart>(), failure.key::<Cart>()), (None, None));
    }
    let deleted = failures[40];
    assert_eq!((deleted.index, deleted.entity::<User>()), (81, None));
    assert!(deleted.key::<User>().is_some() && deleted.key::<Cart>().is_none());
    assert_eq!(error.entities::<User>().filter(|(_, fate)| *fate == Fate::NotSent).count(), 40);
    assert_eq!(error.entities::<Cart>().filter(|(_, fate)| *fate == Fate::Done).count(), 40);
    let text = error.to_string();
    assert!(text.contains("41 of 82 items are not done"), "{text}");

    db.create_table::<User>().await.unwrap();
    let stats = error.retry().await.unwrap();
    assert_eq!((stats.items, stats.failed, stats.fates().len()), (82, 0, 82));
    let mut stored = UserRepo::all().on(&db).await.unwrap().into_vec();
    stored.sort_by_key(|user| user.id);
    users.sort_by_key(|user| user.id);
    assert_eq!(stored, users, "a retry writes the items that the first attempt would have written");
}

#[tokio::test]
async fn a_refused_item_of_one_entity_fails_alone() {
    let (db, _) = engine(|request| match request.text().contains("poison") {
        true => Answer::error(400, "ValidationException", "no"),
        false => Answer::Engine,
    })
    .await;
    let mut users = users(20);
    users[11].name = "poison".to_owned();
    let error =
        dynorm::batch().save(carts(20)).save(&users).save([Profile::default()]).on(&db).await.unwrap_err();
    let failed: Vec<(usize, Fate)> = error.failures().map(|failure| (failure.index, failure.fate)).collect();
    assert_eq!(failed, [(31, Fate::Rejected)]);
    assert_eq!(UserRepo::count().on(&db).await.unwrap(), 19);
    assert_eq!(ProfileRepo::count().on(&db).await.unwrap(), 1);
}

/// An input that may have been written stays unknown, even if a retry sends it together with the input that
/// it supersedes.
#[tokio::test(start_paused = true)]
async fn what_was_sent_without_an_answer_stays_unknown_in_a_retry() {
    let cart = |items| Cart { owner: "ada".to_owned(), number: 1, items };
    for inputs in [vec![cart(2)], vec![cart(1), cart(2)]] {
        let (db, _) =
            canned::database(|request| if request.number == 0 { Answer::Cut } else { Answer::Refused });
        let once = Retry::default().rounds(0);
        let error = dynorm::batch().save(&inputs).retry(once).on(&db).await.unwrap_err();
        assert_eq!(error.fates().last(), Some(Fate::Unknown));
        let error = error.retry().retry(once).await.unwrap_err();
        assert_eq!(error.fates().last(), Some(Fate::Unknown), "of {} inputs", inputs.len());
        assert!(!error.outcome_known());
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_database_nothing_is_sent() {
    let error = dynorm::batch().save(carts(3)).await.unwrap_err();
    assert!(error.failures().all(|failure| matches!(**failure.reason, Error::NoDatabase)));
    assert_eq!(error.fates().collect::<Vec<_>>(), [Fate::NotSent; 3]);
    // Continues as soon as there is a database.
    let (db, requests) = canned::database(|_| Answer::written());
    assert_eq!(error.retry().on(&db).await.unwrap().items, 3);
    assert_eq!(sizes(&requests), [3]);
}

#[tokio::test]
async fn reads_of_several_entities_share_requests() {
    let (db, requests) = willing().await;
    let users = UserRepo::batch_save(users(120)).on(&db).await.unwrap();
    let carts = carts(60);
    CartRepo::batch_save(&carts).on(&db).await.unwrap();
    requests.clear();

    let ids: Vec<Id<User>> = users.iter().map(|user| user.id).chain([Id::new(), users[0].id]).collect();
    let keys: Vec<(String, u32)> =
        [("nobody".to_owned(), 1)].into_iter().chain(carts.iter().map(Entity::entity_key)).collect();
    let gets = (UserRepo::batch_get(&ids), CartRepo::batch_get(&keys).consistent().positional());
    let (found, places) = dynorm::batch_get(gets).on(&db).await.unwrap();
    assert_eq!(found.iter().collect::<Vec<_>>(), users.iter().chain([&users[0]]).collect::<Vec<_>>());
    assert_eq!(places.len(), 61);
    assert_eq!(places[0], None);
    assert!(places[1..].iter().flatten().eq(&carts));
    // 121 ids and 61 keys; the statistics cover all.
    assert_eq!(sizes(&requests), [100, 82]);
    assert_eq!((found.stats().requests, found.stats().items), (2, 183));
    // One half is consistent and the other is not.
    for request in requests.all() {
        let tables = &request.body["RequestItems"];
        assert!(tables["users"].is_null() || tables["users"]["ConsistentRead"] != true);
        assert!(tables["carts"].is_null() || tables["carts"]["ConsistentRead"] == true);
    }
}

#[tokio::test]
async fn reads_that_fail_are_asked_for_again_by_a_retry() {
    let broken = Arc::new(AtomicBool::new(true));
    let breaks = broken.clone();
    let (db, requests) = engine(move |request| {
        let reads_carts =
            request.target == "BatchGetItem" && !request.body["RequestItems"]["carts"].is_null();
        match breaks.load(Ordering::Relaxed) && reads_carts {
            true => Answer::error(400, "ResourceNotFoundException", "no such table"),
            false => Answer::Engine,
        }
    })
    .await;
    let users = UserRepo::batch_save(users(10)).on(&db).await.unwrap();
    let carts = carts(10);
    CartRepo::batch_save(&carts).on(&db).await.unwrap();
    let ids: Vec<Id<User>> = users.iter().map(|user| user.id).collect();
    let keys: Vec<(String, u32)> = carts.iter().map(Entity::entity_key).collect();

    let gets = (UserRepo::batch_get(&ids), CartRepo::batch_get(&keys).positional());
    let error = dynorm::batch_get(gets).on(&db).await.unwrap_err();
    let fates: Vec<Fate> = error.fates().collect();
    assert_eq!(fates, [[Fate::Done; 10], [Fate::NotSent; 10]].concat());
    let text = error.to_string();
    assert!(
        text.contains(
            "10 of 20 items are not done; the first is #10 (not sent) with owner = ada, number = 0"
        ),
        "{text}"
    );
    requests.clear();
    broken.store(false, Ordering::Relaxed);
    let (found, places) = error.retry().await.unwrap();
    assert_eq!(found, users);
    assert!(places.iter().flatten().eq(&carts));
    assert_eq!(sizes(&requests), [10]);
}

#[tokio::test]
async fn entities_that_share_a_table_share_its_part_of_a_request() {
    let (db, requests) = willing().await;
    let profiles: Vec<Profile> = (0..10).map(|id| Profile { id, name: format!("customer {id}") }).collect();
    let orders: Vec<Order> =
        (0..20).map(|number| Order { customer: number % 10, number, total: 3 }).collect();
    let stats = dynorm::batch().save(&profiles).save(&orders).on(&db).await.unwrap();
    assert_eq!((stats.items, stats.superseded), (30, 0));
    let tables: Vec<Vec<(String, usize)>> = requests.all().iter().map(shares).collect();
    assert_eq!(tables, [vec![("shop".to_owned(), 25)], vec![("shop".to_owned(), 5)]]);
    assert_eq!(ProfileRepo::count().on(&db).await.unwrap(), 10);
    assert_eq!(OrderRepo::count().on(&db).await.unwrap(), 20);

    requests.clear();
    let (ids, keys): (Vec<u32>, Vec<(u32, u32)>) =
        ((0..11).collect(), orders.iter().map(Entity::entity_key).collect());
    let gets = (ProfileRepo::batch_get(&ids).positional(), OrderRepo::batch_get(&keys).consistent());
    let (found_profiles, found_orders) = dynorm::batch_get(gets).on(&db).await.unwrap();
    assert!(found_profiles.iter().flatten().eq(&profiles) && found_profiles[10].is_none());
    assert_eq!(found_orders, orders);
    let [request] = &requests.all()[..] else { panic!("{requests:?}") };
    // A request reads a table in one mode, so a consistent read of one half applies to the other.
    assert_eq!(request.body["RequestItems"]["shop"]["ConsistentRead"], true);

    let stats = dynorm::batch().delete_entities(&profiles).delete::<Order>(&keys).on(&db).await.unwrap();
    assert_eq!(stats.items, 30);
    assert_eq!(ProfileRepo::count().on(&db).await.unwrap() + OrderRepo::count().on(&db).await.unwrap(), 0);
}
