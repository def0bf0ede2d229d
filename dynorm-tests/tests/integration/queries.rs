//! Random queries on random entities: the engine's answers are compared with a filter over a `Vec`, also in
//! pages, forwards and backwards.

use std::collections::BTreeSet;

use dynorm::prelude::*;
use dynorm::{Condition, Cursor, Page, Query, Repository};
use dynorm_tests::{Engine, database};
use fastrand::Rng;
use futures_util::TryStreamExt;

#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct Part {
    #[entity(partition)]
    shelf: u8,
    #[entity(sort)]
    number: i32,
    #[entity(index = "by_kind")]
    kind: Kind,
    #[entity(index("by_kind", sort))]
    size: f64,
    #[entity(index = "by_maker")]
    maker: Option<String>,
    #[entity(index("by_maker", sort))]
    name: String,
    #[entity(rename = "size of the box (📦, 255 bytes at most - a.b-c#d)")]
    box_size: Option<u32>,
    tags: BTreeSet<String>,
    lines: Vec<u32>,
    place: Option<Place>,
}

#[derive(Attribute, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Kind {
    #[default]
    Bolt,
    Nut,
    Gear,
}

#[derive(Attribute, Clone, Debug, Default, PartialEq)]
struct Place {
    #[attribute(rename = "where")]
    hall: String,
    row: Option<u8>,
}

const TEXTS: [&str; 8] = ["", "a", "ab", "abc", "b", "zebra", "é", "🍵"];
const MAKERS: [&str; 4] = ["acme", "bolt & co", "c", "é"];

fn pick<T: Copy>(from: &[T], random: &mut Rng) -> T {
    from[random.usize(0..from.len())]
}

fn part(number: i32, random: &mut Rng) -> Part {
    Part {
        shelf: random.u8(0..4),
        number,
        kind: pick(&[Kind::Bolt, Kind::Nut, Kind::Gear], random),
        size: pick(&[-1.5, 0.0, 0.5, 1.0, 2.0, 10.0, 1e10], random),
        maker: random.bool().then(|| pick(&MAKERS, random).to_owned()),
        name: format!("{}{}", pick(&TEXTS[1..], random), random.u8(0..9)),
        box_size: random.bool().then(|| random.u32(0..5)),
        tags: (0..random.usize(0..3)).map(|_| pick(&TEXTS[1..], random).to_owned()).collect(),
        lines: (0..random.usize(0..3)).map(|_| random.u32(0..4)).collect(),
        place: random.bool().then(|| Place {
            hall: pick(&TEXTS, random).to_owned(),
            row: random.bool().then(|| random.u8(0..3)),
        }),
    }
}

/// A condition, and the same in Rust.
type Both = (Condition<Part>, Plain);

type Plain = Box<dyn Fn(&Part) -> bool>;

fn both(condition: Condition<Part>, plain: impl Fn(&Part) -> bool + 'static) -> Both {
    (condition, Box::new(plain))
}

/// A random condition, at most `depth` operators deep.
fn condition(depth: u32, random: &mut Rng) -> Both {
    if depth > 0 {
        match random.u8(0..6) {
            0 => {
                let ((a, f), (b, g)) = (condition(depth - 1, random), condition(depth - 1, random));
                return both(a & b, move |part| f(part) && g(part));
            }
            1 => {
                let ((a, f), (b, g)) = (condition(depth - 1, random), condition(depth - 1, random));
                return both(a | b, move |part| f(part) || g(part));
            }
            2 => {
                let (a, f) = condition(depth - 1, random);
                return both(!a, move |part| !f(part));
            }
            _ => {}
        }
    }
    let number = random.i32(0..120);
    let text = pick(&TEXTS, random);
    let small = random.u32(0..5);
    match random.u8(0..26) {
        0 => both(Part::NUMBER.lt(number), move |part| part.number < number),
        1 => both(Part::NUMBER.ge(number), move |part| part.number >= number),
        2 => both(Part::NUMBER.between(number, number + 30), move |part| {
            (number..=number + 30).contains(&part.number)
        }),
        3 => both(Part::NUMBER.ne(number), move |part| part.number != number),
        4 => both(Part::NUMBER.is_in([number, number + 1, number + 2]), move |part| {
            (number..number + 3).contains(&part.number)
        }),
        5 => both(Part::SIZE.gt(0.5), |part| part.size > 0.5),
        6 => both(Part::SIZE.le(1.0), |part| part.size <= 1.0),
        7 => both(Part::SIZE.eq(1e10), |part| part.size == 1e10),
        8 => both(Part::NAME.begins_with(text), move |part| part.name.starts_with(text)),
        9 => both(Part::NAME.contains(text), move |part| part.name.contains(text)),
        10 => both(Part::NAME.lt("b"), |part| part.name.as_str() < "b"),
        11 => {
            let size = small as usize;
            both(Part::NAME.size().gt(size), move |part| part.name.encode_utf16().count() > size)
        }
        12 => both(Part::MAKER.exists(), |part| part.maker.is_some()),
        13 => both(Part::MAKER.ne("acme"), |part| part.maker.as_deref() != Some("acme")),
        14 => both(Part::BOX_SIZE.eq(small), move |part| part.box_size == Some(small)),
        15 => both(Part::BOX_SIZE.not_exists(), |part| part.box_size.is_none()),
        16 => both(Part::BOX_SIZE.ge(small), move |part| part.box_size.is_some_and(|size| size >= small)),
        17 => both(Part::TAGS.contains("ab"), |part| part.tags.contains("ab")),
        18 => both(Part::TAGS.size().ge(2), |part| part.tags.len() >= 2),
        19 => both(Part::LINES.contains(small), move |part| part.lines.contains(&small)),
        20 => both(Part::LINES.at(1).gt(1), |part| part.lines.get(1).is_some_and(|line| *line > 1)),
        21 => both(Part::PLACE.field(Place::HALL).eq(text), move |part| {
            part.place.as_ref().is_some_and(|place| place.hall == text)
        }),
        22 => both(Part::PLACE.field(Place::ROW).exists(), |part| {
            part.place.as_ref().is_some_and(|place| place.row.is_some())
        }),
        23 => both(Part::KIND.is_in([Kind::Nut, Kind::Gear]), |part| part.kind != Kind::Bolt),
        24 => both(Part::SHELF.gt(1), |part| part.shelf > 1),
        _ => both(Part::KIND.ne(Kind::Gear), |part| part.kind != Kind::Gear),
    }
}

/// A random query, its expected result, and whether the order matters.
struct Case {
    query: Box<dyn Fn() -> Query<Part>>,
    expected: Vec<Part>,
    order: Option<Order>,
    text: String,
}

#[derive(Clone, Copy, Debug)]
enum Order {
    Number(bool),
    Size(bool),
    Name(bool),
}

impl Order {
    /// The expected order; equal items may come in any order.
    fn compare(self, one: &Part, other: &Part) -> std::cmp::Ordering {
        let (order, descending) = match self {
            Self::Number(descending) => (one.number.cmp(&other.number), descending),
            Self::Size(descending) => (one.size.total_cmp(&other.size), descending),
            Self::Name(descending) => (one.name.cmp(&other.name), descending),
        };
        if descending { order.reverse() } else { order }
    }
}

fn case(parts: &[Part], random: &mut Rng) -> Case {
    let shelf = random.u8(0..4);
    let kind = pick(&[Kind::Bolt, Kind::Nut, Kind::Gear], random);
    let maker = pick(&MAKERS, random);
    let descending = random.bool();
    let (mut conditions, mut plain, order): (Vec<Condition<Part>>, Vec<Plain>, _) = match random.u8(0..8) {
        0 | 1 => (
            vec![Part::SHELF.eq(shelf)],
            vec![Box::new(move |part| part.shelf == shelf)],
            Some(Order::Number(descending)),
        ),
        2 | 3 => (
            vec![Part::KIND.eq(kind)],
            vec![Box::new(move |part| part.kind == kind)],
            Some(Order::Size(descending)),
        ),
        4 => (
            vec![Part::MAKER.eq(maker)],
            vec![Box::new(move |part| part.maker.as_deref() == Some(maker))],
            Some(Order::Name(descending)),
        ),
        5 => (
            vec![Part::SHELF.is_in([shelf, 3, 0, shelf])],
            vec![Box::new(move |part| [shelf, 3, 0].contains(&part.shelf))],
            Some(Order::Number(descending)),
        ),
        6 => (
            vec![Part::KIND.is_in([kind, Kind::Nut])],
            vec![Box::new(move |part| part.kind == kind || part.kind == Kind::Nut)],
            Some(Order::Size(descending)),
        ),
        _ => (Vec::new(), Vec::new(), None),
    };
    for _ in 0..random.usize(0..3) {
        let (condition, filter) = condition(2, random);
        conditions.push(condition);
        plain.push(filter);
    }
    let order = order.filter(|_| random.bool());
    // Without a key of its own, an order may belong to another index, so the planner is free only without an
    // order.
    let segments = random.u32(1..4);
    let mut expected: Vec<Part> =
        parts.iter().filter(|part| plain.iter().all(|plain| plain(part))).cloned().collect();
    if let Some(order) = order {
        expected.sort_by(|one, other| order.compare(one, other));
    }
    let is_scan = conditions.is_empty() || random.u8(0..8) == 0 && order.is_none();
    let text = format!("{conditions:?} {order:?} {segments} {is_scan}");
    let query = move || {
        let mut query = if is_scan { PartRepo::scan().segments(segments) } else { any() };
        for condition in &conditions {
            query = query.filter(condition.clone());
        }
        match order {
            Some(Order::Number(true)) => query.order_by(Part::NUMBER.desc()),
            Some(Order::Number(false)) => query.order_by(Part::NUMBER.asc()),
            Some(Order::Size(true)) => query.order_by(Part::SIZE.desc()),
            Some(Order::Size(false)) => query.order_by(Part::SIZE.asc()),
            Some(Order::Name(true)) => query.order_by(Part::NAME.desc()),
            Some(Order::Name(false)) => query.order_by(Part::NAME.asc()),
            None => query,
        }
    };
    Case { query: Box::new(query), expected, order, text }
}

/// A query without conditions, which may be a scan.
fn any() -> Query<Part> {
    PartRepo::filter(Part::NUMBER.exists()).allow_scan()
}

impl Case {
    /// Compares the result with the expected one.
    fn check(&self, found: &[Part], what: &str) {
        let sorted = |parts: &[Part]| {
            let mut parts = parts.to_vec();
            parts.sort_by_key(|part| (part.shelf, part.number));
            parts
        };
        assert_eq!(sorted(found), sorted(&self.expected), "{what}: {}", self.text);
        if let Some(order) = self.order {
            let is_sorted = found.is_sorted_by(|one, other| order.compare(one, other).is_le());
            assert!(is_sorted, "{what}: {} is not in order: {found:?}", self.text);
        }
    }
}

async fn stored(seed: u64, count: i32) -> (Database, Vec<Part>, Rng) {
    let db = database();
    db.create_table::<Part>().await.unwrap();
    let mut random = Rng::with_seed(seed);
    let parts: Vec<Part> = (0..count).map(|number| part(number, &mut random)).collect();
    PartRepo::batch_save(&parts).on(&db).await.unwrap();
    (db, parts, random)
}

/// The number of queries; fewer on an engine behind a network.
fn cases(many: usize) -> usize {
    if Engine::of_this_run() == Engine::Embedded { many } else { many / 10 }
}

#[tokio::test]
async fn every_query_gives_what_a_plain_filter_gives() {
    for seed in 0..4 {
        let (db, parts, mut random) = stored(seed, 120).await;
        for _ in 0..cases(500) {
            let case = case(&parts, &mut random);
            let found = (case.query)().get_all().on(&db).await.unwrap();
            case.check(&found, "all");
            assert!(found.next().is_none());

            let limit = random.u64(1..20);
            let some = (case.query)().limit(limit).get_all().on(&db).await.unwrap();
            assert_eq!(some.len() as u64, limit.min(found.len() as u64), "limit {limit}: {}", case.text);
            assert!(some.iter().all(|part| case.expected.contains(part)), "{}", case.text);
            let first = (case.query)().first().on(&db).await.unwrap();
            assert_eq!(first.is_some(), !case.expected.is_empty(), "{}", case.text);
            if let (Some(order), Some(first)) = (case.order, &first) {
                assert!(order.compare(first, &case.expected[0]).is_eq(), "{}", case.text);
            }
        }
    }
}

#[tokio::test]
async fn counts_streams_and_selections_agree() {
    let (db, parts, mut random) = stored(11, 120).await;
    for _ in 0..cases(200) {
        let case = case(&parts, &mut random);
        let count = (case.query)().count().on(&db).await.unwrap();
        assert_eq!(count, case.expected.len() as u64, "{}", case.text);
        assert_eq!((case.query)().exists().on(&db).await.unwrap(), count > 0, "{}", case.text);
        let streamed: Vec<Part> = (case.query)().on(&db).stream().try_collect().await.unwrap();
        case.check(&streamed, "stream");
        let selected = (case.query)()
            .select((Part::NUMBER, Part::BOX_SIZE, Part::PLACE.field(Place::ROW)))
            .get_all()
            .on(&db)
            .await
            .unwrap();
        let mut selected: Vec<(i32, Option<u32>, Option<Option<u8>>)> = selected;
        let plain = |part: &Part| {
            let row = part.place.as_ref().and_then(|place| place.row);
            (part.number, part.box_size, row.map(Some))
        };
        let mut expected: Vec<_> = case.expected.iter().map(plain).collect();
        selected.sort_unstable();
        expected.sort_unstable();
        assert_eq!(selected, expected, "{}", case.text);
    }
}

#[tokio::test]
async fn pages_are_full_and_together_they_are_everything() {
    let (db, parts, mut random) = stored(21, 120).await;
    for _ in 0..cases(200) {
        let case = case(&parts, &mut random);
        let size = random.usize(1..40);
        let (mut found, mut cursor, mut pages) = (Vec::new(), None::<Cursor>, Vec::new());
        loop {
            let page = (case.query)().on(&db).page(size).after(cursor).await.unwrap();
            let is_last = page.next.is_none();
            assert!(page.items.len() == size || is_last, "{} of {size}: {}", page.items.len(), case.text);
            found.extend(page.items.iter().cloned());
            // As if it were sent to a browser and back.
            cursor = page.next.as_ref().map(|next| next.to_string().parse().unwrap());
            pages.push(page);
            if is_last {
                break;
            }
        }
        case.check(&found, "pages");
        // The last page is not empty, unless nothing matches.
        assert!(pages.len() == 1 || !pages[pages.len() - 1].items.is_empty(), "{}", case.text);
        back(&case, &db, size, &pages).await;
    }
}

/// From the last page back to the first.
async fn back(case: &Case, db: &Database, size: usize, pages: &[Page<Part>]) {
    let Some(mut cursor) = pages[pages.len() - 1].previous.clone() else { return };
    let last = pages[pages.len() - 1].items.to_vec();
    let mut found = last;
    loop {
        let page = (case.query)().on(db).page(size).before(cursor).await.unwrap();
        assert_eq!(page.items.len(), size, "{}", case.text);
        assert!(page.next.is_some());
        let mut items = page.items.to_vec();
        items.append(&mut found);
        found = items;
        match page.previous {
            Some(previous) => cursor = previous,
            None => break,
        }
    }
    case.check(&found, "backwards");
}

#[tokio::test]
async fn what_is_evaluated_is_bounded_and_the_cursor_goes_on_from_there() {
    let (db, parts, _) = stored(31, 120).await;
    let (mut found, mut cursor, mut rounds) = (Vec::new(), None, 0);
    loop {
        let query = PartRepo::filter(Part::SHELF.eq(1)).filter(Part::NAME.contains("b")).max_evaluated(10);
        let page = query.on(&db).page(1000).after(cursor).await.unwrap();
        assert!(page.items.scanned() <= 10);
        assert_eq!(page.items.next(), page.next.as_ref());
        found.extend(page.items.into_vec());
        rounds += 1;
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let expected: Vec<Part> =
        parts.iter().filter(|part| part.shelf == 1 && part.name.contains('b')).cloned().collect();
    assert_eq!(found, expected);
    let on_shelf = parts.iter().filter(|part| part.shelf == 1).count();
    assert!(rounds >= on_shelf.div_ceil(10), "{rounds}");
    let all = PartRepo::scan().max_evaluated(25).get_all().on(&db).await.unwrap();
    assert_eq!((all.len(), all.scanned()), (25, 25));
    assert!(all.next().is_some() && all.stats().consumed_capacity > 0.0);
}

#[tokio::test]
async fn a_cursor_belongs_to_its_query_and_may_be_signed() {
    let (db, ..) = stored(41, 120).await;
    let query = || PartRepo::filter(Part::SHELF.eq(1)).on(&db);
    let page = query().page(5).await.unwrap();
    let cursor = page.next.unwrap();
    assert!(cursor.to_string().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    for other in [
        PartRepo::filter(Part::SHELF.eq(2)),
        PartRepo::filter(Part::SHELF.eq(1)).filter(Part::NAME.eq("a")),
        PartRepo::filter(Part::SHELF.eq(1)).filter(Part::NUMBER.ne(3)),
        PartRepo::filter(Part::SHELF.eq(1)).order_by(Part::NUMBER.desc()),
        PartRepo::filter(Part::KIND.eq(Kind::Nut)),
        PartRepo::scan(),
    ] {
        let error = other.on(&db).page(5).after(&cursor).await.unwrap_err();
        assert!(error.is_invalid_cursor(), "{error}");
        assert!(
            error
                .to_string()
                .ends_with("the cursor belongs to another query; start again with the first page"),
            "{error}"
        );
    }
    let text = cursor.to_string();
    for position in 0..text.len() {
        let mut altered = text.clone().into_bytes();
        altered[position] = if altered[position] == b'A' { b'B' } else { b'A' };
        // The altered cursor may be another valid key of the same query; signatures prevent that.
        let page = match String::from_utf8(altered).unwrap().parse::<Cursor>() {
            Ok(altered) => query().page(5).after(altered).await.map(|_| ()),
            Err(error) => Err(error),
        };
        if let Err(error) = page {
            assert!(error.is_invalid_cursor(), "{position}: {error}");
        }
    }
    for text in ["what?", "", "page-2", "2abc", "1a/b"] {
        let error = text.parse::<Cursor>().unwrap_err();
        assert!(error.is_invalid_cursor() && error.table().is_none(), "{error}");
        assert_eq!(error.to_string(), format!("{text:?} is not a cursor"));
    }

    let signed = query().page(5).signed(*b"secret").await.unwrap().next.unwrap();
    assert_eq!(query().page(5).signed(*b"secret").after(&signed).await.unwrap().items.len(), 5);
    for (key, cursor, why) in [
        (Some(&b"other"[..]), &signed, "has another signature"),
        (None, &signed, "is signed"),
        (Some(b"secret"), &cursor, "is not signed"),
    ] {
        let page = query().page(5).after(cursor);
        let page = match key {
            Some(key) => page.signed(key),
            None => page,
        };
        let error = page.await.unwrap_err();
        assert!(error.is_invalid_cursor() && error.entity() == Some("Part"), "{error}");
        assert!(error.to_string().contains(why), "{error}");
    }
    let json = serde_json::to_string(&signed).unwrap();
    assert_eq!(serde_json::from_str::<Cursor>(&json).unwrap(), signed);
}

#[tokio::test]
async fn one_takes_exactly_one() {
    let (db, parts, _) = stored(51, 60).await;
    let part = &parts[7];
    let by_key = PartRepo::filter(Part::SHELF.eq(part.shelf) & Part::NUMBER.eq(7));
    assert_eq!(by_key.one().on(&db).await.unwrap(), *part);
    let none = PartRepo::filter(Part::SHELF.eq(200)).one().on(&db).await.unwrap_err();
    assert!(none.is_not_found(), "{none}");
    let several = PartRepo::filter(Part::SHELF.eq(1)).one().on(&db).await.unwrap_err();
    assert!(several.to_string().contains("several items match"), "{several}");
}

#[tokio::test]
async fn bad_queries_are_refused_before_anything_is_sent() {
    let db = Database::local("http://127.0.0.1:1");
    let kind = || PartRepo::filter(Part::KIND.eq(Kind::Nut));
    let many = (0..400).fold(Part::LINES.contains(0), |all, line| all | Part::LINES.contains(line));
    let long = (0..100).fold(Part::NAME.exists(), |all, _| all & Part::NAME.is_in(vec!["x"; 99]));
    for (query, why) in [
        (kind().limit(0), "`limit(0)` gives no matches"),
        (kind().max_evaluated(0), "`max_evaluated(0)` allows no items"),
        (kind().filter(Part::NUMBER.between(9, 3)), "the bounds of `between` on `number` are crossed"),
        (kind().filter(Part::NUMBER.is_in([0; 0])), "`is_in` on `number` was given no values"),
        (kind().filter(Part::NUMBER.is_in(0..101)), "`is_in` was given 101 values, and DynamoDB takes 100"),
        (PartRepo::filter(Part::SHELF.is_in(0..=101u8)), "reads at most 100 partitions"),
        (kind().using("by_what"), "`Part` has no index `by_what`; it has `by_kind`, `by_maker`"),
        (kind().using("by_maker"), "the index `by_maker` cannot serve the query"),
        (kind().consistent(), "the index `by_kind` is global"),
        (kind().segments(3), "a query has no segments"),
        (PartRepo::scan().segments(0), "1 to 1,000,000 segments"),
        (kind().order_by(Part::NAME.asc()), "the keys can order by `number` with the key of the table"),
        (PartRepo::scan().order_by(Part::NAME.asc()), "a scan has no order"),
        (kind().filter(many), "the conditions have 801 operators, and DynamoDB takes 300"),
        (kind().filter(long), "bytes, and DynamoDB takes 4096"),
        (
            PartRepo::filter(Part::NAME.eq("x")),
            "add `#[entity(index = \"by_name\")]` to `name`, or call `.allow_scan()`",
        ),
        (
            PartRepo::filter(Part::NUMBER.gt(3)),
            "add a condition with `.eq(…)` on a partition key, which is `shelf`, or `kind`, or `maker`",
        ),
        (PartRepo::filter(Part::SIZE.eq(f64::NAN)), "NaN"),
    ] {
        let error = query.get_all().on(&db).await.unwrap_err();
        assert!(matches!(error, dynorm::Error::Invalid(_)), "{error}");
        assert!(error.to_string().contains(why), "{why}: {error}");
    }
    let error = kind().page(0).on(&db).await.unwrap_err();
    assert!(error.to_string().contains("a page has at least one item"), "{error}");
}

/// A field that is stored as its module says, rather than as its type.
#[derive(Entity, Clone, Debug, PartialEq)]
struct Setting {
    #[entity(partition)]
    name: String,
    #[entity(serde)]
    theme: Theme,
    #[entity(with = minutes)]
    every: u32,
}

#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq)]
struct Theme {
    dark: bool,
    font: Option<String>,
}

/// Whole minutes as a string: `5 min`.
mod minutes {
    use dynorm::attribute::{Encoder, Value, ValueError};

    pub(super) fn encode(minutes: &u32, encoder: &mut Encoder) -> Result<(), ValueError> {
        encoder.string(&format!("{minutes} min"))
    }

    pub(super) fn decode(value: Value<'_>) -> Result<u32, ValueError> {
        let text = value.as_str()?;
        text.trim_end_matches(" min").parse().map_err(|_| ValueError::new("not minutes"))
    }
}

#[tokio::test]
async fn what_is_stored_in_a_way_of_its_own_is_compared_in_that_way() {
    let db = database();
    db.create_table::<Setting>().await.unwrap();
    let setting = |name: &str, dark, every| Setting {
        name: name.to_owned(),
        theme: Theme { dark, font: dark.then(|| "serif".to_owned()) },
        every,
    };
    let settings = [setting("a", true, 5), setting("b", false, 5), setting("c", false, 10)];
    SettingRepo::batch_save(&settings).on(&db).await.unwrap();
    let names = async |condition| {
        let mut names =
            SettingRepo::scan().filter(condition).on(&db).select(Setting::NAME).get_all().await.unwrap();
        names.sort();
        names
    };
    assert_eq!(names(Setting::EVERY.eq(5)).await, ["a", "b"]);
    assert_eq!(names(Setting::EVERY.ne(5)).await, ["c"]);
    assert_eq!(names(Setting::THEME.eq(Theme { dark: false, font: None })).await, ["b", "c"]);
    assert_eq!(names(Setting::THEME.exists() & Setting::THEME.ne(&settings[1].theme)).await, ["a"]);
    let mut stored = SettingRepo::all().on(&db).await.unwrap();
    stored.update_field(Setting::EVERY, 7).await.unwrap();
    assert_eq!(names(Setting::EVERY.eq(7)).await.len(), 3);
}

#[derive(Entity, Clone, Debug)]
struct Label {
    #[entity(partition)]
    shelf: u8,
    #[entity(sort)]
    code: Code,
    printed_at: Timestamp,
    bytes: Vec<u8>,
    plan: Option<Schedule>,
}

/// A newtype of a string, which is also a key.
#[derive(Attribute, Clone, Debug, PartialEq)]
struct Code(String);

#[derive(Attribute, Clone, Debug)]
struct Schedule {
    #[attribute(with = minutes)]
    every: u32,
    #[attribute(serde)]
    theme: Theme,
}

#[tokio::test]
async fn what_is_stored_as_text_or_bytes_is_searched_by_text_or_bytes() {
    let db = database();
    db.create_table::<Label>().await.unwrap();
    let label = |code: &str, every| Label {
        shelf: 1,
        code: Code(code.to_owned()),
        printed_at: format!("200{every}-02-03T04:05:06Z").parse().unwrap(),
        bytes: code.as_bytes().to_vec(),
        plan: (every != 1).then_some(Schedule { every, theme: Theme { dark: every == 2, font: None } }),
    };
    LabelRepo::batch_save([label("ab-1", 1), label("ab-2", 2), label("c-3", 3)]).on(&db).await.unwrap();
    let codes = async |condition| {
        let query = LabelRepo::filter(Label::SHELF.eq(1)).filter(condition).on(&db).select(Label::CODE);
        let codes: Vec<Code> = query.get_all().await.unwrap();
        codes.into_iter().map(|Code(code)| code).collect::<Vec<_>>()
    };
    assert_eq!(codes(Label::CODE.begins_with("ab")).await, ["ab-1", "ab-2"]);
    assert_eq!(codes(Label::CODE.contains("-3")).await, ["c-3"]);
    assert_eq!(codes(Label::PRINTED_AT.begins_with("2002-")).await, ["ab-2"]);
    assert_eq!(codes(Label::BYTES.begins_with(b"ab")).await, ["ab-1", "ab-2"]);
    assert_eq!(codes(Label::BYTES.begins_with(&b"c-"[..])).await, ["c-3"]);
    assert_eq!(codes(Label::BYTES.eq(b"c-3")).await, ["c-3"]);
    let (every, theme) = (Label::PLAN.field(Schedule::EVERY), Label::PLAN.field(Schedule::THEME));
    assert_eq!(codes(every.clone().eq(2)).await, ["ab-2"]);
    assert_eq!(codes(every.exists()).await, ["ab-2", "c-3"]);
    assert_eq!(codes(theme.clone().eq(Theme { dark: false, font: None })).await, ["c-3"]);
    assert_eq!(codes(theme.clone().exists() & theme.ne(Theme { dark: false, font: None })).await, ["ab-2"]);
}

#[tokio::test]
async fn fields_may_be_named_at_run_time() {
    let (db, parts, _) = stored(61, 60).await;
    for (name, value) in [("shelf", 1), ("number", 7)] {
        let found =
            PartRepo::filter(dynorm::field(name).eq(value)).allow_scan().get_all().on(&db).await.unwrap();
        let is_it = |part: &&Part| if name == "shelf" { i32::from(part.shelf) } else { part.number } == value;
        assert_eq!(found.len(), parts.iter().filter(is_it).count());
    }
    let by_kind = PartRepo::filter(dynorm::field("kind").eq("nut"));
    assert_eq!(by_kind.explain().index(), Some("by_kind"));
    let error = PartRepo::filter(dynorm::field("colour").eq("red")).get_all().on(&db).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("`Part` has no field that is stored as `colour`; it has `shelf`, `number`"),
        "{error}"
    );
}

/// A cursor of the same query with another position.
fn forged(cursor: &Cursor, key: &str) -> Cursor {
    use aws_smithy_types::base64;
    let text = cursor.to_string()[1..].replace('-', "+").replace('_', "/");
    let padding = "=".repeat(text.len().wrapping_neg() % 4);
    let json = String::from_utf8(base64::decode(text + &padding).unwrap()).unwrap();
    let (fingerprint, _) = json.split_once(',').unwrap();
    let json = base64::encode(format!("{fingerprint},{key}]"));
    format!("1{}", json.trim_end_matches('=').replace('+', "-").replace('/', "_")).parse().unwrap()
}

#[tokio::test]
async fn a_cursor_that_lies_outside_of_its_query_is_refused_here() {
    let (db, parts, _) = stored(71, 120).await;
    let query = || PartRepo::filter(Part::SHELF.eq(1) & Part::NUMBER.between(10, 90)).on(&db).page(5);
    let cursor = query().await.unwrap().next.unwrap();
    let inside = forged(&cursor, r#"{"shelf":{"N":"1"},"number":{"N":"40"}}"#);
    let page = query().after(inside).await.unwrap();
    let first = parts.iter().find(|part| part.shelf == 1 && part.number > 40);
    assert_eq!(page.items.first(), first);
    for key in [
        r#"{"shelf":{"N":"2"},"number":{"N":"40"}}"#,
        r#"{"shelf":{"N":"1"},"number":{"N":"91"}}"#,
        r#"{"shelf":{"N":"1"},"number":{"N":"9"}}"#,
        r#"{"shelf":{"N":"1"},"number":{"S":"40"}}"#,
        r#"{"shelf":{"N":"1"},"number":{"N":"forty"}}"#,
        r#"{"shelf":{"N":"1"},"number":{"NULL":true}}"#,
        r#"{"shelf":{"N":"1"}}"#,
        r#"{"shelf":{"N":"1"},"number":{"N":"40"},"name":{"S":"x"}}"#,
        r#"{"shelf":{"N":"1"},"number":40}"#,
        "40",
        "[]",
    ] {
        let error = query().after(forged(&cursor, key)).await.unwrap_err();
        assert!(error.is_invalid_cursor(), "{key}: {error}");
    }
    let by_name = || PartRepo::by_maker("acme").on(&db).page(2);
    let cursor = by_name().await.unwrap().next.unwrap();
    let key = |name: &str| {
        format!(
            r#"{{"shelf":{{"N":"1"}},"number":{{"N":"40"}},"maker":{{"S":"acme"}},"name":{{"S":"{name}"}}}}"#
        )
    };
    assert!(by_name().after(forged(&cursor, &key("a"))).await.is_ok());
    let error = by_name().after(forged(&cursor, &key(""))).await.unwrap_err();
    assert!(error.is_invalid_cursor(), "{error}");
}

/// Fields stored as strings, numbers or bytes are compared with values of that type.
#[tokio::test]
async fn a_value_of_another_type_than_its_field_is_refused_before_anything_is_sent() {
    let db = Database::local("http://127.0.0.1:1");
    let field = dynorm::field;
    let number = "`number` is stored as a number, so a condition on it takes a number, not a string";
    let maker = "`maker` is stored as a string, so a condition on it takes a string, not a number";
    let cases: Vec<(Condition<Part>, &str)> = vec![
        (field("shelf").eq("1"), "`shelf` is stored as a number"),
        (field("shelf").is_in(["1", "2"]), "`shelf` is stored as a number"),
        (field("shelf").eq(true), "takes a number, not a boolean"),
        (field("number").eq("1"), number),
        (field("number").ne("1"), number),
        (field("number").lt("1"), number),
        (field("number").between("1", "2"), number),
        (field("number").between(1, "2"), number),
        (field("number").begins_with("1"), number),
        (
            field("number").begins_with(1),
            "`number` is stored as a number, so `begins_with` on it can match nothing",
        ),
        (!(field("number").gt(3) & (Part::SIZE.gt(1.0) | field("number").gt("3"))), number),
        (field("maker").eq(7), maker),
        (field("maker").contains(7), maker),
        (field("kind").eq(7), "`kind` is stored as a string"),
        (field("name").eq(vec![1u8, 2]), "takes a string, not bytes"),
        (field("name").is_in([vec!["a".to_owned()]]), "takes a string, not a list"),
        // Fields that are not keys, one of them an `Option`.
        (field(Part::BOX_SIZE.name()).ne("1"), "is stored as a number, so a condition on it takes a number"),
        (field(Part::BOX_SIZE.name()).is_in(["1"]), "not a string"),
        (field(Part::BOX_SIZE.name()).contains(1), "so `contains` on it can match nothing"),
    ];
    for (condition, why) in cases {
        let shown = format!("{condition:?}");
        let query = PartRepo::filter(Part::SHELF.eq(1)).filter(condition);
        let error = query.get_all().on(&db).await.unwrap_err();
        assert!(matches!(error, dynorm::Error::Invalid(_)), "{shown}: {error}");
        assert!(error.to_string().contains(why), "{shown}: {error}");
        assert!(error.to_string().starts_with("querying `Part` in the table `parts`: "), "{error}");
    }
}

/// Fields that can be stored in several ways, and lists and sets, are left to DynamoDB.
#[tokio::test]
async fn where_the_type_is_not_certain_nothing_is_refused() {
    let (db, parts, _) = stored(81, 60).await;
    let count = async |condition: Condition<Part>| {
        PartRepo::scan().filter(condition).count().on(&db).await.unwrap() as usize
    };
    let field = dynorm::field;
    let ab = BTreeSet::from(["ab".to_owned()]);
    assert_eq!(
        count(field("tags").eq(ab.clone())).await,
        parts.iter().filter(|part| part.tags == ab).count()
    );
    assert_eq!(count(field("tags").eq("ab")).await, 0);
    assert_eq!(count(field("tags").contains(7)).await, 0);
    assert_eq!(
        count(field("lines").contains(2)).await,
        parts.iter().filter(|part| part.lines.contains(&2)).count()
    );
    assert_eq!(count(field("lines").ne("2")).await, 60);
    let null = || aws_sdk_dynamodb::types::AttributeValue::Null(true);
    assert_eq!(count(field(Part::BOX_SIZE.name()).eq(null())).await, 0);
    assert_eq!(count(Part::PLACE.field(Place::ROW).exists() & field("place").ne("x")).await, {
        parts.iter().filter(|part| part.place.as_ref().is_some_and(|place| place.row.is_some())).count()
    });
    let every = SettingRepo::scan().filter(field("every").eq("5 min") | field("every").eq(5));
    assert!(!every.explain().to_string().starts_with("Refused"), "{}", every.explain());
}

/// The entity has an index that the table lacks.
#[tokio::test]
async fn an_index_that_the_table_does_not_have_is_named() {
    #[derive(Entity, Clone, Debug, Default)]
    #[entity(table = "cups")]
    struct Cup {
        #[entity(id)]
        id: Id<Cup>,
    }
    #[derive(Entity, Clone, Debug, Default)]
    #[entity(table = "cups")]
    struct IndexedCup {
        #[entity(id)]
        id: Id<IndexedCup>,
        #[entity(index = "by_colour")]
        colour: String,
    }
    let db = database();
    db.create_table::<Cup>().await.unwrap();
    let error = IndexedCupRepo::by_colour("red").get_all().on(&db).await.unwrap_err();
    assert!(matches!(error, dynorm::Error::TableMismatch(_)), "{error:?}");
    let why = "the index `by_colour` does not exist: `create_table::<IndexedCup>()` reports what else the \
        table lacks";
    assert!(error.to_string().ends_with(why), "{error}");
}
