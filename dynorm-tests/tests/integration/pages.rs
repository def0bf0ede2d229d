//! Pages of a faulty server: impossible counts, positions that do not advance, items that were not requested.

use dynorm::prelude::*;
use dynorm::{Cursor, Error};
use dynorm_tests::canned::{self, Answer, Requests};
use serde_json::{Value, json};

#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct User {
    #[entity(partition)]
    team: String,
    #[entity(sort)]
    number: u64,
    #[entity(index = "by_city")]
    city: String,
    #[entity(index("by_city", sort))]
    age: u32,
}

fn key(team: &str, number: impl std::fmt::Display) -> Value {
    json!({ "team": { "S": team }, "number": { "N": format!("{number}") } })
}

fn index_key(number: u64, age: u32) -> Value {
    json!({
        "team": { "S": "a" }, "number": { "N": number.to_string() },
        "city": { "S": "Paris" }, "age": { "N": age.to_string() },
    })
}

/// A server with empty pages that end at these positions, in a cycle.
fn positions(cycle: Vec<Value>) -> (Database, Requests) {
    canned::database(move |request| {
        let last = &cycle[request.number % cycle.len()];
        Answer::ok(
            json!({ "Items": [], "Count": 0, "ScannedCount": 0, "LastEvaluatedKey": last }).to_string(),
        )
    })
}

/// A server with one page.
fn page(answer: &Value) -> Database {
    let answer = answer.to_string();
    canned::database(move |_| Answer::ok(answer.clone())).0
}

fn refused<T: std::fmt::Debug>(result: dynorm::Result<T>, says: &str) {
    let error = result.unwrap_err();
    assert!(matches!(error, Error::Undecodable(_)), "{error:?}");
    let text = error.to_string();
    assert!(text.contains(says) && text.contains("the table `users`"), "{text}");
}

#[tokio::test]
async fn a_scan_finds_a_cycle_of_any_length_soon() {
    for length in [1, 2, 3, 4, 5, 7, 8, 16, 31, 100] {
        for (tail, name) in [(0, "pure"), (3, "with a tail")] {
            let cycle: Vec<Value> = (0..length).map(|number| key("a", number)).collect();
            let (db, requests) = canned::database(move |request| {
                let last = match request.number.checked_sub(tail) {
                    Some(number) => cycle[number % cycle.len()].clone(),
                    None => key("tail", request.number),
                };
                Answer::ok(json!({ "Items": [], "Count": 0, "LastEvaluatedKey": last }).to_string())
            });
            refused(UserRepo::all().on(&db).await, "a page ends at team = a, number = ");
            let asked = requests.all().len();
            assert!(asked <= 3 * (length + tail) + 3, "{length} {name}: {asked} requests");
            requests.clear();
            refused(UserRepo::count().on(&db).await, "again and again");
        }
    }
}

#[tokio::test]
async fn a_position_is_the_same_however_it_is_written() {
    let (db, _) = positions(vec![key("a", "1"), key("a", "2"), key("a", "1.0"), key("a", "2e0")]);
    refused(UserRepo::all().on(&db).await, "again and again");
    let (db, requests) = positions(vec![key("a", "1"), key("a", "1.0")]);
    refused(UserRepo::filter(User::TEAM.eq("a")).get_all().on(&db).await, "the same page again");
    assert_eq!(requests.all().len(), 2);
}

#[tokio::test]
async fn a_query_goes_on_in_the_order_of_its_keys() {
    let query = || UserRepo::filter(User::TEAM.eq("a"));
    // Ordered as numbers, not as text.
    let (db, requests) = positions(vec![key("a", 9), key("a", 10), key("a", 2)]);
    refused(
        query().get_all().on(&db).await,
        "goes back in the order of the keys: a page ends at team = a, number = 2",
    );
    assert_eq!(requests.all().len(), 3);
    let (db, requests) = positions(vec![key("a", 10), key("a", 9), key("a", 9)]);
    refused(query().order_by(User::NUMBER.desc()).get_all().on(&db).await, "the same page again");
    assert_eq!(requests.all().len(), 3);
    let (db, requests) = positions(vec![key("a", 9), key("a", 10)]);
    refused(query().order_by(User::NUMBER.desc()).count().on(&db).await, "goes back");
    assert_eq!(requests.all().len(), 2);
    // The first page starts at a cursor.
    let (db, _) = canned::database(|request| {
        Answer::ok(match request.number {
            0 => {
                json!({ "Items": [index_key(7, 1)], "Count": 1, "LastEvaluatedKey": key("a", 7) }).to_string()
            }
            _ => json!({ "Items": [index_key(8, 1)], "Count": 1 }).to_string(),
        })
    });
    let cursor = query().page(1).on(&db).await.unwrap().next.unwrap();
    let cursor: Cursor = cursor.to_string().parse().unwrap();
    let (db, _) = positions(vec![key("a", 6)]);
    refused(query().page(1).after(cursor).on(&db).await, "goes back");
}

#[tokio::test]
async fn items_of_one_index_key_come_in_any_order_and_no_position_twice() {
    let query = || UserRepo::by_city("Paris");
    let ends = |positions: Vec<Value>| {
        canned::database(move |request| {
            let mut answer = json!({ "Items": [], "Count": 0 });
            if let Some(last) = positions.get(request.number) {
                answer["LastEvaluatedKey"] = last.clone();
            }
            Answer::ok(answer.to_string())
        })
    };
    let (db, _) = ends(vec![index_key(5, 1), index_key(3, 1), index_key(9, 1), index_key(1, 2)]);
    assert!(query().get_all().on(&db).await.unwrap().is_empty());
    for length in [1u64, 2, 3, 10] {
        let (db, _) = positions((0..length).map(|number| index_key(number, 1)).collect());
        refused(query().get_all().on(&db).await, "again and again");
    }
    let (db, _) = positions(vec![index_key(1, 2), index_key(1, 1)]);
    refused(query().get_all().on(&db).await, "goes back");
}

#[tokio::test]
async fn a_position_outside_of_the_query_is_refused() {
    let query = || UserRepo::filter(User::TEAM.eq("a") & User::NUMBER.between(5, 10));
    for last in [
        key("b", 7),
        key("a", 4),
        json!({ "team": { "S": "a" } }),
        json!({}),
        json!({ "team": { "S": "a" }, "number": { "S": "7" } }),
        json!({ "team": { "S": "a" }, "number": { "N": "7" }, "more": { "S": "x" } }),
        json!("a"),
        json!([]),
    ] {
        let (db, requests) = positions(vec![last.clone()]);
        let error = query().get_all().on(&db).await.unwrap_err();
        assert!(matches!(error, Error::Undecodable(_)), "{last}: {error:?}");
        assert_eq!(requests.all().len(), 1, "{last}");
    }
}

#[tokio::test]
async fn numbers_that_no_page_has_are_refused() {
    let item = index_key(1, 1);
    for number in [
        "18446744073709551615",
        "18446744073709551616",
        "99999999999999999999999999",
        "4294967296",
        "-1",
        "1.5",
        "1e30",
        "1e300",
        "\"1\"",
        "null",
        "{}",
        "[]",
        "true",
    ] {
        for member in ["Count", "ScannedCount"] {
            for items in [String::new(), format!(r#""Items":[{item}],"#)] {
                let mut answer = format!(r#"{{{items}"{member}":{number}"#);
                if member == "ScannedCount" {
                    answer.push_str(r#","Count":1"#);
                }
                answer.push('}');
                let (db, _) = canned::database(move |_| Answer::ok(answer.clone()));
                refused(UserRepo::count().on(&db).await, member);
                refused(UserRepo::all().on(&db).await, member);
                refused(UserRepo::by_city("Paris").get_all().on(&db).await, member);
            }
        }
    }
    for answer in [
        json!({ "Items": [item], "Count": 2 }),
        json!({ "Items": [item], "Count": 0 }),
        json!({ "Items": [item], "Count": 1, "ScannedCount": 0 }),
    ] {
        refused(UserRepo::all().on(&page(&answer)).await, "the answer");
    }
    // The largest number of pages with the largest number of items.
    let (db, _) = canned::database(|request| {
        let last = if request.number < 5 { key("a", request.number) } else { Value::Null };
        let count = u32::MAX;
        Answer::ok(json!({ "Count": count, "ScannedCount": count, "LastEvaluatedKey": last }).to_string())
    });
    assert_eq!(UserRepo::count().on(&db).await.unwrap(), 6 * u64::from(u32::MAX));
}

#[tokio::test]
async fn capacity_that_no_request_consumes_is_none() {
    for units in ["1e300", "-1e300", "1e999", "-5", "\"x\"", "null", "[]"] {
        let answer = format!(r#"{{"Items":[],"Count":0,"ConsumedCapacity":{{"CapacityUnits":{units}}}}}"#);
        let (db, _) = canned::database(move |_| Answer::ok(answer.clone()));
        let all = UserRepo::all().on(&db).await.unwrap();
        assert_eq!(all.stats().consumed_capacity, 0.0, "{units}");
    }
}

#[tokio::test(start_paused = true)]
async fn capacity_that_no_request_consumes_does_not_stop_a_paced_batch() {
    let (db, _) = canned::database(|_| {
        Answer::ok(
            r#"{"UnprocessedItems":{},"ConsumedCapacity":[{"TableName":"users","CapacityUnits":1e300}]}"#,
        )
    });
    let users: Vec<User> = (0..200)
        .map(|number| User { team: "a".into(), number, city: "Paris".into(), ..User::default() })
        .collect();
    let start = tokio::time::Instant::now();
    UserRepo::batch_save(users).max_units_per_second(100).on(&db).await.unwrap();
    assert!(start.elapsed() < std::time::Duration::from_secs(10), "{:?}", start.elapsed());
}

#[tokio::test]
async fn items_that_were_not_asked_for_are_refused() {
    let other_team = json!({
        "team": { "S": "b" }, "number": { "N": "7" }, "city": { "S": "Paris" }, "age": { "N": "1" },
    });
    let answer = page(&json!({ "Items": [index_key(7, 1), other_team], "Count": 2 }));
    refused(
        UserRepo::filter(User::TEAM.eq("a")).get_all().on(&answer).await,
        "the `team` of the one with team = b, number = 7 does not meet the condition",
    );
    refused(
        UserRepo::filter(User::TEAM.eq("a")).select(User::AGE).get_all().on(&answer).await,
        "not requested",
    );
    refused(
        UserRepo::filter(User::TEAM.eq("a")).first().on(&page(&json!({ "Items": [other_team] }))).await,
        "`team`",
    );
    refused(
        UserRepo::by_city("Rome").get_all().on(&page(&json!({ "Items": [index_key(7, 1)] }))).await,
        "`city`",
    );
    let without = json!({ "team": { "S": "a" }, "number": { "N": "7" }, "age": { "N": "1" } });
    refused(UserRepo::by_city("Rome").get_all().on(&page(&json!({ "Items": [without] }))).await, "`city`");

    let within = |condition| UserRepo::filter(User::TEAM.eq("a") & condition);
    let seven = page(&json!({ "Items": [index_key(7, 1)], "Count": 1 }));
    for condition in [
        User::NUMBER.eq(8),
        User::NUMBER.lt(7),
        User::NUMBER.gt(7),
        User::NUMBER.le(6),
        User::NUMBER.ge(10),
        User::NUMBER.between(8, 70),
    ] {
        refused(
            within(condition).get_all().on(&seven).await,
            "the `number` of the one with team = a, number = 7",
        );
    }
    for condition in [User::NUMBER.eq(7), User::NUMBER.le(7), User::NUMBER.ge(7), User::NUMBER.between(1, 10)]
    {
        assert_eq!(within(condition).get_all().on(&seven).await.unwrap().len(), 1);
    }
    // The same key in another spelling.
    let respelled =
        r#"{"Items":[{"team":{"S":"\u0061"},"number":{"N":"7.0"},"city":{"S":"x"},"age":{"N":"1"}}]}"#;
    let (db, _) = canned::database(move |_| Answer::ok(respelled));
    assert_eq!(within(User::NUMBER.eq(7)).get_all().on(&db).await.unwrap().len(), 1);
}
