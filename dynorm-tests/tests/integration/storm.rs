//! A storm: 200 tasks at 20 keys, with writes of every kind and faults of every kind. Afterwards nothing that
//! was acknowledged is missing, nothing was made twice that is made once, every unique value has its owner,
//! and nobody has hung. Each storm follows from its seed, and time is paused.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use dynorm::prelude::*;
use dynorm::testing::Faults;
use dynorm::{Error, Fate};
use fastrand::Rng;

const TASKS: u64 = 200;
const KEYS: u32 = 20;
const WRITES: usize = 6;
const NAMES: u32 = 30;

/// Each write of it adds one to both numbers.
#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct Account {
    #[entity(partition)]
    number: u32,
    cents: u64,
    #[entity(version)]
    version: u64,
}

#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct Counter {
    #[entity(partition)]
    number: u32,
    /// Counted at least once.
    hits: u64,
    /// Counted exactly once.
    sure: u64,
}

#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct Member {
    #[entity(partition)]
    number: u32,
    #[entity(unique)]
    name: String,
    #[entity(deleted_at)]
    deleted_at: Option<Timestamp>,
}

/// What the writers know of a number: what was acknowledged, and what may have been made.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    made: u64,
    open: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Number {
    Cents(u32),
    Hits(u32),
    Sure(u32),
}

/// What all tasks have done.
#[derive(Clone, Default)]
struct Book(Arc<Mutex<BTreeMap<Number, Tally>>>);

impl Book {
    fn enter(&self, numbers: &[Number], result: &Result<(), (bool, String)>) {
        let mut book = self.0.lock().unwrap();
        for number in numbers {
            let tally = book.entry(*number).or_default();
            match result {
                Ok(()) => tally.made += 1,
                Err((outcome_known, _)) => tally.open += u64::from(!outcome_known),
            }
        }
    }

    fn of(&self, number: Number) -> Tally {
        self.0.lock().unwrap().get(&number).copied().unwrap_or_default()
    }
}

/// Errors that a storm explains.
fn is_fair(error: &Error) -> bool {
    error.is_version_conflict()
        || error.is_unique_conflict()
        || error.is_not_found()
        || error.is_condition_failed()
        || error.is_retryable()
        || (!error.failures().is_empty() && error.failures().iter().all(|failure| is_fair(&failure.reason)))
}

/// A result as the book has it.
fn told<T>(result: Result<T, Error>) -> Result<(), (bool, String)> {
    result.map(drop).map_err(|error| {
        assert!(is_fair(&error), "{error:?}");
        (error.outcome_known(), error.to_string())
    })
}

struct Writer {
    db: Database,
    book: Book,
    random: Rng,
}

impl Writer {
    fn key(&mut self) -> u32 {
        self.random.u32(..KEYS)
    }

    fn keys(&mut self) -> [u32; 3] {
        let first = self.key();
        [first, (first + 1) % KEYS, (first + 7) % KEYS]
    }

    fn name(&mut self) -> String {
        format!("name {}", self.random.u32(..NAMES))
    }

    async fn write(&mut self) {
        let db = self.db.clone();
        let (key, keys, name) = (self.key(), self.keys(), self.name());
        let member = Member { number: key, name: name.clone(), deleted_at: None };
        match self.random.u32(..14) {
            0 => {
                let change = AccountRepo::retry_on_conflict(key, |account| account.cents += 1).on(&db);
                self.book.enter(&[Number::Cents(key)], &told(change.await));
            }
            1 => {
                let Ok(mut account) = AccountRepo::get(key).consistent().on(&db).await else { return };
                account.cents += 1;
                let saved = told(AccountRepo::save(&mut account).on(&db).await);
                if let Err((false, _)) = saved {
                    // Again, from what it says now: it may be made then, but not twice.
                    self.book.enter(&[Number::Cents(key)], &saved);
                    let again = told(AccountRepo::save(&mut account).on(&db).await);
                    if again.is_ok() {
                        self.book.enter(&[Number::Cents(key)], &again);
                    }
                    return;
                }
                self.book.enter(&[Number::Cents(key)], &saved);
            }
            2 => self.batch_of_accounts(keys).await,
            3 => {
                let update = CounterRepo::update(key).add(Counter::HITS, 1).on(&db);
                self.book.enter(&[Number::Hits(key)], &told(update.await));
            }
            4 => {
                let update = CounterRepo::update(key).add(Counter::SURE, 1).returning_nothing();
                self.book.enter(&[Number::Sure(key)], &told(update.exactly_once().on(&db).await));
            }
            5 => {
                let add = |key: u32| CounterRepo::update(key).add(Counter::SURE, 1);
                let [one, other, _] = keys;
                let both = dynorm::transaction().update(add(one)).update(add(other)).on(&db);
                self.book.enter(&[Number::Sure(one), Number::Sure(other)], &told(both.await));
            }
            6 | 7 => {
                told(MemberRepo::update(key).set(Member::NAME, name).on(&db).await).ok();
            }
            8 => {
                told(MemberRepo::save(&member).on(&db).await).ok();
            }
            9 => {
                told(MemberRepo::create(&member).on(&db).await).ok();
            }
            10 => {
                told(MemberRepo::delete_by_id(key).on(&db).await).ok();
            }
            11 => {
                told(MemberRepo::restore(key).on(&db).await).ok();
            }
            12 => {
                told(MemberRepo::force_delete_by_id(key).on(&db).await).ok();
            }
            _ => self.batch_of_members(keys).await,
        }
    }

    /// Reads and changes three accounts, and saves them in one batch.
    async fn batch_of_accounts(&mut self, keys: [u32; 3]) {
        let Ok(mut accounts) = AccountRepo::batch_get(keys).consistent().on(&self.db).await else { return };
        accounts.each(|account| account.cents += 1);
        let before = accounts.clone();
        let fates: Vec<(Fate, bool)> = match accounts.save_all().on(&self.db).await {
            Ok(stats) => stats.fates().map(|fate| (fate, true)).collect(),
            Err(error) => {
                let mut fates: Vec<(Fate, bool)> = error.fates().map(|fate| (fate, true)).collect();
                for failure in error.failures() {
                    assert!(is_fair(&failure.reason), "{error:?}");
                    fates[failure.index].1 = failure.reason.outcome_known();
                }
                fates
            }
        };
        for ((account, was), (fate, outcome_known)) in accounts.iter().zip(&before).zip(fates) {
            let is_made = fate == Fate::Done;
            assert_eq!(account.version, was.version + u64::from(is_made));
            let known = outcome_known && fate != Fate::Unknown;
            let result = if is_made { Ok(()) } else { Err((known, String::new())) };
            self.book.enter(&[Number::Cents(account.number)], &result);
        }
    }

    async fn batch_of_members(&mut self, keys: [u32; 3]) {
        let db = self.db.clone();
        let members = keys.map(|number| Member { number, name: self.name(), deleted_at: None });
        let done = match self.random.u32(..4) {
            0 => MemberRepo::batch_save(&members).on(&db).await.map(drop).map_err(Error::from),
            1 => MemberRepo::batch_delete(keys).on(&db).await.map(drop).map_err(Error::from),
            2 => MemberRepo::batch_restore(keys).on(&db).await.map(drop).map_err(Error::from),
            _ => MemberRepo::batch_delete(keys).force().on(&db).await.map(drop).map_err(Error::from),
        };
        told(done).ok();
    }
}

/// Each claim with the key of its owner.
async fn claims(db: &Database) -> BTreeSet<(String, String)> {
    let table = format!("{}-unique", db.table_name::<Member>());
    let found = db.client().scan().table_name(table).consistent_read(true).send().await.unwrap();
    let text = |value: &AttributeValue| match value {
        AttributeValue::S(text) | AttributeValue::N(text) => text.clone(),
        other => panic!("{other:?}"),
    };
    let claim = |item: &std::collections::HashMap<String, AttributeValue>| {
        (text(&item["claim"]), text(&item["owner"].as_m().unwrap()["number"]))
    };
    found.items().iter().map(claim).collect()
}

async fn storm(seed: u64) {
    let db = Database::memory().unwrap();
    db.create_table::<Account>().await.unwrap();
    db.create_table::<Counter>().await.unwrap();
    db.create_table::<Member>().await.unwrap();
    let numbers = || 0..KEYS;
    AccountRepo::batch_save(numbers().map(|number| Account { number, ..Account::default() }))
        .on(&db)
        .await
        .unwrap();
    CounterRepo::batch_save(numbers().map(|number| Counter { number, ..Counter::default() }))
        .on(&db)
        .await
        .unwrap();

    let book = Book::default();
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let faults = Faults::seeded(seed * TASKS + task)
                .throttle(0.02)
                .hot_key_range(0.01)
                .server_error(0.01)
                .refused(0.01)
                .cut_before(0.02)
                .cut_after(0.02)
                .conflict(0.03)
                .in_progress(0.02)
                .unprocessed(0.1)
                .delay_between(Duration::from_millis(1), Duration::from_millis(20));
            let random = Rng::with_seed(seed * TASKS + task);
            let mut writer = Writer { db: faults.on(&db), book: book.clone(), random };
            tokio::spawn(async move {
                for _ in 0..WRITES {
                    writer.write().await;
                }
            })
        })
        .collect();
    for task in tasks {
        let ended = tokio::time::timeout(Duration::from_secs(3600), task).await;
        ended.unwrap_or_else(|_| panic!("seed {seed}: a task hangs")).unwrap();
    }

    for number in numbers() {
        let account = AccountRepo::get(number).consistent().on(&db).await.unwrap();
        // No write has lost another.
        assert_eq!(account.version, account.cents + 1, "seed {seed}: {account:?}");
        let Tally { made, open } = book.of(Number::Cents(number));
        assert!((made..=made + open).contains(&account.cents), "seed {seed}: {account:?}, {made}, {open}");
        let counter = CounterRepo::get(number).consistent().on(&db).await.unwrap();
        let Tally { made, open } = book.of(Number::Sure(number));
        assert!((made..=made + open).contains(&counter.sure), "seed {seed}: {counter:?}, {made}, {open}");
        assert!(counter.hits >= book.of(Number::Hits(number)).made, "seed {seed}: {counter:?}");
    }
    let members = MemberRepo::scan().with_trashed().consistent().on(&db).get_all().await.unwrap();
    let expected: BTreeSet<(String, String)> =
        members.iter().map(|member| (format!("name#{}", member.name), member.number.to_string())).collect();
    assert_eq!(claims(&db).await, expected, "seed {seed}");
}

#[tokio::test(start_paused = true)]
async fn a_storm_leaves_everything_as_it_was_told() {
    for seed in 0..3 {
        storm(seed).await;
    }
}
