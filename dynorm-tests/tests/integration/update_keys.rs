//! `update` of fields in index keys, and of entities that share their table.

use dynorm::Error;
use dynorm::operation::Update;
use dynorm::prelude::*;
use dynorm_tests::canned::{self, Answer};
use dynorm_tests::database;

#[derive(Entity, Clone, Debug, PartialEq)]
#[entity(table = "work", partition = "TEAM#{team}", sort = "TASK#{number:04}")]
#[entity(index("by_state", partition = "TEAM#{team}#{state}", sort = "{due}"))]
#[entity(index("by_place", partition = "{city}#{street}"))]
struct Task {
    team: String,
    number: u32,
    state: State,
    due: Option<u64>,
    city: Option<String>,
    street: String,
    #[entity(index = "by_owner")]
    owner: Option<String>,
    points: u32,
}

#[derive(Attribute, Clone, Copy, Debug, PartialEq)]
enum State {
    Open,
    Done,
}

#[derive(Entity, Clone, Debug, PartialEq)]
#[entity(table = "work", partition = "TEAM#{team}", sort = "TASK#{number:04}")]
struct Memo {
    team: String,
    number: u32,
    text: Option<String>,
}

fn task() -> Task {
    Task {
        team: "red".into(),
        number: 7,
        state: State::Open,
        due: Some(30),
        city: Some("Paris".into()),
        street: "Rue 1".into(),
        owner: Some("ada".into()),
        points: 1,
    }
}

async fn engine() -> Database {
    let db = database();
    db.create_table::<Task>().await.unwrap();
    TaskRepo::save(task()).on(&db).await.unwrap();
    db
}

fn change() -> Update<Task> {
    TaskRepo::update(("red", 7))
}

#[tokio::test]
async fn the_keys_of_indexes_follow_their_fields() {
    let db = engine().await;
    let found = async |state: State| {
        let query = TaskRepo::by_state("red", state).on(&db).get_all().await.unwrap();
        query.iter().map(|task| task.due).collect::<Vec<_>>()
    };
    let done = change().set(Task::STATE, State::Done).on(&db).await.unwrap();
    assert_eq!(done.state, State::Done);
    assert_eq!((found(State::Open).await, found(State::Done).await), (vec![], vec![Some(30)]));

    change().set(Task::DUE, 31).on(&db).await.unwrap();
    assert_eq!(found(State::Done).await, [Some(31)]);
    // Without one of its fields there is no key, and the item is not in the index.
    change().remove(Task::DUE).on(&db).await.unwrap();
    assert!(found(State::Done).await.is_empty());
    change().set(Task::DUE, 32).set(Task::STATE, State::Open).on(&db).await.unwrap();
    assert_eq!(found(State::Open).await, [Some(32)]);

    let at = async |city: &str, street: &str| TaskRepo::by_place(city, street).on(&db).count().await.unwrap();
    change().set(Task::CITY, "Rome").set(Task::STREET, "Via #2").on(&db).await.unwrap();
    assert_eq!((at("Paris", "Rue 1").await, at("Rome", "Via #2").await), (0, 1));
    // One absent field is enough to remove the key.
    change().set(Task::CITY, None).on(&db).await.unwrap();
    assert_eq!(at("Rome", "Via #2").await, 0);

    let owned = async |owner: &str| TaskRepo::by_owner(owner).on(&db).count().await.unwrap();
    change().set(Task::OWNER, "bea").on(&db).await.unwrap();
    assert_eq!((owned("ada").await, owned("bea").await), (0, 1));
    change().set(Task::OWNER, None).on(&db).await.unwrap();
    assert_eq!(owned("bea").await, 0);
    assert_eq!(TaskRepo::get(("red", 7)).on(&db).await.unwrap().points, 1);
}

#[tokio::test]
async fn what_an_index_key_needs_must_come_along() {
    let (db, requests) = canned::database(|_| Answer::ok("{}"));
    let refused = async |update: Update<Task>| {
        let error = update.on(&db).await.unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{error:?}");
        let text = error.to_string();
        let start = "updating `Task` with pk = TEAM#red, sk = TASK#0007 in the table `work`: ";
        text.strip_prefix(start).unwrap_or_else(|| panic!("{text}")).to_owned()
    };
    assert_eq!(
        refused(change().set(Task::CITY, "Rome")).await,
        "a change of `city` changes the index key `by_placepk`, which is made of `city`, `street`, and not \
        all of them are known here: set `street` in the same update, or read the item and save it"
    );
    assert!(refused(change().add(Task::DUE, 1)).await.contains(
        "set `due` (to a value, where it is changed by `add`) in the same update, or read the item"
    ));
    assert!(
        refused(change().set(Task::STREET, Task::OWNER).set(Task::CITY, "Rome"))
            .await
            .contains("set `street` (to a value, where it is changed by `set`)")
    );
    assert_eq!(
        refused(change().set(Task::OWNER, "")).await,
        "owner: the partition key of the index `by_owner` cannot be empty"
    );
    assert_eq!(
        refused(change().set(Task::OWNER, "x".repeat(2049))).await,
        "owner: the partition key of the index `by_owner` takes at most 2048 bytes, and this has 2049"
    );
    assert_eq!(
        refused(change().set(Task::CITY, "x".repeat(2000)).set(Task::STREET, "y".repeat(60))).await,
        "by_placepk: the partition key of the index `by_place` takes at most 2048 bytes, and this has 2061"
    );
    assert!(requests.is_empty());
}

#[tokio::test]
async fn an_item_of_another_entity_is_told_apart_and_stays() {
    let db = engine().await;
    let memo = MemoRepo::save(Memo { team: "blue".into(), number: 1, text: Some("tea".into()) });
    let memo = memo.on(&db).await.unwrap();
    for error in [
        TaskRepo::update(("blue", 1)).set(Task::POINTS, 9).on(&db).await.unwrap_err(),
        TaskRepo::update(("blue", 1))
            .set(Task::POINTS, 9)
            .when(Task::POINTS.gt(1))
            .on(&db)
            .await
            .unwrap_err(),
    ] {
        assert!(error.is_type_mismatch() && error.current::<Task>().is_none(), "{error}");
    }
    assert_eq!(MemoRepo::get(("blue", 1)).on(&db).await.unwrap(), memo);
    let error =
        TaskRepo::create(Task { team: "blue".into(), number: 1, ..task() }).on(&db).await.unwrap_err();
    assert!(error.is_type_mismatch() && error.current::<Task>().is_none());
    let after = MemoRepo::update(("blue", 1)).set(Memo::TEXT, "milk").on(&db).await.unwrap();
    assert_eq!(after.text.as_deref(), Some("milk"));
}

#[tokio::test]
async fn what_is_sent_for_a_template() {
    let (db, requests) = canned::database(|_| Answer::ok("{}"));
    change().set(Task::STATE, State::Done).returning_nothing().on(&db).await.unwrap();
    assert_eq!(
        requests.all()[0].text(),
        concat!(
            r##"{"TableName":"work","Key":{"pk":{"S":"TEAM#red"},"sk":{"S":"TASK#0007"}},"##,
            r##""UpdateExpression":"SET #0 = :0, #1 = :1","ConditionExpression":"#2 = :2","##,
            r##""ExpressionAttributeNames":{"#0":"state","#1":"by_statepk","#2":"entity_type"},"##,
            r##""ExpressionAttributeValues":{":0":{"S":"done"},":1":{"S":"TEAM#red#done"},":2":{"S":"Task"}},"##,
            r##""ReturnValues":"NONE","ReturnValuesOnConditionCheckFailure":"ALL_OLD"}"##
        )
    );
}

#[tokio::test]
async fn a_stamp_in_an_index_moves_with_every_update() {
    #[derive(Entity, Clone, Debug, Default, PartialEq)]
    #[entity(table = "pages", partition = "PAGE#{id}")]
    #[entity(index("recent", partition = "{site}", sort = "{changed}"))]
    struct Page {
        id: Id<Page>,
        site: String,
        hits: u32,
        #[entity(updated_at)]
        changed: Timestamp,
    }
    let db = database();
    db.create_table::<Page>().await.unwrap();
    let ids = [Id::new(), Id::new()];
    for id in ids {
        PageRepo::save(Page { id, site: "a".into(), ..Page::default() }).on(&db).await.unwrap();
    }
    PageRepo::update(ids[0]).add(Page::HITS, 1).on(&db).await.unwrap();
    let newest = PageRepo::recent("a").order_by(Page::CHANGED.desc()).first().on(&db).await.unwrap().unwrap();
    assert_eq!((newest.id, newest.hits), (ids[0], 1));
}

#[tokio::test]
async fn updated_at_is_written_as_its_field_is_stored() {
    mod millis {
        use dynorm::Timestamp;
        use dynorm::attribute::{Encoder, Value, ValueError};

        pub(super) fn encode(moment: &Timestamp, encoder: &mut Encoder) -> Result<(), ValueError> {
            encoder.number(&(moment.unix_micros() / 1000).to_string())
        }

        pub(super) fn decode(value: Value<'_>) -> Result<Timestamp, ValueError> {
            let millis: i64 = value.as_number()?.parse().map_err(|_| ValueError::new("no number"))?;
            Timestamp::from_unix_micros(millis * 1000).map_err(|error| ValueError::new(error.to_string()))
        }
    }

    #[derive(Entity, Clone, Debug, PartialEq)]
    struct Module {
        #[entity(partition)]
        key: u8,
        n: u8,
        #[entity(updated_at, with = millis)]
        changed: Timestamp,
    }
    #[derive(Entity, Clone, Debug, PartialEq)]
    struct Through {
        #[entity(partition)]
        key: u8,
        n: u8,
        #[entity(updated_at, serde)]
        changed: Timestamp,
    }
    #[derive(Entity, Clone, Debug, PartialEq)]
    struct Optional {
        #[entity(partition)]
        key: u8,
        n: u8,
        #[entity(updated_at)]
        changed: Option<time::OffsetDateTime>,
    }
    let db = database();
    db.create_table::<Module>().await.unwrap();
    db.create_table::<Through>().await.unwrap();
    db.create_table::<Optional>().await.unwrap();
    let old = Timestamp::default();
    let saved = ModuleRepo::save(Module { key: 1, n: 1, changed: old }).on(&db).await.unwrap();
    let after = ModuleRepo::update(1).add(Module::N, 1).on(&db).await.unwrap();
    assert!(after.n == 2 && after.changed.unix_micros() >= saved.changed.unix_micros() / 1000 * 1000);
    assert_eq!(after.changed.unix_micros() % 1000, 0);
    let saved = ThroughRepo::save(Through { key: 1, n: 1, changed: old }).on(&db).await.unwrap();
    let after = ThroughRepo::update(1).add(Through::N, 1).on(&db).await.unwrap();
    assert!(after.changed > saved.changed);
    let saved = OptionalRepo::save(Optional { key: 1, n: 1, changed: None }).on(&db).await.unwrap();
    let after = OptionalRepo::update(1).add(Optional::N, 1).on(&db).await.unwrap();
    assert!(after.changed > saved.changed);
}
