//! Unique fields, `#[entity(unique)]`.

use std::collections::BTreeSet;
use std::time::Duration;

use dynorm::Fate;
use dynorm::aws::types::AttributeValue;
use dynorm::error::OperationKind;
use dynorm::prelude::*;
use dynorm::testing::Faults;
use dynorm_tests::{database, keep_expired};

#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(unique)]
    email: String,
    #[entity(unique, sensitive)]
    nick: Option<String>,
    age: u32,
    #[entity(deleted_at)]
    deleted_at: Option<Timestamp>,
}

/// With an expiry, so that its claims expire too, and a version.
#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct Badge {
    #[entity(partition)]
    number: u32,
    #[entity(unique)]
    code: u64,
    #[entity(ttl)]
    expires_at: Option<Timestamp>,
    #[entity(version)]
    version: u64,
}

/// Two entities that share a table, and the table of their claims.
#[derive(Entity, Clone, Debug, PartialEq)]
#[entity(table = "shop", partition = "CUSTOMER#{name}")]
struct Customer {
    name: String,
    #[entity(unique)]
    email: String,
}

#[derive(Entity, Clone, Debug, PartialEq)]
#[entity(table = "shop", partition = "SUPPLIER#{name}")]
struct Supplier {
    name: String,
    #[entity(unique)]
    email: String,
}

fn user(email: &str) -> User {
    User { email: email.into(), ..User::default() }
}

async fn users() -> Database {
    let db = database();
    db.create_table::<User>().await.unwrap();
    db
}

fn text(value: &AttributeValue) -> String {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => text.clone(),
        other => format!("{other:?}"),
    }
}

/// Each claim with the key of its owner.
async fn claims<E: Entity>(db: &Database, key: &str) -> BTreeSet<(String, String)> {
    let table = format!("{}-unique", db.table_name::<E>());
    let found = db.client().scan().table_name(table).consistent_read(true).send().await.unwrap();
    let owner =
        |item: &std::collections::HashMap<String, AttributeValue>| text(&item["owner"].as_m().unwrap()[key]);
    found.items().iter().map(|item| (text(&item["claim"]), owner(item))).collect()
}

/// The claims that should exist.
async fn expected(db: &Database) -> BTreeSet<(String, String)> {
    let all = UserRepo::scan().with_trashed().consistent().on(db).get_all().await.unwrap();
    let of_user = |user: &User| {
        let email = Some(format!("email#{}", user.email));
        let nick = user.nick.as_ref().map(|nick| format!("nick#{nick}"));
        [email, nick].into_iter().flatten().map(|claim| (claim, user.id.to_string())).collect::<Vec<_>>()
    };
    all.iter().flat_map(of_user).collect()
}

async fn assert_claims(db: &Database) {
    assert_eq!(claims::<User>(db, "id").await, expected(db).await);
}

#[tokio::test]
async fn a_value_that_is_taken_is_a_conflict_that_names_the_field() {
    let db = users().await;
    let ada = UserRepo::save(user("ada@example.com")).on(&db).await.unwrap();
    let mut other = User { nick: Some("a".into()), ..user("ada@example.com") };
    let before = other.clone();
    let error = UserRepo::save(&mut other).on(&db).await.unwrap_err();
    assert!(error.is_unique_conflict() && error.outcome_known() && !error.is_retryable());
    assert_eq!(error.unique_field(), Some("email"));
    assert!(error.to_string().starts_with("saving `User` with id = "), "{error}");
    let end = format!("its `email` is taken by `User` with id = {}, and it is unique", ada.id);
    assert!(error.to_string().ends_with(&end), "{error}");
    assert_eq!(other, before);
    let error = UserRepo::create(&other).on(&db).await.unwrap_err();
    assert!(error.is_unique_conflict());
    assert_eq!(UserRepo::count().on(&db).await.unwrap(), 1);
    assert_claims(&db).await;
    // Without a nick there is no claim on it. The same string in another field is another value.
    let bea = User { nick: Some("ada@example.com".into()), ..user("bea@example.com") };
    let bea = UserRepo::create(bea).on(&db).await.unwrap();
    let error =
        UserRepo::save(User { nick: bea.nick.clone(), ..user("cas@example.com") }).on(&db).await.unwrap_err();
    assert_eq!(error.unique_field(), Some("nick"));
    assert!(!error.to_string().contains("ada@example.com"));
    assert_claims(&db).await;
}

#[tokio::test]
async fn a_changed_value_takes_the_new_one_and_frees_the_old() {
    let db = users().await;
    let mut ada = UserRepo::save(user("a0")).on(&db).await.unwrap();
    let bea = UserRepo::save(user("b0")).on(&db).await.unwrap();
    let error = UserRepo::save(User { email: "b0".into(), ..ada.clone() }).on(&db).await.unwrap_err();
    assert!(error.is_unique_conflict());
    // All ways to change it.
    ada.email = "a1".into();
    UserRepo::save(&mut ada).on(&db).await.unwrap();
    assert_claims(&db).await;
    ada.email = "a2".into();
    ada.nick = Some("n".into());
    UserRepo::save(&ada).merge().on(&db).await.unwrap();
    assert_claims(&db).await;
    let updated = UserRepo::update(ada.id).set(User::EMAIL, "a3").add(User::AGE, 1).on(&db).await.unwrap();
    assert_eq!((updated.email.as_str(), updated.age), ("a3", 1));
    assert_claims(&db).await;
    UserRepo::update(ada.id)
        .set(User::EMAIL, "a4")
        .remove(User::NICK)
        .returning_nothing()
        .on(&db)
        .await
        .unwrap();
    assert_claims(&db).await;
    let once = UserRepo::update(ada.id).set(User::EMAIL, "a5").exactly_once().on(&db).await.unwrap();
    assert_eq!((once.email.as_str(), once.nick), ("a5", None));
    assert_claims(&db).await;
    let mut tracked = UserRepo::get(ada.id).tracked().on(&db).await.unwrap();
    tracked.email = "a6".into();
    tracked.age = 7;
    tracked.save().on(&db).await.unwrap();
    assert_eq!((tracked.email.as_str(), tracked.age, tracked.is_dirty(User::EMAIL)), ("a6", 7, false));
    assert_claims(&db).await;
    for error in [
        UserRepo::update(bea.id).set(User::EMAIL, "a6").on(&db).await.unwrap_err(),
        UserRepo::update(bea.id).set(User::EMAIL, "a6").exactly_once().on(&db).await.unwrap_err(),
    ] {
        assert_eq!(error.unique_field(), Some("email"), "{error}");
    }
    let mut tracked = UserRepo::get(bea.id).tracked().on(&db).await.unwrap();
    tracked.email = "a6".into();
    assert!(tracked.save().on(&db).await.unwrap_err().is_unique_conflict());
    // Freed values can be taken.
    for free in ["a0", "a1", "a2", "a3", "a4", "a5"] {
        UserRepo::update(bea.id).set(User::EMAIL, free).on(&db).await.unwrap();
    }
    assert_claims(&db).await;
    // Writes of other fields are unchanged.
    let old = UserRepo::update(bea.id).add(User::AGE, 1).returning_old().on(&db).await.unwrap();
    assert_eq!(old.age, 0);
    UserRepo::update(bea.id).set(User::EMAIL, "a5").set(User::AGE, 9).on(&db).await.unwrap();
    assert_eq!(UserRepo::get(bea.id).on(&db).await.unwrap().age, 9);
    assert_claims(&db).await;
}

#[tokio::test]
async fn a_save_of_an_old_copy_frees_what_the_item_has_and_not_what_the_copy_says() {
    let db = users().await;
    let ada = UserRepo::save(user("first")).on(&db).await.unwrap();
    UserRepo::update(ada.id).set(User::EMAIL, "second").on(&db).await.unwrap();
    let copy = User { email: "third".into(), ..ada.clone() };
    UserRepo::save(&copy).on(&db).await.unwrap();
    assert_claims(&db).await;
    // The value of the copy, not of the stored item.
    UserRepo::save(&ada).on(&db).await.unwrap();
    assert_claims(&db).await;
    // A deleted item is created again.
    UserRepo::force_delete(&ada).on(&db).await.unwrap();
    UserRepo::save(&ada).on(&db).await.unwrap();
    assert_claims(&db).await;
    // A given id, of an item that exists.
    let again = User { id: ada.id, ..user("fourth") };
    assert!(UserRepo::create(&again).on(&db).await.unwrap_err().is_condition_failed());
    UserRepo::save(&again).on(&db).await.unwrap();
    assert_claims(&db).await;
}

#[tokio::test]
async fn a_deleted_owner_frees_its_values_and_a_trashed_one_keeps_them() {
    let db = users().await;
    let ada = UserRepo::save(User { nick: Some("a".into()), ..user("ada") }).on(&db).await.unwrap();
    UserRepo::delete(&ada).on(&db).await.unwrap();
    assert!(UserRepo::save(user("ada")).on(&db).await.unwrap_err().is_unique_conflict());
    assert_claims(&db).await;
    UserRepo::restore(ada.id).on(&db).await.unwrap();
    assert_claims(&db).await;
    UserRepo::delete_by_id(ada.id).on(&db).await.unwrap();
    UserRepo::force_delete_by_id(ada.id).on(&db).await.unwrap();
    assert_eq!(claims::<User>(&db, "id").await, BTreeSet::new());
    // A missing item counts as deleted.
    UserRepo::force_delete(&ada).on(&db).await.unwrap();
    UserRepo::save(user("ada")).on(&db).await.unwrap();
    assert!(UserRepo::restore(ada.id).on(&db).await.unwrap_err().is_not_found());
    let error = UserRepo::update(ada.id).set(User::EMAIL, "free").on(&db).await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
    let error = UserRepo::force_delete_by_id(ada.id).returning_old().on(&db).await.unwrap();
    assert_eq!(error, None);
    assert_claims(&db).await;
    let bea = UserRepo::save(user("bea")).on(&db).await.unwrap();
    let error = UserRepo::force_delete(&bea).returning_old().on(&db).await.unwrap_err();
    assert!(error.to_string().contains("gives no old item back"), "{error}");
    let error = UserRepo::force_delete(&bea).when(User::AGE.gt(7)).on(&db).await.unwrap_err();
    assert!(error.is_condition_failed(), "{error}");
    assert_eq!(error.current::<User>().unwrap().unwrap().email, "bea");
    assert_claims(&db).await;
}

#[tokio::test]
async fn a_claim_ends_with_its_owner() {
    let db = database();
    db.create_table::<Badge>().await.unwrap();
    keep_expired::<Badge>(&db).await;
    let now = Timestamp::now();
    let past = now.checked_sub(Duration::from_secs(60)).unwrap();
    let old = BadgeRepo::save(Badge { number: 1, code: 7, expires_at: Some(past), version: 0 })
        .on(&db)
        .await
        .unwrap();
    // DynamoDB has not deleted it yet, but its value is free.
    BadgeRepo::save(Badge { number: 2, code: 7, ..Badge::default() }).on(&db).await.unwrap();
    let taken = BTreeSet::from([("code#7".to_owned(), "2".to_owned())]);
    assert_eq!(claims::<Badge>(&db, "number").await, taken);
    // Deleting it takes nothing from the new owner, and saving it again is a conflict.
    assert!(BadgeRepo::save(&old).on(&db).await.unwrap_err().is_unique_conflict());
    let back = Badge { expires_at: None, ..old.clone() };
    assert!(BadgeRepo::save(&back).on(&db).await.unwrap_err().is_unique_conflict());
    BadgeRepo::delete(&old).on(&db).await.unwrap();
    assert_eq!(claims::<Badge>(&db, "number").await, taken);
    // A changed expiry changes that of the claims, by every kind of write.
    let badge = BadgeRepo::save(Badge { number: 3, code: 9, expires_at: Some(past), version: 0 })
        .on(&db)
        .await
        .unwrap();
    let badge = BadgeRepo::save(Badge { expires_at: None, ..badge }).on(&db).await.unwrap();
    let other = Badge { number: 4, code: 9, ..Badge::default() };
    assert!(BadgeRepo::save(&other).on(&db).await.unwrap_err().is_unique_conflict());
    let later = now.checked_add(Duration::from_secs(3600)).unwrap();
    BadgeRepo::update(3).set(Badge::EXPIRES_AT, Some(later)).on(&db).await.unwrap();
    assert!(BadgeRepo::save(&other).on(&db).await.unwrap_err().is_unique_conflict());
    BadgeRepo::update(3).set(Badge::EXPIRES_AT, Some(past)).on(&db).await.unwrap();
    BadgeRepo::save(&other).on(&db).await.unwrap();
    assert_eq!(badge.version, 2);
    // The version is checked as usual.
    let error = BadgeRepo::save(Badge { code: 10, ..badge }).on(&db).await.unwrap_err();
    assert!(error.is_version_conflict(), "{error}");
    let raised = BadgeRepo::retry_on_conflict(4, |badge| badge.code = 11).on(&db).await.unwrap();
    assert_eq!((raised.code, raised.version), (11, 2));
    assert!(claims::<Badge>(&db, "number").await.contains(&("code#11".to_owned(), "4".to_owned())));
    assert!(!claims::<Badge>(&db, "number").await.iter().any(|(claim, _)| claim == "code#9"));
}

#[tokio::test]
async fn a_trashed_item_that_ends_gives_its_values_up_then() {
    #[derive(Entity, Clone, Debug, Default)]
    struct Draft {
        #[entity(id)]
        id: Id<Draft>,
        #[entity(unique)]
        slug: String,
        #[entity(deleted_at)]
        deleted_at: Option<Timestamp>,
        #[entity(ttl)]
        expires_at: Option<Timestamp>,
    }
    let db = database();
    db.create_table::<Draft>().await.unwrap();
    keep_expired::<Draft>(&db).await;
    let draft = || Draft { slug: "one".into(), ..Draft::default() };
    let first = DraftRepo::save(draft()).on(&db).await.unwrap();
    DraftRepo::delete(&first).expire_after(Duration::from_secs(1000)).on(&db).await.unwrap();
    assert!(DraftRepo::save(draft()).on(&db).await.unwrap_err().is_unique_conflict());
    DraftRepo::restore(first.id).on(&db).await.unwrap();
    DraftRepo::delete(&first).expire_after(Duration::ZERO).on(&db).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2100)).await;
    let second = DraftRepo::save(draft()).on(&db).await.unwrap();
    // It is still stored, and can only be restored without the taken value.
    let error = DraftRepo::restore(first.id).on(&db).await.unwrap_err();
    let batch = DraftRepo::batch_restore([first.id]).on(&db).await.unwrap_err();
    assert!(batch.failures()[0].reason.is_unique_conflict(), "{}", batch.failures()[0].reason);
    assert_eq!(error.unique_field(), Some("slug"), "{error}");
    DraftRepo::force_delete(&second).on(&db).await.unwrap();
    DraftRepo::restore(first.id).on(&db).await.unwrap();
}

#[tokio::test]
async fn batches_report_conflicts_by_index_and_write_the_others() {
    let db = users().await;
    let taken = UserRepo::save(user("u3")).on(&db).await.unwrap();
    let mut all: Vec<User> = (0..40).map(|n| user(&format!("u{n}"))).collect();
    // Two inputs with the same value.
    all[20].email = "u21".into();
    let error = UserRepo::batch_save(&mut all).on(&db).await.unwrap_err();
    let failed: Vec<usize> = error.failures().iter().map(|failure| failure.index).collect();
    assert!(failed == [3, 20] || failed == [3, 21], "{failed:?}");
    for failure in error.failures() {
        assert_eq!((failure.fate, failure.reason.unique_field()), (Fate::Rejected, Some("email")));
    }
    assert_claims(&db).await;
    let saved = error.into_saved();
    assert_eq!(saved.len(), 38);

    // Changes: the stored values are read and freed.
    let mut changed: Vec<User> = saved.to_vec();
    for (n, user) in changed.iter_mut().enumerate() {
        user.email = format!("v{n}");
        user.nick = (n % 2 == 0).then(|| format!("n{n}"));
    }
    UserRepo::batch_save(&changed).on(&db).await.unwrap();
    assert_claims(&db).await;
    // Without changes, no claim is written again.
    let stats = UserRepo::batch_save(&mut changed).on(&db).await.unwrap();
    assert_eq!((stats.items, stats.requests), (38, 38));
    let error = UserRepo::batch_create(&changed).on(&db).await.unwrap_err();
    assert!(error.failures().iter().all(|failure| failure.reason.is_condition_failed()));
    UserRepo::batch_create((0..10).map(|n| user(&format!("w{n}")))).on(&db).await.unwrap();
    assert_claims(&db).await;

    let ids: Vec<Id<User>> = changed.iter().map(|user| user.id).collect();
    UserRepo::batch_delete(&ids[..10]).on(&db).await.unwrap();
    assert_claims(&db).await;
    UserRepo::batch_delete(&ids[..20]).force().on(&db).await.unwrap();
    assert_claims(&db).await;
    dynorm::batch().delete::<User>([taken.id]).save([user("x")]).on(&db).await.unwrap();
    let mut rest = UserRepo::scan().with_trashed().on(&db).get_all().await.unwrap();
    rest.update_all(|user| user.email.insert(0, 'z')).await.unwrap();
    assert_claims(&db).await;
    let stats = UserRepo::batch_save_stream((0..60).map(|n| user(&format!("s{}", n % 50))))
        .on(&db)
        .on_failure(drop)
        .await
        .unwrap();
    assert_eq!((stats.items, stats.failed), (50, 10));
    assert_claims(&db).await;
}

#[tokio::test]
async fn transactions_claim_with_their_items() {
    let db = users().await;
    let ada = UserRepo::save(user("ada")).on(&db).await.unwrap();
    let bea = UserRepo::save(user("bea")).on(&db).await.unwrap();
    dynorm::transaction()
        .save(user("cas"))
        .create(User { nick: Some("d".into()), ..user("dan") })
        .update(UserRepo::update(ada.id).set(User::EMAIL, "ada2"))
        .on(&db)
        .await
        .unwrap();
    assert_claims(&db).await;
    let error = dynorm::transaction()
        .save(user("eve"))
        .save(User { age: 1, ..user("bea") })
        .on(&db)
        .await
        .unwrap_err();
    assert!(error.is_unique_conflict() && error.outcome_known());
    let failed = &error.failed_operations()[0];
    assert_eq!(
        (failed.number, failed.kind, failed.reason.unique_field()),
        (2, OperationKind::Saving, Some("email"))
    );
    // DynamoDB refuses two operations on one value.
    let error = dynorm::transaction()
        .update(UserRepo::update(ada.id).set(User::EMAIL, "free"))
        .save(User { email: "ada2".into(), ..bea.clone() })
        .on(&db)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("about one value of the unique field `email`"), "{error}");
    dynorm::transaction()
        .delete(UserRepo::force_delete(&ada))
        .save(User { email: "bea2".into(), ..bea.clone() })
        .on(&db)
        .await
        .unwrap();
    assert_claims(&db).await;
    // With their claims, 60 saves are more than 100 operations.
    let many = (0..60).fold(dynorm::transaction(), |all, n| all.save(user(&format!("m{n}"))));
    let error = many.on(&db).await.unwrap_err();
    assert!(
        error.to_string().contains("with the claims of its unique values it has 120 operations"),
        "{error}"
    );
    assert_claims(&db).await;
}

#[tokio::test]
async fn of_fifty_that_claim_one_value_one_wins() {
    let db = users().await;
    let tasks: Vec<_> = (0..50)
        .map(|n| {
            let db = db.clone();
            tokio::spawn(async move {
                let wanted = User { age: n, ..user("ada@example.com") };
                if n % 2 == 0 {
                    UserRepo::create(wanted).on(&db).await
                } else {
                    UserRepo::save(wanted).on(&db).await
                }
            })
        })
        .collect();
    let mut won = Vec::new();
    for task in tasks {
        match task.await.unwrap() {
            Ok(user) => won.push(user),
            Err(error) => assert!(error.is_unique_conflict(), "{error}"),
        }
    }
    assert_eq!(won.len(), 1);
    assert_eq!(UserRepo::all().on(&db).await.unwrap().to_vec(), won);
    assert_claims(&db).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claims_follow_the_items_whoever_writes_and_whatever_is_lost() {
    let db = users().await;
    let ids: Vec<Id<User>> = (0..5).map(|_| Id::new()).collect();
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let faults = Faults::seeded(task)
                .cut_before(0.04)
                .cut_after(0.04)
                .conflict(0.04)
                .throttle(0.02)
                .server_error(0.02);
            let (db, ids) = (faults.on(&db), ids.clone());
            tokio::spawn(async move {
                let mut random = fastrand::Rng::with_seed(task);
                for _ in 0..40 {
                    let id = ids[random.usize(..ids.len())];
                    let email = format!("e{}", random.u8(..7));
                    let nick = random.bool().then(|| format!("n{}", random.u8(..4)));
                    let wanted = User { id, nick, ..user(&email) };
                    let done = match random.u8(..7) {
                        0 => UserRepo::create(&wanted).on(&db).await.map(drop),
                        1 => UserRepo::update(id).set(User::EMAIL, email).on(&db).await.map(drop),
                        2 => UserRepo::force_delete_by_id(id).on(&db).await,
                        3 => UserRepo::batch_save([&wanted])
                            .on(&db)
                            .await
                            .map(drop)
                            .map_err(dynorm::Error::from),
                        4 => UserRepo::batch_delete([id])
                            .force()
                            .on(&db)
                            .await
                            .map(drop)
                            .map_err(dynorm::Error::from),
                        5 => dynorm::transaction().save(&wanted).on(&db).await,
                        _ => UserRepo::save(&wanted).on(&db).await.map(drop),
                    };
                    if let Err(error) = done {
                        let is_fair = error.is_unique_conflict()
                            || error.is_not_found()
                            || error.is_condition_failed()
                            || error.is_retryable()
                            || error.failures().iter().all(|failure| {
                                failure.reason.is_unique_conflict() || failure.reason.is_retryable()
                            });
                        assert!(is_fair, "{error}: {error:?}");
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_claims(&db).await;
}

#[tokio::test]
async fn an_entity_is_found_by_a_unique_value_or_created() {
    let db = users().await;
    let ada = UserRepo::first_or_create(user("ada")).on(&db).await.unwrap();
    let again = UserRepo::first_or_create(User { age: 9, ..user("ada") }).on(&db).await.unwrap();
    assert_eq!(again, ada);
    let updated = UserRepo::update_or_create(user("ada")).set(User::AGE, 30).on(&db).await.unwrap();
    assert_eq!((updated.id, updated.age), (ada.id, 30));
    let created = UserRepo::update_or_create(user("bea")).set(User::AGE, 30).on(&db).await.unwrap();
    assert_ne!(created.id, ada.id);
    let by_nick = User { nick: Some("a".into()), ..user("cas") };
    UserRepo::update(ada.id).set(User::NICK, "a").on(&db).await.unwrap();
    assert_eq!(UserRepo::first_or_create(by_nick).on(&db).await.unwrap().id, ada.id);
    // A soft-deleted item is not found, but keeps its values.
    UserRepo::delete(&ada).on(&db).await.unwrap();
    assert!(UserRepo::first_or_create(user("ada")).on(&db).await.unwrap_err().is_unique_conflict());
    assert!(
        UserRepo::update_or_create(user("ada"))
            .set(User::AGE, 1)
            .on(&db)
            .await
            .unwrap_err()
            .is_unique_conflict()
    );
    assert_claims(&db).await;
    // Concurrent calls create one item.
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move { UserRepo::first_or_create(user("dan")).on(&db).await.unwrap().id })
        })
        .collect();
    let mut ids = BTreeSet::new();
    for task in tasks {
        ids.insert(task.await.unwrap());
    }
    assert_eq!(ids.len(), 1);
}

#[tokio::test]
async fn entities_that_share_a_table_have_values_of_their_own() {
    let db = database();
    db.create_table::<Customer>().with::<Supplier>().await.unwrap();
    let customer = Customer { name: "c".into(), email: "x#y".into() };
    let supplier = Supplier { name: "s".into(), email: "x#y".into() };
    CustomerRepo::save(&customer).on(&db).await.unwrap();
    SupplierRepo::save(&supplier).on(&db).await.unwrap();
    let error =
        CustomerRepo::save(Customer { name: "d".into(), ..customer.clone() }).on(&db).await.unwrap_err();
    assert!(error.to_string().contains("taken by `Customer` with pk = CUSTOMER#c"), "{error}");
    let found = CustomerRepo::first_or_create(Customer { name: "e".into(), ..customer.clone() })
        .on(&db)
        .await
        .unwrap();
    assert_eq!(found, customer);
    db.create_table::<Customer>().await.unwrap();
    db.delete_table::<Customer>().await.unwrap();
    db.create_table::<Customer>().await.unwrap();
    CustomerRepo::save(Customer { name: "d".into(), ..customer }).on(&db).await.unwrap();
}

#[tokio::test]
async fn what_cannot_keep_its_promise_is_refused() {
    let db = users().await;
    let ada = UserRepo::save(user("ada")).on(&db).await.unwrap();
    let error = UserRepo::upsert(&ada).set(User::AGE, 1).on(&db).await.unwrap_err();
    assert!(error.to_string().contains("use `update_or_create`"), "{error}");
    let error = UserRepo::update(ada.id).set(User::EMAIL, User::NICK).on(&db).await.unwrap_err();
    assert!(error.to_string().contains("email: `set` leaves open what the value will be"), "{error}");
    let error = UserRepo::update(ada.id).set(User::EMAIL, "b").returning_old().on(&db).await.unwrap_err();
    assert!(error.to_string().contains("gives no old item back"), "{error}");
    let long = UserRepo::save(user(&"x".repeat(2100))).on(&db).await.unwrap_err();
    assert!(long.to_string().contains("email") && matches!(long, dynorm::Error::Invalid(_)), "{long}");
    let updated = UserRepo::update(ada.id).set_if_absent(User::NICK, "first").on(&db).await.unwrap();
    assert_eq!(updated.nick.as_deref(), Some("first"));
    let updated = UserRepo::update(ada.id).set_if_absent(User::NICK, "second").on(&db).await.unwrap();
    assert_eq!(updated.nick.as_deref(), Some("first"));
    assert_claims(&db).await;
}
