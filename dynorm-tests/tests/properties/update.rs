//! An update changes the stored item as its changes would change the entity: the result is what a save of the
//! changed entity would store, including index keys.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use dynorm::Error;
use dynorm::operation::Update;
use dynorm::prelude::*;
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;

use crate::{cases, run};

#[derive(Entity, Clone, Debug, Default, PartialEq)]
#[entity(table = "things", partition = "THING#{number}")]
#[entity(index("by_nick", partition = "NICK#{nick}#{number}", sort = "{other:06}"))]
struct Thing {
    number: u32,
    n: i64,
    other: i64,
    opt: Option<i64>,
    text: String,
    nick: Option<String>,
    list: Vec<u32>,
    set: BTreeSet<u32>,
    map: BTreeMap<String, i64>,
}

#[derive(Clone, Debug)]
enum Step {
    SetN(i64),
    AddN(i64),
    SubtractN(i64),
    NFromOther,
    NFromSum(i64),
    NMinusOpt,
    SetOther(i64),
    SetOpt(Option<i64>),
    AddOpt(i64),
    OptIfAbsent(i64),
    RemoveOpt,
    SetText(String),
    SetNick(Option<String>),
    RemoveNick,
    SetList(Vec<u32>),
    Append(Vec<u32>),
    Prepend(Vec<u32>),
    SetAt(usize, u32),
    RemoveAt(usize),
    SetSet(BTreeSet<u32>),
    Insert(BTreeSet<u32>),
    Discard(BTreeSet<u32>),
    RemoveSet,
    MapSet(String, i64),
    MapAdd(String, i64),
    MapRemove(String),
}

use Step::*;

impl Step {
    /// The path that it changes.
    fn place(&self) -> (&'static str, Option<String>) {
        match self {
            SetN(_) | AddN(_) | SubtractN(_) | NFromOther | NFromSum(_) | NMinusOpt => ("n", None),
            SetOther(_) => ("other", None),
            SetOpt(_) | AddOpt(_) | OptIfAbsent(_) | RemoveOpt => ("opt", None),
            SetText(_) => ("text", None),
            SetNick(_) | RemoveNick => ("nick", None),
            SetList(_) | Append(_) | Prepend(_) => ("list", None),
            SetAt(index, _) | RemoveAt(index) => ("list", Some(index.to_string())),
            SetSet(_) | Insert(_) | Discard(_) | RemoveSet => ("set", None),
            MapSet(key, _) | MapAdd(key, _) | MapRemove(key) => ("map", Some(key.clone())),
        }
    }

    fn overlaps(&self, other: &Self) -> bool {
        let ((one, inside), (another, within)) = (self.place(), other.place());
        one == another && (inside.is_none() || within.is_none() || inside == within)
    }

    fn write(&self, update: Update<Thing>) -> Update<Thing> {
        match self.clone() {
            SetN(n) => update.set(Thing::N, n),
            AddN(n) => update.add(Thing::N, n),
            SubtractN(n) => update.subtract(Thing::N, n),
            NFromOther => update.add(Thing::N, Thing::OTHER),
            NFromSum(n) => update.set(Thing::N, Thing::OPT.plus(n)),
            NMinusOpt => update.set(Thing::N, Thing::N.minus(Thing::OPT)),
            SetOther(other) => update.set(Thing::OTHER, other),
            SetOpt(opt) => update.set(Thing::OPT, opt),
            AddOpt(n) => update.add(Thing::OPT, n),
            OptIfAbsent(n) => update.set_if_absent(Thing::OPT, n),
            RemoveOpt => update.remove(Thing::OPT),
            SetText(text) => update.set(Thing::TEXT, text),
            SetNick(nick) => update.set(Thing::NICK, nick),
            RemoveNick => update.remove(Thing::NICK),
            SetList(list) => update.set(Thing::LIST, list),
            Append(list) => update.append(Thing::LIST, list),
            Prepend(list) => update.prepend(Thing::LIST, &list),
            SetAt(index, value) => update.set(Thing::LIST.at(index), value),
            RemoveAt(index) => update.remove(Thing::LIST.at(index)),
            SetSet(set) => update.set(Thing::SET, set),
            Insert(set) => update.insert(Thing::SET, set),
            Discard(set) => update.discard(Thing::SET, &set),
            RemoveSet => update.remove(Thing::SET),
            MapSet(key, n) => update.set(Thing::MAP.key(key), n),
            MapAdd(key, n) => update.add(Thing::MAP.key(key), n),
            MapRemove(key) => update.remove(Thing::MAP.key(key)),
        }
    }

    /// Applies the change to `thing`, reading from `before`. `apply` handles elements of the list.
    fn make(&self, before: &Thing, thing: &mut Thing) {
        match self.clone() {
            SetN(n) => thing.n = n,
            AddN(n) => thing.n += n,
            SubtractN(n) => thing.n -= n,
            NFromOther => thing.n += before.other,
            NFromSum(n) => thing.n = before.opt.unwrap_or(0) + n,
            NMinusOpt => thing.n -= before.opt.unwrap_or(0),
            SetOther(other) => thing.other = other,
            SetOpt(opt) => thing.opt = opt,
            AddOpt(n) => thing.opt = Some(thing.opt.unwrap_or(0) + n),
            OptIfAbsent(n) => thing.opt = thing.opt.or(Some(n)),
            RemoveOpt => thing.opt = None,
            SetText(text) => thing.text = text,
            SetNick(nick) => thing.nick = nick,
            RemoveNick => thing.nick = None,
            SetList(list) => thing.list = list,
            Append(list) => thing.list.extend(list),
            Prepend(list) => thing.list = list.into_iter().chain(thing.list.clone()).collect(),
            SetAt(..) | RemoveAt(_) => {}
            SetSet(set) => thing.set = set,
            Insert(set) => thing.set.extend(set),
            Discard(set) => thing.set.retain(|element| !set.contains(element)),
            RemoveSet => thing.set.clear(),
            MapSet(key, n) => {
                thing.map.insert(key, n);
            }
            MapAdd(key, n) => *thing.map.entry(key).or_default() += n,
            MapRemove(key) => {
                thing.map.remove(&key);
            }
        }
    }
}

fn apply(before: &Thing, steps: &[Step]) -> Thing {
    let mut thing = before.clone();
    steps.iter().for_each(|step| step.make(before, &mut thing));
    // Indexes are those of the list before. Elements beyond its end are appended in the order of their
    // indexes.
    let mut elements: BTreeMap<usize, Option<u32>> = BTreeMap::new();
    if steps.iter().any(|step| matches!(step, SetAt(..) | RemoveAt(_))) {
        elements = before.list.iter().copied().map(Some).enumerate().collect();
    }
    for step in steps {
        match step {
            SetAt(index, value) => {
                elements.insert(*index, Some(*value));
            }
            RemoveAt(index) => {
                elements.insert(*index, None);
            }
            _ => {}
        }
    }
    if !elements.is_empty() {
        thing.list = elements.into_values().flatten().collect();
    }
    thing
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just("a".to_owned()), Just("b#c".to_owned()), Just("size".to_owned()), "[a-z .#\\\\\"é]{1,6}"]
}

fn small() -> impl Strategy<Value = BTreeSet<u32>> {
    btree_set(0u32..6, 0..4)
}

fn step() -> impl Strategy<Value = Step> {
    let n = || -1_000_000i64..1_000_000;
    prop_oneof![
        prop_oneof![
            n().prop_map(SetN),
            n().prop_map(AddN),
            n().prop_map(SubtractN),
            Just(NFromOther),
            n().prop_map(NFromSum),
            Just(NMinusOpt),
            (0i64..999_999).prop_map(SetOther),
        ],
        prop_oneof![
            option::of(n()).prop_map(SetOpt),
            n().prop_map(AddOpt),
            n().prop_map(OptIfAbsent),
            Just(RemoveOpt),
            text().prop_map(SetText),
            option::of(text()).prop_map(SetNick),
            Just(RemoveNick),
        ],
        prop_oneof![
            vec(0u32..9, 0..4).prop_map(SetList),
            vec(0u32..9, 0..4).prop_map(Append),
            vec(0u32..9, 0..4).prop_map(Prepend),
            (0usize..7, 0u32..9).prop_map(|(index, value)| SetAt(index, value)),
            (0usize..7, 0u32..9).prop_map(|(index, value)| SetAt(index, value)),
            (0usize..7).prop_map(RemoveAt),
        ],
        prop_oneof![
            small().prop_map(SetSet),
            small().prop_map(Insert),
            small().prop_map(Discard),
            Just(RemoveSet),
        ],
        prop_oneof![
            (text(), n()).prop_map(|(key, n)| MapSet(key, n)),
            (text(), n()).prop_map(|(key, n)| MapAdd(key, n)),
            text().prop_map(MapRemove),
        ],
    ]
}

fn thing() -> impl Strategy<Value = Thing> {
    let map = proptest::collection::btree_map(text(), -99i64..99, 0..3);
    let numbers = (-1_000_000i64..1_000_000, 0i64..999_999, option::of(-9i64..9));
    (numbers, text(), option::of(text()), vec(0u32..9, 0..5), small(), map).prop_map(
        |((n, other, opt), text, nick, list, set, map)| Thing {
            number: 1,
            n,
            other,
            opt,
            text,
            nick,
            list,
            set,
            map,
        },
    )
}

/// Sorts sets, which have no order.
fn sorted(mut item: std::collections::HashMap<String, AttributeValue>) -> BTreeMap<String, AttributeValue> {
    for value in item.values_mut() {
        if let AttributeValue::Ns(numbers) = value {
            numbers.sort();
        }
    }
    item.into_iter().collect()
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn the_stored_item_is_what_a_save_of_the_result_would_store(before in thing(), steps in vec(step(), 1..6)) {
        run(async {
            let db = Database::memory().unwrap();
            db.create_table::<Thing>().await.unwrap();
            ThingRepo::save(&before).on(&db).await.unwrap();
            let update = steps.iter().fold(ThingRepo::update(1), |update, step| step.write(update));
            let outcome = update.on(&db).await;
            let clash = steps.iter().enumerate().any(|(at, one)| {
                steps.iter().skip(at + 1).any(|other| one.overlaps(other))
            });
            if clash {
                prop_assert!(matches!(outcome, Err(Error::Invalid(_))), "{outcome:?}");
                prop_assert_eq!(ThingRepo::get(1).on(&db).await.unwrap(), before);
                return Ok(());
            }
            let expected = apply(&before, &steps);
            prop_assert_eq!(outcome.unwrap(), expected.clone());
            let key = AttributeValue::S("THING#1".to_owned());
            let get = db.client().get_item().table_name(db.table_name::<Thing>()).key("pk", key);
            let stored = get.send().await.unwrap().item.unwrap();
            prop_assert_eq!(sorted(stored), sorted(dynorm::to_item(&expected).unwrap()));
            Ok(())
        })?;
    }
}
