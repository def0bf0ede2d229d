//! Stored items on a real engine: the SDK reads the same items that dynorm saves, and the other way round,
//! for all types of attributes up to DynamoDB's limits.

use std::collections::HashMap;
use std::fmt::Debug;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use dynorm::Attribute;
use dynorm::Repository;
use dynorm::prelude::*;
use dynorm_tests::database;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, TestRunner};

#[allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    reason = "shared with the properties, which use more of it"
)]
#[path = "../properties/sample.rs"]
mod sample;

use sample::*;

type AnItem = HashMap<String, AttributeValue>;

async fn sdk_get(client: &Client, table: &str, pk: &str) -> anyhow::Result<AnItem> {
    let key = AttributeValue::S(pk.to_owned());
    let answer = client.get_item().table_name(table).key("pk", key).consistent_read(true).send().await?;
    answer.item.ok_or_else(|| anyhow::anyhow!("there is no item with pk = {pk:?}"))
}

async fn sdk_put(client: &Client, table: &str, item: AnItem) -> anyhow::Result<()> {
    client.put_item().table_name(table).set_item(Some(item)).send().await?;
    Ok(())
}

/// A normal form, since the engine chooses the order of sets and the spelling of numbers.
fn normal(item: AnItem) -> AnItem {
    item.into_iter().map(|(name, value)| (name, normal_value(value))).collect()
}

fn normal_value(value: AttributeValue) -> AttributeValue {
    match value {
        AttributeValue::N(text) => AttributeValue::N(normal_number(&text)),
        AttributeValue::Ss(mut set) => {
            set.sort_unstable();
            AttributeValue::Ss(set)
        }
        AttributeValue::Ns(set) => {
            let mut set: Vec<String> = set.iter().map(|text| normal_number(text)).collect();
            set.sort_unstable();
            AttributeValue::Ns(set)
        }
        AttributeValue::Bs(mut set) => {
            set.sort_unstable_by(|left, right| left.as_ref().cmp(right.as_ref()));
            AttributeValue::Bs(set)
        }
        AttributeValue::L(items) => AttributeValue::L(items.into_iter().map(normal_value).collect()),
        AttributeValue::M(entries) => AttributeValue::M(normal(entries)),
        other => other,
    }
}

/// The significant digits, and the power of ten of the last one.
fn normal_number(text: &str) -> String {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("-", whole));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_end_matches('0');
    let zeros = digits.len() - significant.len();
    let last = exponent.parse::<i64>().unwrap_or_default() - fraction.len() as i64 + zeros as i64;
    let significant = significant.trim_start_matches('0');
    if significant.is_empty() { "0".to_owned() } else { format!("{sign}{significant}e{last}") }
}

/// Both directions, for some entities.
async fn agrees<R: Repository>(db: &Database, cases: u32) -> anyhow::Result<()>
where
    R::Entity: Entity<Key = String> + Sampled + PartialEq + Debug,
{
    db.create_table::<R::Entity>().await?;
    let table = db.table_name::<R::Entity>();
    let mut runner = TestRunner::new(Config::default());
    for _ in 0..cases {
        let tree = R::Entity::any().new_tree(&mut runner).map_err(|reason| anyhow::anyhow!("{reason}"))?;
        let entity = tree.current();
        let key = entity.entity_key();
        let item = dynorm::to_item(&entity)?;

        R::save(&entity).on(db).await?;
        assert_eq!(R::get(key.clone()).consistent().on(db).await?, entity);
        assert_eq!(normal(sdk_get(db.client(), &table, &key).await?), normal(item.clone()), "{entity:?}");

        R::delete(&entity).on(db).await?;
        sdk_put(db.client(), &table, item).await?;
        assert_eq!(R::get(key).consistent().on(db).await?, entity);
        assert_eq!(R::batch_get([entity.entity_key()]).consistent().on(db).await?, vec![entity]);
    }
    Ok(())
}

#[tokio::test]
async fn what_one_writes_the_other_reads() -> anyhow::Result<()> {
    let db = database();
    agrees::<TextItemRepo>(&db, 12).await?;
    agrees::<UnsignedItemRepo>(&db, 12).await?;
    agrees::<SignedItemRepo>(&db, 12).await?;
    agrees::<FloatItemRepo>(&db, 24).await?;
    agrees::<ByteItemRepo>(&db, 12).await?;
    agrees::<ListItemRepo>(&db, 12).await?;
    agrees::<SetItemRepo>(&db, 12).await?;
    agrees::<MapItemRepo>(&db, 12).await?;
    agrees::<OptionItemRepo>(&db, 12).await?;
    agrees::<TimeItemRepo>(&db, 12).await?;
    agrees::<IdItemRepo>(&db, 12).await?;
    agrees::<SpecialItemRepo>(&db, 24).await?;
    agrees::<SampleRepo>(&db, 6).await
}

#[derive(Entity, Clone, Debug, PartialEq)]
struct Edge {
    #[entity(partition)]
    pk: String,
    json: serde_json::Value,
}

fn nested(levels: usize) -> serde_json::Value {
    (0..levels).fold(serde_json::json!(1), |inner, _| serde_json::json!([inner]))
}

/// dynorm's limits are exactly those of the engine.
#[tokio::test]
async fn what_dynorm_refuses_the_engine_refuses_and_nothing_less() -> anyhow::Result<()> {
    let db = database();
    db.create_table::<Edge>().await?;
    let table = db.table_name::<Edge>();
    let taken_by_sdk = async |value: AttributeValue| {
        let pk = AttributeValue::S("k".to_owned());
        let item = HashMap::from([("pk".to_owned(), pk), ("json".to_owned(), value)]);
        sdk_put(db.client(), &table, item).await.is_ok()
    };
    let edge = |json| Edge { pk: "k".to_owned(), json };

    let deepest = edge(nested(31));
    EdgeRepo::save(&deepest).on(&db).await?;
    assert_eq!(EdgeRepo::get("k").on(&db).await?, deepest);
    assert!(dynorm::to_item(&edge(nested(32))).is_err());
    let too_deep = (0..32).fold(AttributeValue::Bool(true), |inner, _| AttributeValue::L(vec![inner]));
    assert!(!taken_by_sdk(too_deep).await);

    assert!(dynorm::to_item(&edge(serde_json::json!({ "": 1 }))).is_err());
    let nameless = HashMap::from([(String::new(), AttributeValue::Bool(true))]);
    assert!(!taken_by_sdk(AttributeValue::M(nameless)).await);

    for (number, taken) in [
        ("9.9999999999999999999999999999999999999E+125", true),
        ("1E-130", true),
        ("-1E-130", true),
        ("99999999999999999999999999999999999999", true),
        ("340282366920938463463374607431768211450", true),
        ("340282366920938463463374607431768211455", false),
        ("1E+126", false),
        ("9.9E-131", false),
        ("0.1234567890123456789012345678901234567", true),
        ("0.123456789012345678901234567890123456789", false),
    ] {
        assert_eq!(taken_by_sdk(AttributeValue::N(number.to_owned())).await, taken, "{number}");
        let item = HashMap::from([
            ("pk".to_owned(), AttributeValue::S(number.to_owned())),
            ("number".to_owned(), AttributeValue::N(number.to_owned())),
        ]);
        // Reading the text accepts anything; writing it is what is checked.
        let written = dynorm::from_item::<Number>(&item).and_then(|number| dynorm::to_item(&number));
        assert_eq!(written.is_ok(), taken, "{number}");
    }
    Ok(())
}

/// A number that is written as it was read.
#[derive(Clone, Debug, PartialEq)]
struct Digits(String);

impl Attribute for Digits {
    type Base = Self;
    type Shape = dynorm::attribute::shape::Number;

    fn encode(&self, encoder: &mut dynorm::attribute::Encoder) -> Result<(), dynorm::attribute::ValueError> {
        encoder.number(&self.0)
    }

    fn decode(value: dynorm::attribute::Value<'_>) -> Result<Self, dynorm::attribute::ValueError> {
        value.as_number().map(|digits| Self(digits.to_owned()))
    }
}

#[derive(Entity, Clone, Debug, PartialEq)]
struct Number {
    #[entity(partition)]
    pk: String,
    number: Digits,
}

#[derive(Entity, Clone, Debug, PartialEq)]
struct Large {
    #[entity(partition)]
    pk: String,
    numbers: Vec<i64>,
    text: String,
}

/// The size of an item is exactly the engine's.
#[tokio::test]
async fn an_item_of_400_kb_is_stored_and_one_byte_more_is_not() -> anyhow::Result<()> {
    let db = database();
    db.create_table::<Large>().await?;
    let large = |length: usize| Large {
        pk: "k".to_owned(),
        numbers: vec![0, 1, -1, 12, 123, -123, 100_000, -120_000, i64::MAX, i64::MIN],
        text: "é".repeat(length / 2) + &"x".repeat(length % 2),
    };
    // The longest string that dynorm accepts.
    let (mut fits, mut too_long) = (400_000usize, 409_600usize);
    while fits + 1 < too_long {
        let middle = fits.midpoint(too_long);
        if dynorm::to_item(&large(middle)).is_ok() { fits = middle } else { too_long = middle }
    }
    LargeRepo::save(large(fits)).on(&db).await?;
    assert_eq!(LargeRepo::get("k").on(&db).await?, large(fits));
    assert!(LargeRepo::save(large(too_long)).on(&db).await.is_err());
    let mut item = dynorm::to_item(&large(fits))?;
    item.insert("text".to_owned(), AttributeValue::S(large(too_long).text));
    assert!(sdk_put(db.client(), &db.table_name::<Large>(), item).await.is_err());
    Ok(())
}

/// Empty strings and bytes, also in a set. (Other tests have them elsewhere.)
#[tokio::test]
async fn empty_values_are_values() -> anyhow::Result<()> {
    let db = database();
    db.create_table::<SetItem>().await?;
    let tree = SetItem::any().new_tree(&mut TestRunner::deterministic());
    let sets = tree.map_err(|reason| anyhow::anyhow!("{reason}"))?.current();
    let sets = SetItem { texts: [String::new()].into(), binaries: [vec![]].into(), ..sets };
    SetItemRepo::save(&sets).on(&db).await?;
    assert_eq!(SetItemRepo::get(&sets.pk).on(&db).await?, sets);
    Ok(())
}
