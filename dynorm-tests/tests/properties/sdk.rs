//! The SDK's reader reads the same item from the codec's bytes, and the other way round.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_types::Blob;
use dynorm::Repository;
use dynorm::prelude::*;
use dynorm_tests::canned::Requests;
use proptest::prelude::*;

use crate::edges::some;
use crate::roundtrip::{echo, item_of};
use crate::sample::*;
use crate::{cases, run};

type Item = HashMap<String, AttributeValue>;

/// Reads the item of `client` by the SDK.
async fn read_by_sdk(client: &Client) -> Item {
    let key = AttributeValue::S("any".to_owned());
    client.get_item().table_name("any").key("pk", key).send().await.unwrap().item.unwrap_or_default()
}

/// Sorts sets, which have no order.
fn sorted(item: Item) -> Item {
    fn sort(value: AttributeValue) -> AttributeValue {
        match value {
            AttributeValue::Ss(mut set) => {
                set.sort_unstable();
                AttributeValue::Ss(set)
            }
            AttributeValue::Ns(mut set) => {
                set.sort_unstable();
                AttributeValue::Ns(set)
            }
            AttributeValue::Bs(mut set) => {
                set.sort_unstable_by(|left, right| left.as_ref().cmp(right.as_ref()));
                AttributeValue::Bs(set)
            }
            AttributeValue::L(items) => AttributeValue::L(items.into_iter().map(sort).collect()),
            AttributeValue::M(entries) => AttributeValue::M(sorted(entries)),
            other => other,
        }
    }
    item.into_iter().map(|(name, value)| (name, sort(value))).collect()
}

/// The SDK's deserializer reads dynorm's bytes as the item that `to_item` returns, and dynorm reads the SDK's
/// bytes for that item as the same entity.
fn agrees<R: Repository>(count: u32)
where
    R::Entity: Entity<Key = String> + Sampled + PartialEq + std::fmt::Debug,
{
    let (db, requests): (Database, Requests) = echo();
    proptest!(cases(count), |(entity in R::Entity::any())| {
        let item = dynorm::to_item(&entity).unwrap();
        let (read, back) = run(async {
            R::save(&entity).on(&db).await.unwrap();
            let read = read_by_sdk(db.client()).await;
            let put = db.client().put_item().table_name("any").set_item(Some(item.clone()));
            put.send().await.unwrap();
            (read, R::get(entity.entity_key()).on(&db).await)
        });
        prop_assert_eq!(sorted(read), sorted(item));
        prop_assert_eq!(&back.unwrap(), &entity);
        // Another JSON parser accepts both.
        for request in requests.of("PutItem") {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&item_of(&request.text())).is_ok());
        }
        requests.clear();
    });
}

macro_rules! agree {
    ($($name:ident: $repository:ident, $cases:literal;)*) => {$(
        #[test]
        fn $name() {
            agrees::<$repository>($cases);
        }
    )*};
}

agree! {
    texts: TextItemRepo, 150;
    floats: FloatItemRepo, 100;
    bytes: ByteItemRepo, 100;
    sets: SetItemRepo, 100;
    maps: MapItemRepo, 100;
    special: SpecialItemRepo, 150;
    all_of_them_nested: SampleRepo, 30;
}

/// Checked against DynamoDB's types, not against dynorm's own reader.
#[test]
fn every_type_is_what_dynamodb_calls_it() {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let number = |digits: &str| AttributeValue::N(digits.to_owned());
    let bytes = |bytes: &[u8]| AttributeValue::B(Blob::new(bytes));
    let list = AttributeValue::L;
    let map = |entries: &[(&str, AttributeValue)]| {
        AttributeValue::M(
            entries
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect::<HashMap<_, _>>(),
        )
    };
    let null = AttributeValue::Null(true);

    let ulid = dynorm::ulid::Ulid::from(0x0190_0000_0000_0000_0000_0000_0000_0001_u128);
    let address = Address {
        city: "Paris".into(),
        zip: None,
        lines: vec!["1\"".into()],
        floor: -1,
        tags: ["x".to_owned()].into(),
    };
    let address_item = map(&[
        ("city", text("Paris")),
        ("lines", list(vec![text("1\"")])),
        ("floor", number("-1")),
        ("tags", AttributeValue::Ss(vec!["x".into()])),
    ]);

    let check = |item: Item, expected: &[(&str, AttributeValue)]| {
        for (name, value) in expected {
            assert_eq!(item.get(*name), Some(value), "{name}");
        }
    };
    // Read by the SDK from dynorm's bytes.
    fn seen<R: Repository>(entity: &R::Entity) -> Item {
        let (db, _) = echo();
        run(async {
            R::save(entity).on(&db).await.unwrap();
            read_by_sdk(db.client()).await
        })
    }

    check(
        seen::<TextItemRepo>(&TextItem {
            string: "a\u{1}\"\\é🦀\u{2028}".into(),
            character: '\u{0}',
            truth: true,
            choice: Choice::SecondOne,
            email: Email("a@b.c".into()),
            renamed: "r".into(),
            surrogate: "\\ud800".into(),
            ..some()
        }),
        &[
            ("string", text("a\u{1}\"\\é🦀\u{2028}")),
            ("character", text("\u{0}")),
            ("truth", AttributeValue::Bool(true)),
            ("choice", text("second_one")),
            ("email", text("a@b.c")),
            ("with \"quotes\", a \\, dots. and #, spaces and 🦀\n", text("r")),
            ("\\ud800", text("\\ud800")),
        ],
    );
    check(
        seen::<FloatItemRepo>(&FloatItem {
            single: 0.1,
            double: 1e21,
            zero: -0.0,
            decimal: "12.500".parse().unwrap(),
            ..some()
        }),
        &[
            ("single", number("0.1")),
            ("double", number("1e+21")),
            ("zero", number("0")),
            ("largest", number("9.99999999999998e+125")),
            ("smallest", number("-1e-130")),
            ("decimal", number("12.5")),
        ],
    );
    check(
        seen::<UnsignedItemRepo>(&some()),
        &[
            ("largest", number("18446744073709551615")),
            ("widest", number(&"9".repeat(38))),
            ("rounded", number("340282366920938463463374607431768211450")),
        ],
    );
    check(
        seen::<ByteItemRepo>(&ByteItem {
            bytes: vec![0, 255],
            fixed: [1, 2, 3, 4],
            many: vec![vec![], vec![9]],
            ..some()
        }),
        &[
            ("bytes", bytes(&[0, 255])),
            ("fixed", bytes(&[1, 2, 3, 4])),
            ("many", list(vec![bytes(&[]), bytes(&[9])])),
            ("none", bytes(&[])),
        ],
    );
    check(
        seen::<ListItemRepo>(&ListItem {
            options: vec![None, Some(String::new())],
            sets: vec![[].into(), ["a".to_owned(), "b".to_owned()].into()],
            structs: vec![address.clone()],
            variants: vec![Tagged::Unit, Tagged::Newtype("n".into()), Tagged::Maybe(None)],
            wrapped: vec![Wrapped(None), Wrapped(Some(1))],
            ..some()
        }),
        &[
            ("options", list(vec![null.clone(), text("")])),
            ("sets", list(vec![null.clone(), AttributeValue::Ss(vec!["a".into(), "b".into()])])),
            ("structs", list(vec![address_item.clone()])),
            (
                "variants",
                list(vec![
                    map(&[("a \"kind\"", text("unit"))]),
                    map(&[("a \"kind\"", text("new\\type")), ("value", text("n"))]),
                    map(&[("a \"kind\"", text("maybe"))]),
                ]),
            ),
            ("wrapped", list(vec![null.clone(), number("1")])),
        ],
    );
    check(
        seen::<SetItemRepo>(&SetItem {
            numbers: [-1].into(),
            binaries: [vec![], vec![1]].into(),
            bytes: [7].into(),
            choices: [Choice::Third].into(),
            texts: [String::new()].into(),
            ..some()
        }),
        &[
            ("numbers", AttributeValue::Ns(vec!["-1".into()])),
            ("binaries", AttributeValue::Bs(vec![Blob::new([]), Blob::new([1])])),
            ("bytes", AttributeValue::Ns(vec!["7".into()])),
            ("choices", AttributeValue::Ss(vec!["the \"third\" \\ 🦀".into()])),
            ("texts", AttributeValue::Ss(vec![String::new()])),
        ],
    );
    check(
        seen::<MapItemRepo>(&MapItem {
            by_choice: [(Choice::First, "f".to_owned())].into(),
            by_character: [('"', true)].into(),
            options: [("n".to_owned(), None)].into(),
            ..some()
        }),
        &[
            ("by_choice", map(&[("first", text("f"))])),
            ("by_character", map(&[("\"", AttributeValue::Bool(true))])),
            ("options", map(&[("n", null)])),
        ],
    );
    check(
        seen::<TimeItemRepo>(&TimeItem {
            timestamp: "2026-03-01T13:30:00.1234567+01:00".parse().unwrap(),
            moment: time::macros::datetime!(2026-03-01 13:30 +1),
            date: time::macros::date!(0007 - 01 - 02),
            duration: time::Duration::milliseconds(-1500),
            std_duration: std::time::Duration::from_nanos(1),
            chrono_moment: "2026-03-01T12:30:00Z".parse().unwrap(),
            chrono_naive: "2026-03-01T12:30:00.5".parse().unwrap(),
            chrono_date: "0007-01-02".parse().unwrap(),
            ..some()
        }),
        &[
            ("timestamp", text("2026-03-01T12:30:00.123456Z")),
            ("moment", text("2026-03-01T12:30:00.000000000Z")),
            ("date", text("0007-01-02")),
            ("duration", number("-1.5")),
            ("std_duration", number("0.000000001")),
            ("chrono_moment", text("2026-03-01T12:30:00.000000000Z")),
            ("chrono_naive", text("2026-03-01T12:30:00.500000000")),
            ("chrono_date", text("0007-01-02")),
        ],
    );
    check(
        seen::<IdItemRepo>(&IdItem { id: ulid.into(), ulid, uuid: uuid::Uuid::from_u128(0xab), ..some() }),
        &[
            ("id", text("01J0000000000000000000000001")),
            ("ulid", text(&ulid.to_string())),
            ("uuid", text("00000000-0000-0000-0000-0000000000ab")),
        ][1..],
    );
    check(
        seen::<SpecialItemRepo>(&SpecialItem {
            boxed: Box::new(address),
            json: serde_json::json!({ "a": [1, 1.5, null, true, "t", {}] }),
            with: std::net::IpAddr::from([127, 0, 0, 1]),
            maybe_serde: Some((1, "t".to_owned())),
            extra: [("x\\".to_owned(), serde_json::json!(["e"]))].into(),
            ..some()
        }),
        &[
            ("boxed", address_item),
            (
                "json",
                map(&[(
                    "a",
                    list(vec![
                        number("1"),
                        number("1.5"),
                        AttributeValue::Null(true),
                        AttributeValue::Bool(true),
                        text("t"),
                        map(&[]),
                    ]),
                )]),
            ),
            ("with", text("127.0.0.1")),
            ("maybe_serde", list(vec![number("1"), text("t")])),
            ("x\\", list(vec![text("e")])),
        ],
    );
}
