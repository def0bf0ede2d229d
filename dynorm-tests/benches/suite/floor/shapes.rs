//! The four items and their nested values, each written by one function and read by one derive.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;

use dynorm::prelude::*;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, de::DeserializeSeed};

use super::{
    Content, Flag, Floor, List, Map, Number, One, State, Text, Texts, Time, Ulid, attribute, flag, float, id,
    json_text, list, map, moment, number, optional, some, text,
};
use crate::shapes::{Address, Contact, Document, Line, Order, Place, Plane, Status, User};

/// A map of strings.
struct Labels;

impl<'de> Content<'de> for Labels {
    const TYPE: &'static str = "M";
    type Value = BTreeMap<String, String>;

    fn content<A: MapAccess<'de>>(map: &mut A) -> Result<Self::Value, A::Error> {
        map.next_value_seed(Self)
    }
}

impl<'de> DeserializeSeed<'de> for Labels {
    type Value = BTreeMap<String, String>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Labels {
    type Value = BTreeMap<String, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut labels = BTreeMap::new();
        while let Some(key) = map.next_key()? {
            labels.insert(key, map.next_value_seed(One::<Text>(PhantomData))?);
        }
        Ok(labels)
    }
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Pending => "pending",
        Status::Active => "active",
    }
}

#[derive(Deserialize)]
#[serde(remote = "User")]
struct UserFloor {
    #[serde(deserialize_with = "attribute::<Ulid<User>, _>")]
    id: Id<User>,
    #[serde(deserialize_with = "attribute::<Text, _>")]
    email: String,
    #[serde(deserialize_with = "attribute::<Text, _>")]
    first_name: String,
    #[serde(deserialize_with = "attribute::<Text, _>")]
    last_name: String,
    #[serde(deserialize_with = "attribute::<State, _>")]
    status: Status,
    #[serde(deserialize_with = "attribute::<Number<u32>, _>")]
    age: u32,
    #[serde(default, deserialize_with = "attribute::<Texts, _>")]
    tags: BTreeSet<String>,
    #[serde(default, deserialize_with = "some::<Map<Address>, _>")]
    address: Option<Address>,
    #[serde(deserialize_with = "attribute::<Time, _>")]
    created_at: Timestamp,
    #[serde(deserialize_with = "attribute::<Time, _>")]
    updated_at: Timestamp,
}

impl Floor for User {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        id(out, r#""id":{"S":""#, self.id);
        text(out, r#","email":{"S":"#, &self.email);
        text(out, r#","first_name":{"S":"#, &self.first_name);
        text(out, r#","last_name":{"S":"#, &self.last_name);
        text(out, r#","status":{"S":"#, status(self.status));
        number(out, r#","age":{"N":""#, self.age);
        if !self.tags.is_empty() {
            list(out, r#","tags":{"SS":["#, &self.tags, |out, tag| json_text(out, tag));
        }
        if let Some(address) = &self.address {
            map(out, r#","address":{"M":"#, address);
        }
        moment(out, r#","created_at":{"S":""#, self.created_at);
        moment(out, r#","updated_at":{"S":""#, self.updated_at);
        out.push(b'}');
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        UserFloor::deserialize(from)
    }
}

#[derive(Deserialize)]
#[serde(remote = "Address")]
struct AddressFloor {
    #[serde(deserialize_with = "attribute::<Text, _>")]
    city: String,
    #[serde(deserialize_with = "attribute::<Text, _>")]
    zip: String,
}

impl Floor for Address {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        text(out, r#""city":{"S":"#, &self.city);
        text(out, r#","zip":{"S":"#, &self.zip);
        out.push(b'}');
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        AddressFloor::deserialize(from)
    }
}

#[derive(Deserialize)]
#[serde(remote = "Plane")]
struct PlaneFloor {
    #[serde(deserialize_with = "attribute::<Text, _>")]
    tailnum: String,
    #[serde(default, deserialize_with = "some::<Number<u16>, _>")]
    year: Option<u16>,
    #[serde(rename = "type", deserialize_with = "attribute::<Text, _>")]
    kind: String,
    #[serde(deserialize_with = "attribute::<Text, _>")]
    manufacturer: String,
    #[serde(deserialize_with = "attribute::<Text, _>")]
    model: String,
    #[serde(deserialize_with = "attribute::<Number<u8>, _>")]
    engines: u8,
    #[serde(deserialize_with = "attribute::<Number<u16>, _>")]
    seats: u16,
    #[serde(default, deserialize_with = "some::<Number<u16>, _>")]
    speed: Option<u16>,
    #[serde(deserialize_with = "attribute::<Text, _>")]
    engine: String,
}

impl Floor for Plane {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        text(out, r#""tailnum":{"S":"#, &self.tailnum);
        if let Some(year) = self.year {
            number(out, r#","year":{"N":""#, year);
        }
        text(out, r#","type":{"S":"#, &self.kind);
        text(out, r#","manufacturer":{"S":"#, &self.manufacturer);
        text(out, r#","model":{"S":"#, &self.model);
        number(out, r#","engines":{"N":""#, self.engines);
        number(out, r#","seats":{"N":""#, self.seats);
        if let Some(speed) = self.speed {
            number(out, r#","speed":{"N":""#, speed);
        }
        text(out, r#","engine":{"S":"#, &self.engine);
        out.push(b'}');
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        PlaneFloor::deserialize(from)
    }
}

#[derive(Deserialize)]
#[serde(remote = "Order")]
struct OrderFloor {
    #[serde(deserialize_with = "attribute::<Ulid<User>, _>")]
    customer_id: Id<User>,
    #[serde(deserialize_with = "attribute::<Number<u64>, _>")]
    number: u64,
    #[serde(deserialize_with = "attribute::<State, _>")]
    status: Status,
    #[serde(deserialize_with = "attribute::<Text, _>")]
    currency: String,
    #[serde(deserialize_with = "attribute::<Time, _>")]
    placed_at: Timestamp,
    #[serde(default, deserialize_with = "some::<Time, _>")]
    paid_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "some::<Time, _>")]
    shipped_at: Option<Timestamp>,
    #[serde(deserialize_with = "attribute::<Number<f64>, _>")]
    total: f64,
    #[serde(deserialize_with = "attribute::<Number<f64>, _>")]
    discount: f64,
    #[serde(deserialize_with = "attribute::<Flag, _>")]
    is_gift: bool,
    #[serde(default, deserialize_with = "some::<Text, _>")]
    message: Option<String>,
    #[serde(deserialize_with = "attribute::<Text, _>")]
    channel: String,
    #[serde(deserialize_with = "attribute::<Labels, _>")]
    labels: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "attribute::<Texts, _>")]
    tags: BTreeSet<String>,
    #[serde(deserialize_with = "attribute::<Map<Contact>, _>")]
    customer: Contact,
    #[serde(default, deserialize_with = "some::<Map<Contact>, _>")]
    recipient: Option<Contact>,
    #[serde(deserialize_with = "attribute::<List<Map<Line>>, _>")]
    lines: Vec<Line>,
    #[serde(deserialize_with = "attribute::<Number<u32>, _>")]
    revision: u32,
}

impl Floor for Order {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        id(out, r#""customer_id":{"S":""#, self.customer_id);
        number(out, r#","number":{"N":""#, self.number);
        text(out, r#","status":{"S":"#, status(self.status));
        text(out, r#","currency":{"S":"#, &self.currency);
        moment(out, r#","placed_at":{"S":""#, self.placed_at);
        if let Some(paid_at) = self.paid_at {
            moment(out, r#","paid_at":{"S":""#, paid_at);
        }
        if let Some(shipped_at) = self.shipped_at {
            moment(out, r#","shipped_at":{"S":""#, shipped_at);
        }
        float(out, r#","total":{"N":""#, self.total);
        float(out, r#","discount":{"N":""#, self.discount);
        flag(out, r#","is_gift":{"BOOL":"#, self.is_gift);
        optional(out, r#","message":{"S":"#, self.message.as_ref());
        text(out, r#","channel":{"S":"#, &self.channel);
        out.extend_from_slice(br#","labels":{"M":{"#);
        for (index, (key, label)) in self.labels.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            json_text(out, key);
            text(out, r#":{"S":"#, label);
        }
        out.extend_from_slice(b"}}");
        if !self.tags.is_empty() {
            list(out, r#","tags":{"SS":["#, &self.tags, |out, tag| json_text(out, tag));
        }
        map(out, r#","customer":{"M":"#, &self.customer);
        if let Some(recipient) = &self.recipient {
            map(out, r#","recipient":{"M":"#, recipient);
        }
        list(out, r#","lines":{"L":["#, &self.lines, |out, item| map(out, r#"{"M":"#, item));
        number(out, r#","revision":{"N":""#, self.revision);
        out.push(b'}');
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        OrderFloor::deserialize(from)
    }
}

#[derive(Deserialize)]
#[serde(remote = "Contact")]
struct ContactFloor {
    #[serde(deserialize_with = "attribute::<Text, _>")]
    name: String,
    #[serde(deserialize_with = "attribute::<Text, _>")]
    email: String,
    #[serde(default, deserialize_with = "some::<Text, _>")]
    phone: Option<String>,
    #[serde(deserialize_with = "attribute::<Flag, _>")]
    wants_news: bool,
    #[serde(deserialize_with = "attribute::<Map<Place>, _>")]
    place: Place,
}

impl Floor for Contact {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        text(out, r#""name":{"S":"#, &self.name);
        text(out, r#","email":{"S":"#, &self.email);
        optional(out, r#","phone":{"S":"#, self.phone.as_ref());
        flag(out, r#","wants_news":{"BOOL":"#, self.wants_news);
        map(out, r#","place":{"M":"#, &self.place);
        out.push(b'}');
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        ContactFloor::deserialize(from)
    }
}

#[derive(Deserialize)]
#[serde(remote = "Place")]
struct PlaceFloor {
    #[serde(deserialize_with = "attribute::<Text, _>")]
    street: String,
    #[serde(deserialize_with = "attribute::<Number<u16>, _>")]
    number: u16,
    #[serde(deserialize_with = "attribute::<Text, _>")]
    zip: String,
    #[serde(deserialize_with = "attribute::<Text, _>")]
    city: String,
    #[serde(deserialize_with = "attribute::<Text, _>")]
    country: String,
    #[serde(deserialize_with = "attribute::<Number<f64>, _>")]
    latitude: f64,
    #[serde(deserialize_with = "attribute::<Number<f64>, _>")]
    longitude: f64,
}

impl Floor for Place {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        text(out, r#""street":{"S":"#, &self.street);
        number(out, r#","number":{"N":""#, self.number);
        text(out, r#","zip":{"S":"#, &self.zip);
        text(out, r#","city":{"S":"#, &self.city);
        text(out, r#","country":{"S":"#, &self.country);
        float(out, r#","latitude":{"N":""#, self.latitude);
        float(out, r#","longitude":{"N":""#, self.longitude);
        out.push(b'}');
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        PlaceFloor::deserialize(from)
    }
}

#[derive(Deserialize)]
#[serde(remote = "Line")]
struct LineFloor {
    #[serde(deserialize_with = "attribute::<Text, _>")]
    sku: String,
    #[serde(deserialize_with = "attribute::<Text, _>")]
    title: String,
    #[serde(deserialize_with = "attribute::<Number<u32>, _>")]
    quantity: u32,
    #[serde(deserialize_with = "attribute::<Number<f64>, _>")]
    price: f64,
    #[serde(deserialize_with = "attribute::<Number<u32>, _>")]
    weight: u32,
    #[serde(deserialize_with = "attribute::<Flag, _>")]
    taxed: bool,
    #[serde(default, deserialize_with = "some::<Text, _>")]
    remark: Option<String>,
    #[serde(deserialize_with = "attribute::<List<Text>, _>")]
    options: Vec<String>,
    #[serde(deserialize_with = "attribute::<Text, _>")]
    warehouse: String,
    #[serde(deserialize_with = "attribute::<Time, _>")]
    reserved_at: Timestamp,
}

impl Floor for Line {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        text(out, r#""sku":{"S":"#, &self.sku);
        text(out, r#","title":{"S":"#, &self.title);
        number(out, r#","quantity":{"N":""#, self.quantity);
        float(out, r#","price":{"N":""#, self.price);
        number(out, r#","weight":{"N":""#, self.weight);
        flag(out, r#","taxed":{"BOOL":"#, self.taxed);
        optional(out, r#","remark":{"S":"#, self.remark.as_ref());
        list(out, r#","options":{"L":["#, &self.options, |out, item| text(out, r#"{"S":"#, item));
        text(out, r#","warehouse":{"S":"#, &self.warehouse);
        moment(out, r#","reserved_at":{"S":""#, self.reserved_at);
        out.push(b'}');
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        LineFloor::deserialize(from)
    }
}

#[derive(Deserialize)]
#[serde(remote = "Document")]
struct DocumentFloor {
    #[serde(deserialize_with = "attribute::<Ulid<Document>, _>")]
    id: Id<Document>,
    #[serde(deserialize_with = "attribute::<Text, _>")]
    title: String,
    #[serde(deserialize_with = "attribute::<Text, _>")]
    body: String,
    #[serde(deserialize_with = "attribute::<List<Text>, _>")]
    paragraphs: Vec<String>,
    #[serde(deserialize_with = "attribute::<Number<u32>, _>")]
    words: u32,
}

impl Floor for Document {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        id(out, r#""id":{"S":""#, self.id);
        text(out, r#","title":{"S":"#, &self.title);
        text(out, r#","body":{"S":"#, &self.body);
        list(out, r#","paragraphs":{"L":["#, &self.paragraphs, |out, item| text(out, r#"{"S":"#, item));
        number(out, r#","words":{"N":""#, self.words);
        out.push(b'}');
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        DocumentFloor::deserialize(from)
    }
}
