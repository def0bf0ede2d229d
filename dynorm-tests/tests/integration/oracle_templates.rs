//! The oracle of `queries.rs` for keys that are made of several fields: templates, with text that has to be escaped, padded
//! numbers and times; indexes that hold a part; and index keys of several attributes. Each random query is answered by the
//! engine and by a plain filter over a `Vec`.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use dynorm::prelude::*;
use dynorm::{Condition, Field, OrderBy, Query};
use dynorm_tests::{Engine, Quirk, database};
use fastrand::Rng;
use futures_util::TryStreamExt;

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

/// Lies among the others in the table and in the index.
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

#[derive(Entity, Clone, Debug, PartialEq)]
#[entity(index("by_place", partition = [country, city], sort = [street, number, built]))]
#[entity(index("by_year", partition = [kind, built], sort = [number, street], include = [city]))]
#[entity(index("by_street", partition = [street], sort = [size, city]))]
struct Site {
    #[entity(partition)]
    id: u32,
    country: String,
    city: String,
    street: String,
    number: i32,
    built: Option<u16>,
    kind: Kind,
    size: f64,
}

#[derive(Attribute, Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Plan,
    Report,
}

const KINDS: [Kind; 2] = [Kind::Plan, Kind::Report];
const TEXTS: [&str; 18] = [
    "",
    "a",
    "a#",
    "a#b",
    "a\\",
    "a\\#b",
    "a|b",
    "a~",
    "ab",
    "#",
    "\\",
    "\\\\",
    "~",
    "é",
    "🍵",
    "🍵#",
    "\u{e000}",
    "\u{10ffff}",
];

fn text(random: &mut Rng) -> String {
    TEXTS[random.usize(0..TEXTS.len())].to_owned()
}

/// Not empty, as the key of an index is.
fn word(random: &mut Rng) -> String {
    TEXTS[random.usize(1..7)].to_owned()
}

/// Microseconds count, and so do years.
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

fn site(id: u32, random: &mut Rng) -> Site {
    Site {
        id,
        country: TEXTS[random.usize(1..3)].to_owned(),
        city: TEXTS[random.usize(1..4)].to_owned(),
        street: word(random),
        number: random.i32(-2..3),
        built: (random.u8(0..3) > 0).then(|| random.u16(1990..1994)),
        kind: KINDS[random.usize(0..2)],
        size: [-1.5, 0.0, 0.5, 10.0][random.usize(0..4)],
    }
}

/// A condition, and the same in plain Rust.
type Both<E> = (Condition<E>, Box<dyn Fn(&E) -> bool>);

fn both<E>(condition: Condition<E>, plain: impl Fn(&E) -> bool + 'static) -> Both<E> {
    (condition, Box::new(plain))
}

/// Conditions on a field with an order: `get` gives its value, if it is there, and `value` makes a random one.
macro_rules! ordered {
    ($field:expr, $get:expr, $value:expr, $random:expr) => {{
        let (one, two) = ($value, $value);
        let (low, high) = if one <= two { (one.clone(), two.clone()) } else { (two.clone(), one.clone()) };
        match $random.u8(0..12) {
            0..4 => both($field.eq(one.clone()), move |it| $get(it) == Some(one.clone())),
            4 => both($field.ne(one.clone()), move |it| $get(it) != Some(one.clone())),
            5 => both($field.lt(one.clone()), move |it| $get(it).is_some_and(|it| it < one)),
            6 => both($field.le(one.clone()), move |it| $get(it).is_some_and(|it| it <= one)),
            7 => both($field.gt(one.clone()), move |it| $get(it).is_some_and(|it| it > one)),
            8 => both($field.ge(one.clone()), move |it| $get(it).is_some_and(|it| it >= one)),
            9 => both($field.between(low.clone(), high.clone()), move |it| {
                $get(it).is_some_and(|it| low <= it && it <= high)
            }),
            10 => both($field.is_in([one.clone(), two.clone()]), move |it| {
                $get(it).is_some_and(|it| it == one || it == two)
            }),
            _ => both($field.exists(), move |it| $get(it).is_some()),
        }
    }};
}

/// Those, and what can be asked of text.
macro_rules! textual {
    ($field:expr, $get:expr, $random:expr) => {{
        let part = text($random);
        match $random.u8(0..8) {
            0 => both($field.begins_with(&part), move |it| $get(it).is_some_and(|it| it.starts_with(&part))),
            1 => both($field.contains(&part), move |it| $get(it).is_some_and(|it| it.contains(&part))),
            _ => ordered!($field, $get, text($random), $random),
        }
    }};
}

macro_rules! equal {
    ($field:expr, $get:expr, $values:expr, $random:expr) => {{
        let one = $values[$random.usize(0..$values.len())];
        match $random.u8(0..4) {
            0 => both($field.ne(one), move |it| $get(it) != one),
            1 => both($field.is_in($values), |_| true),
            _ => both($field.eq(one), move |it| $get(it) == one),
        }
    }};
}

/// What a test of an entity needs to know of it.
trait Sample: Entity + PartialEq + std::fmt::Debug {
    /// A random condition on one field.
    fn simple(random: &mut Rng) -> Both<Self>;

    /// Conditions that fix the parts of a key one after another, as an item has them, each beside one that bounds the next part.
    fn of_key(item: &Self, random: &mut Rng) -> Vec<[Both<Self>; 2]>;

    /// The orders that may be asked for; most of them only with the right conditions.
    fn orders() -> Vec<Order<Self>>;

    fn filter(condition: Condition<Self>) -> Query<Self>;
}

/// What is asked for, in this direction; and what that means.
type Order<E> = (fn(bool) -> OrderBy<E>, fn(&E, &E) -> Ordering);

fn by<E, T, K>(field: Field<E, T, K>, descending: bool) -> OrderBy<E> {
    if descending { field.desc() } else { field.asc() }
}

macro_rules! order {
    ($field:expr, $get:expr) => {
        (|descending| by($field, descending), |one, other| $get(one).cmp(&$get(other)))
    };
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

impl Sample for Site {
    fn simple(random: &mut Rng) -> Both<Self> {
        match random.u8(0..8) {
            0 => textual!(Site::COUNTRY, |it: &Site| Some(it.country.clone()), random),
            1 => textual!(Site::CITY, |it: &Site| Some(it.city.clone()), random),
            2 => textual!(Site::STREET, |it: &Site| Some(it.street.clone()), random),
            3 => ordered!(Site::NUMBER, |it: &Site| Some(it.number), random.i32(-2..3), random),
            4 => ordered!(Site::BUILT, |it: &Site| it.built, random.u16(1990..1994), random),
            5 => equal!(Site::KIND, |it: &Site| it.kind, KINDS, random),
            6 => ordered!(Site::SIZE, |it: &Site| Some(it.size), f64::from(random.i8(-2..3)) / 2.0, random),
            _ => ordered!(Site::ID, |it: &Site| Some(it.id), random.u32(0..200), random),
        }
    }

    fn of_key(item: &Self, random: &mut Rng) -> Vec<[Both<Self>; 2]> {
        let Site { country, city, street, number, built, kind, size, .. } = item.clone();
        let year = built.unwrap_or(1990);
        let by_street =
            |random: &mut Rng| textual!(Site::STREET, |it: &Site| Some(it.street.clone()), random);
        let by_number =
            |random: &mut Rng| ordered!(Site::NUMBER, |it: &Site| Some(it.number), random.i32(-2..3), random);
        let of_street = {
            let street = street.clone();
            both(Site::STREET.eq(&street), move |it: &Site| it.street == street)
        };
        match random.u8(0..3) {
            0 => vec![
                [
                    both(Site::COUNTRY.eq(&country) & Site::CITY.is_in(["a", &city]), move |it: &Site| {
                        it.country == country && (it.city == city || it.city == "a")
                    }),
                    by_street(random),
                ],
                [of_street, by_number(random)],
                [
                    both(Site::NUMBER.eq(number), move |it| it.number == number),
                    ordered!(Site::BUILT, |it: &Site| it.built, random.u16(1990..1994), random),
                ],
                [both(Site::BUILT.eq(year), move |it| it.built == Some(year)), Self::simple(random)],
            ],
            1 => vec![
                [
                    both(Site::KIND.eq(kind) & Site::BUILT.is_in([year, 1991]), move |it: &Site| {
                        it.kind == kind && it.built.is_some_and(|built| built == year || built == 1991)
                    }),
                    by_number(random),
                ],
                [both(Site::NUMBER.eq(number), move |it| it.number == number), by_street(random)],
                [of_street, Self::simple(random)],
            ],
            _ => vec![
                [
                    of_street,
                    ordered!(
                        Site::SIZE,
                        |it: &Site| Some(it.size),
                        f64::from(random.i8(-2..3)) / 2.0,
                        random
                    ),
                ],
                [
                    both(Site::SIZE.eq(size), move |it| it.size == size),
                    textual!(Site::CITY, |it: &Site| Some(it.city.clone()), random),
                ],
                [both(Site::CITY.eq(&city), move |it| it.city == city), Self::simple(random)],
            ],
        }
    }

    fn orders() -> Vec<Order<Self>> {
        vec![
            order!(Site::STREET, |it: &Site| it.street.clone()),
            order!(Site::NUMBER, |it: &Site| it.number),
            order!(Site::BUILT, |it: &Site| it.built),
            order!(Site::CITY, |it: &Site| it.city.clone()),
            (|descending| by(Site::SIZE, descending), |one, other| one.size.total_cmp(&other.size)),
        ]
    }

    fn filter(condition: Condition<Self>) -> Query<Self> {
        SiteRepo::filter(condition)
    }
}

/// Up to two of them, joined and turned around.
fn compound<E: Sample>(random: &mut Rng) -> Both<E> {
    let ((a, f), (b, g)) = (E::simple(random), E::simple(random));
    match random.u8(0..6) {
        0 => both(a & b, move |it| f(it) && g(it)),
        1 => both(a | b, move |it| f(it) || g(it)),
        2 => both(!a, move |it| !f(it)),
        _ => (a, f),
    }
}

/// How often each kind of plan was compared, so that a test can tell that none was missed.
type Plans = BTreeMap<String, u32>;

/// Compares one random query in all its forms.
async fn compare<E: Sample>(db: &Database, items: &[E], random: &mut Rng, plans: &mut Plans) {
    let item = &items[random.usize(0..items.len())];
    let mut all: Vec<Both<E>> = Vec::new();
    if random.u8(0..8) > 0 {
        let parts = E::of_key(item, random);
        let fixed = random.usize(1..=parts.len());
        for (position, [equal, bound]) in parts.into_iter().take(fixed).enumerate() {
            all.push(equal);
            if position + 1 == fixed && random.u8(0..3) > 0 {
                all.push(bound);
            }
        }
    }
    all.extend((0..random.usize(0..3)).map(|_| compound::<E>(random)));
    random.shuffle(&mut all);
    let Some((first, _)) = all.first() else { return };
    let order = (random.u8(0..3) == 0).then(|| random.choice(E::orders())).flatten();
    let (descending, hydrate, scan) = (random.bool(), random.bool(), random.u8(0..3) == 0);
    let conditions: Vec<Condition<E>> = all.iter().skip(1).map(|(condition, _)| condition.clone()).collect();
    let query = || {
        let mut query = conditions.iter().cloned().fold(E::filter(first.clone()), Query::filter);
        if let Some((order, _)) = &order {
            query = query.order_by(order(descending));
        }
        if hydrate {
            query = query.hydrate();
        }
        if scan { query.allow_scan() } else { query }.on(db)
    };
    let explained = query().explain().to_string();
    let mut lines = explained.lines();
    let kind: String = lines.next().unwrap_or_default().chars().take(50).collect();
    let key = lines.next().and_then(|line| line.strip_prefix("  key:")).unwrap_or_default();
    *plans.entry(format!("{kind}{key}")).or_default() += 1;
    if kind.starts_with("Refused") {
        return;
    }
    let expected: Vec<&E> = items.iter().filter(|item| all.iter().all(|(_, plain)| plain(item))).collect();
    let what = || format!("{all:?} {explained}", all = all.iter().map(|(all, _)| all).collect::<Vec<_>>());
    let check = |found: &[E], how: &str| {
        let keys = |mut keys: Vec<String>| {
            keys.sort_unstable();
            keys
        };
        let key = |item: &E| format!("{item:?}");
        let (found_keys, expected) = (found.iter().map(key), expected.iter().map(|item| key(item)));
        assert_eq!(keys(found_keys.collect()), keys(expected.collect()), "{how}: {}", what());
        if let Some((_, compare)) = &order {
            let in_order = |one: &E, other: &E| {
                let found = compare(one, other);
                if descending { found.is_ge() } else { found.is_le() }
            };
            assert!(found.is_sorted_by(in_order), "{how} is not in order: {}: {found:?}", what());
        }
    };
    check(&query().get_all().await.unwrap(), "all");
    assert_eq!(query().count().await.unwrap(), expected.len() as u64, "{}", what());
    let limit = random.u64(1..9);
    let some = query().limit(limit).get_all().await.unwrap();
    assert_eq!(some.len() as u64, limit.min(expected.len() as u64), "limit {limit}: {}", what());
    assert!(some.iter().all(|item| expected.contains(&item)), "{}", what());
    if random.u8(0..4) == 0 {
        check(&query().stream().try_collect::<Vec<E>>().await.unwrap(), "stream");
    }
    if random.u8(0..3) == 0 {
        let size = random.usize(1..20);
        let pages = pages(&query, size).await;
        let forwards: Vec<E> = pages.iter().flatten().cloned().collect();
        check(&forwards, "pages");
        assert!(pages.iter().rev().skip(1).all(|page| page.len() == size), "{}", what());
    }
}

/// All pages; the way back must give the same.
async fn pages<E: Sample>(query: &impl Fn() -> Query<E>, size: usize) -> Vec<Vec<E>> {
    let (mut pages, mut cursor) = (Vec::new(), None);
    let mut previous = loop {
        let page = query().page(size).after(cursor).await.unwrap();
        pages.push(page.items.to_vec());
        cursor = page.next;
        if cursor.is_none() {
            break page.previous;
        }
    };
    for page in pages.iter().rev().skip(1) {
        let Some(before) = previous else { break };
        let found = query().page(size).before(before).await.unwrap();
        assert_eq!(*found.items, **page, "backwards");
        previous = found.previous;
    }
    pages
}

/// How many queries: fewer on an engine that has a network in front of it.
fn cases(many: usize) -> usize {
    if Engine::of_this_run() == Engine::Embedded { many } else { many / 20 }
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

#[tokio::test]
async fn oracle_of_keys_of_several_attributes() {
    if Engine::of_this_run().has(Quirk::OneAttributeKeys) {
        return;
    }
    let mut plans = Plans::new();
    for seed in 0..4 {
        let mut random = Rng::with_seed(seed);
        let db = database();
        db.create_table::<Site>().await.unwrap();
        let sites: Vec<Site> = (0..200).map(|id| site(id, &mut random)).collect();
        SiteRepo::batch_save(&sites).on(&db).await.unwrap();
        for _ in 0..300 {
            compare(&db, &sites, &mut random, &mut plans).await;
        }
    }
    assert_met(&plans, &["Scan", "by_place", "by_year", "by_street", "on the table"]);
}

fn assert_met(plans: &Plans, wanted: &[&str]) {
    for wanted in wanted {
        let met: u32 = plans.iter().filter(|(plan, _)| plan.contains(wanted)).map(|(_, met)| met).sum();
        let least = if Engine::of_this_run() == Engine::Embedded { 20 } else { 1 };
        assert!(met >= least, "{wanted} was planned {met} times: {plans:#?}");
    }
}

/// `None` if the index lacks what was asked for.
fn held<T>(found: dynorm::Result<T>) -> Option<T> {
    found.map_err(|error| assert!(error.to_string().contains("does not hold"), "{error}")).ok()
}

/// An index that holds a part gives what it holds, within every bound.
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
