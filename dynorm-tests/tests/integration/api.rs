//! The public interface, as users write it.

use std::collections::BTreeSet;

use dynorm::prelude::*;
use dynorm_tests::database;

/// Stored in table `users`.
#[derive(Entity, Clone, Debug, Default, PartialEq)]
pub struct User {
    #[entity(id)]
    pub id: Id<User>,
    #[entity(index = "by_email")]
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    #[entity(index = "by_status")]
    pub status: Status,
    pub age: u32,
    pub tags: BTreeSet<String>,
    pub address: Option<Address>,
    #[entity(created_at)]
    pub created_at: Timestamp,
    #[entity(updated_at, index("by_status", sort))]
    pub updated_at: Timestamp,
}

#[derive(Attribute, Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    #[default]
    Pending,
    Active,
    Inactive,
    Banned,
}

#[derive(Attribute, Clone, Debug, Default, PartialEq)]
pub struct Address {
    pub city: String,
    pub zip: String,
}

impl UserRepo {
    pub async fn active_adults() -> dynorm::Result<Collection<User>> {
        Self::by_status(Status::Active).filter(User::AGE.ge(18)).get_all().await
    }
}

#[derive(Entity, Clone, Debug, PartialEq)]
pub struct Reading {
    #[entity(partition)]
    pub sensor: String,
    #[entity(sort)]
    pub taken_at: Timestamp,
    pub celsius: f64,
}

#[derive(Entity, Clone, Debug, PartialEq)]
#[entity(table = "shop", partition = "CUSTOMER#{customer_id}", sort = "ORDER#{id}")]
#[entity(index("gsi1", partition = "STATUS#{status}", sort = "{placed_at}"))]
pub struct Order {
    pub customer_id: Id<Customer>,
    #[entity(id)]
    pub id: Id<Order>,
    pub status: OrderStatus,
    pub placed_at: Timestamp,
}

#[derive(Attribute, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OrderStatus {
    #[default]
    Placed,
    Shipped,
}

pub struct Customer;

#[tokio::test]
async fn one_item_comes_and_goes() -> anyhow::Result<()> {
    let db = database();
    db.create_table::<User>().await?;
    db.create_table::<User>().await?;
    db.scope(async {
        let mut user = User { email: "ada@example.com".into(), ..Default::default() };
        UserRepo::save(&mut user).await?;
        assert!(!user.id.is_unset());
        assert_eq!(user.created_at, user.updated_at);
        let user = UserRepo::save(user).await?;
        let copy = UserRepo::save(&user).await?;
        assert_eq!(copy.id, user.id);

        let found: Option<User> = UserRepo::find(user.id).await?;
        assert_eq!(found, Some(copy.clone()));
        let user: User = UserRepo::get(user.id).await?;
        UserRepo::find(user.id).consistent().await?;
        let everyone: Collection<User> = UserRepo::all().await?;
        assert_eq!(everyone, vec![copy]);
        let n: u64 = UserRepo::count().await?;
        assert_eq!(n, 1);
        assert_eq!(UserRepo::delete(&user).returning_old().await?, Some(user.clone()));
        UserRepo::delete_by_id(user.id).await?;
        assert!(UserRepo::get(user.id).await.unwrap_err().is_not_found());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_composite_key_and_a_template() -> anyhow::Result<()> {
    let db = database();
    db.create_table::<Reading>().await?;
    db.create_table::<Order>().await?;
    db.scope(async {
        let taken_at = Timestamp::now();
        let reading =
            ReadingRepo::save(Reading { sensor: "kitchen".into(), taken_at, celsius: 21.5 }).await?;
        assert_eq!(ReadingRepo::find(("kitchen", taken_at)).await?, Some(reading));

        let order = Order {
            customer_id: Id::new(),
            id: Id::default(),
            status: OrderStatus::Placed,
            placed_at: Timestamp::now(),
        };
        let order = OrderRepo::save(order).await?;
        assert_eq!(OrderRepo::find((order.customer_id, order.id)).await?.as_ref(), Some(&order));
        let placed = OrderRepo::gsi1(OrderStatus::Placed).get_all().await?;
        assert_eq!(placed, vec![order]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn batches() -> anyhow::Result<()> {
    let db = database();
    db.create_table::<User>().await?;
    db.scope(async {
        let mut users: Vec<User> =
            (0..120).map(|n| User { age: n, status: Status::Active, ..Default::default() }).collect();
        for (n, user) in users.iter_mut().enumerate() {
            user.email = format!("user{n}@example.com");
        }
        let saved: Collection<User> = UserRepo::batch_save(&users).await?;
        assert_eq!(saved.len(), 120);
        assert_eq!(saved.stats().requests, 5);
        UserRepo::batch_save(&mut users).await?;
        let saved = UserRepo::batch_save(users).await?;
        let ids: Vec<Id<User>> = saved.iter().map(|user| user.id).collect();
        let users: Collection<User> = UserRepo::batch_get(&ids).await?;
        assert_eq!(users, saved);
        assert_eq!(UserRepo::active_adults().await?.len(), 2 * (120 - 18));
        UserRepo::batch_delete(&ids).await?;
        UserRepo::batch_delete_entities(&users).await?;
        assert_eq!(UserRepo::count().await?, 120);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn databases() -> anyhow::Result<()> {
    async fn from_the_environment() -> dynorm::Result<()> {
        let db = Database::from_env().await?;
        db.install();
        Ok(())
    }
    let _ = from_the_environment;

    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
        .region(aws_sdk_dynamodb::config::Region::new("eu-west-1"))
        .build();
    let db = Database::new(aws_sdk_dynamodb::Client::from_conf(config)).with_table_prefix("prod-");
    assert_eq!(db.table_name::<User>(), "prod-users");
    let _ = Database::local("http://localhost:8000");

    let path = std::env::temp_dir().join(format!("dynorm-{}.db", dynorm::ulid::Ulid::generate()));
    for db in [Database::memory()?, Database::file(&path)?] {
        db.create_table::<User>().await?; // an absent table is created; an existing one is only compared
        db.create_table::<User>().configure(|sdk| sdk.deletion_protection_enabled(true)).await?;
    }
    std::fs::remove_file(path)?;
    Ok(())
}

#[tokio::test]
async fn batches_that_fail() -> anyhow::Result<()> {
    let db = database();
    db.create_table::<User>().await?;
    db.scope(async {
        let mut users = vec![User { email: "a@example.com".into(), ..Default::default() }; 3];
        users[1].email.clear();
        let Err(error) = UserRepo::batch_save(&users).await else {
            anyhow::bail!("an empty index key is refused")
        };
        for failure in error.failures() {
            eprintln!("#{} {:?}: {}", failure.index, failure.key, failure.reason);
            assert_eq!((failure.index, failure.entity.age), (1, 0));
        }
        let again = error.retry().await;
        assert!(again.is_err_and(|error| error.failures().len() == 1));

        let ids: Vec<Id<User>> = UserRepo::all().await?.iter().map(|user| user.id).collect();
        let found: Vec<Option<User>> = UserRepo::batch_get(&ids).consistent().positional().await?;
        assert_eq!(found.iter().flatten().count(), 2);
        let places: Vec<Option<User>> = UserRepo::batch_get([ids[0], Id::new()]).positional().await?;
        assert!(places[0].is_some() && places[1].is_none());
        let constants = (dynorm::MAX_BATCH_GET_ITEMS, dynorm::MAX_BATCH_WRITE_ITEMS, dynorm::MAX_RETRIES);
        assert_eq!(constants, (100, 25, 3));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn errors_answer_the_questions_of_a_caller() -> anyhow::Result<()> {
    let db = database();
    db.create_table::<User>().await?;
    let error = UserRepo::get(Id::new()).on(&db).await.unwrap_err();
    assert!(error.is_not_found());
    assert!(!error.is_condition_failed() && !error.is_throttled() && !error.is_retryable());
    assert!(error.outcome_known());
    Ok(())
}

#[tokio::test]
async fn merging_leaves_what_the_struct_does_not_model() -> anyhow::Result<()> {
    use aws_sdk_dynamodb::types::AttributeValue;
    let db = database();
    db.create_table::<User>().await?;
    let address = Some(Address { city: "London".into(), zip: "W1".into() });
    let user = User { email: "a@b.c".into(), address, tags: ["vip".to_owned()].into(), ..Default::default() };
    let mut user = UserRepo::save(user).on(&db).await?;
    let key = AttributeValue::S(user.id.to_string());
    let item = db.client().get_item().table_name(db.table_name::<User>()).key("id", key.clone());
    let update = db.client().update_item().table_name(db.table_name::<User>()).key("id", key);
    let update = update.update_expression("SET nick = :n");
    update.expression_attribute_values(":n", AttributeValue::S("countess".into())).send().await?;

    user.address = None;
    user.tags.clear();
    user.age = 36;
    UserRepo::save(&mut user).merge().on(&db).await?;
    assert_eq!(UserRepo::get(user.id).on(&db).await?, user);
    let stored = item.clone().send().await?.item.unwrap_or_default();
    assert!(stored.contains_key("nick") && !stored.contains_key("address") && !stored.contains_key("tags"));
    UserRepo::save(&mut user).on(&db).await?;
    assert!(!item.send().await?.item.unwrap_or_default().contains_key("nick"));
    Ok(())
}

#[tokio::test]
async fn entities_that_share_a_table_do_not_see_each_other() -> anyhow::Result<()> {
    #[derive(Entity, Clone, Debug, PartialEq)]
    #[entity(table = "shop", partition = "CUSTOMER#{id}", sort = "PROFILE")]
    #[entity(index("gsi1", partition = "NAME#{name}", sort = "{since:04}"))]
    struct Profile {
        id: Id<Customer>,
        name: Option<String>,
        since: u16,
    }

    let db = database();
    db.create_table::<Order>().await?;
    db.create_table::<Profile>().await?;
    db.scope(async {
        let id = Id::new();
        let named = ProfileRepo::save(Profile { id, name: Some("Ada#1".into()), since: 1843 }).await?;
        let nameless = ProfileRepo::save(Profile { id: Id::new(), name: None, since: 1900 }).await?;
        let order = Order {
            customer_id: id,
            id: Id::default(),
            status: OrderStatus::Placed,
            placed_at: Timestamp::now(),
        };
        let order = OrderRepo::save(order).await?;
        assert_eq!(ProfileRepo::find(id).await?, Some(named.clone()));
        assert_eq!(OrderRepo::all().await?, vec![order]);
        assert_eq!((OrderRepo::count().await?, ProfileRepo::count().await?), (1, 2));
        assert_eq!(ProfileRepo::gsi1("Ada#1".to_owned()).get_all().await?, vec![named.clone()]);

        // Every write renders the index key again, and removes it if a field in it is absent.
        ProfileRepo::save(Profile { name: None, ..named.clone() }).merge().await?;
        assert!(ProfileRepo::gsi1("Ada#1").get_all().await?.is_empty());
        ProfileRepo::save(Profile { name: Some("Bea".into()), ..nameless }).await?;
        assert_eq!(ProfileRepo::gsi1("Bea").get_all().await?.len(), 1);
        ProfileRepo::delete(&named).await?;
        assert_eq!(ProfileRepo::count().await?, 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn collections_change_and_save_what_they_hold() -> anyhow::Result<()> {
    let db = database();
    db.create_table::<User>().await?;
    let email = |n: usize| format!("user{n}@example.com");
    let users = (0..60).map(|n| User { email: email(n), ..Default::default() });
    UserRepo::batch_save(users).on(&db).await?;

    let mut users = UserRepo::all().on(&db).await?;
    users.update_field(User::STATUS, Status::Active).await?;
    users.update_all(|user| user.age += 1).await?;
    for (i, mut chunk) in users.chunk(25).enumerate() {
        use anyhow::Context;
        chunk.each(|user| user.age += 1);
        chunk.save_all().await.with_context(|| format!("batch {i}"))?;
    }
    let found = UserRepo::by_status(Status::Active).filter(User::AGE.eq(2)).get_all().on(&db).await?;
    assert_eq!(found.len(), 60);
    assert!(found.stats().requests >= 1);

    let chunks = users.into_chunks(25).into_iter().map(|mut chunk| {
        tokio::spawn(async move {
            chunk.each(|user| user.age = 0);
            chunk.save_all().await
        })
    });
    for chunk in chunks.collect::<Vec<_>>() {
        chunk.await??;
    }
    let mut found = found;
    for (i, mut chunk) in found.chunk(25).enumerate() {
        chunk.update_field(User::STATUS, Status::Inactive).await?;
        chunk.update_all(|user| user.age = 9).await?;
        if i == 0 {
            chunk.delete_all().await?;
        }
    }
    assert_eq!(
        UserRepo::by_status(Status::Inactive).filter(User::AGE.eq(9)).get_all().on(&db).await?.len(),
        35
    );
    found.delete_all().await?;
    assert_eq!(UserRepo::count().on(&db).await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_key_in_another_spelling_is_not_taken_for_ours() -> anyhow::Result<()> {
    use aws_sdk_dynamodb::types::AttributeValue;
    let db = database();
    db.create_table::<Reading>().await?;
    let put = db.client().put_item().table_name(db.table_name::<Reading>());
    let put = put.item("sensor", AttributeValue::S("kitchen".into()));
    let put = put.item("taken_at", AttributeValue::S("2026-03-01T12:30:00Z".into()));
    put.item("celsius", AttributeValue::N("20".into())).send().await?;
    let error = ReadingRepo::all().on(&db).await.unwrap_err();
    assert!(error.to_string().contains("taken_at: the key is stored in another spelling"), "{error}");
    assert!("8ZZZZZZZZZZZZZZZZZZZZZZZZZ".parse::<Id<User>>().is_err(), "a ULID has 128 bits");
    Ok(())
}

#[tokio::test]
async fn what_is_absent_comes_back_absent_beside_a_default() -> anyhow::Result<()> {
    #[derive(Entity, Clone, Debug, PartialEq)]
    struct Limit {
        #[entity(partition)]
        name: String,
        #[entity(default = Some(5))]
        most: Option<u32>,
        #[entity(default = ["all".to_owned()].into())]
        groups: BTreeSet<String>,
        #[entity(default = 7)]
        days: u32,
    }
    use aws_sdk_dynamodb::types::AttributeValue;
    let db = database();
    db.create_table::<Limit>().await?;
    let limit = Limit { name: "a".into(), most: None, groups: BTreeSet::new(), days: 1 };
    let saved = LimitRepo::save(&limit).on(&db).await?;
    assert_eq!(LimitRepo::get("a").on(&db).await?, saved);
    let put = db.client().put_item().table_name(db.table_name::<Limit>());
    put.item("name", AttributeValue::S("b".into())).send().await?;
    let read = LimitRepo::get("b").on(&db).await?;
    assert_eq!((read.most, read.groups.len(), read.days), (Some(5), 1, 7));
    Ok(())
}

#[tokio::test]
async fn a_flattened_map_keeps_what_it_does_not_understand() -> anyhow::Result<()> {
    use aws_sdk_dynamodb::types::AttributeValue;
    use std::collections::BTreeMap;

    #[derive(Entity, Clone, Debug, PartialEq)]
    #[entity(table = "documents")]
    struct Document {
        #[entity(partition)]
        name: String,
        #[entity(flatten)]
        rest: BTreeMap<String, AttributeValue>,
    }
    #[derive(Entity, Clone, Debug, PartialEq)]
    #[entity(table = "documents")]
    struct JsonDocument {
        #[entity(partition)]
        name: String,
        #[entity(flatten)]
        rest: BTreeMap<String, serde_json::Value>,
    }
    let db = database();
    db.create_table::<Document>().await?;
    let rest = BTreeMap::from([
        ("set".to_owned(), AttributeValue::Ns(vec!["1".to_owned()])),
        ("bytes".to_owned(), AttributeValue::B(aws_smithy_types::Blob::new([0, 1, 255]))),
        ("null".to_owned(), AttributeValue::Null(true)),
        ("number".to_owned(), AttributeValue::N("12345678901234567890123456789012345678".to_owned())),
        ("list".to_owned(), AttributeValue::L(vec![AttributeValue::Bool(true)])),
    ]);
    let document = DocumentRepo::save(Document { name: "a".into(), rest }).on(&db).await?;
    assert_eq!(DocumentRepo::get("a").on(&db).await?, document);

    let error = JsonDocumentRepo::get("a").on(&db).await.unwrap_err();
    assert!(
        error.to_string().contains("make it a map of `dynorm::aws::types::AttributeValue`")
            || error.to_string().contains("number: "),
        "{error}"
    );
    let rest = BTreeMap::from([("a".to_owned(), serde_json::json!({ "b": [1, null, "c"] }))]);
    let json = JsonDocumentRepo::save(JsonDocument { name: "b".into(), rest }).on(&db).await?;
    assert_eq!(JsonDocumentRepo::get("b").on(&db).await?, json);
    Ok(())
}

#[tokio::test]
async fn a_condition_on_the_sort_key_of_an_index_bounds_what_is_read() -> anyhow::Result<()> {
    let db = database();
    db.create_table::<User>().await?;
    let saved = UserRepo::save(User { email: "a@b.c".into(), status: Status::Active, ..Default::default() })
        .on(&db)
        .await?;
    let at = saved.updated_at;
    let later = at.checked_add(std::time::Duration::from_secs(1)).unwrap();
    let count = async |condition| -> dynorm::Result<usize> {
        Ok(UserRepo::by_status(Status::Active).filter(condition).get_all().on(&db).await?.len())
    };
    assert_eq!(count(User::UPDATED_AT.eq(at)).await?, 1);
    assert_eq!(count(User::UPDATED_AT.between(at, later) & User::AGE.lt(18)).await?, 1);
    assert_eq!(count(User::AGE.lt(18) & User::UPDATED_AT.gt(at)).await?, 0);
    assert_eq!(count(User::UPDATED_AT.le(later) & (User::AGE.eq(1) | User::TAGS.not_exists())).await?, 1);
    // DynamoDB refuses this filter, so it is evaluated here.
    assert_eq!(count(User::UPDATED_AT.lt(at) | User::AGE.eq(0)).await?, 1);
    Ok(())
}

#[tokio::test]
async fn changes_and_conditions() -> anyhow::Result<()> {
    let db = database();
    db.create_table::<User>().await?;
    db.scope(async {
        let mut user = User { email: "ada@example.com".into(), ..Default::default() };
        UserRepo::create(&mut user).await?; // fails if it exists
        let id = user.id;
        let user: User = UserRepo::update(id)
            .set(User::STATUS, Status::Active)
            .add(User::AGE, 1)
            .remove(User::ADDRESS)
            .insert(User::TAGS, ["vip"])
            .when(User::STATUS.eq(Status::Pending))
            .await?;
        assert_eq!((user.status, user.age), (Status::Active, 1));
        assert!(user.tags.contains("vip"));
        assert_eq!(UserRepo::by_status(Status::Active).count().await?, 1);
        let error =
            UserRepo::update(id).add(User::AGE, 1).when(User::STATUS.eq(Status::Pending)).await.unwrap_err();
        assert_eq!(error.current::<User>().transpose()?, Some(user.clone()));
        assert!(UserRepo::create(&user).await.is_err_and(|error| error.is_condition_failed()));

        // Builders work where futures are expected.
        let updates = (0..5).map(|_| UserRepo::update(id).add(User::AGE, 1).on(&db).into_future());
        let updated = futures_util::future::join_all(updates).await;
        assert!(updated.iter().all(Result::is_ok));
        let task = tokio::spawn(UserRepo::update(id).add(User::AGE, -1).on(&db).into_future());
        assert_eq!(task.await??.age, 5);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn transactions() -> anyhow::Result<()> {
    #[derive(Entity, Clone, Debug, Default, PartialEq)]
    struct Cart {
        #[entity(id)]
        id: Id<Cart>,
    }
    let db = database();
    db.create_table::<User>().await?;
    db.create_table::<Order>().await?;
    db.create_table::<Cart>().await?;
    db.scope(async {
        let user = |status| User { email: "ada@example.com".into(), status, ..Default::default() };
        let ada = UserRepo::save(user(Status::Active)).await?;
        let other = UserRepo::save(user(Status::Active)).await?;
        let (user_id, other_id) = (ada.id, other.id);
        let cart = CartRepo::save(Cart::default()).await?;
        let mut order = Order {
            customer_id: Id::new(),
            id: Id::default(),
            status: OrderStatus::Placed,
            placed_at: Timestamp::now(),
        };

        let aged: User = UserRepo::update(user_id).add(User::AGE, 1).exactly_once().await?;
        assert_eq!(aged.age, 1);

        dynorm::transaction()
            .save(&mut order)
            .update(UserRepo::update(user_id).add(User::AGE, 1))
            .check(UserRepo::check(other_id, User::STATUS.eq(Status::Active)))
            .delete(&cart)
            .idempotency_key("order-123")
            .await?;
        assert_eq!(UserRepo::get(user_id).await?.age, 2);
        assert_eq!(CartRepo::count().await?, 0);

        let (mut a, mut b, id) = (user(Status::Pending), user(Status::Pending), other_id);
        UserRepo::transaction().save(&mut a).save(&mut b).delete_by_id(id).await?;
        assert_eq!(UserRepo::count().await?, 3);

        let (id, key) = (user_id, (order.customer_id, order.id));
        let (user, order) = dynorm::transact_get((UserRepo::find(id), OrderRepo::find(key))).await?;
        assert!(user.is_some() && order.is_some());

        let future = dynorm::transaction().save(&a).into_future();
        let future: std::pin::Pin<Box<dyn Future<Output = dynorm::Result<()>> + Send + '_>> =
            Box::pin(future);
        future.await?;
        Ok(())
    })
    .await
}
