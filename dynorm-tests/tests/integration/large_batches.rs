//! Batches with more inputs than can be in flight behave like small ones. Time is paused.

use std::collections::HashMap;

use dynorm::prelude::*;
use dynorm::{Duplicates, Error, Fate};
use dynorm_tests::canned::{self, Answer, Recorded, Requests};
use serde_json::Value;

#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct Note {
    #[entity(partition)]
    number: u32,
    text: String,
}

#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct User {
    #[entity(id)]
    id: Id<User>,
    name: String,
    #[entity(created_at)]
    created_at: Timestamp,
}

/// The inputs of twice 32 requests can be in flight.
const MANY: u32 = 4_000;

async fn engine() -> (Database, Requests) {
    let db = Database::memory().unwrap();
    db.create_table::<Note>().await.unwrap();
    let (db, requests) = canned::over(&db, |_| Answer::Engine);
    requests.clear();
    (db, requests)
}

/// Notes, some of which have the key of another, near or far away.
fn notes() -> Vec<Note> {
    let mut notes: Vec<Note> =
        (0..MANY).map(|number| Note { number, text: format!("at {number}") }).collect();
    for (index, number) in [(7, 3), (1_999, 3), (3_999, 3), (2_000, 2_100), (3_500, 0), (10, 3_998)] {
        notes[index].number = number;
    }
    notes
}

/// The remaining notes if the last one of a key counts, or the first one.
fn left(notes: &[Note], duplicates: Duplicates) -> HashMap<u32, usize> {
    let mut left = HashMap::new();
    for (index, note) in notes.iter().enumerate() {
        match duplicates {
            Duplicates::LastWins => drop(left.insert(note.number, index)),
            _ => drop(left.entry(note.number).or_insert(index)),
        }
    }
    left
}

#[tokio::test(start_paused = true)]
async fn of_several_writes_of_one_key_one_is_sent_wherever_they_stand() {
    for duplicates in [Duplicates::LastWins, Duplicates::FirstWins] {
        let (db, requests) = engine().await;
        let notes = notes();
        let left = left(&notes, duplicates);
        let saved = NoteRepo::batch_save(&notes).duplicates(duplicates).on(&db).await.unwrap();
        assert_eq!(saved.stats().items, left.len() as u64);
        assert_eq!(saved.stats().superseded, 4_000 - left.len() as u64);
        assert_eq!(requests.len(), left.len().div_ceil(25));
        for (index, fate) in saved.stats().fates().enumerate() {
            let by = left[&notes[index].number];
            assert_eq!(fate, if by == index { Fate::Done } else { Fate::Superseded { by } }, "{index}");
        }
        let found = NoteRepo::scan().on(&db).get_all().await.unwrap();
        assert_eq!(found.len(), left.len());
        for note in &found {
            assert_eq!(*note, notes[left[&note.number]]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn several_writes_of_one_key_are_refused_by_their_positions() {
    let (db, _) = engine().await;
    let notes = notes();
    let error = NoteRepo::batch_save(&notes).duplicates(Duplicates::Refuse).on(&db).await.unwrap_err();
    let left = left(&notes, Duplicates::Refuse);
    let refused: Vec<(usize, String)> =
        error.failures().iter().map(|failure| (failure.index, failure.reason.to_string())).collect();
    let expected: Vec<usize> =
        (0..notes.len()).filter(|index| left[&notes[*index].number] != *index).collect();
    assert_eq!(refused.iter().map(|(index, _)| *index).collect::<Vec<_>>(), expected);
    for (index, reason) in refused {
        let first = left[&notes[index].number];
        assert!(reason.contains(&format!("input #{first} of the same batch")), "{index}: {reason}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_checkpoint_counts_in_the_order_of_the_inputs() {
    let (db, _) = engine().await;
    let mut save = NoteRepo::batch_save(notes()).on(&db);
    let handle = save.progress();
    let mut stood = Vec::new();
    let save = save.on_progress(|progress| stood.push((progress.checkpoint, progress.done)));
    save.await.unwrap();
    assert!(stood.iter().all(|(checkpoint, done)| checkpoint <= done), "{stood:?}");
    assert!(stood.is_sorted());
    assert_eq!(handle.get().checkpoint, u64::from(MANY));
}

#[tokio::test(start_paused = true)]
async fn what_a_stopped_batch_did_not_get_to_is_not_sent_and_can_be_sent_again() {
    let db = Database::memory().unwrap();
    let users: Vec<User> = (0..MANY).map(|n| User { name: n.to_string(), ..User::default() }).collect();
    let error = UserRepo::batch_save(&users).on(&db).await.unwrap_err();
    assert_eq!(error.stats().failed, u64::from(MANY));
    let failures = error.failures();
    assert_eq!(failures.len(), users.len());
    for (failure, user) in failures.iter().zip(&users) {
        assert_eq!(failure.fate, Fate::NotSent);
        assert!(matches!(*failure.reason, Error::TableNotFound(_)), "{:?}", failure.reason);
        // The id has been set already.
        assert!(failure.entity.name == user.name && failure.entity.id != user.id);
    }
    let ids: Vec<Id<User>> = failures.iter().map(|failure| failure.entity.id).collect();
    db.create_table::<User>().await.unwrap();
    let saved = error.retry().await.unwrap();
    assert_eq!(saved.iter().map(|user| user.id).collect::<Vec<_>>(), ids);
    assert_eq!(UserRepo::batch_get(&ids).on(&db).await.unwrap().len(), users.len());
}

#[tokio::test(start_paused = true)]
async fn a_missing_table_does_not_stop_another_one() {
    let (db, _) = engine().await;
    let users: Vec<User> = (0..MANY).map(|n| User { name: n.to_string(), ..User::default() }).collect();
    let notes: Vec<Note> = (0..MANY).map(|number| Note { number, ..Note::default() }).collect();
    let error = dynorm::batch().save(&users).save(&notes).on(&db).await.unwrap_err();
    let fates: Vec<Fate> = error.fates().collect();
    let (of_users, of_notes) = fates.split_at(users.len());
    assert!(of_users.iter().all(|fate| *fate == Fate::NotSent));
    assert!(of_notes.iter().all(|fate| *fate == Fate::Done));
    assert_eq!(NoteRepo::scan().on(&db).count().await.unwrap(), u64::from(MANY));
}

/// More items than can be in flight belong to a table, or to keys, that are throttled: the others are written
/// all the same.
#[tokio::test(start_paused = true)]
async fn what_comes_back_holds_nothing_else_up() {
    let numbers = |request: &Recorded| -> Vec<u32> {
        let writes = request.body["RequestItems"]["notes"].as_array();
        let number = |write: &Value| write["PutRequest"]["Item"]["number"]["N"].as_str()?.parse().ok();
        writes.into_iter().flatten().filter_map(number).collect()
    };
    let db = Database::memory().unwrap();
    db.create_table::<Note>().await.unwrap();
    let (db, _) = canned::over(&db, move |request| {
        if numbers(request).iter().any(|number| *number < 2_000) {
            let hot = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"slow down",
                "throttlingReasons":[{"reason":"TableWriteKeyRangeThroughputExceeded","resource":"notes"}]}"#;
            return Answer::Json(400, hot.to_owned());
        }
        Answer::Engine
    });
    let notes: Vec<Note> = (0..MANY).map(|number| Note { number, ..Note::default() }).collect();
    let error = NoteRepo::batch_save(&notes).on(&db).await.unwrap_err();
    for (number, fate) in error.fates().enumerate() {
        let expected = if number < 2_000 { Fate::Unprocessed } else { Fate::Done };
        assert_eq!(fate, expected, "{number}");
    }
}

#[tokio::test(start_paused = true)]
async fn keys_that_come_several_times_are_asked_for_once_wherever_they_stand() {
    let (db, requests) = engine().await;
    let notes: Vec<Note> = (0..MANY).map(|number| Note { number, text: number.to_string() }).collect();
    NoteRepo::batch_save(&notes).on(&db).await.unwrap();
    requests.clear();
    let keys: Vec<u32> = (0..MANY).chain([5, 3_999, 77_777, 5]).chain((0..MANY).rev()).collect();
    let found = NoteRepo::batch_get(&keys).positional().on(&db).await.unwrap();
    for (key, note) in keys.iter().zip(&found) {
        assert_eq!(note.as_ref(), notes.get(*key as usize), "{key}");
    }
    assert_eq!(requests.len(), 4_001_usize.div_ceil(100));
}
