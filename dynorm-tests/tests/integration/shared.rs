//! Entities that share a table and can make each other's keys, because their templates overlap or take values as they are:
//! whatever the values are, no write of one replaces, changes or deletes an item of another, and no read takes it for absent.

use std::collections::BTreeMap;

use dynorm::aws::types::AttributeValue;
use dynorm::condition::Field;
use dynorm::prelude::*;
use dynorm::{Error, Repository, Tracked};
use dynorm_tests::{Engine, database};

trait Shared: Entity + PartialEq + std::fmt::Debug {
    type Repo: Repository<Entity = Self>;
    const NAME: &'static str;
    const TEXT: Field<Self, String>;

    fn of(one: String, two: String, text: &str) -> Self;

    fn change_text(&mut self, text: &str);

    /// Writes that only some entities have.
    fn special(&self, _: &Database, _: usize) -> impl Future<Output = Option<Result<(), Error>>> + Send {
        std::future::ready(None)
    }
}

macro_rules! shared {
    ($($entity:ident $repo:ident [$($table:tt)*] [$($field:tt)*] $({ $special:item })?;)*) => {$(
        #[derive(Entity, Clone, Debug, Default, PartialEq)]
        #[entity(table = "shared_keys", $($table)*)]
        struct $entity {
            one: String,
            two: String,
            text: String,
            $($field)*
        }

        impl Shared for $entity {
            type Repo = $repo;
            const NAME: &'static str = stringify!($entity);
            const TEXT: Field<Self, String> = Self::TEXT;

            fn of(one: String, two: String, text: &str) -> Self {
                let mut made = Self::default();
                (made.one, made.two, made.text) = (one, two, text.into());
                made
            }

            fn change_text(&mut self, text: &str) {
                self.text = text.to_owned();
            }

            $($special)?
        }
    )*};
}

shared! {
    Any AnyRepo [partition = "{one}", sort = "{two}", escape = "none"] [];
    Versioned VersionedRepo [partition = "NOTE#{one}", sort = "{two}"] [#[entity(version)] version: u64,];
    Kept KeptRepo [partition = "NOTE#{one}#LINE", sort = "{two}", escape = "none"]
        [#[entity(deleted_at)] deleted_at: Option<Timestamp>,]
        { async fn special(&self, db: &Database, which: usize) -> Option<Result<(), Error>> {
            Some(match which {
                0 => KeptRepo::force_delete(self).on(db).await,
                1 => KeptRepo::force_delete_by_id(self.entity_key()).on(db).await,
                2 => KeptRepo::restore(self.entity_key()).on(db).await.map(drop),
                _ => return None,
            })
        } };
    Claiming ClaimingRepo [partition = "{one}", sort = "{two}", escape = "none"]
        [#[entity(unique)] code: Option<String>,];
    Ending EndingRepo [partition = "{one}#LINE", sort = "{two}"]
        [#[entity(ttl)] expires_at: Option<Timestamp>,];
}

const WRITES: usize = 22;

/// One of the writes that are conditional; batches are not.
async fn write<E: Shared>(db: &Database, entity: &E, which: usize) -> Option<Result<(), Error>> {
    let key = || entity.entity_key();
    let update = || E::Repo::update(key()).set(E::TEXT, "changed");
    Some(match which {
        0 => E::Repo::save(entity).on(db).await.map(drop),
        1 => E::Repo::save(entity).merge().on(db).await.map(drop),
        2 => E::Repo::save(entity).when(E::TEXT.eq("stored")).on(db).await.map(drop),
        3 => E::Repo::create(entity).on(db).await.map(drop),
        4 => match E::Repo::upsert(entity).set(E::TEXT, "changed").on(db).await {
            // Entities with unique fields have none.
            Err(Error::Invalid(_)) => return None,
            done => done.map(drop),
        },
        5 => E::Repo::update_or_create(entity).set(E::TEXT, "changed").on(db).await.map(drop),
        6 => E::Repo::first_or_create(entity).on(db).await.map(drop),
        7 => update().on(db).await.map(drop),
        8 => update().returning_nothing().on(db).await,
        9 => update().exactly_once().on(db).await.map(drop),
        10 => update().returning_old().on(db).await.map(drop),
        11 => E::Repo::delete(entity).on(db).await,
        12 => E::Repo::delete_by_id(key()).on(db).await,
        13 => E::Repo::delete_by_id(key()).returning_old().on(db).await.map(drop),
        14 => {
            let mut tracked = Tracked::new(entity.clone());
            tracked.change_text("changed");
            tracked.save().on(db).await
        }
        15 => dynorm::transaction().save(entity).on(db).await,
        16 => dynorm::transaction().create(entity).on(db).await,
        17 => dynorm::transaction().update(update()).on(db).await,
        18 => dynorm::transaction().delete(entity).on(db).await,
        19 => dynorm::transaction().delete_by_id::<E>(key()).on(db).await,
        20 => dynorm::transaction().check(E::Repo::check(key(), E::TEXT.ne("of nobody"))).on(db).await,
        21 => E::Repo::batch_create([entity]).on(db).await.map(drop).map_err(Error::from),
        other => return entity.special(db, other - WRITES).await,
    })
}

type Item = BTreeMap<String, AttributeValue>;
type Key = [String; 2];

/// Everything in the table, by its key.
async fn stored(db: &Database) -> BTreeMap<Key, Item> {
    let answer =
        db.client().scan().table_name(db.table_name::<Any>()).consistent_read(true).send().await.unwrap();
    let items = answer.items().iter().map(|item| item.clone().into_iter().collect::<Item>());
    items.map(|item| (key_of(&item), item)).collect()
}

fn key_of(item: &Item) -> Key {
    ["pk", "sk"].map(|name| item[name].as_s().unwrap().clone())
}

fn type_of(item: &Item) -> Option<&str> {
    item.get("entity_type").and_then(|value| value.as_s().ok()).map(String::as_str)
}

/// Texts of what templates and escapes are made of.
fn value(random: &mut fastrand::Rng) -> String {
    let parts = ["a", "#", "\\", "NOTE", "LINE", "#LINE", "NOTE#", "|", "b"];
    (0..random.usize(1..4)).map(|_| parts[random.usize(..parts.len())]).collect()
}

/// How often a write found an item of another entity, by the entity and the write.
type Met = BTreeMap<(&'static str, usize), usize>;

/// An item under this key that is none of the entity's.
fn of_another([pk, sk]: &Key, random: &mut fastrand::Rng) -> Item {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let mut item =
        Item::from([("pk".into(), text(pk)), ("sk".into(), text(sk)), ("text".into(), text("stored"))]);
    let types = [Some("Other"), Some("any"), Some("Kept#"), None];
    if let Some(of_type) = types[random.usize(..types.len())] {
        item.insert("entity_type".into(), text(of_type));
    }
    item
}

async fn attempt<E: Shared>(db: &Database, random: &mut fastrand::Rng, which: usize, met: &mut Met) {
    let mut before = stored(db).await;
    let entity = E::of(value(random), value(random), "written");
    let Ok(item) = dynorm::to_item(&entity) else { return };
    let key = key_of(&item.into_iter().collect());
    // As often as not another entity, or another program, has an item there.
    if random.bool() && !before.contains_key(&key) {
        let item = of_another(&key, random);
        let put = db.client().put_item().table_name(db.table_name::<E>());
        put.set_item(Some(item.clone().into_iter().collect())).send().await.unwrap();
        before.insert(key.clone(), item);
    }
    let is_foreign = before.get(&key).is_some_and(|item| type_of(item) != Some(E::NAME));
    let Some(result) = write(db, &entity, which).await else { return };
    let after = stored(db).await;
    let what = format!("write {which} of {entity:?}: {result:?}");
    for (key, item) in before.iter().filter(|(_, item)| type_of(item) != Some(E::NAME)) {
        assert_eq!(after.get(key), Some(item), "{what}");
    }
    let is_refused = result.as_ref().is_err_and(Error::is_type_mismatch)
        || result
            .as_ref()
            .is_err_and(|error| error.failures().iter().any(|one| one.reason.is_type_mismatch()));
    assert_eq!(is_refused, is_foreign, "{what}");
    if !is_foreign {
        return;
    }
    assert_eq!(after, before, "{what}");
    *met.entry((E::NAME, which)).or_default() += 1;
    let error = result.unwrap_err();
    assert!(error.outcome_known(), "{what}");
    let found = before.get(&key).and_then(type_of);
    let found = found.map_or("of no type".to_owned(), |found| format!("of the type `{found}`"));
    assert!(error.to_string().contains(&found) || format!("{error:?}").contains(&found), "{what}");
    // Reads say the same, and a batch finds the others all the same.
    let key = || entity.entity_key();
    for read in [
        E::Repo::find(key()).on(db).await.map(drop),
        E::Repo::get(key()).consistent().on(db).await.map(drop),
        E::Repo::find(key()).tracked().on(db).await.map(drop),
        dynorm::transact_get((E::Repo::find(key()),)).on(db).await.map(drop),
    ] {
        let error = read.unwrap_err();
        assert!(error.is_type_mismatch() && error.outcome_known() && !error.is_not_found(), "{error}");
    }
    let is_own = |item: &&Item| type_of(item) == Some(E::NAME) && !item.contains_key("deleted_at");
    let own = after.values().find(is_own);
    let own = own.map(|item| dynorm::from_item::<E>(&item.clone().into_iter().collect()).unwrap());
    let keys = own.iter().map(Entity::entity_key).chain([key()]);
    let error = E::Repo::batch_get(keys).on(db).await.unwrap_err();
    let reasons: Vec<bool> = error.failures().iter().map(|one| one.reason.is_type_mismatch()).collect();
    assert_eq!(reasons, [true], "{error}");
    assert_eq!(error.found().iter().flatten().collect::<Vec<_>>(), own.iter().collect::<Vec<_>>());
}

#[tokio::test]
async fn no_write_touches_an_item_of_another_entity() {
    let db = database();
    db.create_table::<Claiming>().await.unwrap();
    let mut random = fastrand::Rng::with_seed(14);
    let mut met = Met::new();
    let rounds = match Engine::of_this_run() {
        Engine::Embedded => 6,
        Engine::Endpoint => 2,
    };
    for round in 0..rounds {
        for which in 0..WRITES + 3 {
            attempt::<Any>(&db, &mut random, which, &mut met).await;
            attempt::<Versioned>(&db, &mut random, which, &mut met).await;
            attempt::<Kept>(&db, &mut random, which, &mut met).await;
            attempt::<Claiming>(&db, &mut random, which, &mut met).await;
            attempt::<Ending>(&db, &mut random, which, &mut met).await;
        }
        // What a table holds stays small.
        if round % 2 == 1 {
            for (key, _) in stored(&db).await {
                let [pk, sk] = key.map(AttributeValue::S);
                db.client()
                    .delete_item()
                    .table_name(db.table_name::<Any>())
                    .key("pk", pk)
                    .key("sk", sk)
                    .send()
                    .await
                    .unwrap();
            }
        }
    }
    let tried: std::collections::BTreeSet<usize> = met.keys().map(|(_, which)| *which).collect();
    assert_eq!(tried, (0..WRITES + 3).collect(), "every write has met one: {met:?}");
}
