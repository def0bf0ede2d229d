//! Whole requests, through the whole stack to a connector that answers at once: dynorm, compared with the
//! code that a user would write without it, with serde_dynamo and the SDK.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, PutRequest, WriteRequest};
use dynorm::prelude::*;
use serde_dynamo::aws_sdk_dynamodb_1::{from_item, from_items, to_item};

use crate::codec::json;
use crate::shapes::{Shape as _, Status, User, UserRepo};
use crate::stub::client;
use crate::work::{Case, Prepare, Round, Way};
use crate::{DYNORM, SDK};

pub(crate) const BATCH_SAVE: &str = "batch_save of 25";
pub(crate) const BATCH_GET: &str = "batch_get of 100";
pub(crate) const QUERY: &str = "query, a page of 1 MB";

pub(crate) fn cases() -> Vec<Case> {
    let case = |name: &str, items: usize, rounds, dynorm: Prepare, sdk: Prepare| Case {
        name: name.to_owned(),
        items: items as u64,
        rounds,
        ways: vec![Way::new(DYNORM, dynorm), Way::new(SDK, sdk)],
    };
    vec![
        case("save", 1, 200, save_dynorm, save_sdk),
        case("find", 1, 200, find_dynorm, find_sdk),
        case(BATCH_SAVE, 25, 60, batch_save_dynorm, batch_save_sdk),
        case(BATCH_GET, 100, 40, batch_get_dynorm::<100>, batch_get_sdk),
        case(QUERY, PAGE, 2, query_dynorm, query_sdk),
    ]
}

/// DynamoDB counts about 260 bytes for a user: names and values, without the JSON syntax.
const PAGE: usize = 1024 * 1024 / 260;

fn users(count: usize) -> Vec<User> {
    (1..=count).map(User::sample).collect()
}

fn save_dynorm() -> Round {
    let db = Database::new(client("{}"));
    let user = User::sample(1);
    Box::new(move |runtime| {
        assert!(runtime.block_on(UserRepo::save(&user).on(&db).into_future()).is_ok());
    })
}

fn save_sdk() -> Round {
    let client = client("{}");
    let user = User::sample(1);
    Box::new(move |runtime| {
        let item = to_item(&user).ok();
        assert!(runtime.block_on(client.put_item().table_name("users").set_item(item).send()).is_ok());
    })
}

fn find_dynorm() -> Round {
    let user = User::sample(1);
    let db = Database::new(client(format!(r#"{{"Item":{}}}"#, json(&user))));
    Box::new(move |runtime| {
        let found = runtime.block_on(UserRepo::find(user.id).on(&db).into_future());
        assert!(found.is_ok_and(|found| found.is_some()));
    })
}

fn find_sdk() -> Round {
    let user = User::sample(1);
    let client = client(format!(r#"{{"Item":{}}}"#, json(&user)));
    Box::new(move |runtime| {
        let request = client.get_item().table_name("users").key("id", AttributeValue::S(user.id.to_string()));
        let answer = runtime.block_on(request.send()).ok().and_then(|answer| answer.item);
        assert!(answer.and_then(|item| from_item::<User>(item).ok()).is_some());
    })
}

fn batch_save_dynorm() -> Round {
    let db = Database::new(client(r#"{"UnprocessedItems":{}}"#));
    let users = users(25);
    Box::new(move |runtime| {
        let saved = runtime.block_on(UserRepo::batch_save(&users).on(&db).into_future());
        assert_eq!(saved.map(|saved| saved.len()).unwrap_or_default(), 25);
    })
}

fn batch_save_sdk() -> Round {
    let client = client(r#"{"UnprocessedItems":{}}"#);
    let users = users(25);
    Box::new(move |runtime| {
        runtime.block_on(async {
            let mut writes = Vec::with_capacity(users.len());
            for user in &users {
                let item = to_item(user).unwrap_or_default();
                let put = PutRequest::builder().set_item(Some(item)).build().ok();
                writes.push(WriteRequest::builder().set_put_request(put).build());
            }
            let answer = client.batch_write_item().request_items("users", writes).send().await;
            assert!(
                answer.is_ok_and(|answer| answer.unprocessed_items.is_some_and(|items| items.is_empty()))
            );
        });
    })
}

/// The answer to a `BatchGetItem` of 100 users.
fn found(users: &[User]) -> String {
    let items: Vec<String> = users.iter().map(json).collect();
    format!(r#"{{"Responses":{{"users":[{}]}},"UnprocessedKeys":{{}}}}"#, items.join(","))
}

pub(crate) fn batch_get_dynorm<const N: usize>() -> Round {
    let users = users(N);
    let db = Database::new(client(found(&users)));
    let ids: Vec<Id<User>> = users.iter().map(|user| user.id).collect();
    Box::new(move |runtime| {
        let found = runtime.block_on(UserRepo::batch_get(&ids).on(&db).into_future());
        assert_eq!(found.map(|found| found.len()).unwrap_or_default(), N);
    })
}

fn batch_get_sdk() -> Round {
    let users = users(100);
    let client = client(found(&users));
    let ids: Vec<String> = users.iter().map(|user| user.id.to_string()).collect();
    Box::new(move |runtime| {
        runtime.block_on(async {
            let key = |id: &String| HashMap::from([("id".to_owned(), AttributeValue::S(id.clone()))]);
            let keys = KeysAndAttributes::builder().set_keys(Some(ids.iter().map(key).collect())).build();
            let request = client
                .batch_get_item()
                .set_request_items(keys.ok().map(|keys| HashMap::from([("users".to_owned(), keys)])));
            let answer = request.send().await.ok().and_then(|answer| answer.responses);
            let items = answer.and_then(|mut tables| tables.remove("users")).unwrap_or_default();
            let mut users: HashMap<String, User> = HashMap::with_capacity(items.len());
            for item in items {
                if let Ok(user) = from_item::<User>(item) {
                    users.insert(user.id.to_string(), user);
                }
            }
            // In the order of the ids, as dynorm returns them.
            let found: Vec<User> = ids.iter().filter_map(|id| users.remove(id)).collect();
            assert_eq!(found.len(), 100);
        });
    })
}

/// The answer to a `Query`.
fn page() -> String {
    let items: Vec<String> = users(PAGE).iter().map(json).collect();
    format!(r#"{{"Items":[{}],"Count":{PAGE},"ScannedCount":{PAGE}}}"#, items.join(","))
}

fn query_dynorm() -> Round {
    let db = Database::new(client(page()));
    Box::new(move |runtime| {
        let found = runtime.block_on(UserRepo::by_status(Status::Active).on(&db).get_all().into_future());
        assert_eq!(found.map(|found| found.len()).unwrap_or_default(), PAGE);
    })
}

fn query_sdk() -> Round {
    let client = client(page());
    Box::new(move |runtime| {
        let request = client
            .query()
            .table_name("users")
            .index_name("by_status")
            .key_condition_expression("#status = :status")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":status", AttributeValue::S("active".to_owned()));
        let items = runtime.block_on(request.send()).ok().and_then(|answer| answer.items);
        let users: Vec<User> = items.and_then(|items| from_items(items).ok()).unwrap_or_default();
        assert_eq!(users.len(), PAGE);
    })
}
