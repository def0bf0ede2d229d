//! Keys and indexes with templates.

use std::collections::BTreeMap;

use dynorm::prelude::*;
use dynorm::{Condition, Query};
use dynorm_tests::database;
use fastrand::Rng;

use super::{
    Both, KINDS, Kind, Order, Plans, Sample, TEXTS, assert_met, both, by, cases, compare, compound, text,
    word,
};

#[derive(Entity, Clone, Debug, PartialEq)]
#[entity(table = "docs", partition = "T#{tenant}", sort = "{level:03}#{at}#{note}")]
#[entity(index("by_kind", partition = "K|{kind}", sort = "{at}|{count:05}", keys_only))]
#[entity(index("by_tag", partition = "{tag}", sort = "N#{name}", include = [count]))]
#[entity(index("by_flag", partition = "{flag}~{tag}", sort = "{count:05}"))]
struct Doc {
    tenant: String,
    level: u8,
    at: Timestamp,
    note: String,
    kind: Kind,
    count: u32,
    tag: Option<String>,
    name: String,
    flag: bool,
    #[entity(index("by_owner", include = [flag, name]))]
    owner: Option<String>,
    #[entity(index("by_owner", sort))]
    made: Option<Timestamp>,
    #[entity(lsi("by_weight", keys_only))]
    weight: i32,
}

/// An entity among the others in the table and the index.
#[derive(Entity, Clone, Debug, PartialEq)]
#[entity(table = "docs", partition = "T#{tenant}", sort = "{level:03}#{at}~{note}")]
#[entity(index("by_kind", partition = "K|{kind}", sort = "{at}|{count:06}", keys_only))]
struct Other {
    tenant: String,
    level: u8,
    at: Timestamp,
    note: String,
    kind: Kind,
    count: u32,
}

/// Both microseconds and years matter.
fn moment(random: &mut Rng) -> Timestamp {
    let micros = [-1, 0, 1, 999_999, 1_000_000, 1_780_000_000_000_000, 1_780_000_000_000_001];
    Timestamp::from_unix_micros(micros[random.usize(0..micros.len())]).unwrap()
}

fn number(random: &mut Rng) -> u32 {
    [0, 1, 9, 10, 11, 99, 100, 99_999][random.usize(0..8)]
}

fn doc(random: &mut Rng) -> Doc {
    Doc {
        tenant: TEXTS[random.usize(0..4)].to_owned(),
        level: [0, 1, 9, 10, 255][random.usize(0..5)],
        at: moment(random),
        note: text(random),
        kind: KINDS[random.usize(0..2)],
        count: number(random),
        tag: (random.u8(0..4) > 0).then(|| word(random)),
        name: text(random),
        flag: random.bool(),
        owner: (random.u8(0..4) > 0).then(|| word(random)),
        made: (random.u8(0..4) > 0).then(|| moment(random)),
        weight: random.i32(-3..3),
    }
}

impl Sample for Doc {
    fn simple(random: &mut Rng) -> Both<Self> {
        match random.u8(0..14) {
            0 => textual!(Doc::TENANT, |it: &Doc| Some(it.tenant.clone()), random),
            1 => ordered!(Doc::LEVEL, |it: &Doc| Some(it.level), random.u8(..), random),
            2 | 3 => ordered!(Doc::AT, |it: &Doc| Some(it.at), moment(random), random),
            4 => textual!(Doc::NOTE, |it: &Doc| Some(it.note.clone()), random),
            5 => equal!(Doc::KIND, |it: &Doc| it.kind, KINDS, random),
            6 => ordered!(Doc::COUNT, |it: &Doc| Some(it.count), number(random), random),
            7 => textual!(Doc::TAG, |it: &Doc| it.tag.clone(), random),
            8 => textual!(Doc::NAME, |it: &Doc| Some(it.name.clone()), random),
            9 => equal!(Doc::FLAG, |it: &Doc| it.flag, [true, false], random),
            10 => textual!(Doc::OWNER, |it: &Doc| it.owner.clone(), random),
            11 => ordered!(Doc::MADE, |it: &Doc| it.made, moment(random), random),
            12 => ordered!(Doc::WEIGHT, |it: &Doc| Some(it.weight), random.i32(-3..3), random),
            _ => {
                let (count, day) = (number(random), "1970-01-01T00:00:00.");
                match random.u8(0..3) {
                    0 => both(dynorm::field("count").ge(count), move |it| it.count >= count),
                    1 => both(dynorm::field("at").gt(day), move |it| it.at.to_string().as_str() > day),
                    _ => both(dynorm::field("at").gt("1960") & dynorm::field("at").le(day), move |it| {
                        let at = it.at.to_string();
                        at.as_str() > "1960" && at.as_str() <= day
                    }),
                }
            }
        }
    }

    fn of_key(item: &Self, random: &mut Rng) -> Vec<[Both<Self>; 2]> {
        let Doc { tenant, level, at, note, kind, count, tag, flag, owner, .. } = item.clone();
        let tag = tag.unwrap_or_else(|| word(random));
        let owner = owner.unwrap_or_else(|| word(random));
        let by_level =
            |random: &mut Rng| ordered!(Doc::LEVEL, |it: &Doc| Some(it.level), random.u8(..), random);
        let by_at = |random: &mut Rng| ordered!(Doc::AT, |it: &Doc| Some(it.at), moment(random), random);
        let by_count =
            |random: &mut Rng| ordered!(Doc::COUNT, |it: &Doc| Some(it.count), number(random), random);
        match random.u8(0..6) {
            also @ 0..=1 => {
                let mut tenants = vec![tenant];
                tenants.extend((also == 1).then(|| text(random)));
                let tenant = both(Doc::TENANT.is_in(&tenants), move |it: &Doc| tenants.contains(&it.tenant));
                vec![
                    [tenant, by_level(random)],
                    [both(Doc::LEVEL.eq(level), move |it| it.level == level), by_at(random)],
                    [
                        both(Doc::AT.eq(at), move |it| it.at == at),
                        textual!(Doc::NOTE, |it: &Doc| Some(it.note.clone()), random),
                    ],
                    [both(Doc::NOTE.eq(&note), move |it| it.note == note), Self::simple(random)],
                ]
            }
            2 => vec![
                [both(Doc::KIND.eq(kind), move |it| it.kind == kind), by_at(random)],
                [both(Doc::AT.eq(at), move |it| it.at == at), by_count(random)],
                [both(Doc::COUNT.eq(count), move |it| it.count == count), Self::simple(random)],
            ],
            3 => vec![[
                both(Doc::TAG.eq(tag.clone()), move |it| it.tag.as_ref() == Some(&tag)),
                textual!(Doc::NAME, |it: &Doc| Some(it.name.clone()), random),
            ]],
            4 => vec![[
                both(Doc::FLAG.eq(flag) & Doc::TAG.is_in([&tag, "a"]), move |it| {
                    it.flag == flag && it.tag.as_ref().is_some_and(|it| *it == tag || it == "a")
                }),
                by_count(random),
            ]],
            _ => vec![[
                both(Doc::OWNER.eq(owner.clone()), move |it| it.owner.as_ref() == Some(&owner)),
                ordered!(Doc::MADE, |it: &Doc| it.made, moment(random), random),
            ]],
        }
    }

    fn orders() -> Vec<Order<Self>> {
        vec![
            order!(Doc::LEVEL, |it: &Doc| it.level),
            order!(Doc::AT, |it: &Doc| it.at),
            order!(Doc::NOTE, |it: &Doc| it.note.clone()),
            order!(Doc::COUNT, |it: &Doc| it.count),
            order!(Doc::NAME, |it: &Doc| it.name.clone()),
            order!(Doc::MADE, |it: &Doc| it.made),
            order!(Doc::WEIGHT, |it: &Doc| it.weight),
        ]
    }

    fn filter(condition: Condition<Self>) -> Query<Self> {
        DocRepo::filter(condition)
    }
}

async fn docs(seed: u64) -> (Database, Vec<Doc>, Rng) {
    let db = database();
    db.create_table::<Doc>().with::<Other>().await.unwrap();
    db.create_table::<Other>().await.unwrap();
    let mut random = Rng::with_seed(seed);
    let docs: Vec<Doc> = (0..160).map(|_| doc(&mut random)).collect();
    let by_key: BTreeMap<_, Doc> = docs
        .into_iter()
        .map(|doc| ((doc.tenant.clone(), doc.level, doc.at, doc.note.clone()), doc))
        .collect();
    let docs: Vec<Doc> = by_key.into_values().collect();
    DocRepo::batch_save(&docs).on(&db).await.unwrap();
    let others = docs.iter().take(60).cloned().map(|Doc { tenant, level, at, note, kind, count, .. }| {
        Other { tenant, level, at, note, kind, count }
    });
    OtherRepo::batch_save(others).on(&db).await.unwrap();
    (db, docs, random)
}

#[tokio::test]
async fn oracle_of_templates() {
    let mut plans = Plans::new();
    for seed in 0..4 {
        let (db, docs, mut random) = docs(seed).await;
        for _ in 0..cases(500) {
            compare(&db, &docs, &mut random, &mut plans).await;
        }
    }
    assert_met(
        &plans,
        &["BatchGetItem", "Scan", "by_kind", "by_tag", "by_flag", "by_owner", "by_weight", "on the table"],
    );
}

/// `None` if the index lacks a field of the query.
fn held<T>(found: dynorm::Result<T>) -> Option<T> {
    found.map_err(|error| assert!(error.to_string().contains("does not hold"), "{error}")).ok()
}

/// A projected index gives what it holds, within all bounds.
#[tokio::test]
async fn oracle_of_what_indexes_hold() {
    let (db, docs, mut random) = docs(91).await;
    let mut met = 0;
    for _ in 0..cases(400) {
        let kind = KINDS[random.usize(0..2)];
        let tag = word(&mut random);
        let (condition, plain) = compound::<Doc>(&mut random);
        let by_kind = DocRepo::by_kind(kind).filter(condition.clone()).on(&db);
        if let Some(found) = held(by_kind.get_all().await) {
            let expected = docs.iter().filter(|doc| doc.kind == kind && plain(doc));
            let mut expected: Vec<_> =
                expected.map(|it| (it.at, it.count, it.tenant.clone(), it.level, it.note.clone())).collect();
            let found = found.iter().cloned();
            let mut found: Vec<_> = found
                .map(|DocByKind { at, count, tenant, level, note, .. }| (at, count, tenant, level, note))
                .collect();
            assert!(found.is_sorted_by_key(|(at, count, ..)| (*at, *count)), "{condition:?}");
            found.sort_unstable();
            expected.sort_unstable();
            assert_eq!(found, expected, "{condition:?}");
            met += 1;
        }
        let by_tag = DocRepo::by_tag(&tag).filter(condition.clone()).on(&db);
        if let Some(found) = held(by_tag.get_all().await) {
            let expected = docs.iter().filter(|doc| doc.tag.as_ref() == Some(&tag) && plain(doc));
            let mut expected: Vec<_> =
                expected.map(|it| (it.name.clone(), it.count, it.note.clone())).collect();
            let found = found.iter().cloned();
            let mut found: Vec<_> =
                found.map(|DocByTag { name, count, note, .. }| (name, count, note)).collect();
            assert!(found.is_sorted_by_key(|(name, ..)| name.clone()), "{condition:?}");
            found.sort_unstable();
            expected.sort_unstable();
            assert_eq!(found, expected, "{condition:?}");
            met += 1;
        }
        let names = DocRepo::by_tag(&tag)
            .hydrate()
            .filter(condition.clone())
            .select((Doc::NAME, Doc::WEIGHT))
            .on(&db);
        let mut names: Vec<(String, i32)> = names.get_all().await.unwrap();
        let expected = docs.iter().filter(|doc| doc.tag.as_ref() == Some(&tag) && plain(doc));
        let mut expected: Vec<(String, i32)> = expected.map(|it| (it.name.clone(), it.weight)).collect();
        names.sort_unstable();
        expected.sort_unstable();
        assert_eq!(names, expected, "{condition:?}");
    }
    assert!(met > cases(400) / 4, "{met}");
}
