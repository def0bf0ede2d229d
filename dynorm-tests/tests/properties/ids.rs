//! The ids of one process are in the order of their making, across threads and types, and no two are the
//! same.

use std::collections::BTreeSet;
use std::sync::{Arc, Barrier, Mutex};

use dynorm::Id;
use dynorm::prelude::*;
use dynorm_tests::canned;

struct One;
struct Other;

const THREADS: usize = 8;
const IDS: usize = 5_000;

#[test]
fn an_id_that_is_made_after_another_is_greater() {
    // Whoever holds the list makes the next id, so each is made after all that stand in it.
    let (list, start) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Barrier::new(THREADS)));
    let threads = (0..THREADS).map(|thread| {
        let (list, start) = (list.clone(), start.clone());
        std::thread::spawn(move || {
            start.wait();
            for _ in 0..IDS {
                let mut list = list.lock().unwrap();
                list.push(if thread % 2 == 0 { Id::<One>::new().ulid() } else { Id::<Other>::new().ulid() });
            }
        })
    });
    threads.collect::<Vec<_>>().into_iter().for_each(|thread| thread.join().unwrap());
    let list = list.lock().unwrap();
    assert_eq!(list.len(), THREADS * IDS);
    assert!(list.array_windows().all(|[one, other]| one < other && one.to_string() < other.to_string()));
}

#[test]
fn threads_that_make_ids_side_by_side_make_different_ones() {
    let start = Arc::new(Barrier::new(THREADS));
    let threads = (0..THREADS).map(|_| {
        let start = start.clone();
        std::thread::spawn(move || {
            start.wait();
            (0..IDS).map(|_| Id::<One>::new()).collect::<Vec<_>>()
        })
    });
    let made: Vec<Vec<Id<One>>> =
        threads.collect::<Vec<_>>().into_iter().map(|thread| thread.join().unwrap()).collect();
    assert!(made.iter().all(|ids| ids.is_sorted()));
    assert_eq!(made.iter().flatten().collect::<BTreeSet<_>>().len(), THREADS * IDS);
}

#[derive(Entity, Clone, Debug, Default)]
struct Note {
    #[entity(id)]
    id: Id<Note>,
}

#[derive(Entity, Clone, Debug, Default)]
struct Text {
    #[entity(id)]
    id: String,
}

#[derive(Entity, Clone, Debug, Default)]
struct Plain {
    #[entity(id)]
    id: dynorm::ulid::Ulid,
}

#[derive(Entity, Clone, Debug, Default)]
struct Seven {
    #[entity(id)]
    id: uuid::Uuid,
}

#[test]
fn a_batch_gives_ids_in_the_order_of_its_inputs() {
    async fn ids<E: Entity + Default, K: Ord>(id: fn(&E) -> K) {
        let saved = batch::<E>().await;
        let ids: Vec<K> = saved.iter().map(id).collect();
        assert!(ids.is_sorted_by(|one, other| one < other));
    }
    async fn batch<E: Entity + Default>() -> Vec<E> {
        let db = canned::sink();
        let mut entities = vec![E::default(); 3_000];
        dynorm::batch().save::<E, _>(&mut entities).on(&db).await.unwrap();
        entities
    }
    crate::run(async {
        ids::<Note, _>(|note| note.id).await;
        ids::<Text, _>(|text| text.id.clone()).await;
        ids::<Plain, _>(|plain| plain.id).await;
        ids::<Seven, _>(|seven| seven.id).await;
    });
}
