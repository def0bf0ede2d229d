//! The four items of all measurements, for dynorm and for serde: a user with ten attributes, an aircraft, a
//! nested order with forty attributes, and a document of 100 KB.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use dynorm::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::floor::Floor;

/// The interface of the four items.
pub(crate) trait Shape: Entity + Serialize + DeserializeOwned + Floor + PartialEq + Debug {
    /// The name in the tables.
    const NAME: &'static str;

    /// The `n`th of many different items.
    fn sample(n: usize) -> Self;

    /// The repository of the item.
    type Repo: dynorm::Repository<Entity = Self>;

    /// The operation that reads it.
    fn find(&self) -> dynorm::operation::Find<Self>;
}

/// The user with ten attributes of the documentation.
#[derive(Entity, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct User {
    #[entity(id)]
    pub(crate) id: Id<User>,
    #[entity(index = "by_email")]
    pub(crate) email: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    #[entity(index = "by_status")]
    pub(crate) status: Status,
    pub(crate) age: u32,
    pub(crate) tags: BTreeSet<String>,
    pub(crate) address: Option<Address>,
    #[entity(created_at)]
    pub(crate) created_at: Timestamp,
    #[entity(updated_at, index("by_status", sort))]
    pub(crate) updated_at: Timestamp,
}

#[derive(Attribute, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    #[default]
    Pending,
    Active,
}

#[derive(Attribute, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Address {
    pub(crate) city: String,
    pub(crate) zip: String,
}

/// Names that many users share. One of them needs escaping in JSON, so that a fifth of the users does.
const LAST_NAMES: [&str; 5] = ["Lovelace", "Hopper", "O\"Neil", "Müller", "Curie"];

impl Shape for User {
    const NAME: &'static str = "user, 10 attributes";
    type Repo = UserRepo;

    fn sample(n: usize) -> Self {
        let number = u32::try_from(n).unwrap_or_default();
        Self {
            id: id(n),
            email: format!("user{n}@example.com"),
            first_name: "Ada".to_owned(),
            last_name: LAST_NAMES.get(n % 5).map_or_else(String::new, |name| format!("{name}-{n}")),
            status: Status::Active,
            age: 18 + number % 60,
            tags: BTreeSet::from(["vip".to_owned(), "newsletter".to_owned()]),
            address: Some(Address { city: "London".to_owned(), zip: format!("{n:05}") }),
            created_at: moment(n),
            updated_at: moment(n + 7),
        }
    }

    fn find(&self) -> dynorm::operation::Find<Self> {
        UserRepo::find(self.id)
    }
}

/// A row of the aircraft file that the example imports.
#[derive(Entity, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Plane {
    #[entity(partition)]
    pub(crate) tailnum: String,
    pub(crate) year: Option<u16>,
    #[entity(rename = "type")]
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[entity(index = "by_manufacturer")]
    pub(crate) manufacturer: String,
    pub(crate) model: String,
    pub(crate) engines: u8,
    pub(crate) seats: u16,
    pub(crate) speed: Option<u16>,
    pub(crate) engine: String,
}

static PLANES: &str = include_str!("../../../examples/planes.csv");

impl Shape for Plane {
    const NAME: &'static str = "aircraft, 9 attributes";
    type Repo = PlaneRepo;

    fn sample(n: usize) -> Self {
        let rows = PLANES.lines().count() - 1;
        let row = PLANES.lines().nth(1 + n % rows).unwrap_or_default();
        let mut columns = row.split(',');
        let mut text = || columns.next().unwrap_or_default().to_owned();
        Self {
            tailnum: text(),
            year: text().parse().ok(),
            kind: text(),
            manufacturer: text(),
            model: text(),
            engines: text().parse().unwrap_or_default(),
            seats: text().parse().unwrap_or_default(),
            speed: text().parse().ok(),
            engine: text(),
        }
    }

    fn find(&self) -> dynorm::operation::Find<Self> {
        PlaneRepo::find(&self.tailnum)
    }
}

/// Forty attributes on three levels, some of them several times.
#[derive(Entity, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Order {
    #[entity(partition)]
    pub(crate) customer_id: Id<User>,
    #[entity(sort)]
    pub(crate) number: u64,
    pub(crate) status: Status,
    pub(crate) currency: String,
    pub(crate) placed_at: Timestamp,
    pub(crate) paid_at: Option<Timestamp>,
    pub(crate) shipped_at: Option<Timestamp>,
    pub(crate) total: f64,
    pub(crate) discount: f64,
    pub(crate) is_gift: bool,
    pub(crate) message: Option<String>,
    pub(crate) channel: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) tags: BTreeSet<String>,
    pub(crate) customer: Contact,
    pub(crate) recipient: Option<Contact>,
    pub(crate) lines: Vec<Line>,
    pub(crate) revision: u32,
}

#[derive(Attribute, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Contact {
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) phone: Option<String>,
    pub(crate) wants_news: bool,
    pub(crate) place: Place,
}

#[derive(Attribute, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) street: String,
    pub(crate) number: u16,
    pub(crate) zip: String,
    pub(crate) city: String,
    pub(crate) country: String,
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
}

#[derive(Attribute, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) sku: String,
    pub(crate) title: String,
    pub(crate) quantity: u32,
    pub(crate) price: f64,
    pub(crate) weight: u32,
    pub(crate) taxed: bool,
    pub(crate) remark: Option<String>,
    pub(crate) options: Vec<String>,
    pub(crate) warehouse: String,
    pub(crate) reserved_at: Timestamp,
}

impl Shape for Order {
    const NAME: &'static str = "order, 40 attributes, nested";
    type Repo = OrderRepo;

    fn sample(n: usize) -> Self {
        let cents = 0.01 + (n % 90) as f64;
        let place = Place {
            street: "Rue de l'Échiquier".to_owned(),
            number: 14,
            zip: format!("{n:05}"),
            city: "Paris".to_owned(),
            country: "FR".to_owned(),
            latitude: 48.872_105,
            longitude: 2.351_98,
        };
        let contact = |name: &str| Contact {
            name: name.to_owned(),
            email: format!("customer{n}@example.com"),
            phone: Some("+33 1 23 45 67 89".to_owned()),
            wants_news: false,
            place: place.clone(),
        };
        let line = |index: usize| Line {
            sku: format!("SKU-{n}-{index}"),
            title: "A \"smart\" kettle, 1.7 l".to_owned(),
            quantity: 2,
            price: cents + 19.0,
            weight: 1700,
            taxed: true,
            remark: None,
            options: vec!["steel".to_owned(), "EU plug".to_owned()],
            warehouse: "north".to_owned(),
            reserved_at: moment(n + index),
        };
        Self {
            customer_id: id(n),
            number: 1_000_000 + n as u64,
            status: Status::Active,
            currency: "EUR".to_owned(),
            placed_at: moment(n),
            paid_at: Some(moment(n + 60)),
            shipped_at: None,
            total: cents + 57.0,
            discount: 0.15,
            is_gift: true,
            message: Some("Happy birthday!\nSee you on Sunday.".to_owned()),
            channel: "web".to_owned(),
            labels: BTreeMap::from([
                ("campaign".to_owned(), "spring".to_owned()),
                ("source".to_owned(), "newsletter".to_owned()),
            ]),
            tags: BTreeSet::from(["first".to_owned(), "gift".to_owned()]),
            customer: contact("Ada Lovelace"),
            recipient: Some(contact("Marie Curie")),
            lines: (0..3).map(line).collect(),
            revision: 4,
        }
    }

    fn find(&self) -> dynorm::operation::Find<Self> {
        OrderRepo::find((self.customer_id, self.number))
    }
}

/// Long strings of several kinds, 100 KB in all.
#[derive(Entity, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Document {
    #[entity(id)]
    pub(crate) id: Id<Document>,
    pub(crate) title: String,
    /// 60 KB in lines, with quotes.
    pub(crate) body: String,
    /// 40 strings of 1 KB without characters to escape.
    pub(crate) paragraphs: Vec<String>,
    pub(crate) words: u32,
}

impl Shape for Document {
    const NAME: &'static str = "document, 100 KB";
    type Repo = DocumentRepo;

    fn sample(n: usize) -> Self {
        let line = "The quick brown fox said \"hello\" to the lazy dog, who did not look up at all.\n";
        let plain = "Grüße aus dem Wald, wo die Hunde faul sind und die Füchse schnell. ";
        Self {
            id: id(n),
            title: format!("Document {n}"),
            body: line.repeat(60_000 / line.len()),
            paragraphs: vec![plain.repeat(1000 / plain.len()); 40],
            words: 17_000,
        }
    }

    fn find(&self) -> dynorm::operation::Find<Self> {
        DocumentRepo::find(self.id)
    }
}

/// The timestamp in the id of item 0.
pub(crate) const FIRST_MILLISECOND: u64 = 1_700_000_000_000;

fn id<T>(n: usize) -> Id<T> {
    dynorm::ulid::Ulid::from_parts(FIRST_MILLISECOND + n as u64, 0x0123_4567_89ab_cdef).into()
}

fn moment(n: usize) -> Timestamp {
    let seconds = i64::try_from(n).unwrap_or_default();
    Timestamp::from_unix_micros(1_700_000_000_123_456 + seconds * 1_000_000).unwrap_or_default()
}
