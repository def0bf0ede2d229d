//! Tracked entities: what counts as a change, and what is sent.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use dynorm::prelude::*;
use dynorm::testing::{Fault, Faults};
use dynorm::{Error, Tracked};
use dynorm_tests::canned::{self, Answer, Requests};
use dynorm_tests::{database, keep_expired};

/// Without `PartialEq`, since stored forms are compared.
#[derive(Entity, Clone, Debug, Default)]
struct Person {
    #[entity(id)]
    id: Id<Person>,
    name: String,
    #[entity(rename = "years")]
    age: u32,
    ratio: f64,
    nick: Option<String>,
    tags: BTreeSet<String>,
    labels: HashSet<String>,
    scores: HashMap<String, u32>,
    home: Option<Place>,
    #[entity(serde)]
    theme: Theme,
    #[entity(default = Some(5))]
    limit: Option<u32>,
    #[entity(skip)]
    cache: Vec<u8>,
    #[entity(flatten)]
    rest: BTreeMap<String, AttributeValue>,
    #[entity(created_at)]
    created_at: Timestamp,
    #[entity(updated_at)]
    updated_at: Timestamp,
}

#[derive(Attribute, Clone, Debug, Default)]
struct Place {
    city: String,
    lines: Vec<String>,
}

#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, Default)]
struct Theme {
    dark: bool,
}

fn person() -> Person {
    Person {
        name: "Ada".into(),
        age: 36,
        nick: Some("ada".into()),
        tags: ["a".to_owned(), "b".to_owned()].into(),
        labels: ('a'..'m').map(String::from).collect(),
        scores: ('a'..'m').map(|name| (name.into(), 7)).collect(),
        home: Some(Place { city: "London".into(), lines: vec!["1 Main Street".into()] }),
        limit: Some(9),
        rest: [("colour".to_owned(), AttributeValue::S("red".into()))].into(),
        ..Person::default()
    }
}

/// A person that was read from a server that records its requests.
async fn stored() -> (Database, Requests, Tracked<Person>) {
    let db = database();
    db.create_table::<Person>().await.unwrap();
    let id = PersonRepo::save(person()).on(&db).await.unwrap().id;
    let (db, requests) = canned::over(&db, |_| Answer::Engine);
    let read = PersonRepo::get(id).consistent().tracked().on(&db).await.unwrap();
    requests.clear();
    (db, requests, read)
}

/// The attributes in an update.
fn written(requests: &Requests) -> Vec<String> {
    let all = requests.all();
    let [request] = all.as_slice() else { panic!("one request: {all:?}") };
    assert_eq!(request.target, "UpdateItem");
    let text = request.body["UpdateExpression"].as_str().unwrap();
    let names = request.body["ExpressionAttributeNames"].as_object().unwrap();
    let mut names: Vec<String> = names
        .iter()
        .filter(|(place, _)| text.split([' ', ',', '=', '(']).any(|word| word == *place))
        .map(|(_, name)| name.as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn what_did_not_change_is_not_sent() {
    let (db, requests, mut person) = stored().await;
    assert!(!person.is_changed() && person.changes().is_empty());
    person.save().await.unwrap();
    // Neither the order of a set nor a value that is set back is a change.
    person.labels = person.labels.iter().cloned().collect::<BTreeSet<_>>().into_iter().rev().collect();
    person.scores = person.scores.clone().into_iter().collect::<BTreeMap<_, _>>().into_iter().collect();
    person.theme = Theme { dark: false };
    person.ratio = -0.0;
    person.age += 1;
    person.age -= 1;
    person.cache = vec![1];
    assert_eq!(person.changes(), Vec::<String>::new());
    assert!(!person.is_dirty(Person::LABELS) && person.change(Person::AGE).is_none());
    person.save().when(Person::NAME.eq("nobody")).await.unwrap();
    assert!(requests.is_empty());
    assert!(PersonRepo::find(Id::new()).tracked().on(&db).await.unwrap().is_none());
    assert!(PersonRepo::get(Id::new()).tracked().on(&db).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn just_what_changed_is_sent() {
    let (db, requests, mut person) = stored().await;
    // Changes of other fields by other writers stay, and are returned.
    PersonRepo::update(person.id).set(Person::NICK, "countess").on(&db).await.unwrap();
    requests.clear();
    let before = person.updated_at;
    person.age = 37;
    person.cache = vec![7];
    person.home.as_mut().unwrap().lines.push("London".into());
    assert_eq!(person.changes(), ["years", "home"]);
    assert!(person.is_dirty(Person::AGE) && person.is_dirty(Person::HOME) && !person.is_dirty(Person::NICK));
    assert_eq!(person.change(Person::AGE), Some((&36, &37)));
    assert_eq!(person.original().home.as_ref().unwrap().lines.len(), 1);
    person.save().await.unwrap();
    assert_eq!(written(&requests), ["home", "updated_at", "years"]);
    assert!(!person.is_changed() && person.updated_at > before);
    assert_eq!((person.age, person.original().age), (37, 37));
    assert_eq!(person.nick.as_deref(), Some("countess"));
    assert_eq!((person.cache.as_slice(), person.original().cache.as_slice()), (&[7][..], &[7][..]));
    let mut stored = PersonRepo::get(person.id).consistent().tracked().on(&db).await.unwrap();
    *stored = person.into_inner();
    assert_eq!(stored.changes(), Vec::<String>::new(), "it is what is stored");
}

#[tokio::test]
async fn what_has_become_absent_is_removed() {
    let (db, requests, mut person) = stored().await;
    person.nick = None;
    person.tags.clear();
    person.home = None;
    person.limit = None;
    person.rest.remove("colour");
    person.rest.insert("size".into(), AttributeValue::N("3".into()));
    person.theme.dark = true;
    assert_eq!(person.changes(), ["nick", "tags", "home", "theme", "limit", "size", "colour"]);
    person.save().await.unwrap();
    let all = ["colour", "home", "limit", "nick", "size", "tags", "theme", "updated_at"];
    assert_eq!(written(&requests), all);
    let item = db.client().get_item().table_name(db.table_name::<Person>());
    let item = item.key("id", AttributeValue::S(person.id.to_string())).send().await.unwrap().item.unwrap();
    for name in ["nick", "tags", "home", "colour"] {
        assert!(!item.contains_key(name), "{name}");
    }
    assert_eq!(item["limit"], AttributeValue::Null(true), "absent, it would be read as 5");
    assert_eq!(item["size"], AttributeValue::N("3".into()));
    assert!(!person.is_changed() && person.limit.is_none() && person.theme.dark);
}

#[tokio::test]
async fn changes_can_be_taken_back() {
    let (_, requests, mut person) = stored().await;
    person.name = "Bea".into();
    person.cache = vec![1];
    let copy = person.clone();
    person.discard();
    assert!(!person.is_changed() && person.name == "Ada" && person.cache.is_empty());
    person.save().await.unwrap();
    assert!(requests.is_empty());
    assert_eq!(copy.changes(), ["name"]);
    assert!(format!("{copy:?}").ends_with(r#"changes: ["name"], .. }"#), "{copy:?}");
    assert_eq!(copy.into_inner().name, "Bea");
}

#[tokio::test]
async fn the_item_must_exist_and_the_key_stays() {
    let (db, requests, mut person) = stored().await;
    let id = person.id;
    person.age = 1;
    person.id = Id::new();
    let error = person.save().await.unwrap_err();
    assert!(matches!(error, Error::Invalid(_)));
    assert_eq!(
        error.to_string(),
        format!(
            "saving the changes of `Person` with id = {id} in the table `{}`: the key was changed, and it \
            says which item this is: it is now id = {}; put it back, or save the entity under its new key \
            and delete the one with the old key",
            db.table_name::<Person>(),
            person.id
        )
    );
    person.id = Id::default();
    assert!(person.save().await.unwrap_err().to_string().contains("the key was changed"));
    person.id = id;
    person.ratio = f64::NAN;
    assert!(person.is_dirty(Person::RATIO) && person.is_dirty(Person::AGE) && !person.is_dirty(Person::NAME));
    let error = person.save().await.unwrap_err();
    assert!(error.to_string().ends_with("ratio: NaN is not a number that DynamoDB holds"), "{error}");
    person.ratio = 0.0;
    person.rest.insert("name".into(), AttributeValue::S("twice".into()));
    let error = person.save().await.unwrap_err().to_string();
    assert!(error.ends_with(r#"the flattened map holds "name", which is an attribute of the struct itself"#));
    person.rest.remove("name");
    assert_eq!(person.changes(), ["years"]);
    assert!(requests.is_empty(), "nothing of this is sent");

    let error = person.save().when(Person::NAME.eq("Bea")).await.unwrap_err();
    assert!(error.is_condition_failed() && error.current::<Person>().unwrap().unwrap().age == 36);
    assert!(error.to_string().ends_with("the condition does not hold, and nothing was changed"), "{error}");
    PersonRepo::delete_by_id(id).on(&db).await.unwrap();
    let error = person.save().await.unwrap_err();
    assert!(error.is_not_found() && error.outcome_known());
    assert!(error.to_string().starts_with(&format!("there is no `Person` with id = {id}")), "{error}");
    assert_eq!(person.changes(), ["years"], "the changes are still there");
    assert_eq!((person.age, person.original().age), (1, 36));
}

#[tokio::test]
async fn it_knows_its_database() {
    let (db, other) = (database(), database());
    for db in [&db, &other] {
        db.create_table::<Person>().await.unwrap();
    }
    let mut person = PersonRepo::save(person()).on(&db).await.unwrap();
    PersonRepo::save(&mut person).on(&other).await.unwrap();
    let mut all = PersonRepo::all().on(&db).await.unwrap().into_tracked();
    all[0].age = 1;
    all[0].save().await.unwrap();
    all[0].age = 2;
    all[0].save().on(&other).await.unwrap();
    let id = person.id;
    let age = async |db: &Database| PersonRepo::get(id).on(db).await.unwrap().age;
    assert_eq!((age(&db).await, age(&other).await), (1, 2));
    let mut made = Tracked::new(person);
    made.age = 3;
    other.scope(async { made.save().await.unwrap() }).await;
    assert_eq!((age(&db).await, age(&other).await), (1, 3));
}

#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct Note {
    #[entity(id)]
    id: Id<Note>,
    text: String,
    body: Option<String>,
    #[entity(deleted_at)]
    deleted_at: Option<Timestamp>,
    #[entity(ttl)]
    expires_at: Option<Timestamp>,
    #[entity(version)]
    version: u32,
    #[entity(updated_at)]
    updated_at: Timestamp,
}

async fn notes() -> Database {
    let db = database();
    db.create_table::<Note>().await.unwrap();
    keep_expired::<Note>(&db).await;
    db
}

#[tokio::test]
async fn the_version_must_be_the_one_that_was_read() {
    let db = notes().await;
    let id = NoteRepo::save(Note { text: "a".into(), ..Note::default() }).on(&db).await.unwrap().id;
    let read = async || NoteRepo::get(id).tracked().on(&db).await.unwrap();
    let (mut mine, mut theirs) = (read().await, read().await);
    theirs.body = Some("b".into());
    theirs.save().await.unwrap();
    assert_eq!((theirs.version, theirs.original().version), (2, 2));
    theirs.body = None;
    theirs.save().await.unwrap();
    assert_eq!(theirs.version, 3);

    mine.text = "mine".into();
    let error = mine.save().await.unwrap_err();
    assert!(error.is_version_conflict() && error.outcome_known());
    assert_eq!(error.current::<Note>().unwrap().unwrap(), *theirs);
    let attempted = error.attempted::<Note>().unwrap().unwrap();
    assert_eq!((attempted.text.as_str(), attempted.version), ("mine", 2));
    assert!(
        error.to_string().ends_with(
            "the write was based on version 1, and the table has version 3: \
        read it again, and repeat the change"
        ),
        "{error}"
    );
    assert_eq!((mine.version, mine.text.as_str(), mine.original().text.as_str()), (1, "mine", "a"));

    // A changed version is refused, so that it cannot cause an overwrite.
    mine.version = 3;
    let error = mine.save().await.unwrap_err();
    assert!(
        matches!(error, Error::Invalid(_)) && error.to_string().contains("version: the version was changed")
    );
    let mut mine = read().await;
    mine.text = "mine".into();
    let error = mine.save().when(Note::TEXT.eq("b")).await.unwrap_err();
    assert!(error.is_condition_failed() && !error.is_version_conflict());
    mine.save().when(Note::TEXT.eq("a")).await.unwrap();
    assert_eq!((mine.version, mine.text.as_str()), (4, "mine"));

    NoteRepo::force_delete(&mine).on(&db).await.unwrap();
    mine.text = "gone".into();
    assert!(mine.save().await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn what_is_marked_or_at_its_end_counts_as_absent() {
    let db = notes().await;
    let note = NoteRepo::save(Note::default()).on(&db).await.unwrap();
    let mut before = NoteRepo::get(note.id).tracked().on(&db).await.unwrap();
    NoteRepo::delete(&note).on(&db).await.unwrap();
    before.text = "x".into();
    assert!(before.save().await.unwrap_err().is_not_found());

    // A soft-deleted item that was read explicitly can be changed and restored.
    let mut trashed = NoteRepo::get(note.id).tracked().with_trashed().on(&db).await.unwrap();
    trashed.text = "trashed".into();
    trashed.save().await.unwrap();
    assert!(trashed.is_trashed() && trashed.version == 3);
    trashed.deleted_at = None;
    trashed.save().await.unwrap();
    let found = NoteRepo::get(note.id).on(&db).await.unwrap();
    assert_eq!(found.text, "trashed");
    assert_eq!(found, trashed.into_inner());

    let mut live = NoteRepo::get(note.id).tracked().on(&db).await.unwrap();
    live.expires_at = Timestamp::now().checked_add(Duration::from_millis(1_500));
    live.save().await.unwrap();
    assert_eq!(live.expires_at.unwrap().unix_micros() % 1_000_000, 0, "as it is stored");
    assert!(!live.is_changed());
    tokio::time::sleep(Duration::from_millis(3_000)).await;
    live.text = "late".into();
    assert!(live.save().await.unwrap_err().is_not_found());
    let mut expired = NoteRepo::get(note.id).with_expired().tracked().on(&db).await.unwrap();
    expired.expires_at = None;
    expired.save().await.unwrap();
    assert_eq!(NoteRepo::get(note.id).on(&db).await.unwrap(), *expired);
}

#[tokio::test]
async fn after_a_lost_answer_the_outcome_is_unknown() {
    let db = notes().await;
    let id = NoteRepo::save(Note::default()).on(&db).await.unwrap().id;
    let mut note = NoteRepo::get(id).tracked().on(&db).await.unwrap();
    note.text = "x".into();
    let faulty = Faults::scripted([Fault::CutAfter]).on(&db);
    let error = note.save().on(&faulty).await.unwrap_err();
    assert!(error.is_version_conflict() && !error.outcome_known(), "{error}");
    assert_eq!((note.version, note.original().text.as_str()), (1, ""));
    assert_eq!(NoteRepo::get(id).on(&db).await.unwrap().text, "x", "it was written by the lost attempt");

    // An attempt that was certainly not executed is repeated.
    let mut note = NoteRepo::get(id).tracked().on(&db).await.unwrap();
    note.text = "y".into();
    let faulty = Faults::scripted([Fault::Throttle, Fault::CutBefore, Fault::Throttle]).on(&db);
    note.save().on(&faulty).await.unwrap();
    assert_eq!((note.version, note.text.as_str()), (3, "y"));

    // Without a version, applying the change twice has the same effect.
    let db = database();
    db.create_table::<Person>().await.unwrap();
    let mut person = Tracked::new(PersonRepo::save(person()).on(&db).await.unwrap());
    person.age = 40;
    person.save().on(&Faults::scripted([Fault::CutAfter, Fault::ServerError]).on(&db)).await.unwrap();
    assert_eq!(PersonRepo::get(person.id).on(&db).await.unwrap().age, 40);
    person.age = 41;
    let always = Faults::scripted([Fault::CutBefore; 6]).on(&db);
    let error = person.save().on(&always).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)) && !error.outcome_known(), "{error:?}");
    assert_eq!(person.changes(), ["years"]);
    person.save().on(&db).await.unwrap();
}

macro_rules! errand {
    ($($version:ident)?) => {
        #[derive(Entity, Clone, Debug, PartialEq)]
        #[entity(table = "errands", partition = "TEAM#{team}", sort = "ERRAND#{number:04}")]
        #[entity(index("by_state", partition = "TEAM#{team}#{state}", sort = "{due}"))]
        #[entity(index("by_place", partition = "{city}#{street}"))]
        pub(super) struct Errand {
            pub(super) team: String,
            pub(super) number: u32,
            pub(super) state: String,
            pub(super) due: Option<u64>,
            pub(super) city: Option<String>,
            pub(super) street: String,
            #[entity(index = "by_owner")]
            pub(super) owner: Option<String>,
            pub(super) points: u32,
            $(#[entity(version)] pub(super) $version: u64,)?
        }

        pub(super) fn errand() -> Errand {
            Errand {
                team: "red".into(),
                number: 7,
                state: "open".into(),
                due: Some(30),
                city: Some("Paris".into()),
                street: "Rue 1".into(),
                owner: Some("ada".into()),
                points: 1,
                $($version: 0,)?
            }
        }
    };
}

mod plain {
    use dynorm::prelude::*;
    errand!();
}

mod versioned {
    use dynorm::prelude::*;
    errand!(version);
}

#[tokio::test]
async fn the_keys_of_indexes_follow() {
    use plain::{Errand, ErrandRepo, errand};

    let db = database();
    db.create_table::<Errand>().await.unwrap();
    let saved = ErrandRepo::save(errand()).on(&db).await.unwrap();
    let (db, requests) = canned::over(&db, |_| Answer::Engine);
    let mut errand = ErrandRepo::get(("red", 7)).tracked().on(&db).await.unwrap();
    requests.clear();
    errand.points = 2;
    errand.save().await.unwrap();
    assert_eq!(written(&requests), ["points"]);
    requests.clear();
    errand.state = "done".into();
    errand.owner = Some("bea".into());
    assert_eq!(errand.changes(), ["state", "owner"], "not the keys that follow");
    errand.save().await.unwrap();
    assert_eq!(written(&requests), ["by_statepk", "owner", "state"]);
    let by_state = async |state: &str| ErrandRepo::by_state("red", state).on(&db).count().await.unwrap();
    assert_eq!((by_state("open").await, by_state("done").await), (0, 1));
    assert_eq!(ErrandRepo::by_owner("bea").on(&db).count().await.unwrap(), 1);

    // An absent field leaves no key.
    errand.due = None;
    errand.owner = None;
    errand.save().await.unwrap();
    assert_eq!(by_state("done").await, 0);
    assert_eq!(ErrandRepo::by_owner("bea").on(&db).count().await.unwrap(), 0);
    errand.due = Some(31);
    errand.save().await.unwrap();
    assert_eq!(by_state("done").await, 1);

    // An empty key is refused as by a save, and a field in the table's key cannot change.
    errand.owner = Some(String::new());
    let error = errand.save().await.unwrap_err();
    assert!(error.to_string().ends_with("owner: the partition key of the index `by_owner` cannot be empty"));
    errand.owner = None;
    errand.team = "blue".into();
    let error = errand.save().await.unwrap_err().to_string();
    assert!(
        error.contains("saving the changes of `Errand` with pk = TEAM#red, sk = ERRAND#0007 in"),
        "{error}"
    );
    assert!(error.contains("it is now pk = TEAM#blue, sk = ERRAND#0007; put it back"), "{error}");
    assert_eq!(errand.original().team, saved.team);
}

#[tokio::test]
async fn an_index_key_of_several_fields_fits_the_item() {
    use plain::{Errand, ErrandRepo, errand};

    let db = database();
    db.create_table::<Errand>().await.unwrap();
    ErrandRepo::save(errand()).on(&db).await.unwrap();
    let read = async || ErrandRepo::get(("red", 7)).tracked().on(&db).await.unwrap();
    let (mut one, mut other) = (read().await, read().await);
    one.city = Some("Rome".into());
    one.save().await.unwrap();
    other.street = "Rue 2".into();
    other.save().await.unwrap();
    // The later change includes the city, since both are in the key.
    assert_eq!(other.city.as_deref(), Some("Paris"));
    assert_eq!(ErrandRepo::by_place("Paris", "Rue 2").on(&db).get_all().await.unwrap(), [other.into_inner()]);
}

#[tokio::test]
async fn with_a_version_only_the_index_key_follows() {
    use versioned::{Errand, ErrandRepo, errand};

    let db = database();
    db.create_table::<Errand>().await.unwrap();
    ErrandRepo::save(errand()).on(&db).await.unwrap();
    let (db, requests) = canned::over(&db, |_| Answer::Engine);
    let read = async || ErrandRepo::get(("red", 7)).tracked().on(&db).await.unwrap();
    let (mut one, mut other) = (read().await, read().await);
    requests.clear();
    one.city = Some("Rome".into());
    one.save().await.unwrap();
    assert_eq!(written(&requests), ["by_placepk", "city", "version"]);
    other.street = "Rue 2".into();
    assert!(other.save().await.unwrap_err().is_version_conflict());
}

/// A field that is absent in the item counts as its default.
#[tokio::test]
async fn what_the_item_lacks_is_written_when_it_changes() {
    #[derive(Entity, Clone, Debug, Default)]
    struct Card {
        #[entity(partition)]
        number: u32,
        name: String,
        #[entity(default, index = "by_mail")]
        mail: String,
        #[entity(default)]
        seen: u32,
    }

    let db = database();
    db.create_table::<Card>().await.unwrap();
    let put = db.client().put_item().table_name(db.table_name::<Card>());
    let put = put.item("number", AttributeValue::N("1".into())).item("name", AttributeValue::S("a".into()));
    put.item("other", AttributeValue::S("kept".into())).send().await.unwrap();
    let mut card = CardRepo::get(1).tracked().on(&db).await.unwrap();
    assert!(!card.is_changed());
    // The index key cannot be empty, and is left out.
    card.name = "b".into();
    card.save().await.unwrap();
    card.mail = "b@example.com".into();
    assert_eq!(card.changes(), ["mail"]);
    card.save().await.unwrap();
    let item = db.client().get_item().table_name(db.table_name::<Card>());
    let item = item.key("number", AttributeValue::N("1".into())).send().await.unwrap().item.unwrap();
    let mut names: Vec<&str> = item.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["mail", "name", "number", "other"]);
}
