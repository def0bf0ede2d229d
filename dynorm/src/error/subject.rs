//! What an error is about.

use std::fmt;

use super::Doing;
use crate::entity::{EncodedKey, EntityInfo};

/// What an operation worked on: an entity, a table and a key, or a whole transaction.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    pub(crate) operation: Doing,
    pub(crate) info: Option<&'static EntityInfo>,
    pub(crate) table: String,
    pub(crate) key: Option<String>,
    /// The number of operations, if this is a whole transaction.
    pub(crate) operations: Option<usize>,
}

impl Subject {
    pub(crate) fn transaction(operations: usize, tables: &[String]) -> Self {
        let mut named: Vec<&str> = Vec::new();
        for table in tables {
            if !named.contains(&table.as_str()) {
                named.push(table);
            }
        }
        Self { operations: Some(operations), ..Self::default() }.in_table(named.join("`, `"))
    }

    /// Describes a transaction: `a transaction of 4 operations`.
    pub(super) fn count(&self) -> String {
        let reads = self.operation == Doing::Reading;
        match (self.operations.unwrap_or_default(), reads) {
            (1, false) => "a transaction of 1 operation".to_owned(),
            (1, true) => "a transaction of 1 read".to_owned(),
            (count, false) => format!("a transaction of {count} operations"),
            (count, true) => format!("a transaction of {count} reads"),
        }
    }

    /// Returns true for a transaction on several tables.
    pub(super) fn is_of_tables(&self) -> bool {
        self.operations.is_some() && self.table.contains("`, `")
    }

    pub(crate) fn of(info: &'static EntityInfo) -> Self {
        Self { info: Some(info), table: info.table.to_owned(), ..Self::default() }
    }

    pub(crate) fn in_table(mut self, table: impl Into<String>) -> Self {
        self.table = table.into();
        self
    }

    pub(crate) fn with_key(mut self, key: &EncodedKey) -> Self {
        self.key = self.info.map(|info| key.describe(info));
        self
    }

    /// Sets the key to a text that [`EncodedKey::describe`] made before.
    pub(crate) fn with_key_text(mut self, key: String) -> Self {
        self.key = Some(key);
        self
    }

    pub(crate) fn during(mut self, operation: Doing) -> Self {
        self.operation = operation;
        self
    }
}

impl fmt::Display for Subject {
    /// `User` with id = 01H… in the table `users`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.operations.is_some() {
            let tables = if self.is_of_tables() { "tables" } else { "table" };
            f.write_str(&self.count())?;
            return if self.table.is_empty() {
                Ok(())
            } else {
                write!(f, " on the {tables} `{}`", self.table)
            };
        }
        if let Some(info) = self.info {
            write!(f, "`{}`", info.name)?;
        } else {
            f.write_str("an item")?;
        }
        if let Some(key) = &self.key {
            write!(f, " with {key}")?;
        }
        if !self.table.is_empty() {
            write!(f, " in the table `{}`", self.table)?;
        }
        Ok(())
    }
}
