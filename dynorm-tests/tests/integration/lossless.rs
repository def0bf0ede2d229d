//! Queries neither lose fields or items nor are misled: each case was once wrong, or could be.

use std::collections::BTreeMap;

use dynorm::prelude::*;
use dynorm_tests::database;

#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct Page {
    #[entity(id)]
    id: Id<Page>,
    #[entity(index("by_site", include = [title]))]
    site: String,
    title: String,
    #[entity(flatten)]
    rest: BTreeMap<String, String>,
    #[entity(index = "by_state")]
    state: String,
    #[entity(index("by_state", sort))]
    seen: Option<Timestamp>,
}

async fn pages() -> (Database, Vec<Page>) {
    let db = database();
    db.create_table::<Page>().await.unwrap();
    let pages: Vec<Page> = (0..6)
        .map(|number| Page {
            site: "a".to_owned(),
            title: number.to_string(),
            rest: BTreeMap::from([("colour".to_owned(), "red".to_owned())]),
            state: "new".to_owned(),
            seen: (number % 2 == 0).then(Timestamp::default),
            ..Default::default()
        })
        .collect();
    let pages = PageRepo::batch_save(pages).on(&db).await.unwrap();
    (db, pages.into_vec())
}

/// A save of an entity read without these fields would lose them.
#[tokio::test]
async fn an_index_that_lacks_what_is_flattened_gives_no_whole_item() {
    #[derive(Entity, Clone, Debug, PartialEq)]
    struct Word {
        #[entity(id)]
        id: Id<Word>,
        #[entity(index("by_text", include = [count]))]
        text: String,
        count: u32,
        #[entity(flatten)]
        rest: BTreeMap<String, String>,
    }
    let db = database();
    db.create_table::<Word>().await.unwrap();
    let rest = BTreeMap::from([("colour".to_owned(), "red".to_owned())]);
    let word = Word { id: Id::default(), text: "a".to_owned(), count: 1, rest };
    let word = WordRepo::save(word).on(&db).await.unwrap();
    let query = || WordRepo::filter(Word::TEXT.eq("a")).on(&db);
    let error = query().get_all().await.unwrap_err();
    assert!(error.to_string().contains("does not hold `rest`"), "{error}");
    assert_eq!(query().hydrate().one().await.unwrap(), word);
    assert_eq!(query().select((Word::TEXT, Word::COUNT)).get_all().await.unwrap(), [("a".to_owned(), 1)]);
    assert_eq!(WordRepo::by_text("a").one().on(&db).await.unwrap().id, word.id);
}

/// An index without items that match is not chosen: it lacks those without one of its keys.
#[tokio::test]
async fn an_index_does_not_take_away_what_lacks_its_keys() {
    let (db, pages) = pages().await;
    let new = || PageRepo::filter(Page::STATE.eq("new")).on(&db);
    let error = new().get_all().await.unwrap_err().to_string();
    assert!(
        error.contains(
            "the index `by_state` serves these conditions, and has no items of `Page` without `seen`"
        )
    );
    assert_eq!(new().allow_scan().get_all().await.unwrap().len(), pages.len());
    for condition in [
        Page::SEEN.exists(),
        Page::SEEN.ge(Timestamp::default()),
        Page::SEEN.eq(Timestamp::default()) | Page::SEEN.gt(Timestamp::default()),
        Page::SEEN.is_in([Timestamp::default()]),
    ] {
        let query = new().filter(condition);
        assert_eq!(query.explain().index(), Some("by_state"));
        assert_eq!(query.get_all().await.unwrap().len(), 3);
    }
    for condition in
        [Page::SEEN.ne(Timestamp::now()), !Page::SEEN.exists(), Page::SEEN.exists() | Page::TITLE.eq("1")]
    {
        assert!(new().filter(condition).allow_scan().explain().is_scan());
    }
    // A query that names the index gets only what is in it.
    assert_eq!(new().using("by_state").count().await.unwrap(), 3);
    assert_eq!(PageRepo::by_state("new").count().on(&db).await.unwrap(), 3);
}

/// A value that cannot be a key of one index is not an error if another key serves.
#[tokio::test]
async fn a_key_that_cannot_be_does_not_stand_in_the_way_of_another() {
    let (db, pages) = pages().await;
    let query = PageRepo::filter(Page::ID.eq(pages[0].id) & Page::SITE.eq("")).on(&db);
    assert_eq!(query.get_all().await.unwrap().len(), 0);
    let error = PageRepo::filter(Page::SITE.eq("")).hydrate().on(&db).get_all().await.unwrap_err();
    assert!(
        error.to_string().contains("the partition key of the index `by_site` cannot be empty"),
        "{error}"
    );
}

/// A whole key reads the least, however far an index is narrowed.
#[tokio::test]
async fn a_whole_key_is_not_looked_for_in_an_index() {
    let (db, pages) = pages().await;
    let query = PageRepo::filter(Page::STATE.eq("new") & Page::SEEN.ge(Timestamp::default()))
        .filter(Page::ID.eq(pages[0].id))
        .consistent()
        .on(&db);
    assert_eq!(query.explain().index(), None);
    assert_eq!(*query.get_all().await.unwrap(), pages[..1]);
}

/// Keys without an item do not cost a request each.
#[tokio::test]
async fn the_last_of_many_keys_is_found_in_a_few_requests() {
    let (db, pages) = pages().await;
    let ids: Vec<Id<Page>> = (0..90).map(|_| Id::new()).chain([pages[3].id]).collect();
    let found = PageRepo::filter(Page::ID.is_in(&ids)).limit(1).on(&db).get_all().await.unwrap();
    assert_eq!(*found, pages[3..4]);
    assert!(found.stats().requests < 10, "{}", found.stats().requests);
}

#[derive(Entity, Clone, Debug, PartialEq)]
#[entity(table = "log", partition = "{host}", sort = "{at}|{number:03}")]
struct Line {
    host: String,
    at: Timestamp,
    number: u32,
}

async fn lines() -> (Database, Vec<Line>) {
    let db = database();
    db.create_table::<Line>().await.unwrap();
    let lines: Vec<Line> = (0..40)
        .map(|number| Line {
            host: "a".to_owned(),
            at: Timestamp::from_unix_micros(i64::from(number) * 40 * 86_400 * 1_000_000).unwrap(),
            number,
        })
        .collect();
    LineRepo::batch_save(&lines).on(&db).await.unwrap();
    (db, lines)
}

/// By name, a timestamp is compared as a string, which may be a prefix.
#[tokio::test]
async fn what_is_compared_by_name_may_be_a_part_of_a_time() {
    let (db, lines) = lines().await;
    let of_a = || LineRepo::filter(Line::HOST.eq("a")).on(&db);
    let at = || dynorm::field("at");
    let expect = |keeps: &dyn Fn(&str) -> bool| -> Vec<Line> {
        lines.iter().filter(|line| keeps(&line.at.to_string())).cloned().collect()
    };
    let found = of_a().filter(at().gt("1971") & at().le("1972-01")).get_all().await.unwrap();
    assert_eq!(*found, expect(&|at| at > "1971" && at <= "1972-01"));
    let found = of_a().filter(at().between("1971", "1972-01")).get_all().await.unwrap();
    assert_eq!(*found, expect(&|at| ("1971"..="1972-01").contains(&at)));
    let found = of_a().filter(Line::AT.begins_with("1972-0")).get_all().await.unwrap();
    assert_eq!(*found, expect(&|at| at.starts_with("1972-0")));
    assert!(found.scanned() < 10);
    // Numbers are compared as numbers, by name too.
    let found =
        of_a().filter(Line::AT.eq(lines[7].at) & dynorm::field("number").ge(7)).get_all().await.unwrap();
    assert_eq!(*found, [lines[7].clone()]);
}

#[tokio::test]
async fn a_key_is_not_compared_with_a_value_of_another_type() {
    let (db, _) = lines().await;
    let number = || dynorm::field("number");
    let of_a = || LineRepo::filter(Line::HOST.eq("a"));
    for query in [
        of_a().filter(number().eq("7")),
        of_a().filter(number().ge("")),
        of_a().filter(number().between(1, "7")),
        of_a().filter(number().is_in([1, 2]) & number().is_in(["7"])),
        of_a().filter(number().begins_with("")),
        // Everything is different from this value, so DynamoDB is not asked.
        of_a().filter(number().ne("7")),
    ] {
        let error = query.get_all().on(&db).await.unwrap_err();
        let why = "`number` is stored as a number, so ";
        assert!(error.to_string().contains(why), "{error}");
    }
}

/// A value that does not fit the template of a sort key is not in it, as the filter finds too.
#[tokio::test]
async fn a_number_that_does_not_fit_finds_nothing() {
    let (db, lines) = lines().await;
    let of_it = || LineRepo::filter(Line::HOST.eq("a") & Line::AT.eq(lines[3].at)).on(&db);
    assert_eq!(of_it().filter(Line::NUMBER.eq(1000)).count().await.unwrap(), 0);
    assert_eq!(of_it().filter(Line::NUMBER.lt(1000)).count().await.unwrap(), 1);
    assert_eq!(of_it().filter(Line::NUMBER.between(0, 1000)).count().await.unwrap(), 1);
    // Equal items may be in any order.
    assert_eq!(of_it().order_by(Line::AT.desc()).get_all().await.unwrap().len(), 1);
}

/// A hundred values each would be more keys than fit into memory.
#[tokio::test]
async fn lists_do_not_multiply_without_end() {
    let (db, lines) = lines().await;
    let times: Vec<Timestamp> = (0..100).map(|at| Timestamp::from_unix_micros(at).unwrap()).collect();
    let query = LineRepo::filter(Line::HOST.is_in(["a", "b", "c"]))
        .filter(Line::AT.is_in(&times))
        .filter(Line::NUMBER.is_in(0..100u32))
        .on(&db);
    assert!(query.explain().to_string().starts_with("Query on the table"), "{}", query.explain());
    assert_eq!(*query.get_all().await.unwrap(), lines[..1]);
}

/// An entry of a local index counts as much as it holds.
#[tokio::test]
async fn a_local_index_that_holds_little_costs_little() {
    #[derive(Entity, Clone, Debug)]
    struct Photo {
        #[entity(partition)]
        album: String,
        #[entity(sort)]
        number: u32,
        #[entity(lsi("by_size", keys_only))]
        size: u32,
        #[entity(lsi = "by_place")]
        place: Option<u32>,
        data: Vec<u8>,
    }
    let db = database();
    db.create_table::<Photo>().await.unwrap();
    let photo = |place| Photo { album: "a".to_owned(), number: 1, size: 1, place, data: vec![7; 250 * 1024] };
    PhotoRepo::save(photo(None)).on(&db).await.unwrap();
    let error = PhotoRepo::save(photo(Some(1))).on(&db).await.unwrap_err();
    assert!(error.to_string().contains("with its entries in the local indexes"), "{error}");
}

#[derive(Entity, Clone, Debug, PartialEq)]
#[entity(table = "shop", partition = "C#{customer}", sort = "O#{number}")]
#[entity(index("gsi1", partition = "{state}", include = [total]))]
struct Order {
    customer: String,
    number: u32,
    state: String,
    total: u32,
    note: String,
}

#[derive(Entity, Clone, Debug, PartialEq)]
#[entity(table = "shop", partition = "C#{customer}", sort = "I#{number}")]
#[entity(index("gsi1", partition = "{state}", include = [due]))]
struct Invoice {
    customer: String,
    number: u32,
    state: String,
    due: Timestamp,
}

/// An index has one projection in its table, so it holds what any of the entities includes.
#[tokio::test]
async fn an_index_that_entities_share_holds_what_each_wants() {
    let db = database();
    db.create_table::<Order>().with::<Invoice>().await.unwrap();
    db.create_table::<Order>().await.unwrap();
    db.create_table::<Invoice>().await.unwrap();
    let (customer, state) = ("ada".to_owned(), "open".to_owned());
    let order =
        Order { customer: customer.clone(), number: 1, state: state.clone(), total: 9, note: String::new() };
    let invoice = Invoice { customer, number: 2, state, due: Timestamp::now() };
    OrderRepo::save(&order).on(&db).await.unwrap();
    InvoiceRepo::save(&invoice).on(&db).await.unwrap();
    let OrderGsi1 { number, total, .. } = OrderRepo::gsi1("open").one().on(&db).await.unwrap();
    assert_eq!((number, total), (1, 9));
    let InvoiceGsi1 { number, due, .. } = InvoiceRepo::gsi1("open").one().on(&db).await.unwrap();
    assert_eq!((number, due), (2, invoice.due));
    let less = database();
    less.create_table::<Order>().await.unwrap();
    let error = less.create_table::<Invoice>().await.unwrap_err();
    assert!(error.to_string().contains("the global index `gsi1` projects INCLUDE"), "{error}");
}
