//! No write is lost or overtaken: whatever happens to the requests of a batch, the fates that it reports
//! agree with the table. Each case follows from its seed, and time is paused.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::mem::{Discriminant, discriminant};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dynorm::prelude::*;
use dynorm::testing::Faults;
use dynorm::{Error, Fate, Retry};
use dynorm_tests::canned::{self, Answer, Recorded, Requests};
use fastrand::Rng;
use serde_json::{Value, json};
use tokio::time::Instant;

#[derive(Entity, Clone, Debug, PartialEq)]
struct Part {
    #[entity(partition)]
    number: u32,
    /// The position of the input that wrote it.
    writer: u32,
    weight: f64,
}

#[derive(Entity, Clone, Debug, PartialEq)]
struct Bin {
    #[entity(partition)]
    number: u32,
    writer: u32,
    weight: f64,
}

const SOUND: f64 = 1.0;
/// The server rejects this value.
const REFUSED: f64 = -1.0;
/// This value is rejected before it is sent.
const UNSTORABLE: f64 = f64::NAN;

/// The writer of the items that exist before a case.
const BEFORE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Table {
    Parts,
    Bins,
}

/// The place of an item: its table and its number.
type Place = (Table, u32);

/// The effect of one input: an item with this writer, or no item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Write {
    place: Place,
    writer: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Input {
    write: Write,
    weight: f64,
}

impl Input {
    fn part(&self) -> Part {
        let Self { write: Write { place: (_, number), writer }, weight } = *self;
        Part { number, writer: writer.unwrap(), weight }
    }

    fn bin(&self) -> Bin {
        let Part { number, writer, weight } = self.part();
        Bin { number, writer, weight }
    }

    fn number(&self) -> u32 {
        self.write.place.1
    }
}

/// The fate that a batch reported for an input.
#[derive(Clone, Copy, Debug)]
struct Told {
    fate: Fate,
    /// For a failed input: whether the reason says that the outcome is known.
    failed: Option<bool>,
}

fn told(fates: impl Iterator<Item = Fate>, failures: impl Iterator<Item = (usize, bool)>) -> Vec<Told> {
    let mut told: Vec<Told> = fates.map(|fate| Told { fate, failed: None }).collect();
    for (index, is_known) in failures {
        told[index].failed = Some(is_known);
    }
    told
}

// The faults of requests

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    Throttled,
    HotKeys,
    /// A status of 500, after the server has executed the request or not.
    Failed,
    Refused,
    CutBefore,
    CutAfter,
    /// An answer that is cut off in the middle.
    Garbled,
}

/// The frequency of faults.
#[derive(Clone, Copy, Debug)]
struct Mix {
    /// The share of items that come back unprocessed.
    unprocessed: f64,
    /// The shares of requests with each fault.
    troubles: &'static [(Trouble, f64)],
}

const USUAL: Mix = Mix {
    unprocessed: 0.2,
    troubles: &[
        (Trouble::Throttled, 0.05),
        (Trouble::Failed, 0.02),
        (Trouble::CutBefore, 0.01),
        (Trouble::CutAfter, 0.01),
    ],
};

const ROUGH: Mix = Mix {
    unprocessed: 0.35,
    troubles: &[
        (Trouble::Throttled, 0.08),
        (Trouble::HotKeys, 0.08),
        (Trouble::Failed, 0.08),
        (Trouble::Refused, 0.06),
        (Trouble::CutBefore, 0.06),
        (Trouble::CutAfter, 0.06),
        (Trouble::Garbled, 0.04),
    ],
};

/// Almost nothing succeeds.
const HOPELESS: Mix = Mix {
    unprocessed: 0.8,
    troubles: &[
        (Trouble::Throttled, 0.3),
        (Trouble::HotKeys, 0.1),
        (Trouble::Failed, 0.1),
        (Trouble::Refused, 0.1),
        (Trouble::CutBefore, 0.1),
        (Trouble::CutAfter, 0.1),
    ],
};

impl Mix {
    fn pick(self, random: &mut Rng) -> Option<Trouble> {
        let mut draw = random.f64();
        let picked = self.troubles.iter().find(|(_, share)| {
            draw -= share;
            draw < 0.0
        });
        picked.map(|(trouble, _)| *trouble)
    }
}

fn hot_keys() -> Answer {
    let error = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException",
        "message": "Throughput exceeds the current capacity of one or more partitions",
        "throttlingReasons": [{
            "reason": "TableWriteKeyRangeThroughputExceeded",
            "resource": "arn:aws:dynamodb:us-east-1:1:table/parts",
        }],
    });
    Answer::Json(400, error.to_string())
}

fn failed() -> Answer {
    Answer::error(500, "InternalServerError", "oops")
}

fn refused() -> Answer {
    Answer::error(400, "ValidationException", "a weight is negative")
}

fn is_refused(request: &Recorded) -> bool {
    request.text().contains("\"-1\"")
}

/// The recorded requests of a case, and, without an engine, the table itself.
#[derive(Debug)]
struct Watch {
    random: Rng,
    mix: Mix,
    sent: HashSet<Write>,
    /// The writes of requests without an answer.
    unanswered: HashSet<Write>,
    /// The writes of requests answered with a status of 500.
    failed: HashSet<Write>,
    /// The latest write of each place, and when the batch got its answer.
    under_way: HashMap<Place, (Write, Option<Instant>)>,
    held: HashMap<Place, u32>,
    /// The writers of each place, in order.
    applied: HashMap<Place, Vec<Option<u32>>>,
    /// The number of inputs taken from a stream while a write of the same place was in flight.
    met: usize,
}

impl Watch {
    fn new(seed: u64, mix: Mix) -> Self {
        Self {
            random: Rng::with_seed(seed),
            mix,
            sent: HashSet::new(),
            unanswered: HashSet::new(),
            failed: HashSet::new(),
            under_way: HashMap::new(),
            held: HashMap::new(),
            applied: HashMap::new(),
            met: 0,
        }
    }

    fn is_under_way(&self, place: Place) -> bool {
        let now = Instant::now();
        self.under_way.get(&place).is_some_and(|(_, heard)| heard.is_none_or(|heard| heard > now))
    }

    /// Records a request that is sent.
    fn send(&mut self, request: &Recorded) {
        for (_, write) in writes(request) {
            assert!(!self.is_under_way(write.place), "two writes of {:?} at a time", write.place);
            self.under_way.insert(write.place, (write, None));
        }
    }

    /// Records what the batch may know of writes with a fault.
    fn note(&mut self, trouble: Option<Trouble>, request: &Recorded, writes: &[(Value, Write)]) {
        let writes = writes.iter().map(|(_, write)| *write);
        match trouble {
            Some(Trouble::Failed) => self.failed.extend(writes.clone()),
            Some(Trouble::CutBefore | Trouble::CutAfter | Trouble::Garbled) => {
                self.unanswered.extend(writes.clone());
            }
            _ => {}
        }
        // A request that is rejected because of one item is not executed for the others.
        if trouble != Some(Trouble::Refused) && !is_refused(request) {
            self.sent.extend(writes);
        }
    }

    /// Executes a request; the answer comes later.
    fn act(&mut self, request: &Recorded) -> Answer {
        let delay = Duration::from_millis(self.random.u64(0..20));
        let writes = writes(request);
        for (_, write) in &writes {
            self.under_way.insert(write.place, (*write, Some(Instant::now() + delay)));
        }
        let trouble = self.mix.pick(&mut self.random);
        self.note(trouble, request, &writes);
        let answer = match trouble {
            Some(Trouble::Throttled) => Answer::throttled(),
            Some(Trouble::HotKeys) => hot_keys(),
            Some(Trouble::Refused) => Answer::Refused,
            Some(Trouble::CutBefore) => Answer::Cut,
            Some(Trouble::Failed) if self.random.bool() => failed(),
            _ if is_refused(request) => refused(),
            _ => {
                let answer = self.apply(request, &writes);
                match trouble {
                    Some(Trouble::Failed) => failed(),
                    Some(Trouble::CutAfter) => Answer::Cut,
                    Some(Trouble::Garbled) => Answer::ok(r#"{"UnprocessedItems":{"parts":[{"#),
                    _ => answer,
                }
            }
        };
        answer.after(delay)
    }

    fn apply(&mut self, request: &Recorded, writes: &[(Value, Write)]) -> Answer {
        let is_conditional = !request.body["ConditionExpression"].is_null();
        let mut back = serde_json::Map::new();
        for (json, write) in writes {
            if is_conditional && self.held.contains_key(&write.place) {
                return Answer::error(400, "ConditionalCheckFailedException", "it exists");
            }
            if !is_conditional && self.random.f64() < self.mix.unprocessed {
                let list = back.entry(table_name(write.place)).or_insert_with(|| json!([]));
                list.as_array_mut().unwrap().push(json.clone());
                continue;
            }
            match write.writer {
                Some(writer) => self.held.insert(write.place, writer),
                None => self.held.remove(&write.place),
            };
            self.applied.entry(write.place).or_default().push(write.writer);
        }
        Answer::ok(json!({ "UnprocessedItems": back }).to_string())
    }

    /// Decides the fate of a request to an engine behind the fault kit.
    fn meddle(&mut self, request: &Recorded) -> Answer {
        let writes = writes(request);
        let trouble = self.mix.pick(&mut self.random);
        self.note(trouble, request, &writes);
        match trouble {
            Some(Trouble::Refused) => Answer::Refused,
            Some(Trouble::CutBefore) => Answer::Cut,
            Some(Trouble::Failed) => failed(),
            _ if is_refused(request) => refused(),
            Some(Trouble::CutAfter | Trouble::Garbled) => Answer::CutAfter,
            // The kit throttles it.
            Some(Trouble::Throttled | Trouble::HotKeys) | None => Answer::Engine,
        }
    }
}

fn table_name((table, _): Place) -> &'static str {
    match table {
        Table::Parts => "parts",
        Table::Bins => "bins",
    }
}

/// The writes of a request, as JSON and as effects.
fn writes(request: &Recorded) -> Vec<(Value, Write)> {
    let number = |value: &Value| value["N"].as_str().unwrap().parse::<u32>().unwrap();
    let write = |table: &str, item: &Value| {
        let table = if table.ends_with("parts") { Table::Parts } else { Table::Bins };
        let writer = item.get("writer").map(number);
        Write { place: (table, number(&item["number"])), writer }
    };
    if request.target == "PutItem" {
        let (table, item) = (request.body["TableName"].as_str().unwrap(), &request.body["Item"]);
        return vec![(Value::Null, write(table, item))];
    }
    let mut writes = Vec::new();
    for (table, list) in request.body["RequestItems"].as_object().unwrap() {
        for json in list.as_array().unwrap() {
            let item = if json["PutRequest"].is_null() {
                &json["DeleteRequest"]["Key"]
            } else {
                &json["PutRequest"]["Item"]
            };
            writes.push((json.clone(), write(table, item)));
        }
    }
    writes
}

// The batches

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Save,
    Create,
    Delete,
    SaveStream,
    DeleteStream,
    Mixed,
}

const KINDS: [Kind; 6] =
    [Kind::Save, Kind::Create, Kind::Delete, Kind::SaveStream, Kind::DeleteStream, Kind::Mixed];

/// A batch, and the items before it.
#[derive(Debug)]
struct Case {
    kind: Kind,
    seed: u64,
    inputs: Vec<Input>,
    before: HashSet<Place>,
    retry: Retry,
    /// The failures are sent once more, by `retry` of the error.
    goes_on: bool,
    concurrency: Option<usize>,
}

impl Case {
    /// A batch of up to `most` inputs, numbered from `base`.
    fn new(kind: Kind, seed: u64, base: u32, most: usize) -> Self {
        let mut random = Rng::with_seed(seed ^ 0xfa7e);
        let count = random.usize(1..=most);
        let numbers = random.u32(1..=count as u32);
        let is_flawed = random.u32(0..4) == 0;
        let mut run = (Table::Parts, kind != Kind::Delete && kind != Kind::DeleteStream);
        let inputs: Vec<Input> = (0..count as u32)
            .map(|index| {
                if kind == Kind::Mixed && random.u32(0..8) == 0 {
                    run = (if random.bool() { Table::Parts } else { Table::Bins }, random.bool());
                }
                let (table, is_put) = run;
                let place = (table, base + random.u32(0..numbers));
                let weight = match random.u32(0..60) {
                    0 if is_flawed => REFUSED,
                    1 if is_flawed => UNSTORABLE,
                    _ => SOUND,
                };
                Input { write: Write { place, writer: is_put.then_some(index) }, weight }
            })
            .collect();
        let share = match kind {
            Kind::Save | Kind::SaveStream => 0.0,
            Kind::Create => 0.2,
            Kind::Delete | Kind::DeleteStream | Kind::Mixed => 0.9,
        };
        let places: BTreeSet<Place> = inputs.iter().map(|input| input.write.place).collect();
        let before = places.into_iter().filter(|_| random.f64() < share).collect();
        let retry = match random.u32(0..5) {
            0 => Retry::default(),
            1 => Retry::default().rounds(1),
            2 => Retry::default().attempts(2),
            3 => Retry::default().rounds(0),
            _ => Retry::default().rounds(8),
        };
        Self {
            kind,
            seed,
            inputs,
            before,
            retry: retry.seed(seed),
            goes_on: random.bool(),
            concurrency: random.bool().then(|| random.usize(1..5)),
        }
    }

    async fn run(&self, db: &Database, watch: &Mutex<Watch>) -> Vec<Told> {
        let Self { inputs, retry, .. } = self;
        let index_of = |index: usize, reason: &Error| (index, reason.outcome_known());
        /// Sets the options that all kinds of batches have.
        macro_rules! with_options {
            ($batch:expr) => {{
                let batch = $batch.retry(*retry).on(db);
                match self.concurrency {
                    Some(requests) => batch.concurrency(requests),
                    None => batch,
                }
            }};
        }
        /// The fates of a batch of given inputs, or of its retry.
        macro_rules! at_hand {
            ($batch:expr, $stats:expr, $failures:expr) => {{
                let mut result = with_options!($batch).await;
                if self.goes_on
                    && let Err(error) = result
                {
                    result = error.retry().await;
                }
                match result {
                    Ok(done) => told($stats(&done).fates(), std::iter::empty()),
                    Err(error) => told(error.fates(), $failures(&error).into_iter()),
                }
            }};
        }
        /// The fates of a stream. It reports only failures.
        macro_rules! stream {
            ($stream:expr) => {{
                let mut told = vec![Told { fate: Fate::Done, failed: None }; inputs.len()];
                let mut taken_in = 0;
                let stream = with_options!($stream).on_progress(|progress| taken_in = progress.received);
                let result = stream
                    .on_failure(|failure| {
                        let failed = Some(failure.reason.outcome_known());
                        told[failure.index] = Told { fate: failure.fate, failed };
                    })
                    .await;
                if let Err(error) = result {
                    assert!(error.failures().is_empty());
                }
                // A stream that ends early does not take in the rest.
                for told in &mut told[taken_in as usize..] {
                    *told = Told { fate: Fate::NotSent, failed: Some(true) };
                }
                told
            }};
        }
        let numbers = || inputs.iter().map(Input::number);
        let meet = |input: &Input| {
            let mut watch = watch.lock().unwrap();
            watch.met += usize::from(watch.is_under_way(input.write.place));
        };
        match self.kind {
            Kind::Save | Kind::Create => {
                let parts: Vec<Part> = inputs.iter().map(Input::part).collect();
                let batch = if self.kind == Kind::Save {
                    PartRepo::batch_save(parts)
                } else {
                    PartRepo::batch_create(parts)
                };
                at_hand!(batch, Collection::stats, |error: &dynorm::batch::BatchSaveError<Part>| {
                    error
                        .failures()
                        .iter()
                        .map(|failure| index_of(failure.index, &failure.reason))
                        .collect::<Vec<_>>()
                })
            }
            Kind::Delete => at_hand!(
                PartRepo::batch_delete(numbers()),
                |stats: &dynorm::Stats| stats.clone(),
                |error: &dynorm::batch::BatchDeleteError<Part>| error
                    .failures()
                    .iter()
                    .map(|failure| index_of(failure.index, &failure.reason))
                    .collect::<Vec<_>>()
            ),
            Kind::Mixed => {
                let mut batch = dynorm::batch();
                for run in inputs.chunk_by(|one, other| run_of(one) == run_of(other)) {
                    let numbers = run.iter().map(Input::number);
                    batch = match run_of(&run[0]) {
                        (Table::Parts, true) => batch.save(run.iter().map(Input::part)),
                        (Table::Bins, true) => batch.save(run.iter().map(Input::bin)),
                        (Table::Parts, false) => batch.delete::<Part>(numbers),
                        (Table::Bins, false) => batch.delete::<Bin>(numbers),
                    };
                }
                at_hand!(batch, |stats: &dynorm::Stats| stats.clone(), |error: &dynorm::batch::BatchError| {
                    error
                        .failures()
                        .map(|failure| index_of(failure.index, failure.reason))
                        .collect::<Vec<_>>()
                })
            }
            Kind::SaveStream => {
                stream!(PartRepo::batch_save_stream(
                    inputs.iter().inspect(|input| meet(input)).map(Input::part)
                ))
            }
            Kind::DeleteStream => {
                stream!(PartRepo::batch_delete_stream(
                    inputs.iter().inspect(|input| meet(input)).map(Input::number)
                ))
            }
        }
    }

    /// The contradictions between the fates and the table. The fates alone decide what each place may hold.
    fn mistakes(&self, told: &[Told], watch: &Watch, table: &HashMap<Place, u32>) -> Vec<String> {
        let (mut mistakes, mut possible) = (Vec::new(), HashMap::<Place, BTreeSet<Option<u32>>>::new());
        for (index, (Input { write, .. }, Told { fate, failed })) in self.inputs.iter().zip(told).enumerate()
        {
            let before = || BTreeSet::from([self.before.contains(&write.place).then_some(BEFORE)]);
            let possible = possible.entry(write.place).or_insert_with(before);
            if *fate == Fate::Done {
                possible.clear();
            }
            let is_open = *fate == Fate::Unknown || *failed == Some(false) && *fate != Fate::NotSent;
            if *fate == Fate::Done || is_open {
                possible.insert(write.writer);
            }
            let why = match (fate, failed.is_some()) {
                (Fate::Superseded { by }, has_failed) => match (self.inputs.get(*by), told.get(*by)) {
                    (Some(other), Some(told)) if *by > index && other.write.place == write.place => {
                        let is_last = !matches!(told.fate, Fate::Superseded { .. });
                        let why = "what supersedes it has another end";
                        (!is_last || told.failed.is_some() != has_failed).then_some(why)
                    }
                    _ => Some("it is superseded by another item"),
                },
                (Fate::Done, has_failed) => has_failed.then_some("it has failed"),
                (_, false) => Some("it has not failed"),
                (Fate::Unknown, _) => {
                    // An item that a failing server may have created is found to exist.
                    let may_exist = self.kind == Kind::Create && watch.failed.contains(write);
                    (!watch.unanswered.contains(write) && !may_exist).then_some("it had an answer")
                }
                // Deletes of one item look alike, so another one may have been sent.
                (Fate::NotSent, _) => {
                    (write.writer.is_some() && watch.sent.contains(write)).then_some("it was sent")
                }
                _ => None,
            };
            mistakes.extend(why.map(|why| self.describe(why, write.place, told)));
        }
        for (place, possible) in possible {
            let held = table.get(&place).copied();
            if !possible.contains(&held) {
                let why = format!("the table holds {held:?} instead of one of {possible:?}");
                mistakes.push(self.describe(&why, place, told));
            }
        }
        for (place, writers) in &watch.applied {
            // Without its deletes, a mixed batch has no visible order.
            if self.kind != Kind::Mixed && !writers.is_sorted() {
                let why = format!("it was written in the order {writers:?}");
                mistakes.push(self.describe(&why, *place, told));
            }
        }
        mistakes
    }

    fn describe(&self, why: &str, place: Place, told: &[Told]) -> String {
        let told = self.inputs.iter().zip(told).enumerate();
        let told = told.filter(|(_, (input, _))| input.write.place == place);
        let told = told.map(|(index, (input, Told { fate, failed }))| {
            let known = match failed {
                None => "",
                Some(true) => ", outcome known",
                Some(false) => ", outcome unknown",
            };
            format!("  #{index} {:?}: {fate}{known}\n", input.write)
        });
        format!("{:?} of seed {}: {why}\n{}", self.kind, self.seed, told.collect::<String>())
    }
}

fn run_of(input: &Input) -> (Table, bool) {
    (input.write.place.0, input.write.writer.is_some())
}

/// A table without an engine, fast enough for thousands of cases.
struct Model {
    db: Database,
    watch: Arc<Mutex<Watch>>,
    requests: [Requests; 2],
}

impl Model {
    fn new() -> Self {
        let watch = Arc::new(Mutex::new(Watch::new(0, USUAL)));
        let server = watch.clone();
        // Requests to a sink are not signed, which would take most of the time.
        let (db, arrived) = canned::over(&canned::sink(), move |request| server.lock().unwrap().act(request));
        let line = watch.clone();
        let (db, left) = canned::over(&db, move |request| {
            let mut watch = line.lock().unwrap();
            watch.send(request);
            Answer::Engine.after(Duration::from_millis(watch.random.u64(0..40)))
        });
        Self { db, watch, requests: [arrived, left] }
    }

    /// Runs a case. The records stay until the next one.
    async fn run(&self, case: &Case, mix: Mix) -> Vec<Told> {
        self.requests.iter().for_each(Requests::clear);
        let mut watch = Watch::new(case.seed, mix);
        watch.held = case.before.iter().map(|place| (*place, BEFORE)).collect();
        *self.watch.lock().unwrap() = watch;
        case.run(&self.db, &self.watch).await
    }
}

/// The results of many cases.
#[derive(Default)]
struct Cases {
    /// The kinds of fates that occurred; the cases must cover all.
    fates: HashSet<Discriminant<Fate>>,
    mistakes: Vec<String>,
}

impl Cases {
    fn add(&mut self, case: &Case, told: &[Told], watch: &Watch, table: &HashMap<Place, u32>) {
        self.fates.extend(told.iter().map(|told| discriminant(&told.fate)));
        self.mistakes.extend(case.mistakes(told, watch, table));
    }

    fn assert_right(self) {
        let Self { fates, mistakes } = self;
        let first: String = mistakes.iter().take(10).map(String::as_str).collect();
        assert!(mistakes.is_empty(), "{} mistakes; the first:\n{first}", mistakes.len());
        assert_eq!(fates.len(), 6, "every fate was brought about");
    }
}

/// The frequency of faults for a seed.
fn mix_of(seed: u64) -> Mix {
    match seed % 3 {
        0 => USUAL,
        1 => ROUGH,
        _ => HOPELESS,
    }
}

#[tokio::test(start_paused = true)]
async fn every_fate_fits_what_the_table_holds() {
    let (model, mut cases) = (Model::new(), Cases::default());
    for seed in 0..160 {
        for kind in KINDS {
            // Each created item takes a request.
            let case = Case::new(kind, seed, 0, if kind == Kind::Create { 15 } else { 60 });
            let told = model.run(&case, mix_of(seed)).await;
            let watch = model.watch.lock().unwrap();
            cases.add(&case, &told, &watch, &watch.held);
        }
    }
    cases.assert_right();
}

/// Runs cases with many inputs for a few items, and checks that the last input of each item is stored.
async fn the_last_write_stands(kind: Kind) {
    let (model, mut cases, mut met, mut written) = (Model::new(), Cases::default(), 0, 0);
    for seed in 0..1000 {
        let mut random = Rng::with_seed(seed);
        // Enough inputs that a stream sends some while it takes in others.
        let (inputs, numbers) = if random.bool() { (60, 20..21) } else { (120, 30..60) };
        let numbers = random.u32(numbers);
        let input = |writer| {
            let place = (Table::Parts, random.u32(0..numbers));
            Input { write: Write { place, writer: Some(writer) }, weight: SOUND }
        };
        let case = Case {
            kind,
            seed,
            inputs: (0..inputs).map(input).collect(),
            before: HashSet::new(),
            retry: Retry::default().rounds(8).seed(seed),
            goes_on: false,
            concurrency: Some(1 + seed as usize % 3),
        };
        let told = model.run(&case, USUAL).await;
        let watch = model.watch.lock().unwrap();
        cases.add(&case, &told, &watch, &watch.held);
        met += watch.met;
        if told.iter().all(|told| told.failed.is_none()) {
            written += 1;
            let last = case.inputs.iter().map(|input| (input.write.place, input.write.writer.unwrap()));
            assert_eq!(watch.held, last.collect(), "{kind:?} of seed {seed}");
        }
    }
    assert_eq!(cases.mistakes, [""; 0]);
    assert!(written > 900, "{written}");
    assert_eq!(kind == Kind::SaveStream, met > 1000, "{met} inputs met a write of their item under way");
}

#[tokio::test(start_paused = true)]
async fn the_last_write_of_a_batch_stands() {
    the_last_write_stands(Kind::Save).await;
}

#[tokio::test(start_paused = true)]
async fn the_last_write_of_a_stream_stands() {
    the_last_write_stands(Kind::SaveStream).await;
}

/// The embedded database behind faults: all by the kit, or some by this test. Only for the latter are the
/// affected items known.
fn faulty(engine: &Database, seed: u64, mix: Mix, watch: &Arc<Mutex<Watch>>) -> Database {
    let share = |of: Trouble| {
        mix.troubles.iter().find(|(trouble, _)| *trouble == of).map_or(0.0, |(_, share)| *share)
    };
    let faults = Faults::seeded(seed)
        .unprocessed(mix.unprocessed)
        .throttle(share(Trouble::Throttled))
        .hot_key_range(share(Trouble::HotKeys))
        .delay_between(Duration::from_millis(1), Duration::from_millis(40));
    let watch = watch.clone();
    if seed.is_multiple_of(2) {
        let db = canned::over(&faults.on(engine), move |request| watch.lock().unwrap().meddle(request)).0;
        return db;
    }
    let faults = faults
        .server_error(share(Trouble::Failed))
        .refused(share(Trouble::Refused))
        .cut_before(share(Trouble::CutBefore))
        .cut_after(share(Trouble::CutAfter));
    let assume = move |request: &Recorded| {
        if is_refused(request) {
            return refused();
        }
        let mut watch = watch.lock().unwrap();
        watch.unanswered.extend(writes(request).iter().map(|(_, write)| write));
        Answer::Engine
    };
    canned::over(&faults.on(engine), assume).0
}

#[tokio::test(start_paused = true)]
async fn every_fate_fits_what_a_real_table_holds() {
    let engine = Database::memory().unwrap();
    engine.create_table::<Part>().await.unwrap();
    engine.create_table::<Bin>().await.unwrap();
    let mut cases = Cases::default();
    for seed in 0..40 {
        for (position, kind) in KINDS.into_iter().enumerate() {
            let base = (seed as u32 * 10 + position as u32) * 100;
            let case = Case::new(kind, seed, base, if kind == Kind::Create { 15 } else { 60 });
            let before =
                |table| case.before.iter().filter(move |place| place.0 == table).map(|place| place.1);
            let (writer, weight) = (BEFORE, SOUND);
            dynorm::batch()
                .save(before(Table::Parts).map(|number| Part { number, writer, weight }))
                .save(before(Table::Bins).map(|number| Bin { number, writer, weight }))
                .on(&engine)
                .await
                .unwrap();

            let watch = Arc::new(Mutex::new(Watch::new(seed, mix_of(seed))));
            let told = case.run(&faulty(&engine, seed, mix_of(seed), &watch), &watch).await;

            let numbers = base..base + 60;
            let gets = (PartRepo::batch_get(numbers.clone()).on(&engine), BinRepo::batch_get(numbers));
            let (parts, bins) = dynorm::batch_get(gets).await.unwrap();
            let parts = parts.iter().map(|part| ((Table::Parts, part.number), part.writer));
            let bins = bins.iter().map(|bin| ((Table::Bins, bin.number), bin.writer));
            cases.add(&case, &told, &watch.lock().unwrap(), &parts.chain(bins).collect());
        }
    }
    cases.assert_right();
}

#[tokio::test(start_paused = true)]
async fn what_is_read_is_what_the_table_holds_or_has_failed() {
    let engine = Database::memory().unwrap();
    engine.create_table::<Part>().await.unwrap();
    let part = |number: u32| Part { number, writer: number * 7, weight: SOUND };
    let expected = |number: u32| (!number.is_multiple_of(3)).then(|| part(number));
    PartRepo::batch_save((0..300).filter_map(expected)).on(&engine).await.unwrap();
    let mut fates = HashSet::new();
    for seed in 0..150 {
        let mut random = Rng::with_seed(seed);
        let (count, most) = (random.usize(1..300), random.u32(1..300));
        let numbers: Vec<u32> = (0..count).map(|_| random.u32(0..most)).collect();
        let share = [0.02, 0.08, 0.15][(seed % 3) as usize];
        let db = Faults::seeded(seed)
            .unprocessed(share * 4.0)
            .throttle(share)
            .hot_key_range(share)
            .server_error(share)
            .refused(share)
            .cut_before(share)
            .cut_after(share)
            .delay_between(Duration::from_millis(1), Duration::from_millis(40))
            .on(&engine);
        let retry = Retry::default().rounds(random.u32(0..4)).seed(seed);
        let mut result = PartRepo::batch_get(&numbers).positional().retry(retry).on(&db).await;
        if random.bool()
            && let Err(error) = result
        {
            result = error.retry().positional().await;
        }
        let (found, told) = match result {
            Ok(found) => (found, vec![Fate::Done; count]),
            Err(error) => (error.found().to_vec(), error.fates().collect()),
        };
        assert_eq!((found.len(), told.len()), (count, count));
        for (index, (found, fate)) in found.into_iter().zip(told).enumerate() {
            let number = numbers[index];
            match fate {
                Fate::Done => assert_eq!(found, expected(number), "seed {seed}: #{index}"),
                Fate::Unprocessed | Fate::NotSent => assert_eq!(found, None, "seed {seed}: #{index}"),
                other => panic!("seed {seed}: #{index} is {other}, and it is only read"),
            }
            fates.insert(fate);
        }
    }
    assert_eq!(fates.len(), 3, "{fates:?}");
}

// Outcomes that stay unknown, whatever comes later

fn parts(numbers: impl IntoIterator<Item = u32>) -> Vec<Part> {
    let numbers = numbers.into_iter().enumerate();
    numbers.map(|(writer, number)| Part { number, writer: writer as u32, weight: SOUND }).collect()
}

#[tokio::test(start_paused = true)]
async fn an_item_that_exists_after_a_failure_of_the_server_may_be_our_own() {
    let (db, _) = canned::database(|request| match request.number {
        0 => failed(),
        _ => Answer::error(400, "ConditionalCheckFailedException", "it exists"),
    });
    let error = PartRepo::batch_create(parts([7])).on(&db).await.unwrap_err();
    assert!(!error.outcome_known(), "{:?}", error.failures());
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_batch_left_open_is_still_open_when_another_goes_on_with_it() {
    let (db, _) = canned::database(|request| if request.number == 0 { failed() } else { Answer::Refused });
    let once = Retry::default().rounds(0);
    let error = PartRepo::batch_save(parts([7])).retry(once).on(&db).await.unwrap_err();
    assert!(!error.outcome_known());
    let error = error.retry().await.unwrap_err();
    assert!(!error.outcome_known(), "{:?}", error.failures());
    assert_ne!(error.fates().next(), Some(Fate::NotSent), "it was sent");
}

#[tokio::test(start_paused = true)]
async fn a_write_that_may_be_done_is_not_forgotten_when_a_later_one_takes_its_place() {
    for answer in [Answer::Cut, failed()] {
        let (db, _) = canned::database(move |request| match request.number {
            0 => answer.clone().after(Duration::from_millis(10)),
            _ => Answer::throttled(),
        });
        // The last write arrives while the first is in flight.
        let stream = PartRepo::batch_save_stream(parts((0..25).chain([0]))).concurrency(1);
        let error = stream.on(&db).await.unwrap_err();
        let of_both = error.failures().iter().filter(|failure| failure.key == 0);
        let of_both: Vec<_> = of_both.map(|failure| (failure.fate, failure.reason.outcome_known())).collect();
        assert_eq!(of_both.len(), 2);
        let is_open = |(fate, is_known): &(Fate, bool)| *fate == Fate::Unknown || !is_known;
        assert!(of_both.iter().any(is_open), "the first may be stored, and the last is not: {of_both:?}");
    }
}
