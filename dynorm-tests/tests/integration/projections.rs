//! Projections, projected indexes and their completion; keys of several attributes; whole keys.

use std::collections::BTreeSet;

use dynorm::Projection as _;
use dynorm::prelude::*;
use dynorm_tests::database;
use futures_util::TryStreamExt;

#[derive(Entity, Clone, Debug, Default, PartialEq)]
struct User {
    #[entity(id)]
    id: Id<User>,
    #[entity(index("by_city", include = [name, raw]))]
    city: String,
    #[entity(index("by_city", sort))]
    age: u32,
    #[entity(index("by_email", keys_only))]
    email: Option<String>,
    name: String,
    #[entity(serde)]
    raw: Option<(u8, String)>,
    address: Option<Address>,
    tags: BTreeSet<String>,
}

#[derive(Attribute, Clone, Debug, Default, PartialEq)]
struct Address {
    street: String,
    lines: Vec<String>,
}

#[derive(Projection, Debug, PartialEq)]
#[projection(of = User)]
struct Card {
    name: String,
    age: u32,
    #[projection(from = User::ADDRESS.field(Address::STREET))]
    street: Option<String>,
    #[projection(from = User::ADDRESS.field(Address::LINES).at(1))]
    second: Option<String>,
    #[projection(from = User::CITY)]
    town: String,
}

fn user(number: u32) -> User {
    User {
        city: ["Paris", "Rome"][number as usize % 2].to_owned(),
        age: number / 2,
        email: (!number.is_multiple_of(3)).then(|| format!("{number}@example.com")),
        name: format!("user {number}"),
        raw: Some((7, "x".to_owned())),
        address: (!number.is_multiple_of(5))
            .then(|| Address { street: format!("street {number}"), lines: vec!["a".into(), "b".into()] }),
        ..Default::default()
    }
}

async fn users(count: u32) -> (Database, Collection<User>) {
    let db = database();
    db.create_table::<User>().await.unwrap();
    let users = UserRepo::batch_save((0..count).map(user)).on(&db).await.unwrap();
    (db, users)
}

#[tokio::test]
async fn a_projection_reads_just_its_places() {
    let (db, all) = users(20).await;
    let mut cards =
        UserRepo::scan().filter(User::CITY.eq("Rome")).select_as::<Card>().get_all().on(&db).await.unwrap();
    cards.sort_by_key(|card| card.age);
    let expected: Vec<Card> = all
        .iter()
        .filter(|user| user.city == "Rome")
        .map(|user| Card {
            name: user.name.clone(),
            age: user.age,
            street: user.address.as_ref().map(|address| address.street.clone()),
            second: user.address.as_ref().map(|_| "b".to_owned()),
            town: user.city.clone(),
        })
        .collect();
    assert_eq!(*cards, expected);
    assert_eq!(cards.scanned(), 20);
    // The table serves it, since the index does not hold the address.
    let error =
        UserRepo::filter(User::CITY.eq("Rome")).select_as::<Card>().get_all().on(&db).await.unwrap_err();
    assert!(error.to_string().contains("does not hold `address`"), "{error}");
    assert!(format!("{:?}", Card::paths()).contains("address.street"));
}

#[tokio::test]
async fn a_projected_index_gives_what_it_holds() {
    let (db, all) = users(30).await;
    let parisians = UserRepo::by_city("Paris").filter(User::AGE.ge(5)).get_all().on(&db).await.unwrap();
    let expected: Vec<&User> = all.iter().filter(|user| user.city == "Paris" && user.age >= 5).collect();
    assert_eq!(parisians.len(), expected.len());
    for (found, user) in parisians.iter().zip(expected) {
        let UserByCity { id, city, age, name, raw } = found.clone();
        assert_eq!(
            (id, city, age, name, raw),
            (user.id, user.city.clone(), user.age, user.name.clone(), user.raw.clone())
        );
    }
    let UserByEmail { id, email } = UserRepo::by_email("1@example.com").one().on(&db).await.unwrap();
    assert_eq!((id, email), (all[1].id, all[1].email.clone()));
    // Conditions on fields that it holds are enough.
    let names = UserRepo::filter(User::CITY.eq("Rome"))
        .select((User::NAME, User::AGE))
        .get_all()
        .on(&db)
        .await
        .unwrap();
    assert_eq!(names.len(), 15);
    assert_eq!(UserRepo::by_city("Rome").count().on(&db).await.unwrap(), 15);
    let page = UserRepo::by_city("Rome").page(4).on(&db).await.unwrap();
    let rest = UserRepo::by_city("Rome").page(100).after(page.next).on(&db).await.unwrap();
    assert_eq!((page.items.len(), rest.items.len()), (4, 11));
}

#[tokio::test]
async fn an_index_that_lacks_something_is_not_used_silently() {
    let (db, _) = users(3).await;
    for (query, lacks) in [
        (
            UserRepo::filter(User::CITY.eq("Rome")),
            "`by_city` serves these conditions and does not hold `email`, `address`, `tags`: call \
            `.hydrate()`",
        ),
        (
            UserRepo::filter(User::EMAIL.eq("x")),
            "`by_email` serves these conditions and does not hold `city`, `age`, `name` and 3 more",
        ),
    ] {
        let error = query.get_all().on(&db).await.unwrap_err();
        assert!(error.to_string().contains(lacks), "{error}");
    }
    let error =
        UserRepo::by_city("Rome").filter(User::TAGS.contains("x")).get_all().on(&db).await.unwrap_err();
    assert!(error.to_string().contains("does not hold `tags`"), "{error}");
    // It is not used if the table could give the result without it.
    let scan = UserRepo::filter(User::CITY.eq("Rome")).allow_scan();
    assert!(scan.explain().is_scan());
    assert_eq!(scan.get_all().on(&db).await.unwrap().len(), 1);
}

#[tokio::test]
async fn hydrate_completes_and_checks_again() {
    let (db, all) = users(1000).await;
    let rome = || UserRepo::by_city("Rome").hydrate();
    let found =
        rome().filter(User::ADDRESS.exists()).order_by(User::AGE.desc()).get_all().on(&db).await.unwrap();
    let mut expected: Vec<User> =
        all.iter().filter(|user| user.city == "Rome" && user.address.is_some()).cloned().collect();
    expected.reverse();
    assert_eq!(*found, expected);
    assert_eq!(rome().count().on(&db).await.unwrap(), 500);
    let streamed: Vec<User> = rome().stream().on(&db).try_collect().await.unwrap();
    assert_eq!(streamed.len(), 500);
    let mut cursor = None;
    let mut paged = Vec::new();
    loop {
        let page = rome().filter(User::ADDRESS.exists()).page(33).after(cursor).on(&db).await.unwrap();
        paged.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    paged.reverse();
    assert_eq!(paged, expected);
    let explained = rome().filter(User::TAGS.contains("x")).explain().to_string();
    assert_eq!(
        explained,
        "Query on the index `by_city` of `users`
  key:    city = ?
  then:   BatchGetItem of the found items, which are checked again
  cost:   reads one partition, and the items that are found"
    );
    let several = UserRepo::filter(User::CITY.is_in(["Rome", "Paris"])).hydrate().limit(700);
    assert_eq!(several.get_all().on(&db).await.unwrap().len(), 700);
}

#[derive(Entity, Clone, Debug, PartialEq)]
#[entity(table = "shop", partition = "CUSTOMER#{customer}", sort = "ORDER#{placed_at}#{number:06}")]
#[entity(index("by_state", partition = "STATE#{state}", sort = "{total:09}", keys_only))]
#[entity(index("by_day", partition = "DAY#{day}", sort = "{note}"))]
struct Order {
    customer: String,
    placed_at: Timestamp,
    number: u32,
    state: String,
    total: u64,
    day: u8,
    note: String,
}

#[derive(Entity, Clone, Debug, PartialEq)]
#[entity(table = "shop", partition = "CUSTOMER#{customer}", sort = "PROFILE")]
struct Customer {
    customer: String,
}

fn at(minute: i64) -> Timestamp {
    Timestamp::from_unix_micros((1_780_000_000 + minute * 60) * 1_000_000).unwrap()
}

async fn orders() -> (Database, Vec<Order>) {
    let db = database();
    db.create_table::<Order>().await.unwrap();
    let notes = ["", "a", "a#b", "a\\", "b", "é", "#", "\\"];
    let orders: Vec<Order> = (0..60u32)
        .map(|number| Order {
            customer: ["ada", "bob", "a#b"][number as usize % 3].to_owned(),
            placed_at: at(i64::from(number / 6)),
            number,
            state: ["new", "sent"][number as usize % 2].to_owned(),
            total: u64::from(number) * 37 % 1000,
            day: (number % 4) as u8,
            note: format!("{}{number}", notes[number as usize % notes.len()]),
        })
        .collect();
    OrderRepo::batch_save(&orders).on(&db).await.unwrap();
    for customer in ["ada", "bob", "a#b"] {
        CustomerRepo::save(Customer { customer: customer.to_owned() }).on(&db).await.unwrap();
    }
    (db, orders)
}

/// Every query gives the result of a filter over a `Vec`, and reads no more than necessary.
#[tokio::test]
async fn templates_are_asked_within_bounds() {
    let (db, orders) = orders().await;
    type Check = (dynorm::Condition<Order>, fn(&Order) -> bool, u64);
    let of_ada = || Order::CUSTOMER.eq("ada");
    let checks: Vec<Check> = vec![
        (of_ada() & Order::PLACED_AT.ge(at(5)), |order| order.placed_at >= at(5), 10),
        (of_ada() & Order::PLACED_AT.gt(at(5)), |order| order.placed_at > at(5), 8),
        (of_ada() & Order::PLACED_AT.le(at(5)), |order| order.placed_at <= at(5), 12),
        (of_ada() & Order::PLACED_AT.lt(at(5)), |order| order.placed_at < at(5), 10),
        (
            of_ada() & Order::PLACED_AT.between(at(2), at(4)),
            |order| (at(2)..=at(4)).contains(&order.placed_at),
            6,
        ),
        (
            of_ada() & Order::PLACED_AT.gt(at(2)) & Order::PLACED_AT.lt(at(4)),
            |order| order.placed_at == at(3),
            6,
        ),
        (of_ada() & Order::PLACED_AT.eq(at(2)), |order| order.placed_at == at(2), 2),
        (
            of_ada() & Order::PLACED_AT.eq(at(2)) & Order::NUMBER.gt(12),
            |order| order.placed_at == at(2) && order.number > 12,
            2,
        ),
    ];
    for (condition, keeps, most) in checks {
        let query = OrderRepo::filter(condition);
        let explained = query.explain().to_string();
        let found = query.get_all().on(&db).await.unwrap();
        let expected: Vec<Order> =
            orders.iter().filter(|order| order.customer == "ada" && keeps(order)).cloned().collect();
        assert_eq!(*found, expected, "{explained}");
        assert!(found.scanned() <= most, "{} of {most}: {explained}", found.scanned());
    }
    // Both customers, merged by their orders.
    let of_two = OrderRepo::filter(Order::CUSTOMER.is_in(["ada", "a#b"]) & Order::PLACED_AT.ge(at(3)));
    let found = of_two.order_by(Order::PLACED_AT.desc()).get_all().on(&db).await.unwrap();
    assert!(found.iter().all(|order| order.customer != "bob" && order.placed_at >= at(3)));
    assert!(found.is_sorted_by_key(|order| std::cmp::Reverse(order.placed_at)));
    assert_eq!(found.len(), 28);
    // The last field of a template, with characters that are escaped elsewhere.
    for bound in ["", "a", "a#", "a\\", "b", "é", "\\"] {
        let query = || OrderRepo::by_day(1u8);
        for (query, keeps) in [
            (query().filter(Order::NOTE.ge(bound)), (|note, bound| note >= bound) as fn(&str, &str) -> bool),
            (query().filter(Order::NOTE.gt(bound)), |note, bound| note > bound),
            (query().filter(Order::NOTE.le(bound)), |note, bound| note <= bound),
            (query().filter(Order::NOTE.lt(bound)), |note, bound| note < bound),
            (query().filter(Order::NOTE.begins_with(bound)), |note, bound| note.starts_with(bound)),
        ] {
            let mut found = query.get_all().on(&db).await.unwrap().into_vec();
            let mut expected: Vec<Order> =
                orders.iter().filter(|order| order.day == 1 && keeps(&order.note, bound)).cloned().collect();
            found.sort_by_key(|order| order.number);
            expected.sort_by_key(|order| order.number);
            assert_eq!(found, expected, "{bound:?}");
        }
    }
}

#[tokio::test]
async fn a_projected_index_of_templates_holds_the_fields_of_the_keys() {
    let (db, orders) = orders().await;
    let found = OrderRepo::by_state("sent").filter(Order::TOTAL.gt(500)).get_all().on(&db).await.unwrap();
    let mut expected: Vec<&Order> =
        orders.iter().filter(|order| order.state == "sent" && order.total > 500).collect();
    expected.sort_by_key(|order| order.total);
    let found: Vec<(String, u32, u64)> = found
        .iter()
        .map(|OrderByState { customer, number, total, .. }| (customer.clone(), *number, *total))
        .collect();
    let expected: Vec<(String, u32, u64)> =
        expected.iter().map(|order| (order.customer.clone(), order.number, order.total)).collect();
    assert_eq!(found, expected);
    let whole = OrderRepo::by_state("sent")
        .hydrate()
        .filter(Order::NOTE.begins_with("a"))
        .get_all()
        .on(&db)
        .await
        .unwrap();
    assert!(
        !whole.is_empty() && whole.iter().all(|order| order.note.starts_with('a') && order.state == "sent")
    );
    db.create_table::<Order>().await.unwrap();
}

#[tokio::test]
async fn whole_keys_are_a_batch_get() {
    let (db, all) = users(250).await;
    let ids: Vec<Id<User>> = all
        .iter()
        .map(|user| user.id)
        .rev()
        .chain([Id::new()])
        .chain(all.iter().map(|user| user.id))
        .collect();
    let query = || UserRepo::filter(User::ID.is_in(&ids));
    assert!(query().explain().to_string().starts_with("BatchGetItem"));
    let found = query().filter(User::AGE.lt(50)).get_all().on(&db).await.unwrap();
    let mut expected: Vec<User> = all.iter().filter(|user| user.age < 50).cloned().collect();
    expected.reverse();
    assert_eq!(*found, expected);
    assert_eq!((found.scanned(), found.stats().requests), (251, 3));
    assert_eq!(query().count().on(&db).await.unwrap(), 250);
    assert_eq!(query().first().on(&db).await.unwrap().as_ref(), all.last());
    let names: Vec<String> = query().select(User::NAME).limit(7).get_all().on(&db).await.unwrap();
    assert_eq!(names.len(), 7);
    let (mut cursor, mut paged) = (None, Vec::new());
    loop {
        let page = query().page(40).after(cursor).on(&db).await.unwrap();
        paged.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    paged.reverse();
    assert_eq!(paged, *all);
    let (db, orders) = self::orders().await;
    let one = &orders[7];
    let found = OrderRepo::filter(
        Order::CUSTOMER.eq(&one.customer)
            & Order::PLACED_AT.eq(one.placed_at)
            & (Order::NUMBER.eq(one.number) | Order::NUMBER.eq(9999)),
    );
    assert!(found.explain().to_string().starts_with("BatchGetItem"), "{}", found.explain());
    assert_eq!(found.one().on(&db).await.unwrap(), *one);
}

#[derive(Entity, Clone, Debug, PartialEq)]
#[entity(index("by_place", partition = [country, city], sort = [street, number, built]))]
struct House {
    #[entity(id)]
    id: Id<House>,
    country: String,
    city: String,
    street: String,
    number: u32,
    built: Option<Timestamp>,
}

#[tokio::test]
async fn keys_of_several_attributes_are_used_through_their_prefix() {
    let explained = HouseRepo::by_place("fr", "Paris")
        .filter(House::STREET.eq("Rivoli") & House::NUMBER.ge(3) & House::BUILT.exists())
        .explain()
        .to_string();
    assert_eq!(
        explained,
        "Query on the index `by_place` of `houses`
  key:    country = ? AND city = ? AND street = ? AND number >= ?
  here:   attribute_exists(built)
  cost:   reads a part of one partition; what the filter leaves out is paid for"
    );
    let db = database();
    db.create_table::<House>().await.unwrap();
    db.create_table::<House>().await.unwrap();
    let houses: Vec<House> = (0..200u32)
        .map(|at| House {
            id: Id::default(),
            country: ["fr", "it"][at as usize % 2].to_owned(),
            city: ["Paris", "Lyon", "Rome"][at as usize / 2 % 3].to_owned(),
            street: ["Rivoli", "Corso"][at as usize / 6 % 2].to_owned(),
            number: at / 12,
            built: (at % 5 != 0).then(|| self::at(i64::from(at))),
        })
        .collect();
    let houses = HouseRepo::batch_save(houses).on(&db).await.unwrap();
    let expect = |keeps: &dyn Fn(&House) -> bool| -> Vec<House> {
        let mut expected: Vec<House> =
            houses.iter().filter(|house| house.built.is_some() && keeps(house)).cloned().collect();
        expected.sort_by_key(|house| (house.street.clone(), house.number, house.built));
        expected
    };
    let in_paris = || HouseRepo::by_place("fr", "Paris");
    let found = in_paris().get_all().on(&db).await.unwrap();
    assert_eq!(*found, expect(&|house| house.country == "fr" && house.city == "Paris"));
    let found = in_paris()
        .filter(House::STREET.eq("Rivoli") & House::NUMBER.between(3, 9))
        .get_all()
        .on(&db)
        .await
        .unwrap();
    let expected = expect(&|house| {
        house.country == "fr"
            && house.city == "Paris"
            && house.street == "Rivoli"
            && (3..=9).contains(&house.number)
    });
    assert_eq!(*found, expected);
    assert_eq!(found.scanned() as usize, expected.len());
    // Without the street, the number is not part of the prefix.
    let found = in_paris().filter(House::NUMBER.eq(3)).get_all().on(&db).await.unwrap();
    assert_eq!(*found, expect(&|house| house.country == "fr" && house.city == "Paris" && house.number == 3));
    let both = || HouseRepo::filter(House::COUNTRY.is_in(["fr", "it"]) & House::CITY.is_in(["Rome", "Lyon"]));
    // The index lacks houses without a year, which match as well.
    let error = both().get_all().on(&db).await.unwrap_err();
    assert!(error.to_string().contains("no items of `House` without `built`"), "{error}");
    assert_eq!(both().allow_scan().count().on(&db).await.unwrap(), 132);
    let with_a_year = expect(&|house| house.city != "Paris").len();
    assert_eq!(both().using("by_place").count().on(&db).await.unwrap(), with_a_year as u64);
    let found =
        both().filter(House::BUILT.exists()).order_by(House::STREET.asc()).get_all().on(&db).await.unwrap();
    let expected = expect(&|house| house.city != "Paris");
    assert_eq!(found.len(), expected.len());
    assert!(found.is_sorted_by_key(|house| (house.street.clone(), house.number)));
    let ordered = in_paris().filter(House::STREET.eq("Corso")).order_by(House::NUMBER.desc());
    assert!(
        ordered.get_all().on(&db).await.unwrap().is_sorted_by_key(|house| std::cmp::Reverse(house.number))
    );
    let error = in_paris().order_by(House::NUMBER.desc()).get_all().on(&db).await.unwrap_err();
    assert!(
        error.to_string().contains("the keys can order by `street` with the index `by_place`"),
        "{error}"
    );
    let (mut cursor, mut paged) = (None, Vec::new());
    loop {
        let page = in_paris().page(5).after(cursor).on(&db).await.unwrap();
        paged.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(paged, expect(&|house| house.country == "fr" && house.city == "Paris"));
}
