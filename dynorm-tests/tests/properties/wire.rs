//! The bytes that the codec writes, in a request of the SDK.

use std::collections::{BTreeMap, BTreeSet};

use dynorm::prelude::*;
use dynorm_tests::canned::{self, Answer};

use crate::run;

#[derive(Entity, Clone, Debug, PartialEq)]
#[entity(table = "products")]
struct Product {
    // Not in alphabetical order, and in no hash map's order either.
    #[entity(partition)]
    sku: String,
    price: f64,
    #[entity(rename = "a \"quoted\\name\"")]
    name: String,
    stock: i64,
    tags: BTreeSet<String>,
    sizes: Vec<u32>,
    picture: Vec<u8>,
    sold_out: bool,
    titles: BTreeMap<String, Option<String>>,
    maker: Option<Maker>,
    #[entity(rename = "aaa")]
    last: Option<u8>,
}

#[derive(Attribute, Clone, Debug, PartialEq)]
struct Maker {
    name: String,
    founded: Option<u16>,
}

fn product() -> Product {
    Product {
        sku: "tea/1".to_owned(),
        price: 12.50,
        name: "Tea, \"green\" \\ \n\u{1} 🍵 \u{2028}".to_owned(),
        stock: -3,
        tags: BTreeSet::from(["hot".to_owned(), "new".to_owned()]),
        sizes: vec![1, 20],
        picture: vec![0, 255, 16],
        sold_out: false,
        titles: BTreeMap::from([("de".to_owned(), Some("Tee".to_owned())), ("fr".to_owned(), None)]),
        maker: Some(Maker { name: String::new(), founded: None }),
        last: None,
    }
}

const ITEM: &str = concat!(
    r#"{"sku":{"S":"tea/1"},"price":{"N":"12.5"},"a \"quoted\\name\"":{"S":"Tea, \"green\" \\ \n\u0001 🍵 "#,
    "\u{2028}",
    r#""},"stock":{"N":"-3"},"tags":{"SS":["hot","new"]},"sizes":{"L":[{"N":"1"},{"N":"20"}]},"picture":{"B":"AP8Q"},"#,
    r#""sold_out":{"BOOL":false},"titles":{"M":{"de":{"S":"Tee"},"fr":{"NULL":true}}},"maker":{"M":{"name":{"S":""}}}}"#
);

/// A map of attribute values would lose the order of the fields, and the SDK's serializer spells numbers,
/// names and strings in its own way.
#[test]
fn a_put_carries_the_bytes_of_the_codec_and_nothing_else() {
    let (db, requests) = canned::database(|_| Answer::ok("{}"));
    run(async { ProductRepo::save(product()).on(&db).await }).unwrap();
    let [request] = &requests.all()[..] else { panic!("{requests:?}") };
    assert_eq!(request.text(), format!(r#"{{"TableName":"products","Item":{ITEM}}}"#));
}

#[test]
fn the_other_operations_carry_them_too() {
    let answer = r#"{"UnprocessedItems":{},"Responses":{"products":[]},"Items":[]}"#;
    let (db, requests) = canned::database(move |_| Answer::ok(answer));
    run(async {
        ProductRepo::find("tea/1").consistent().on(&db).await.unwrap();
        ProductRepo::delete_by_id("tea/1").on(&db).await.unwrap();
        ProductRepo::batch_save([product()]).on(&db).await.unwrap();
        ProductRepo::batch_get(["tea/1", "\u{1}"]).on(&db).await.unwrap();
        ProductRepo::batch_delete(["tea/1"]).on(&db).await.unwrap();
        ProductRepo::all().on(&db).await.unwrap();
    });
    let texts: Vec<(String, String)> = requests
        .all()
        .into_iter()
        .map(|request| (request.target.clone(), request.text().into_owned()))
        .collect();
    let expected = [
        (
            "GetItem",
            r#"{"TableName":"products","Key":{"sku":{"S":"tea/1"}},"ConsistentRead":true}"#.to_owned(),
        ),
        (
            "DeleteItem",
            r#"{"TableName":"products","Key":{"sku":{"S":"tea/1"}},"ReturnValues":"NONE"}"#.to_owned(),
        ),
        (
            "BatchWriteItem",
            format!(r#"{{"RequestItems":{{"products":[{{"PutRequest":{{"Item":{ITEM}}}}}]}},"ReturnConsumedCapacity":"TOTAL"}}"#),
        ),
        (
            "BatchGetItem",
            r#"{"RequestItems":{"products":{"Keys":[{"sku":{"S":"tea/1"}},{"sku":{"S":"\u0001"}}]}},"ReturnConsumedCapacity":"TOTAL"}"#
                .to_owned(),
        ),
        (
            "BatchWriteItem",
            r#"{"RequestItems":{"products":[{"DeleteRequest":{"Key":{"sku":{"S":"tea/1"}}}}]},"ReturnConsumedCapacity":"TOTAL"}"#
                .to_owned(),
        ),
        ("Scan", r#"{"TableName":"products","ReturnConsumedCapacity":"TOTAL"}"#.to_owned()),
    ];
    let expected: Vec<(String, String)> =
        expected.into_iter().map(|(target, text)| (target.to_owned(), text)).collect();
    assert_eq!(texts, expected);
}

#[test]
fn a_request_is_signed_and_says_what_it_is() {
    let (db, requests) = canned::database(|_| Answer::ok("{}"));
    run(async { ProductRepo::save(product()).on(&db).await }).unwrap();
    let request = requests.all().remove(0);
    assert_eq!(request.header("content-type"), Some("application/x-amz-json-1.0"));
    assert_eq!(request.header("x-amz-target"), Some("DynamoDB_20120810.PutItem"));
    assert_eq!(request.header("content-length"), Some(request.bytes.len().to_string().as_str()));
    assert!(request.header("x-amz-date").is_some());
    let authorization = request.header("authorization").unwrap();
    assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKIDCANNED/"), "{authorization}");
    assert!(authorization.contains("/us-east-1/dynamodb/aws4_request"), "{authorization}");
    assert!(
        authorization.contains("x-amz-target") && authorization.contains("Signature="),
        "{authorization}"
    );
}
