use std::collections::{BTreeMap, BTreeSet};

use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    name: String,
    age: u32,
    balance: f64,
    nick: Option<String>,
    tags: BTreeSet<String>,
    log: Vec<String>,
    picture: Vec<u8>,
    scores: BTreeMap<String, u32>,
    home: Place,
    #[entity(serde)]
    theme: Theme,
}

#[derive(Attribute, Clone, Debug)]
struct Place {
    city: String,
}

#[derive(serde::Serialize, serde::Deserialize, Clone, Debug)]
struct Theme {
    dark: bool,
}

#[derive(Entity, Clone, Debug)]
struct Order {
    #[entity(id)]
    id: Id<Order>,
    total: u32,
}

fn update(id: Id<User>) {
    let _ = UserRepo::update(id).set(Order::TOTAL, 1);
}

fn main() {}
