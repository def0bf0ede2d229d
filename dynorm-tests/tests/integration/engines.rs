//! Requests that DynamoDB refuses are refused by every engine of the tests.

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_smithy_types::body::SdkBody;
use dynorm::Database;
use dynorm_tests::{Engine, Quirk, database};
use serde_json::{Map, Value, json};

/// Sends the JSON of a request by the SDK's client, and returns the code and the message of its error.
async fn send(db: &Database, operation: &'static str, body: &Value) -> Result<(), (String, String)> {
    let text = body.to_string();
    let request = db.client().list_tables().customize().mutate_request(move |request| {
        request.headers_mut().insert("content-length", text.len().to_string());
        request.headers_mut().insert("x-amz-target", format!("DynamoDB_20120810.{operation}"));
        *request.body_mut() = SdkBody::from(text.clone());
    });
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let answer = request.send().await;
    answer.map(drop).map_err(|error| (text(error.code()), text(error.message())))
}

const TABLE: &str = "engines";

/// A database with a table whose global index `by_kind` holds the keys only.
async fn table(db: &Database) {
    let attribute = |name: &str| json!({ "AttributeName": name, "AttributeType": "S" });
    let hash = |name: &str| json!({ "AttributeName": name, "KeyType": "HASH" });
    let range = |name: &str| json!({ "AttributeName": name, "KeyType": "RANGE" });
    let create = json!({
        "TableName": TABLE,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [hash("pk"), range("sk")],
        "AttributeDefinitions":
            [attribute("pk"), attribute("sk"), attribute("kind"), attribute("place"), attribute("note")],
        "GlobalSecondaryIndexes": [{
            "IndexName": "by_kind",
            "KeySchema": [hash("kind"), range("place")],
            "Projection": { "ProjectionType": "KEYS_ONLY" },
        }],
        "LocalSecondaryIndexes": [{
            "IndexName": "by_note",
            "KeySchema": [hash("pk"), range("note")],
            "Projection": { "ProjectionType": "KEYS_ONLY" },
        }],
    });
    // On an endpoint, the table of an earlier run.
    drop(send(db, "DeleteTable", &json!({ "TableName": TABLE })).await);
    send(db, "CreateTable", &create).await.unwrap();
}

/// A request of the table, of its item, with members of its own.
fn request(operation: &'static str, members: Value) -> (&'static str, Value) {
    let key = json!({ "pk": { "S": "a" }, "sk": { "S": "b" } });
    let mut body = Map::from_iter([("TableName".to_owned(), json!(TABLE))]);
    match operation {
        "PutItem" => drop(body.insert("Item".into(), key)),
        "UpdateItem" => drop(body.insert("Key".into(), key)),
        _ => {}
    }
    let Value::Object(members) = members else { panic!("an object") };
    body.extend(members);
    (operation, body.into())
}

fn filter(text: &str, values: &Value) -> (&'static str, Value) {
    request("Scan", json!({ "FilterExpression": text, "ExpressionAttributeValues": values }))
}

fn condition(text: &str, values: &Value) -> (&'static str, Value) {
    request("PutItem", json!({ "ConditionExpression": text, "ExpressionAttributeValues": values }))
}

fn put(name: &str, value: impl Into<Value>) -> (&'static str, Value) {
    let value: Value = value.into();
    request("PutItem", json!({ "Item": { "pk": { "S": "a" }, "sk": { "S": "b" }, name: value } }))
}

fn set(name: &str, value: impl Into<Value>) -> (&'static str, Value) {
    let value: Value = value.into();
    let update = format!("SET {name} = :v");
    let values = json!({ ":v": value });
    request("UpdateItem", json!({ "UpdateExpression": update, "ExpressionAttributeValues": values }))
}

fn in_batch((_, put): (&str, Value)) -> (&'static str, Value) {
    let put = json!({ "PutRequest": { "Item": put["Item"] } });
    ("BatchWriteItem", json!({ "RequestItems": { TABLE: [put] } }))
}

fn in_transaction(action: &str, (_, write): (&str, Value)) -> (&'static str, Value) {
    ("TransactWriteItems", json!({ "TransactItems": [{ action: write }] }))
}

fn text(bytes: usize) -> Value {
    json!({ "S": "x".repeat(bytes) })
}

fn in_operands(count: usize) -> (String, Value) {
    let names: Vec<_> = (0..count).map(|number| format!(":v{number}")).collect();
    let values: Map<_, _> = names.iter().map(|name| (name.clone(), text(1))).collect();
    (format!("title IN ({})", names.join(", ")), values.into())
}

#[tokio::test]
async fn what_dynamodb_refuses_is_refused() {
    let db = database();
    table(&db).await;
    let one = json!({ ":v": { "S": "x" } });
    let values = |value: Value| json!({ ":v": value });
    let range = |low: Value, high: Value| json!({ ":low": low, ":high": high });
    let between = "title BETWEEN :low AND :high";
    let (in_101, of_101) = in_operands(101);
    let many = vec!["a=:v"; 152].join(" OR ");
    let (too_many, in_size) =
        ("too many operators; operator count: 301", "One or more parameter values were");
    let query = |members: Value| {
        let (_, mut body) = request("Query", members);
        body["IndexName"] = json!("by_kind");
        body["KeyConditionExpression"] = json!("kind = :v");
        body["ExpressionAttributeValues"] = one.clone();
        ("Query", body)
    };
    let scan = |members: Value| request("Scan", members);
    let placeholder = json!({ "#t": "title" });
    let mut cases = vec![
        ("does not project [title]", query(json!({ "ProjectionExpression": "pk, title" }))),
        (
            "does not project [title]",
            scan(json!({ "IndexName": "by_kind", "ProjectionExpression": "#t.x[0]",
            "ExpressionAttributeNames": placeholder })),
        ),
        ("one or more filter attributes: [title]", query(json!({ "FilterExpression": "title = :v" }))),
        ("Select type ALL_ATTRIBUTES is not supported", query(json!({ "Select": "ALL_ATTRIBUTES" }))),
        ("Consistent reads are not supported", query(json!({ "ConsistentRead": true }))),
        ("number of operands: 101", filter(&in_101, &of_101)),
        ("number of operands: 101", condition(&in_101, &of_101)),
        (too_many, filter(&many, &one)),
        (too_many, condition(&many, &one)),
        (
            too_many,
            in_transaction(
                "ConditionCheck",
                request(
                    "UpdateItem",
                    json!({
            "ConditionExpression": many, "ExpressionAttributeValues": one }),
                ),
            ),
        ),
        (too_many, filter(&vec!["size(a)=:v"; 151].join(" OR "), &one)),
        (too_many, filter(&format!("{} a = :v", "NOT ".repeat(301)), &one)),
        ("Invalid FilterExpression", filter(&"(".repeat(4000), &one)),
        ("maximum allowed size", filter(&format!("a = :v{}", " ".repeat(4096)), &one)),
        ("redundant parentheses", filter("((a = :v))", &one)),
        ("redundant parentheses", condition("((a = :v))", &one)),
        ("valid types", filter("attribute_type(a, :v)", &one)),
        (
            "function: attribute_type, operand type: N",
            filter("attribute_type(a, :v)", &values(json!({ "N": "1" }))),
        ),
        ("upper bound to be greater", filter(between, &range(json!({ "S": "b" }), json!({ "S": "a" })))),
        ("upper bound to be greater", filter(between, &range(json!({ "N": "10" }), json!({ "N": "9" })))),
        ("requires same data type", filter(between, &range(json!({ "N": "1" }), json!({ "S": "2" })))),
        ("BETWEEN, operand type: BOOL", filter("a BETWEEN :v AND b", &values(json!({ "BOOL": true })))),
        ("unused in expressions: keys: {:w}", filter("a = :v", &json!({ ":v": text(1), ":w": text(1) }))),
        (
            "unused in expressions: keys: {#t}",
            scan(json!({ "FilterExpression": "attribute_exists(a)",
            "ExpressionAttributeNames": placeholder })),
        ),
        (in_size, put("kind", text(2049))),
        (in_size, put("place", text(1025))),
        (in_size, put("note", text(1025))),
        (in_size, in_batch(put("note", text(1025)))),
        (in_size, in_transaction("Put", put("kind", text(2049)))),
        ("empty string value", put("kind", text(0))),
        ("empty string value", put("note", text(0))),
        ("empty string value", set("kind", text(0))),
        ("Type mismatch for Index Key", put("kind", json!({ "N": "1" }))),
        ("Item size has exceeded", put("text", text(400 * 1024))),
        ("Item size", set("body", text(400 * 1024))),
    ];
    let unordered = [
        ("BOOL", json!(true)),
        ("NULL", json!(true)),
        ("L", json!([])),
        ("M", json!({})),
        ("SS", json!(["a"])),
        ("NS", json!(["1"])),
        ("BS", json!(["AA=="])),
    ];
    for (kind, value) in unordered {
        for text in ["a < :v", "a <= :v", "a > :v", "a >= :v", "NOT (:v < a)"] {
            cases.push(("Incorrect operand type", filter(text, &values(json!({ kind: value })))));
        }
    }
    for (expected, (operation, body)) in cases {
        let (code, message) = send(&db, operation, &body).await.expect_err(expected);
        assert_eq!(code, "ValidationException", "{expected}: {message}");
        assert!(message.contains(expected), "{expected}: {message}");
    }
    // DynamoDB Local accepts some of these, which depends on whether the item exists.
    if Engine::of_this_run().has(Quirk::LongIndexKeysInUpdates) {
        return;
    }
    let (operation, item) = put("title", text(1));
    send(&db, operation, &item).await.unwrap();
    for (operation, body) in [set("note", text(1025)), in_transaction("Update", set("kind", text(2049)))] {
        let (code, message) = send(&db, operation, &body).await.expect_err("a long index key");
        assert!(
            message.contains("size limit") || message.contains("ize limit exceeded"),
            "{code}: {message}"
        );
    }
}

#[tokio::test]
async fn what_is_within_the_limits_is_accepted() {
    let db = database();
    let db = &db;
    let one = json!({ ":v": { "S": "x" } });
    let (in_100, of_100) = in_operands(100);
    let range = json!({ ":low": { "N": "9" }, ":high": { "N": "10" } });
    // Another table than that of the other test, which may run at the same time on the same endpoint.
    let other = format!("engines-{}", ulid::Ulid::generate());
    let create = json!({
        "TableName": other,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [
            { "AttributeName": "pk", "KeyType": "HASH" },
            { "AttributeName": "sk", "KeyType": "RANGE" },
        ],
        "AttributeDefinitions": [
            { "AttributeName": "pk", "AttributeType": "S" },
            { "AttributeName": "sk", "AttributeType": "S" },
            { "AttributeName": "note", "AttributeType": "S" },
        ],
        "LocalSecondaryIndexes": [{
            "IndexName": "by_note",
            "KeySchema": [
                { "AttributeName": "pk", "KeyType": "HASH" },
                { "AttributeName": "note", "KeyType": "RANGE" },
            ],
            "Projection": { "ProjectionType": "KEYS_ONLY" },
        }],
    });
    send(db, "CreateTable", &create).await.unwrap();
    for (operation, mut body) in [
        put("note", text(1024)),
        put("title", text(5000)),
        set("title", text(5000)),
        filter(&in_100, &of_100),
        filter(&vec!["a=:v"; 150].join(" OR "), &one),
        filter(&format!("{} a = :v", "NOT ".repeat(299)), &one),
        filter("a BETWEEN :low AND :high", &range),
        filter("attribute_type(a, :v)", &json!({ ":v": { "S": "BOOL" } })),
        // A local index reads the rest from the table.
        request("Scan", json!({ "IndexName": "by_note", "ProjectionExpression": "pk, title" })),
    ] {
        body["TableName"] = json!(other);
        let answer = send(db, operation, &body).await;
        assert!(answer.is_ok(), "{operation} {body}: {answer:?}");
    }
}
