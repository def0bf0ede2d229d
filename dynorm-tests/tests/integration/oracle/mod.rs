//! The oracle of `queries.rs` for keys with several fields: templates with escaped strings, padded numbers
//! and timestamps; projected indexes; and index keys of several attributes. The engine's answer to each
//! random query is compared with a filter over a `Vec`.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use dynorm::condition::Field;
use dynorm::prelude::*;
use dynorm::query::OrderBy;
use dynorm::{Condition, Query};
use dynorm_tests::Engine;
use fastrand::Rng;
use futures_util::TryStreamExt;

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

/// A non-empty string, since it is an index key.
fn word(random: &mut Rng) -> String {
    TEXTS[random.usize(1..7)].to_owned()
}

/// A condition, and the same in Rust.
type Both<E> = (Condition<E>, Box<dyn Fn(&E) -> bool>);

fn both<E>(condition: Condition<E>, plain: impl Fn(&E) -> bool + 'static) -> Both<E> {
    (condition, Box::new(plain))
}

/// Conditions on an ordered field: `get` returns its value, if it is present, and `value` a random one.
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

/// Those, and the conditions on strings.
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

/// An entity of these tests.
trait Sample: Entity + PartialEq + std::fmt::Debug {
    /// A random condition on one field.
    fn simple(random: &mut Rng) -> Both<Self>;

    /// Conditions that fix the fields of a key one after another to those of an item, each with one that
    /// bounds the next field.
    fn of_key(item: &Self, random: &mut Rng) -> Vec<[Both<Self>; 2]>;

    /// The orders of the entity; most of them need the right conditions.
    fn orders() -> Vec<Order<Self>>;

    fn filter(condition: Condition<Self>) -> Query<Self>;
}

/// An order in this direction, and its meaning.
type Order<E> = (fn(bool) -> OrderBy<E>, fn(&E, &E) -> Ordering);

fn by<E, T, K>(field: Field<E, T, K>, descending: bool) -> OrderBy<E> {
    if descending { field.desc() } else { field.asc() }
}

macro_rules! order {
    ($field:expr, $get:expr) => {
        (|descending| by($field, descending), |one, other| $get(one).cmp(&$get(other)))
    };
}

mod several;
mod templates;

/// Up to two of them, combined and negated.
fn compound<E: Sample>(random: &mut Rng) -> Both<E> {
    let ((a, f), (b, g)) = (E::simple(random), E::simple(random));
    match random.u8(0..6) {
        0 => both(a & b, move |it| f(it) && g(it)),
        1 => both(a | b, move |it| f(it) || g(it)),
        2 => both(!a, move |it| !f(it)),
        _ => (a, f),
    }
}

/// The number of comparisons for each kind of plan, so that none is missed.
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

/// All pages. The way back must give the same.
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

/// The number of queries; fewer on an engine behind a network.
fn cases(many: usize) -> usize {
    if Engine::of_this_run() == Engine::Embedded { many } else { many / 20 }
}

fn assert_met(plans: &Plans, wanted: &[&str]) {
    for wanted in wanted {
        let met: u32 = plans.iter().filter(|(plan, _)| plan.contains(wanted)).map(|(_, met)| met).sum();
        let least = if Engine::of_this_run() == Engine::Embedded { 20 } else { 1 };
        assert!(met >= least, "{wanted} was planned {met} times: {plans:#?}");
    }
}
