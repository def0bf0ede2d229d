//! The user with ten attributes, as in the suite.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct User {
    pub id: String,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub status: Status,
    pub age: u32,
    pub tags: BTreeSet<String>,
    pub address: Option<Address>,
    pub created_at: String,
    pub updated_at: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Pending,
    Active,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Address {
    pub city: String,
    pub zip: String,
}

const LAST_NAMES: [&str; 5] = ["Lovelace", "Hopper", "O\"Neil", "Müller", "Curie"];

impl User {
    pub fn sample(n: usize) -> Self {
        let id = ulid::Ulid::from_parts(1_700_000_000_000 + n as u64, 0x0123_4567_89ab_cdef);
        let time = format!("2023-11-{:02}T{:02}:{:02}:20.123456Z", 14 + n % 10, n / 60 % 24, n % 60);
        Self {
            id: id.to_string(),
            email: format!("user{n}@example.com"),
            first_name: "Ada".to_owned(),
            last_name: format!("{}-{n}", LAST_NAMES[n % 5]),
            status: Status::Active,
            age: 18 + u32::try_from(n % 60).unwrap_or_default(),
            tags: BTreeSet::from(["vip".to_owned(), "newsletter".to_owned()]),
            address: Some(Address { city: "London".to_owned(), zip: format!("{n:05}") }),
            created_at: time.clone(),
            updated_at: time,
        }
    }
}
