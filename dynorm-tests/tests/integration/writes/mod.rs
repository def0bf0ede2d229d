//! Every write, made in every way, on every stored state: it is made or refused as the rules of its entity
//! say, the stored result is what they say, and the error does not depend on the way.
//!
//! The entities ([`subject`]) cover all pairs of rules. The stored states ([`state`]) are written by the SDK,
//! as other programs may leave them. The expectations ([`oracle`]) are a model of the documentation. The
//! cases are a fixed sample.
//!
//! To add a rule, add it to `Rules`, and also change the macro `subject!`, `State` and the oracle. To add a
//! write, add it to `Write` with its ways, and also change the oracle.

use std::collections::{BTreeMap, HashMap};

use dynorm::aws::types::{AttributeValue, KeysAndAttributes, PutRequest, WriteRequest};
use dynorm::prelude::*;
use dynorm_tests::{Engine, database, keep_expired};

mod oracle;
mod report;
mod state;
mod subject;
mod write;

use oracle::{NOW, holds, is_own, predict, read_as};
use report::{Failure, report};
use state::{Claim, Held, Item, Scene, State, Version, World, key_of};
use subject::{FORMER, Keys, Neighbour, Rules, Subject, for_each_subject};
use write::{Outcome, Refusal, Way, When, Write, run};

/// A write of an entity on a stored state.
#[derive(Clone, Copy)]
struct Case {
    state: State,
    held: Held,
    write: Write,
    way: Way,
    when: When,
}

/// All cases of the states.
fn cases(rules: Rules, states: &[State], helds: &[Held]) -> Vec<Case> {
    let mut all = Vec::new();
    for write in Write::all(rules) {
        let helds = helds.iter().filter(|held| match write {
            // A tracked entity was read.
            Write::TrackedSave => !matches!(held, Held::Fresh | Held::Expiring),
            _ => write.takes_entity() || **held == helds[0],
        });
        for held in helds {
            for (way, when) in write.ways() {
                all.extend(states.iter().map(|&state| Case { state, held: *held, write, way, when }));
            }
        }
    }
    all
}

/// The number of scenes written by one request; each has at most two items and two claims.
const AT_ONCE: usize = 6;

/// The cases of an entity, and those with another result than expected.
struct Tried {
    cases: Vec<Case>,
    failures: Vec<Failure>,
}

/// Runs the cases.
async fn attempt<E: Subject>(all: Vec<Case>) -> Tried {
    let db = &tables::<E>().await;
    let mut failures = Vec::new();
    for (position, cases) in all.chunks(AT_ONCE).enumerate() {
        let number = |offset: usize| position * AT_ONCE + offset;
        let scenes: Vec<Scene<E>> = cases
            .iter()
            .enumerate()
            .map(|(offset, case)| Scene::new(number(offset), case.state, case.held))
            .collect();
        set_up(db, &scenes).await;
        let started = Timestamp::now();
        let mut outcomes = Vec::new();
        for (scene, case) in scenes.iter().zip(cases) {
            outcomes.push(run(db, scene, case.write, case.way, case.when).await);
        }
        let found = look(db, &scenes).await;
        for (((scene, case), outcome), after) in scenes.iter().zip(cases).zip(outcomes).zip(found) {
            if let Err((expected, got)) = judge(scene, case, &outcome, &after, started) {
                let [wanted, other] = scene.codes();
                let got = got.replace(&format!("{wanted:?}"), "its code");
                let got = got.replace(&format!("{other:?}"), "another code");
                let message = outcome.err().map(|refused| refused.message);
                failures.push(Failure { entity: E::NAME, case: *case, expected, got, message });
            }
        }
    }
    Tried { cases: all, failures }
}

fn claims_table<E: Subject>(db: &Database) -> String {
    format!("{}-unique", db.table_name::<E>())
}

/// The key of a claim, as the derive's documentation says; with the oldest type name if entities share a table.
fn claim_key<E: Subject>(value: &str) -> AttributeValue {
    let of_type = match (E::RULES.typed(), E::RULES.renamed()) {
        (true, true) => format!("{FORMER}#"),
        (true, false) => format!("{}#", E::NAME),
        (false, _) => String::new(),
    };
    AttributeValue::S(format!("{of_type}code#{value}"))
}

async fn set_up<E: Subject>(db: &Database, scenes: &[Scene<E>]) {
    let put = |item: Item| {
        let put = PutRequest::builder().set_item(Some(item.into_iter().collect())).build().unwrap();
        WriteRequest::builder().put_request(put).build()
    };
    let items = scenes.iter().flat_map(|scene| [&scene.before.item, &scene.before.other]);
    let items: Vec<_> = items.flatten().cloned().map(put).collect();
    let claims = scenes.iter().flat_map(|scene| &scene.before.claims);
    let claims: Vec<_> = claims
        .map(|(value, Claim { owner, ends })| {
            let owner = AttributeValue::M(owner.clone().into_iter().collect());
            let mut item = Item::from([("claim".into(), claim_key::<E>(value)), ("owner".into(), owner)]);
            item.extend(ends.clone().map(|ends| ("ends_at".into(), ends)));
            put(item)
        })
        .collect();
    let mut request = db.client().batch_write_item();
    let mut is_empty = true;
    for (table, puts) in [(db.table_name::<E>(), items), (claims_table::<E>(db), claims)] {
        if !puts.is_empty() {
            request = request.request_items(table, puts);
            is_empty = false;
        }
    }
    if !is_empty {
        let answer = request.send().await.unwrap();
        assert!(answer.unprocessed_items().is_none_or(HashMap::is_empty));
    }
}

/// Reads what is stored after the writes.
async fn look<E: Subject>(db: &Database, scenes: &[Scene<E>]) -> Vec<World> {
    let keys = |keys: Vec<Item>| {
        let keys = keys.into_iter().map(|key| key.into_iter().collect()).collect();
        KeysAndAttributes::builder().consistent_read(true).set_keys(Some(keys)).build().unwrap()
    };
    let item_keys = |scene: &Scene<E>| {
        [0, 1].map(|offset| {
            let entity = E::with(scene.number + offset, &subject::Fields::default());
            key_of::<E>(&dynorm::to_item(&entity).unwrap().into_iter().collect())
        })
    };
    let (table, claims) = (db.table_name::<E>(), claims_table::<E>(db));
    let of_items = scenes.iter().flat_map(item_keys).collect();
    let mut request = db.client().batch_get_item().request_items(&table, keys(of_items));
    if E::RULES.unique {
        let of_claims = scenes.iter().flat_map(Scene::codes);
        let of_claims = of_claims.map(|code| Item::from([("claim".into(), claim_key::<E>(&code))]));
        request = request.request_items(&claims, keys(of_claims.collect()));
    }
    let answer = request.send().await.unwrap();
    assert!(answer.unprocessed_keys().is_none_or(HashMap::is_empty));
    let found = |table: &String| {
        let found = answer.responses().and_then(|tables| tables.get(table)).into_iter().flatten();
        found.map(|item| item.clone().into_iter().collect::<Item>()).collect::<Vec<_>>()
    };
    let items = found(&table);
    let claims = found(&claims);
    let world = |scene: &Scene<E>| {
        let [item, other] =
            item_keys(scene).map(|key| items.iter().find(|item| key_of::<E>(item) == key).cloned());
        let claim = |value: String| {
            let key = claim_key::<E>(&value);
            let claim = claims.iter().find(|claim| claim["claim"] == key)?;
            let owner = claim["owner"].as_m().unwrap().clone().into_iter().collect();
            Some((value, Claim { owner, ends: claim.get("ends_at").cloned() }))
        };
        World { item, other, claims: scene.codes().into_iter().filter_map(claim).collect() }
    };
    scenes.iter().map(world).collect()
}

/// The expected and the actual result, if they differ.
fn judge<E: Subject>(
    scene: &Scene<E>,
    case: &Case,
    outcome: &Outcome,
    after: &World,
    started: Timestamp,
) -> Result<(), (String, String)> {
    let expected = predict(scene, case.held, case.write, case.way, case.when);
    match (&expected, outcome) {
        (Ok(kept), Ok(given)) => {
            let mut differences = worlds(&kept.after, after, started);
            if let (Some(expected), Some(given)) = (&kept.gives, given) {
                let expected = read_as::<E>(expected);
                // The returned item is the stored one, to the microsecond.
                for difference in differences_of(&expected, given, started) {
                    differences.push(format!("gives {difference}"));
                }
            }
            let differs = !differences.is_empty();
            if differs { Err(("made".into(), differences.join("; "))) } else { Ok(()) }
        }
        (Err(refusal), Err(refused)) => {
            let mut wrong = Vec::new();
            if refused.kind != *refusal || !refused.outcome_known {
                wrong.push(refused.to_string());
            }
            wrong.extend(worlds(&scene.before, after, started));
            if matches!(refusal, Refusal::Condition | Refusal::Version | Refusal::Type) {
                let shown = match &refused.current {
                    Some(Ok(item)) => Some(item.clone()),
                    Some(Err(error)) => {
                        wrong.push(format!("the current item: {error}"));
                        None
                    }
                    None => None,
                };
                // The item of another entity is not shown.
                let stored = scene.before.item.as_ref().filter(|item| is_own::<E>(item));
                let expected = stored.map(read_as::<E>);
                if wrong.is_empty() && shown != expected {
                    wrong.push(format!("the error shows {shown:?}"));
                }
            }
            if wrong.is_empty() { Ok(()) } else { Err((format!("{refusal:?}"), wrong.join("; "))) }
        }
        (Ok(_), Err(refused)) => Err(("made".into(), refused.to_string())),
        (Err(refusal), Ok(_)) => {
            let changes = worlds(&scene.before, after, started);
            Err((format!("{refusal:?}"), format!("made: {}", changes.join("; "))))
        }
    }
}

fn worlds(expected: &World, found: &World, started: Timestamp) -> Vec<String> {
    let item = |name: &str, expected: &Option<Item>, found: &Option<Item>| match (expected, found) {
        (Some(expected), Some(found)) => differences_of(expected, found, started),
        (None, None) => Vec::new(),
        (Some(_), None) => vec![format!("{name} is gone")],
        (None, Some(_)) => vec![format!("{name} is there")],
    };
    let mut all = item("the item", &expected.item, &found.item);
    all.extend(item("the other item", &expected.other, &found.other));
    // An expired claim counts as absent.
    let held = |world: &World| -> BTreeMap<String, Claim> {
        world.claims.clone().into_iter().filter(|(_, claim)| holds(claim)).collect()
    };
    let (expected, found) = (held(expected), held(found));
    for value in expected.keys().chain(found.keys().filter(|value| !expected.contains_key(*value))) {
        let (expected, found) = (expected.get(value), found.get(value));
        if expected != found {
            let by = |claim: Option<&Claim>| match claim {
                Some(Claim { owner, ends }) => {
                    let is_other = found.is_some() && expected.is_some_and(|claim| claim.owner != *owner);
                    let ends = if ends.is_some() { " until it expires" } else { "" };
                    format!("held{}{ends}", if is_other { " by another" } else { "" })
                }
                None => "free".to_owned(),
            };
            all.push(format!("{value:?} is {}, not {}", by(found), by(expected)));
        }
    }
    all
}

fn differences_of(expected: &Item, found: &Item, started: Timestamp) -> Vec<String> {
    let mut all = Vec::new();
    for name in expected.keys().chain(found.keys().filter(|name| !expected.contains_key(*name))) {
        let (expected, found) = (expected.get(name), found.get(name));
        let is_now = expected.is_some_and(|value| *value == AttributeValue::S(NOW.into()));
        let since = |found: &AttributeValue| {
            found.as_s().ok().and_then(|at| at.parse::<Timestamp>().ok()).is_some_and(|at| at >= started)
        };
        if if is_now { !found.is_some_and(since) } else { expected != found } {
            let text = |value: Option<&AttributeValue>| match value {
                Some(AttributeValue::S(text)) if text.parse::<Timestamp>().is_ok() => "a time".to_owned(),
                Some(value) => format!("{value:?}"),
                None => "absent".to_owned(),
            };
            all.push(format!("`{name}` is {}, not {}", text(found), text(expected)));
        }
    }
    all
}

/// A database with the tables of this entity, which does not delete expired items.
async fn tables<E: Subject>() -> Database {
    let db = database();
    if E::RULES.keys == Keys::Shared {
        db.create_table::<E>().with::<Neighbour>().await.unwrap();
    } else {
        db.create_table::<E>().await.unwrap();
    }
    if E::RULES.expiry {
        keep_expired::<E>(&db).await;
    }
    db
}

/// A fixed sample of the cases: one for each write in each way first, then other essential ones, then the rest.
fn sample<E: Subject>(mut essential: Vec<Case>, others: Vec<Case>) -> Vec<Case> {
    // The embedded engine answers at once.
    let room = match Engine::of_this_run() {
        Engine::Embedded => 500,
        Engine::Endpoint => 200,
    };
    let mut random = fastrand::Rng::with_seed(E::NAME.bytes().map(u64::from).sum());
    random.shuffle(&mut essential);
    let mut ways = Vec::new();
    let (mut chosen, essential): (Vec<Case>, Vec<Case>) = essential.into_iter().partition(|case| {
        let way = (case.write, case.way, case.when);
        let is_first = !ways.contains(&way);
        ways.push(way);
        is_first
    });
    chosen.extend(essential);
    chosen.truncate(room);
    let rest = room - chosen.len();
    chosen.extend(random.choose_multiple(others, rest));
    chosen
}

async fn every_write<E: Subject>() -> Tried {
    let (one, two) = State::all(E::RULES);
    let helds = Held::all(E::RULES);
    let is_essential =
        |case: &Case| case.when == When::Nothing || case.state == State::USUAL || !case.state.stored;
    let of_one = cases(E::RULES, &one, &helds);
    let (essential, mut others): (Vec<Case>, Vec<Case>) = of_one.into_iter().partition(is_essential);
    others.extend(cases(E::RULES, &two, &helds));
    attempt::<E>(sample::<E>(essential, others)).await
}

macro_rules! spawn_every_write {
    ($($subject:ident),*) => {
        [$(tokio::spawn(every_write::<subject::$subject>())),*]
    };
}

/// Waits for all entities, and checks that every write was made in every way.
macro_rules! tried {
    ($tasks:expr) => {{
        let (mut cases, mut failures) = (Vec::new(), Vec::new());
        for task in $tasks {
            let tried: Tried = task.await.unwrap();
            cases.extend(tried.cases);
            failures.extend(tried.failures);
        }
        let is_tried = |(write, (way, when)): &(Write, (Way, When))| {
            cases.iter().any(|case| (case.write, case.way, case.when) == (*write, *way, *when))
        };
        let ways = Write::ALL.iter().flat_map(|write| write.ways().into_iter().map(|way| (*write, way)));
        let missing: Vec<_> = ways.filter(|way| !is_tried(way)).collect();
        assert!(missing.is_empty(), "never tried: {missing:?}");
        (cases.len(), failures)
    }};
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_write_is_made_or_refused_as_the_rules_say() {
    let (total, failures) = tried!(for_each_subject!(spawn_every_write));
    report(total, failures);
}

async fn last_version<E: Subject>() -> Tried {
    if !E::RULES.version {
        return Tried { cases: Vec::new(), failures: Vec::new() };
    }
    let state = State { version: Version::Last, ..State::USUAL };
    let states =
        [state, State { stored: false, codes: state::Codes::Same(state::Holder::Nobody), ..State::USUAL }];
    let cases = cases(E::RULES, &states, &[Held::Last]);
    attempt::<E>(sample::<E>(cases, Vec::new())).await
}

macro_rules! spawn_last_version {
    ($($subject:ident),*) => {
        [$(tokio::spawn(last_version::<subject::$subject>())),*]
    };
}

/// For each type of a version.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_at_the_end_of_its_type_is_never_raised() {
    let (total, failures) = tried!(for_each_subject!(spawn_last_version));
    report(total, failures);
}

macro_rules! all_rules {
    ($($subject:ident),*) => {
        [$((<subject::$subject as Subject>::RULES, <subject::$subject as Subject>::LAST_VERSION)),*]
    };
}

/// Without this test, removing an entity could leave two rules that never meet.
#[test]
fn the_entities_cover_every_two_rules() {
    let entities = for_each_subject!(all_rules);
    let values = |rules: Rules| {
        let flags = [rules.version, rules.soft_delete, rules.expiry, rules.unique, rules.times];
        let keys = [Keys::Plain, Keys::Composite, Keys::Template, Keys::Shared];
        let keys = keys.iter().position(|keys| *keys == rules.keys).unwrap();
        [keys, flags[0].into(), flags[1].into(), flags[2].into(), flags[3].into(), flags[4].into()]
    };
    let mut missing = Vec::new();
    for first in 0..6 {
        for second in first + 1..6 {
            for one in 0..if first == 0 { 4 } else { 2 } {
                for other in 0..2 {
                    let meets = |(rules, _): &(Rules, u64)| {
                        let values = values(*rules);
                        values[first] == one && values[second] == other
                    };
                    if !entities.iter().any(meets) {
                        missing.push((first, one, second, other));
                    }
                }
            }
        }
    }
    assert!(missing.is_empty(), "no entity has these values of two rules: {missing:?}");
    for last in [u64::MAX, u64::from(u32::MAX), i64::MAX as u64, i32::MAX as u64] {
        assert!(entities.iter().any(|(rules, found)| rules.version && *found == last), "{last}");
    }
}
