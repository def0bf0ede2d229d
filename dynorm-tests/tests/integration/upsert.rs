//! `upsert`: one request, whether the item exists or not.

use std::collections::BTreeSet;

use dynorm::Error;
use dynorm::operation::{OrInsert, Update};
use dynorm::prelude::*;
use dynorm::testing::{Fault, Faults};
use dynorm_tests::canned::{self, Answer};
use dynorm_tests::database;

#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct Page {
    #[entity(partition)]
    path: String,
    hits: u64,
    best: Option<u32>,
    first: String,
    note: Option<String>,
    log: Vec<String>,
    tags: BTreeSet<String>,
    #[entity(created_at)]
    created_at: Timestamp,
    #[entity(updated_at)]
    updated_at: Timestamp,
}

fn page() -> Page {
    Page { path: "/".into(), first: "ada".into(), log: vec!["start".into()], ..Page::default() }
}

async fn engine() -> Database {
    let db = database();
    db.create_table::<Page>().await.unwrap();
    db
}

fn visit() -> Update<Page, OrInsert<Page>> {
    PageRepo::upsert(page()).add(Page::HITS, 1).append(Page::LOG, ["visit"]).insert(Page::TAGS, ["seen"])
}

#[tokio::test]
async fn where_there_is_no_item_the_entity_is_stored_with_the_changes() {
    let db = engine().await;
    let made = visit().add(Page::BEST, 5).set(Page::NOTE, "x").on(&db).await.unwrap();
    assert_eq!((made.hits, made.best, made.note.as_deref()), (1, Some(5), Some("x")));
    assert_eq!((made.first.as_str(), made.log.join(" ")), ("ada", "start visit".to_owned()));
    assert_eq!(made.tags, ["seen".to_owned()].into());
    assert_eq!(made.created_at, made.updated_at);
    assert_eq!(PageRepo::get("/").on(&db).await.unwrap(), made);
}

#[tokio::test]
async fn where_there_is_one_only_the_changes_are_made() {
    let db = engine().await;
    let stored =
        Page { hits: 10, first: "bea".into(), log: vec![], tags: ["old".to_owned()].into(), ..page() };
    let stored = PageRepo::save(stored).on(&db).await.unwrap();
    let after = visit().on(&db).await.unwrap();
    let expected = Page {
        hits: 11,
        log: vec!["visit".into()],
        tags: ["old".to_owned(), "seen".to_owned()].into(),
        updated_at: after.updated_at,
        ..stored.clone()
    };
    assert_eq!(after, expected);
    assert!(after.updated_at > stored.updated_at);
}

#[tokio::test]
async fn what_the_item_lacks_is_filled_in_from_the_entity() {
    let db = engine().await;
    PageRepo::save(page()).on(&db).await.unwrap();
    let more = Page { note: Some("n".into()), best: Some(3), hits: 99, ..page() };
    let after = PageRepo::upsert(&more).on(&db).await.unwrap();
    assert_eq!((after.note.as_deref(), after.best, after.hits), (Some("n"), Some(3), 0));
    let after = PageRepo::upsert(more).add(Page::BEST, 1).remove(Page::NOTE).on(&db).await.unwrap();
    assert_eq!((after.note, after.best), (None, Some(4)));
}

#[tokio::test]
async fn attributes_that_the_struct_does_not_model_stay() {
    use aws_sdk_dynamodb::types::AttributeValue;
    let db = engine().await;
    let mut item = dynorm::to_item(&page()).unwrap();
    item.insert("else".into(), AttributeValue::Bool(true));
    let table = db.table_name::<Page>();
    db.client().put_item().table_name(&table).set_item(Some(item)).send().await.unwrap();
    visit().on(&db).await.unwrap();
    let get = db.client().get_item().table_name(&table).key("path", AttributeValue::S("/".into()));
    assert!(get.send().await.unwrap().item.unwrap().contains_key("else"));
}

#[tokio::test]
async fn many_at_once_make_one_item() {
    let db = engine().await;
    let tasks = (0..20).map(|_| {
        let db = db.clone();
        tokio::spawn(async move { visit().on(&db).await.unwrap().hits })
    });
    let mut seen = BTreeSet::new();
    for task in tasks.collect::<Vec<_>>() {
        seen.insert(task.await.unwrap());
    }
    assert_eq!(seen, (1..=20).collect());
}

#[tokio::test]
async fn after_a_lost_answer_it_is_done_at_least_once() {
    let db = engine().await;
    let faulty = Faults::scripted([Fault::CutAfter, Fault::Throttle]).on(&db);
    assert_eq!(visit().on(&faulty).await.unwrap().hits, 2);
}

#[tokio::test]
async fn what_one_request_cannot_say_is_refused() {
    let (db, requests) = canned::database(|_| Answer::ok("{}"));
    let refused = async |update: Update<Page, OrInsert<Page>>| {
        let error = update.on(&db).await.unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{error:?}");
        let text = error.to_string();
        let start = "upserting `Page` with path = / in the table `pages`: ";
        text.strip_prefix(start).unwrap_or_else(|| panic!("{text}")).to_owned()
    };
    assert_eq!(
        refused(PageRepo::upsert(page()).set(Page::LOG.at(0), "x")).await,
        "`log[0]` lies inside a field, which is not there yet if the item is not: an upsert changes whole \
        fields, so set the whole, or use `update_or_create`"
    );
    assert!(
        refused(PageRepo::upsert(page()).set(Page::FIRST, Page::LOG.at(0)))
            .await
            .starts_with("`log[0]` lies")
    );
    let tagged = Page { tags: ["a".to_owned()].into(), ..page() };
    assert_eq!(
        refused(PageRepo::upsert(tagged).insert(Page::TAGS, ["b"])).await,
        "`tags` is not empty in the entity, and `insert` changes it: DynamoDB cannot start from one set and \
        add to it in one request, so leave it empty in the entity, or use `update_or_create`"
    );
    assert!(
        refused(PageRepo::upsert(page()).set(Page::HITS, 1).add(Page::HITS, 1))
            .await
            .contains("changed twice")
    );
    assert!(requests.is_empty());
}

#[tokio::test]
async fn what_is_sent() {
    #[derive(Entity, Clone, Debug)]
    struct Doc {
        #[entity(partition)]
        key: String,
        size: u32,
        best: Option<u32>,
        nick: Option<String>,
        title: String,
    }
    let (db, requests) = canned::database(|_| {
        Answer::ok(r#"{"Attributes":{"key":{"S":"k"},"size":{"N":"1"},"title":{"S":"t"}}}"#)
    });
    let doc = Doc { key: "k".into(), size: 3, best: None, nick: None, title: "t".into() };
    DocRepo::upsert(doc).add(Doc::SIZE, 1).add(Doc::BEST, 1).on(&db).await.unwrap();
    assert_eq!(
        requests.all()[0].text(),
        concat!(
            r##"{"TableName":"docs","Key":{"key":{"S":"k"}},"##,
            r##""UpdateExpression":"SET #0 = if_not_exists(#0, :0) + :1, #1 = if_not_exists(#1, :2) + :3, #2 = if_not_exists(#2, :4)","##,
            r##""ExpressionAttributeNames":{"#0":"size","#1":"best","#2":"title"},"##,
            r##""ExpressionAttributeValues":{":0":{"N":"3"},":1":{"N":"1"},":2":{"N":"0"},":3":{"N":"1"},":4":{"S":"t"}},"##,
            r##""ReturnValues":"ALL_NEW"}"##
        )
    );
}

mod shared {
    use super::*;

    #[derive(Entity, Clone, Debug, PartialEq)]
    #[entity(table = "shared", partition = "CARD#{number}")]
    #[entity(index("by_suit", partition = "{suit}#{rank}"), index("by_owner", partition = "{owner}"))]
    struct Card {
        number: u32,
        suit: String,
        rank: u32,
        owner: Option<String>,
    }

    #[derive(Entity, Clone, Debug, PartialEq)]
    #[entity(table = "shared", partition = "CARD#{number}")]
    struct Token {
        number: u32,
        colour: Option<String>,
    }

    #[derive(Entity, Clone, Debug, PartialEq)]
    #[entity(table = "shared", partition = "PLACE#{number}")]
    #[entity(index("by_city", partition = "{city}#{street}"))]
    struct Spot {
        number: u32,
        city: Option<String>,
        street: String,
        hits: u32,
    }

    fn card(suit: &str) -> Card {
        Card { number: 1, suit: suit.into(), rank: 7, owner: Some("ada".into()) }
    }

    async fn engine() -> Database {
        let db = database();
        db.create_table::<Card>().with::<Spot>().await.unwrap();
        db
    }

    #[tokio::test]
    async fn the_keys_of_indexes_are_those_of_what_is_stored() {
        let db = engine().await;
        let found = async |suit: &str| CardRepo::by_suit(suit, 7u32).on(&db).get_all().await.unwrap();
        let made = CardRepo::upsert(card("hearts")).on(&db).await.unwrap();
        assert_eq!(found("hearts").await, vec![made.clone()]);
        assert_eq!(CardRepo::by_owner("ada").on(&db).count().await.unwrap(), 1);
        let after = CardRepo::upsert(card("spades")).set(Card::OWNER, "bea").on(&db).await.unwrap();
        assert_eq!((after.suit.as_str(), after.owner.as_deref()), ("hearts", Some("bea")));
        assert_eq!(found("hearts").await, vec![after]);
        assert!(found("spades").await.is_empty());
        assert_eq!(CardRepo::by_owner("bea").on(&db).count().await.unwrap(), 1);
        // Filled in, with its index key.
        CardRepo::update(1).set(Card::OWNER, None).on(&db).await.unwrap();
        CardRepo::upsert(card("spades")).on(&db).await.unwrap();
        assert_eq!(CardRepo::by_owner("ada").on(&db).count().await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_key_that_could_be_a_mixture_is_refused() {
        let db = engine().await;
        let spot = Spot { number: 1, city: Some("Paris".into()), street: "Rue 1".into(), hits: 0 };
        let error = SpotRepo::upsert(&spot).add(Spot::HITS, 1).on(&db).await.unwrap_err();
        assert!(
            error.to_string().ends_with(
                "the index key `by_citypk` is made of `city`, `street`, of which an item may have some and \
                lack others, so that the key would be a mixture: set all of them in the upsert, or use \
                `update_or_create`"
            ),
            "{error}"
        );
        let upsert =
            SpotRepo::upsert(&spot).set(Spot::CITY, "Rome").set(Spot::STREET, "Via 2").add(Spot::HITS, 1);
        assert_eq!(upsert.on(&db).await.unwrap().hits, 1);
        assert_eq!(SpotRepo::by_city("Rome", "Via 2").on(&db).count().await.unwrap(), 1);
    }

    #[tokio::test]
    async fn an_item_of_another_entity_stays() {
        let db = engine().await;
        let token = TokenRepo::save(Token { number: 1, colour: None }).on(&db).await.unwrap();
        let error = CardRepo::upsert(card("hearts")).on(&db).await.unwrap_err();
        assert!(error.is_condition_failed() && error.is_type_mismatch());
        assert!(
            error
                .to_string()
                .contains("under this key lies an item of the type `Token`, which is not a `Card`"),
            "{error}"
        );
        for error in [
            CardRepo::first_or_create(card("hearts")).on(&db).await.unwrap_err(),
            CardRepo::update_or_create(card("hearts")).set(Card::OWNER, None).on(&db).await.unwrap_err(),
        ] {
            assert!(error.is_condition_failed() && error.is_type_mismatch(), "{error}");
            assert!(error.outcome_known(), "{error}");
        }
        assert_eq!(TokenRepo::get(1).on(&db).await.unwrap(), token);
    }
}
