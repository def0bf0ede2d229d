//! Transactions: their effects, refusals and errors.

use dynorm::Error;
use dynorm::error::OperationKind;
use dynorm::prelude::*;
use dynorm_tests::canned::{self, Answer, Recorded, Requests};
use dynorm_tests::database;

#[derive(Attribute, Clone, Copy, Debug, Default, PartialEq)]
enum Status {
    #[default]
    Active,
    Closed,
}

#[derive(Entity, Clone, Debug, Default, PartialEq)]
#[entity(table = "tx_users")]
struct User {
    #[entity(id)]
    id: Id<User>,
    status: Status,
    orders: u32,
    #[entity(created_at)]
    created_at: Timestamp,
    #[entity(updated_at)]
    updated_at: Timestamp,
}

#[derive(Entity, Clone, Debug, Default, PartialEq)]
#[entity(table = "tx_carts")]
struct Cart {
    #[entity(partition)]
    owner: String,
    #[entity(sort)]
    number: u32,
    note: String,
}

/// Two entities in one table, with an index key that follows its fields.
#[derive(Entity, Clone, Debug, Default, PartialEq)]
#[entity(table = "tx_shop", partition = "CUSTOMER#{id}", sort = "PROFILE")]
struct Profile {
    id: u32,
    name: String,
}

#[derive(Entity, Clone, Debug, Default, PartialEq)]
#[entity(table = "tx_shop", partition = "CUSTOMER#{customer}", sort = "ORDER#{number}")]
#[entity(index("by_state", partition = "STATE#{state}", sort = "{number:05}"))]
struct Order {
    customer: u32,
    number: u32,
    state: String,
}

async fn tables(db: Database) -> Database {
    db.create_table::<User>().await.unwrap();
    db.create_table::<Cart>().await.unwrap();
    db.create_table::<Profile>().with::<Order>().await.unwrap();
    db
}

async fn engine() -> Database {
    tables(database()).await
}

/// A database with the tables. The test can give its own answers.
async fn behind(
    answer: impl Fn(&Recorded) -> Answer + Send + Sync + 'static,
) -> (Database, Database, Requests) {
    let db = tables(Database::memory().unwrap()).await;
    let (faulty, requests) = canned::over(&db, answer);
    (db, faulty, requests)
}

fn cart(owner: &str, number: u32) -> Cart {
    Cart { owner: owner.to_owned(), number, note: "a".to_owned() }
}

fn profile(id: u32) -> Profile {
    Profile { id, name: "Ada".to_owned() }
}

async fn saved_user(db: &Database) -> User {
    UserRepo::save(User::default()).on(db).await.unwrap()
}

fn cancelled(reasons: &str) -> Answer {
    let json = format!(
        r#"{{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"cancelled","CancellationReasons":[{reasons}]}}"#
    );
    Answer::Json(400, json)
}

#[tokio::test]
async fn writes_of_several_entities_are_all_made() {
    let db = engine().await;
    let user = saved_user(&db).await;
    let (old, gone) = (cart("ada", 1), cart("ada", 2));
    CartRepo::batch_save([&old, &gone]).on(&db).await.unwrap();
    ProfileRepo::save(profile(7)).on(&db).await.unwrap();

    let mut fresh = User { orders: 5, ..User::default() };
    let order = Order { customer: 7, number: 3, state: "new".into() };
    dynorm::transaction()
        .save(&mut fresh)
        .create(&order)
        .update(UserRepo::update(user.id).add(User::ORDERS, 1).when(User::STATUS.eq(Status::Active)))
        .check(ProfileRepo::check(7, Profile::NAME.eq("Ada")))
        .delete(&old)
        .delete_by_id::<Cart>(("ada", 2))
        .on(&db)
        .await
        .unwrap();

    assert!(!fresh.id.is_unset() && fresh.created_at == fresh.updated_at);
    assert_eq!(UserRepo::get(fresh.id).on(&db).await.unwrap(), fresh);
    assert_eq!(OrderRepo::by_state("new").get_all().on(&db).await.unwrap(), [order]);
    let changed = UserRepo::get(user.id).on(&db).await.unwrap();
    assert_eq!((changed.orders, changed.updated_at), (1, fresh.updated_at));
    assert_eq!(CartRepo::count().on(&db).await.unwrap(), 0);
}

#[tokio::test]
async fn the_keys_of_indexes_follow_an_update_in_a_transaction() {
    let db = engine().await;
    let order = Order { customer: 7, number: 3, state: "new".into() };
    OrderRepo::save(&order).on(&db).await.unwrap();
    let update = OrderRepo::update((7, 3)).set(Order::STATE, "paid");
    dynorm::transaction().update(update).on(&db).await.unwrap();
    assert_eq!(OrderRepo::by_state("new").count().on(&db).await.unwrap(), 0);
    assert_eq!(OrderRepo::by_state("paid").count().on(&db).await.unwrap(), 1);
}

#[tokio::test]
async fn saves_and_deletes_take_their_conditions_along() {
    let db = engine().await;
    let carts = [cart("ada", 1), cart("ada", 2), cart("ada", 3)];
    CartRepo::batch_save(&carts).on(&db).await.unwrap();
    let changed = Cart { note: "b".into(), ..carts[0].clone() };
    let transaction = |note: &str| {
        dynorm::transaction()
            .save(CartRepo::save(&changed).when(Cart::NOTE.eq("a")))
            .save(CartRepo::save(&carts[2]).merge())
            .delete(CartRepo::delete(&carts[1]).when(Cart::NOTE.eq(note)))
            .on(&db)
    };
    let error = transaction("z").await.unwrap_err();
    assert_eq!(error.failed_operations().len(), 1);
    assert_eq!(error.failed_operations()[0].number, 3);
    assert_eq!(error.failed_operations()[0].kind, OperationKind::Deleting);
    assert_eq!(error.current::<Cart>().unwrap().unwrap(), carts[1]);
    assert_eq!(CartRepo::get(("ada", 1)).on(&db).await.unwrap(), carts[0]);
    transaction("a").await.unwrap();
    assert_eq!(CartRepo::get(("ada", 1)).on(&db).await.unwrap(), changed);
    assert_eq!(CartRepo::find(("ada", 2)).on(&db).await.unwrap(), None);
}

#[tokio::test]
async fn the_error_says_which_operations_failed_and_why() {
    let db = engine().await;
    let user = saved_user(&db).await;
    CartRepo::save(cart("ada", 1)).on(&db).await.unwrap();
    let (mut fresh, absent) = (User::default(), Id::<User>::new());
    let error = dynorm::transaction()
        .save(&mut fresh)
        .create(cart("ada", 1))
        .update(UserRepo::update(user.id).add(User::ORDERS, 1).when(User::STATUS.eq(Status::Closed)))
        .update(UserRepo::update(absent).add(User::ORDERS, 1))
        .check(CartRepo::check(("bea", 1), Cart::NOTE.eq("a")))
        .delete_by_id::<Cart>(("bea", 2))
        .on(&db)
        .await
        .unwrap_err();

    let (users, carts) = (db.table_name::<User>(), db.table_name::<Cart>());
    assert_eq!(
        error.to_string(),
        format!(
            "a transaction of 6 operations was cancelled, and nothing was changed: \
             2 (creation of `Cart` with owner = ada, number = 1 in the table `{carts}`): an item with this key exists; \
             3 (update of `User` with id = {} in the table `{users}`): the condition does not hold; \
             4 (update of `User` with id = {absent} in the table `{users}`): there is no such item; \
             5 (check of `Cart` with owner = bea, number = 1 in the table `{carts}`): the condition does \
             not hold",
            user.id
        )
    );
    assert!(error.is_condition_failed() && error.is_not_found() && error.outcome_known());
    assert!(!error.is_retryable() && !error.is_throttled());
    assert_eq!(error.table(), Some(carts.as_str()));
    assert_eq!((error.entity(), error.key()), (Some("Cart"), Some("owner = ada, number = 1")));
    assert_eq!(error.current::<User>().unwrap().unwrap(), user);
    assert_eq!(error.current::<Cart>().unwrap().unwrap(), cart("ada", 1));
    assert!(error.current::<Profile>().is_none());
    assert!(std::error::Error::source(&error).is_none());
    let numbers: Vec<usize> = error.failed_operations().iter().map(|failed| failed.number).collect();
    assert_eq!(numbers, [2, 3, 4, 5]);
    assert_eq!(
        error.failed_operations()[1].reason.to_string(),
        format!(
            "updating `User` with id = {} in the table `{users}`: the condition does not hold, and nothing \
            was changed",
            user.id
        )
    );

    // The entity to be stamped in place is unchanged.
    assert_eq!(fresh, User::default());
    assert_eq!(UserRepo::get(user.id).on(&db).await.unwrap(), user);
}

#[tokio::test]
async fn an_item_of_another_entity_does_not_count_as_one_that_is_updated() {
    let db = engine().await;
    ProfileRepo::save(profile(7)).on(&db).await.unwrap();
    let update = OrderRepo::update((7, 1)).set(Order::STATE, "paid");
    let error = dynorm::transaction().update(update).on(&db).await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_before() {
    let (_, db, requests) = behind(|_| panic!("nothing may be sent")).await;
    let error = async |transaction: dynorm::transaction::Transaction<'_>| {
        let error = transaction.on(&db).await.unwrap_err();
        assert!(error.outcome_known() && !error.is_retryable());
        error
    };
    let empty = error(dynorm::transaction()).await;
    assert!(matches!(empty, Error::Invalid(_)));
    assert_eq!(
        empty.to_string(),
        "a transaction of 0 operations: it is empty: add `save`, `create`, `update`, `delete` or `check` \
        before it is awaited"
    );

    let many = (0..101).fold(dynorm::transaction(), |all, number| all.create(cart("ada", number)));
    assert_eq!(
        error(many).await.to_string(),
        "a transaction of 101 operations on the table `tx_carts`: DynamoDB takes 100 at most; the first \
        beyond is 101 (creation of `Cart`), so make it several transactions, or a batch"
    );

    let twice = dynorm::transaction()
        .create(profile(7))
        .save(cart("ada", 1))
        .check(CartRepo::check(("ada", 1), Cart::NOTE.exists()));
    assert_eq!(
        error(twice).await.to_string(),
        "a transaction of 3 operations on the tables `tx_shop`, `tx_carts`: 2 (save of `Cart` with owner = \
        ada, number = 1 in the table `tx_carts`) and 3 (check of `Cart` with owner = ada, number = 1 in the \
        table `tx_carts`) are at one item, and DynamoDB takes one operation for each: make them one, such \
        as an update with `.when(…)` in the place of a check and an update"
    );

    let token = |token: String| dynorm::transaction().save(cart("ada", 1)).idempotency_key(token);
    assert_eq!(
        error(token("é".repeat(37))).await.to_string(),
        "a transaction of 1 operation on the table `tx_carts`: its idempotency key has 37 characters, and \
        DynamoDB takes 36: a ULID, a UUID or a hash fits"
    );
    assert_eq!(
        error(token(String::new())).await.to_string(),
        "a transaction of 1 operation on the table `tx_carts`: its idempotency key is empty: leave it out \
        to have a fresh one"
    );

    let large = |number| Cart { note: "x".repeat(390_000), ..cart("ada", number) };
    let large = (0..11).fold(dynorm::transaction(), |all, number| all.save(large(number)));
    assert_eq!(
        error(large).await.to_string(),
        "a transaction of 11 operations on the table `tx_carts`: its items have 4290219 bytes, and DynamoDB \
        takes 4194304 (4 MB); the largest is 2 (save of `Cart` with owner = ada, number = 1 in the table \
        `tx_carts`) with 390020 bytes; make it several transactions"
    );

    let mut fresh = User::default();
    let mistakes = dynorm::transaction()
        .save(&mut fresh)
        .save(Cart { note: "x".repeat(410_000), ..cart("ada", 1) })
        .update(UserRepo::update(Id::new()))
        .delete_by_id::<Cart>(("", 1));
    let mistakes = error(mistakes).await;
    let text = mistakes.to_string();
    assert!(
        text.starts_with(
            "a transaction of 4 operations was not sent: 2 (save of `Cart` with owner = \
        ada, number = 1 in the table `tx_carts`): the item has 410"
        ),
        "{text}"
    );
    assert!(text.contains("; 3 (update of `User` with id = "), "{text}");
    assert!(
        text.ends_with(
            "; 4 (deletion of `Cart` in the table `tx_carts`): owner: the partition key of \
        the table cannot be empty"
        ),
        "{text}"
    );
    assert!(matches!(mistakes.failed_operations()[0].reason, Error::Invalid(_)));
    assert_eq!(fresh, User::default());
    assert!(requests.is_empty());
}

#[tokio::test]
async fn a_merge_without_fields_has_no_place_in_a_transaction() {
    #[derive(Entity, Clone)]
    struct Tag {
        #[entity(partition)]
        name: String,
    }
    let db = Database::memory().unwrap();
    let merge = TagRepo::save(Tag { name: "a".into() }).merge();
    let error = dynorm::transaction().save(merge).on(&db).await.unwrap_err();
    assert!(error.to_string().ends_with("save it without `merge()`"), "{error}");
}

#[tokio::test]
async fn every_attempt_has_the_same_bytes_and_a_token() {
    let (db, faulty, requests) = behind(|request| match request.number {
        0 => cancelled(r#"{"Code":"None"},{"Code":"TransactionConflict","Message":"m"}"#),
        1 => cancelled(r#"{"Code":"ThrottlingError"},{"Code":"ProvisionedThroughputExceeded"}"#),
        2 => Answer::error(400, "TransactionInProgressException", "m"),
        3 => Answer::error(500, "InternalServerError", "m"),
        4 => Answer::throttled(),
        5 => Answer::CutAfter,
        _ => Answer::Engine,
    })
    .await;
    let user = saved_user(&db).await;
    let mut fresh = User::default();
    let update = UserRepo::update(user.id).add(User::ORDERS, 1);
    dynorm::transaction().save(&mut fresh).update(update).on(&faulty).await.unwrap();
    let all = requests.all();
    assert_eq!(all.len(), 7);
    assert!(all.iter().all(|request| request.bytes == all[0].bytes));
    assert_eq!(all[0].body["ClientRequestToken"].as_str().unwrap().len(), 26);
    assert_eq!(UserRepo::get(user.id).on(&db).await.unwrap().orders, 1);
    assert_eq!(UserRepo::get(fresh.id).on(&db).await.unwrap(), fresh);

    // Each transaction has its own token.
    dynorm::transaction().save(&user).on(&faulty).await.unwrap();
    assert_ne!(requests.all()[7].body["ClientRequestToken"], all[0].body["ClientRequestToken"]);
}

#[tokio::test(start_paused = true)]
async fn attempts_are_bounded_and_the_last_failure_is_told() {
    let run = async |answer: fn() -> Answer| {
        let (_, db, requests) = behind(move |_| answer()).await;
        let mut fresh = User::default();
        let transaction = dynorm::transaction().save(&mut fresh).delete_by_id::<Cart>(("ada", 1)).on(&db);
        let error = transaction.await.unwrap_err();
        assert_eq!(fresh == User::default(), error.outcome_known());
        (error, requests.len())
    };
    let conflict = || cancelled(r#"{"Code":"None"},{"Code":"TransactionConflict","Message":"m"}"#);
    let (error, attempts) = run(conflict).await;
    assert_eq!(attempts, 8);
    assert!(error.is_retryable() && !error.is_throttled() && error.outcome_known());
    assert_eq!(
        error.to_string(),
        "a transaction of 2 operations was cancelled, and nothing was changed: 2 (deletion of `Cart` with \
        owner = ada, number = 1 in the table `tx_carts`): another write or transaction is at the item; try \
        again"
    );

    let (error, attempts) = run(|| cancelled(r#"{"Code":"ThrottlingError","Message":"m"}"#)).await;
    assert_eq!((attempts, error.is_throttled(), error.is_retryable()), (8, true, true));

    let (error, attempts) = run(|| Answer::Cut).await;
    assert_eq!((attempts, error.outcome_known(), error.is_retryable()), (8, false, true));
    let text = error.to_string();
    assert!(
        text.starts_with(
            "a transaction of 2 operations on the tables `tx_users`, `tx_carts`: nobody answers"
        ),
        "{text}"
    );
    assert!(text.ends_with("; it may or may not have been applied"), "{text}");

    let (error, attempts) = run(|| Answer::error(400, "TransactionInProgressException", "m")).await;
    assert_eq!((attempts, error.outcome_known(), error.is_retryable()), (8, false, true));
    assert!(matches!(error, Error::Conflict(_)));
    assert!(error.to_string().ends_with("try again; it may or may not have been applied"), "{error}");

    let (error, attempts) = run(Answer::throttled).await;
    assert_eq!((attempts, error.is_throttled()), (8, true));
    let (error, attempts) = run(|| Answer::Refused).await;
    assert_eq!((attempts, error.outcome_known()), (8, true));

    for code in ["IdempotentParameterMismatchException", "ValidationException", "AccessDeniedException"] {
        let answer = match code {
            "IdempotentParameterMismatchException" => {
                || Answer::error(400, "IdempotentParameterMismatchException", "m")
            }
            "ValidationException" => || Answer::error(400, "ValidationException", "m"),
            _ => || Answer::error(400, "AccessDeniedException", "m"),
        };
        let (error, attempts) = run(answer).await;
        assert_eq!((attempts, error.is_retryable(), error.outcome_known()), (1, false, true), "{code}");
        assert!(error.to_string().contains(code), "{error}");
    }
    let (error, attempts) = run(|| {
        cancelled(r#"{"Code":"TransactionConflict"},{"Code":"ValidationError","Message":"too long"}"#)
    })
    .await;
    assert_eq!((attempts, error.is_retryable()), (1, false));
    assert_eq!(
        error.to_string().split_once("; 2 ").unwrap().1,
        "(deletion of `Cart` with owner = ada, number = 1 in the table `tx_carts`): the server refused it: \
        ValidationError: too long"
    );
}

#[tokio::test]
async fn a_later_answer_settles_what_a_lost_one_left_open() {
    let (db, faulty, _) = behind(|request| match request.number {
        0 | 2 => Answer::Cut,
        3 => Answer::error(400, "AccessDeniedException", "m"),
        _ => Answer::Engine,
    })
    .await;
    let user = saved_user(&db).await;
    let update = || UserRepo::update(user.id).add(User::ORDERS, 1).when(User::STATUS.eq(Status::Closed));
    // If the first attempt had been applied, the second would succeed, since it has the same token.
    let error = dynorm::transaction().update(update()).on(&faulty).await.unwrap_err();
    assert!(error.is_condition_failed() && error.outcome_known(), "{error}");
    let error = dynorm::transaction().update(update()).on(&faulty).await.unwrap_err();
    assert!(matches!(error, Error::AccessDenied(_)) && !error.outcome_known(), "{error}");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_again_when_the_token_may_be_forgotten() {
    let wait = std::time::Duration::from_secs(200);
    let (_, db, requests) = behind(move |_| Answer::Cut.after(wait)).await;
    let error = dynorm::transaction().save(cart("ada", 1)).on(&db).await.unwrap_err();
    assert!(!error.outcome_known());
    assert_eq!(requests.len(), 3);
}

#[tokio::test]
async fn an_idempotency_key_makes_two_transactions_one() {
    let db = engine().await;
    CartRepo::save(cart("ada", 1)).on(&db).await.unwrap();
    let prepend = |note: &str| {
        let update = CartRepo::update(("ada", 1)).set(Cart::NOTE, note).when(Cart::NOTE.eq("a"));
        dynorm::transaction().update(update).idempotency_key("note-1").on(&db)
    };
    prepend("b").await.unwrap();
    prepend("b").await.unwrap();
    let error = prepend("c").await.unwrap_err();
    assert!(matches!(error, Error::Rejected(_)), "{error}");
    assert!(error.to_string().contains("IdempotentParameterMismatch"), "{error}");
}

#[tokio::test]
async fn a_missing_table_is_told() {
    #[derive(Entity, Clone, Default)]
    struct Nowhere {
        #[entity(partition)]
        name: String,
    }
    let db = engine().await;
    let error = dynorm::transaction()
        .save(Nowhere { name: "a".into() })
        .save(cart("ada", 1))
        .on(&db)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::TableNotFound(_)), "{error:?}");
    let text = error.to_string();
    assert!(text.starts_with("one of the tables `"), "{text}");
}

#[tokio::test]
async fn the_database_is_that_of_the_transaction_or_of_a_part() {
    let db = engine().await;
    let update = UserRepo::update(saved_user(&db).await.id).add(User::ORDERS, 1).on(&db);
    dynorm::transaction().save(cart("ada", 1)).update(update).await.unwrap();
    CartRepo::transaction().on(&db).delete_by_id(("ada", 1)).await.unwrap();
    assert_eq!(CartRepo::count().on(&db).await.unwrap(), 0);
    let error = dynorm::transaction().save(cart("ada", 1)).await.unwrap_err();
    assert!(matches!(error, Error::NoDatabase));
}

#[tokio::test]
async fn a_hundred_operations_travel_together() {
    let db = engine().await;
    let mut users = vec![User::default(); 100];
    let transaction = users.iter_mut().fold(UserRepo::transaction(), dynorm::transaction::Transaction::save);
    transaction.on(&db).await.unwrap();
    assert_eq!(UserRepo::count().on(&db).await.unwrap(), 100);
}
