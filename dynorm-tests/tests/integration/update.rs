//! `update`: each change on a real engine, refusals before anything is sent, and outcomes after lost answers.

use std::collections::{BTreeMap, BTreeSet};

use dynorm::Error;
use dynorm::operation::Update;
use dynorm::prelude::*;
use dynorm::testing::{Fault, Faults};
use dynorm_tests::canned::{self, Answer};
use dynorm_tests::database;

#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct Player {
    #[entity(id)]
    id: Id<Player>,
    name: String,
    age: u32,
    balance: f64,
    price: i64,
    tax: Option<i64>,
    total: i64,
    nick: Option<String>,
    tags: BTreeSet<String>,
    numbers: BTreeSet<u32>,
    log: Vec<String>,
    notes: Option<Vec<String>>,
    home: Option<Place>,
    scores: BTreeMap<String, u32>,
    #[entity(serde)]
    theme: Theme,
    #[entity(serde)]
    mood: Option<Theme>,
    #[entity(default = Some(5))]
    limit: Option<u32>,
    #[entity(default)]
    visits: u64,
    #[entity(created_at)]
    created_at: Timestamp,
    #[entity(updated_at)]
    updated_at: Timestamp,
}

#[derive(Attribute, Clone, Debug, Default, PartialEq)]
struct Place {
    city: String,
    floor: Option<i32>,
    lines: Vec<String>,
}

#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, Default, PartialEq)]
struct Theme {
    dark: bool,
}

async fn engine() -> Database {
    let db = database();
    db.create_table::<Player>().await.unwrap();
    db
}

fn player() -> Player {
    Player {
        name: "Ada".into(),
        age: 36,
        balance: 0.5,
        price: 100,
        total: 1,
        tags: ["new".to_owned()].into(),
        log: vec!["came".into()],
        home: Some(Place { city: "London".into(), floor: None, lines: vec!["1 Main Street".into()] }),
        scores: [("chess".to_owned(), 7)].into(),
        limit: Some(9),
        ..Player::default()
    }
}

/// Applies the change to the player above. Checks that the returned entity is the stored one.
async fn updated(change: impl FnOnce(Update<Player>) -> Update<Player>) -> Player {
    let db = engine().await;
    let before = PlayerRepo::save(player()).on(&db).await.unwrap();
    let after = change(PlayerRepo::update(before.id)).on(&db).await.unwrap();
    assert_eq!(PlayerRepo::get(before.id).consistent().on(&db).await.unwrap(), after);
    assert!(after.updated_at >= before.updated_at && after.created_at == before.created_at);
    Player { id: Id::default(), created_at: Timestamp::default(), updated_at: Timestamp::default(), ..after }
}

#[tokio::test]
async fn fields_are_set() {
    let theme = Theme { dark: true };
    let log = vec!["x".to_owned()];
    let after = updated(|update| {
        update
            .set(Player::NAME, "Bea")
            .set(Player::AGE, 37)
            .set(Player::BALANCE, 1.25)
            .set(Player::NICK, "bee")
            .set(Player::TAX, Some(7))
            .set(Player::TAGS, BTreeSet::from(["a".to_owned()]))
            .set(Player::LOG, &log)
            .set(Player::THEME, &theme)
            .set(Player::MOOD, Some(theme.clone()))
            .set(Player::HOME.field(Place::CITY), "Paris".to_owned())
            .set(Player::HOME.field(Place::LINES).at(0), "2 rue")
            .set(Player::SCORES.key("go"), 3)
    })
    .await;
    let mut home = player().home.unwrap();
    home.city = "Paris".into();
    home.lines = vec!["2 rue".into()];
    let expected = Player {
        name: "Bea".into(),
        age: 37,
        balance: 1.25,
        nick: Some("bee".into()),
        tax: Some(7),
        tags: ["a".to_owned()].into(),
        log: vec!["x".into()],
        theme: theme.clone(),
        mood: Some(theme),
        home: Some(home),
        scores: [("chess".to_owned(), 7), ("go".to_owned(), 3)].into(),
        ..player()
    };
    assert_eq!(after, expected);
}

#[tokio::test]
async fn what_is_absent_is_taken_away() {
    let db = engine().await;
    let full = Player { nick: Some("ada".into()), mood: Some(Theme { dark: true }), ..player() };
    let id = PlayerRepo::save(full).on(&db).await.unwrap().id;
    let update = PlayerRepo::update(id).set(Player::NICK, None).set(Player::TAGS, BTreeSet::new());
    let after = update.set(Player::MOOD, None).set(Player::LIMIT, None).set(Player::HOME, None).on(&db);
    let after = after.await.unwrap();
    assert!(after.nick.is_none() && after.tags.is_empty() && after.mood.is_none() && after.home.is_none());
    assert_eq!(after.limit, None, "beside a default, None is stored");
    let item = db.client().get_item().table_name(db.table_name::<Player>());
    let item =
        item.key("id", aws_sdk_dynamodb::types::AttributeValue::S(id.to_string())).send().await.unwrap();
    let item = item.item.unwrap();
    for name in ["nick", "tags", "mood", "home"] {
        assert!(!item.contains_key(name), "{name}");
    }
    assert!(item["limit"].is_null());
    assert_eq!(PlayerRepo::update(id).remove(Player::LIMIT).on(&db).await.unwrap().limit, Some(5));
}

#[tokio::test]
async fn numbers_are_counted_from_what_is_there_or_from_zero() {
    let step: i64 = 40;
    let after = updated(|update| {
        update
            .add(Player::AGE, -1)
            .add(Player::BALANCE, 0.25)
            .subtract(Player::PRICE, step)
            .add(Player::TAX, 3u8)
            .add(Player::SCORES.key("chess"), 1)
            .add(Player::SCORES.key("go"), 5)
            .add(Player::HOME.field(Place::FLOOR), 2)
            .add(Player::VISITS, 1)
            .add(Player::LIMIT, 1)
    })
    .await;
    assert_eq!((after.age, after.balance, after.price, after.tax), (35, 0.75, 60, Some(3)));
    assert_eq!(after.scores, [("chess".to_owned(), 8), ("go".to_owned(), 5)].into());
    assert_eq!((after.home.unwrap().floor, after.visits, after.limit), (Some(2), 1, Some(10)));
}

#[tokio::test]
async fn the_server_does_sums_of_fields() {
    let after = updated(|update| update.set(Player::TOTAL, Player::PRICE.plus(Player::TAX))).await;
    assert_eq!(after.total, 100, "an absent number counts as 0");
    let after = updated(|update| {
        update.set(Player::TOTAL, Player::PRICE.minus(Player::TOTAL)).set(Player::PRICE, Player::TOTAL)
    })
    .await;
    assert_eq!((after.total, after.price), (99, 1), "each change reads the item as it was before");
    let after = updated(|update| {
        update
            .set(Player::TAX, Player::PRICE.plus(-1))
            .add(Player::TOTAL, Player::PRICE)
            .subtract(Player::AGE, 6)
    })
    .await;
    assert_eq!((after.tax, after.total, after.age), (Some(99), 101, 30));
}

#[tokio::test]
async fn a_default_is_started_from_if_it_is_known() {
    let db = engine().await;
    let id = Id::<Player>::new();
    let put = db.client().put_item().table_name(db.table_name::<Player>());
    let item = dynorm::to_item(&Player { id, ..player() }).unwrap();
    let item = item.into_iter().filter(|(name, _)| name != "visits" && name != "limit").collect();
    put.set_item(Some(item)).send().await.unwrap();
    assert_eq!(PlayerRepo::update(id).add(Player::VISITS, 2).on(&db).await.unwrap().visits, 2);
    // Absent means 5 here, which DynamoDB does not know, so it cannot add to it.
    let error = PlayerRepo::update(id).add(Player::LIMIT, 2).on(&db).await.unwrap_err();
    assert!(matches!(error, Error::Rejected(_)), "{error}");
}

#[tokio::test]
async fn lists_grow_at_both_ends() {
    let after = updated(|update| {
        update
            .append(Player::LOG, ["saw", "won"])
            .prepend(Player::HOME.field(Place::LINES), [&"Flat 2".to_owned()])
            .append(Player::NOTES, vec!["first".to_owned()])
    })
    .await;
    assert_eq!(after.log, ["came", "saw", "won"]);
    assert_eq!(after.home.unwrap().lines, ["Flat 2", "1 Main Street"]);
    assert_eq!(after.notes.unwrap(), ["first"]);
    let after =
        updated(|update| update.prepend(Player::LOG, ["a", "b"]).append(Player::NOTES, [""; 0])).await;
    assert_eq!(after.log, ["a", "b", "came"]);
}

#[tokio::test]
async fn elements_come_into_sets_and_out_of_them() {
    let after = updated(|update| {
        update.insert(Player::TAGS, ["vip", "vip", "new"]).insert(Player::NUMBERS, [3, 1, 3])
    })
    .await;
    assert_eq!(after.tags, ["new".to_owned(), "vip".to_owned()].into());
    assert_eq!(after.numbers, [1, 3].into());
    let after = updated(|update| update.discard(Player::TAGS, ["new", "other"])).await;
    assert!(after.tags.is_empty());
    // Inserting nothing is not an error.
    let after =
        updated(|update| update.insert(Player::TAGS, [""; 0]).discard(Player::NUMBERS, [0u32; 0])).await;
    assert_eq!(after, player());
}

#[tokio::test]
async fn what_may_be_absent_is_removed() {
    let after = updated(|update| {
        update
            .remove(Player::TAGS)
            .remove(Player::NICK)
            .remove(Player::LOG.at(0))
            .remove(Player::SCORES.key("chess"))
            .remove(Player::HOME.field(Place::FLOOR))
    })
    .await;
    assert!(after.tags.is_empty() && after.log.is_empty() && after.scores.is_empty());
    assert_eq!(after.home, player().home);
}

#[tokio::test]
async fn set_if_absent_leaves_what_is_there() {
    let after = updated(|update| {
        update
            .set_if_absent(Player::NAME, "Bea")
            .set_if_absent(Player::NICK, "bee")
            .set_if_absent(Player::SCORES.key("go"), 3)
            .set_if_absent(Player::TAX, Player::PRICE)
    })
    .await;
    assert_eq!((after.name.as_str(), after.nick.as_deref(), after.tax), ("Ada", Some("bee"), Some(100)));
    assert_eq!(after.scores["go"], 3);
}

#[tokio::test]
async fn updated_at_is_stamped_unless_it_is_set() {
    let moment = "2026-03-01T12:30:00Z".parse::<Timestamp>().unwrap();
    let db = engine().await;
    let before = PlayerRepo::save(player()).on(&db).await.unwrap();
    let after = PlayerRepo::update(before.id).add(Player::AGE, 1).on(&db).await.unwrap();
    assert!(after.updated_at > before.updated_at);
    let after = PlayerRepo::update(before.id).set(Player::UPDATED_AT, moment).on(&db).await.unwrap();
    assert_eq!(after.updated_at, moment);
}

#[tokio::test]
async fn the_old_entity_comes_back_or_nothing_does() {
    let db = engine().await;
    let before = PlayerRepo::save(player()).on(&db).await.unwrap();
    let old: Player =
        PlayerRepo::update(before.id).add(Player::AGE, 1).returning_old().on(&db).await.unwrap();
    assert_eq!(old, before);
    let nothing = PlayerRepo::update(before.id).on(&db).add(Player::AGE, 1).returning_nothing();
    let () = nothing.when(Player::AGE.eq(37)).await.unwrap();
    assert_eq!(PlayerRepo::get(before.id).on(&db).await.unwrap().age, 38);
}

#[tokio::test]
async fn an_item_that_is_not_there_is_not_found_and_not_made() {
    let db = engine().await;
    let id = Id::new();
    let update = || PlayerRepo::update(id).add(Player::AGE, 1).on(&db);
    for error in [
        update().await.unwrap_err(),
        update().when(Player::AGE.gt(1)).await.unwrap_err(),
        update().when(Player::AGE.not_exists()).returning_old().await.unwrap_err(),
        update().returning_nothing().await.unwrap_err(),
    ] {
        assert!(error.is_not_found() && error.outcome_known(), "{error}");
        let table = db.table_name::<Player>();
        assert_eq!(error.to_string(), format!("there is no `Player` with id = {id} in the table `{table}`"));
    }
    assert_eq!(PlayerRepo::count().on(&db).await.unwrap(), 0);
}

#[tokio::test]
async fn a_condition_that_does_not_hold_comes_with_the_item() {
    let db = engine().await;
    let before = PlayerRepo::save(player()).on(&db).await.unwrap();
    let update = PlayerRepo::update(before.id).set(Player::NAME, "Bea").when(Player::AGE.lt(18));
    let error = update.when(Player::NAME.eq("Ada")).on(&db).await.unwrap_err();
    assert!(error.is_condition_failed() && error.outcome_known());
    assert_eq!(error.current::<Player>().unwrap().unwrap(), before);
    assert!(error.to_string().starts_with("updating `Player` with id = "), "{error}");
    let update = PlayerRepo::update(before.id).set(Player::NAME, "Bea").when(Player::AGE.ge(18));
    let update = update.when(Player::NAME.eq("Eve") | Player::NAME.eq("Ada"));
    assert_eq!(update.on(&db).await.unwrap().name, "Bea");
}

#[tokio::test]
async fn what_would_be_refused_is_refused_before_it_is_sent() {
    let (db, requests) = canned::database(|_| Answer::ok("{}"));
    let refused = async |change: fn(Update<Player>) -> Update<Player>| {
        let error = change(PlayerRepo::update(Id::default())).on(&db).await.unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{error:?}");
        let text = error.to_string();
        let start = "updating `Player` with id = 00000000000000000000000000 in the table `players`: ";
        text.strip_prefix(start).unwrap_or_else(|| panic!("{text}")).to_owned()
    };
    assert_eq!(
        refused(|update| update).await,
        "the update changes nothing: call `set`, `add` or another of its methods"
    );
    assert_eq!(
        refused(|update| update.set(Player::AGE, 1).add(Player::AGE, 1)).await,
        "`age` is changed twice, by `set` and by `add`: an update can change a path only once: make \
        one change, or two updates"
    );
    assert_eq!(
        refused(|update| update.set(Player::HOME.field(Place::CITY), "x").remove(Player::HOME)).await,
        "`home.city` (by `set`) and `home` (by `remove`) overlap: an update can change a path only once: \
        change either the whole or its parts"
    );
    assert!(
        refused(|update| update.remove(Player::LOG.at(1)).append(Player::LOG, ["x"]))
            .await
            .starts_with("`log[1]` (by `remove`) and `log` (by `append`) overlap")
    );
    assert_eq!(
        refused(|update| update.set(Player::BALANCE, f64::NAN)).await,
        "balance: NaN is not a number that DynamoDB holds"
    );
    assert_eq!(
        refused(|update| update.add(Player::BALANCE, f64::INFINITY)).await,
        "balance: inf is not a number that DynamoDB holds"
    );
    assert_eq!(
        refused(|update| update.set_if_absent(Player::NICK, None)).await,
        "nick: `set_if_absent` was given a value that is stored by leaving the attribute out"
    );
    assert_eq!(
        refused(|update| update.set_if_absent(Player::TOTAL, Player::PRICE.plus(1))).await,
        "total: `set_if_absent` was given a sum, and DynamoDB takes a value or a field there"
    );
    assert_eq!(
        refused(|update| (0..301).fold(update, |update, n| update.add(Player::SCORES.key(n.to_string()), n)))
            .await,
        "the changes have 602 operators, and DynamoDB takes 300"
    );
    assert!(
        refused(|update| (0..300).fold(update, |update, n| update.set(Player::SCORES.key(n.to_string()), n)))
            .await
            .starts_with("the changes make an expression of 4")
    );
    assert!(requests.is_empty());
}

#[tokio::test]
async fn neighbours_in_one_list_or_map_do_not_overlap() {
    let after = updated(|update| {
        update
            .set(Player::SCORES.key("a"), 1)
            .set(Player::SCORES.key("a.b"), 2)
            .set(Player::SCORES.key("size"), 3)
            .set(Player::SCORES.key("ä \"#"), 4)
            .set(Player::LOG.at(1), "b")
            .set(Player::LOG.at(7), "c")
    })
    .await;
    assert_eq!(after.scores.values().copied().collect::<Vec<_>>(), [1, 2, 7, 3, 4]);
    assert_eq!(after.log, ["came", "b", "c"]);
}

#[tokio::test]
async fn what_is_sent() {
    #[derive(Entity, Clone, Debug)]
    struct Doc {
        #[entity(partition)]
        key: String,
        size: u32,
        best: Option<u32>,
        tags: BTreeSet<String>,
        log: Vec<String>,
        nick: Option<String>,
    }
    let (db, requests) = canned::database(|_| Answer::ok("{}"));
    let update = DocRepo::update("k").add(Doc::SIZE, -1).add(Doc::BEST, 1).insert(Doc::TAGS, ["b", "a"]);
    let update = update.append(Doc::LOG, ["x"]).remove(Doc::NICK).when(Doc::SIZE.gt(0)).on(&db);
    update.returning_nothing().await.unwrap();
    assert_eq!(
        requests.all()[0].text(),
        concat!(
            r##"{"TableName":"docs","Key":{"key":{"S":"k"}},"##,
            r##""UpdateExpression":"SET #0 = #0 + :0, #1 = if_not_exists(#1, :1) + :2, #3 = list_append(#3, :4) REMOVE #4 ADD #2 :3","##,
            r##""ConditionExpression":"(attribute_exists(#5)) AND (#0 > :5)","##,
            r##""ExpressionAttributeNames":{"#0":"size","#1":"best","#2":"tags","#3":"log","#4":"nick","#5":"key"},"##,
            r##""ExpressionAttributeValues":{":0":{"N":"-1"},":1":{"N":"0"},":2":{"N":"1"},":3":{"SS":["b","a"]},":4":{"L":[{"S":"x"}]},":5":{"N":"0"}},"##,
            r##""ReturnValues":"NONE","ReturnValuesOnConditionCheckFailure":"ALL_OLD"}"##
        )
    );
}

#[tokio::test]
async fn a_number_that_does_not_fit_is_told_after_it_is_stored() {
    let db = engine().await;
    let id = PlayerRepo::save(player()).on(&db).await.unwrap().id;
    let error = PlayerRepo::update(id).subtract(Player::AGE, 40).on(&db).await.unwrap_err();
    assert!(matches!(error, Error::Undecodable(_)), "{error}");
    assert!(error.to_string().ends_with("age: the number does not fit u32"), "{error}");
    let error = PlayerRepo::update(id).subtract(Player::AGE, 1).when(Player::AGE.ge(1)).on(&db).await;
    assert!(error.unwrap_err().is_condition_failed());
}

#[tokio::test]
async fn what_only_the_server_knows_is_its_refusal() {
    let db = engine().await;
    let id = PlayerRepo::save(Player { home: None, ..player() }).on(&db).await.unwrap().id;
    for update in [
        PlayerRepo::update(id).set(Player::HOME.field(Place::CITY), "Paris"),
        PlayerRepo::update(id).set(Player::NAME, Player::NICK),
    ] {
        let error = update.on(&db).await.unwrap_err();
        assert!(matches!(error, Error::Rejected(_)) && !error.is_retryable(), "{error}");
    }
}

// Lost answers

#[tokio::test]
async fn without_a_condition_an_add_is_done_at_least_once() {
    let db = engine().await;
    let id = PlayerRepo::save(player()).on(&db).await.unwrap().id;
    let faulty = Faults::scripted([Fault::CutAfter, Fault::Throttle, Fault::ServerError]).on(&db);
    let after =
        PlayerRepo::update(id).add(Player::AGE, 1).append(Player::LOG, ["x"]).on(&faulty).await.unwrap();
    assert_eq!((after.age, after.log.len()), (38, 3), "once by the attempt whose answer was lost");
    // A change that only sets can be applied twice.
    let faulty = Faults::scripted([Fault::CutAfter]).on(&db);
    let update = PlayerRepo::update(id).set(Player::AGE, 5).insert(Player::TAGS, ["x"]);
    assert_eq!(update.on(&faulty).await.unwrap().age, 5);
}

#[tokio::test]
async fn a_condition_that_fails_after_a_lost_answer_proves_nothing() {
    let db = engine().await;
    let id = PlayerRepo::save(player()).on(&db).await.unwrap().id;
    let faulty = Faults::scripted([Fault::CutAfter]).on(&db);
    let update = PlayerRepo::update(id).add(Player::AGE, 1).when(Player::AGE.eq(36));
    let error = update.on(&faulty).await.unwrap_err();
    assert!(error.is_condition_failed() && !error.outcome_known());
    assert_eq!(error.current::<Player>().unwrap().unwrap().age, 37, "once, and not twice");
    assert!(error.to_string().ends_with(
        "the condition does not hold; an earlier attempt got no answer, and may have been applied"
    ));

    // The same for an item that was deleted meanwhile.
    let (gone, _) = canned::over(&db, move |request| match request.number {
        0 => Answer::CutAfter,
        _ => Answer::error(400, "ConditionalCheckFailedException", "The conditional request failed"),
    });
    let error = PlayerRepo::update(id).add(Player::AGE, 1).on(&gone).await.unwrap_err();
    assert!(error.is_not_found() && !error.outcome_known());
    assert!(
        error.to_string().ends_with("; an earlier attempt got no answer, and may have been applied"),
        "{error}"
    );
}

#[tokio::test]
async fn the_old_entity_is_asked_for_until_it_may_be_another() {
    let db = engine().await;
    let id = PlayerRepo::save(player()).on(&db).await.unwrap().id;
    let update = async |script: Vec<Fault>| {
        let faulty = Faults::scripted(script).on(&db);
        PlayerRepo::update(id).add(Player::AGE, 1).returning_old().on(&faulty).await
    };
    assert_eq!(update(vec![Fault::Throttle, Fault::Refused]).await.unwrap().age, 36);
    let error = update(vec![Fault::Throttle, Fault::CutAfter]).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)) && !error.outcome_known());
    assert_eq!(PlayerRepo::get(id).on(&db).await.unwrap().age, 38);
}

#[tokio::test]
async fn many_who_count_at_once_lose_nothing() {
    let db = engine().await;
    let id = PlayerRepo::save(player()).on(&db).await.unwrap().id;
    let tasks = (0..8).map(|task| {
        let db = db.clone();
        tokio::spawn(async move {
            for n in 0..10 {
                let update = PlayerRepo::update(id).add(Player::VISITS, 1).on(&db);
                update.insert(Player::TAGS, [format!("{task}-{n}")]).returning_nothing().await.unwrap();
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let after = PlayerRepo::get(id).on(&db).await.unwrap();
    assert_eq!((after.visits, after.tags.len()), (80, 81));
}
