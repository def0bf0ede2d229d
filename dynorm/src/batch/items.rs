//! Reads of stored items by their keys, for queries that find the keys first.

use bytes::Bytes;

use super::Stats;
use super::body::{Body, Kind, hash_of_json};
use super::buffer::Buffer;
use super::inputs::{Group, run_at_hand, unsettled};
use super::report::erased_report;
use super::settings::Settings;
use super::work::Work;
use crate::codec::{Item, ValueError};
use crate::database::Database;
use crate::entity::{EncodedKey, EntityInfo};
use crate::error::{Error, Result, Subject};

/// The stored items, as JSON.
struct Items {
    info: &'static EntityInfo,
    keys: Vec<EncodedKey>,
    found: Vec<Option<Vec<u8>>>,
    consistent: bool,
}

impl Group for Items {
    fn info(&self) -> &'static EntityInfo {
        self.info
    }

    fn len(&self) -> usize {
        self.keys.len()
    }

    fn body(&mut self, index: usize, table: usize, _: &mut Buffer) -> Result<Body> {
        let key = self
            .keys
            .get(index)
            .ok_or_else(|| Error::internal("a batch asks for a key that it was not given"))?;
        Body::new(Kind::Get, table, self.info, Bytes::copy_from_slice(&key.json), &key.values)
    }

    fn key_hash(&self, index: usize, table: usize, _: &mut Buffer) -> Option<u64> {
        let key = self.keys.get(index)?;
        hash_of_json(table, self.info, &key.json, &key.values)
    }

    fn describe(&self, index: usize) -> Option<String> {
        self.keys.get(index).map(|key| key.describe(self.info))
    }

    fn found(&mut self, inputs: &[usize], item: &Item<'_>) -> std::result::Result<(), ValueError> {
        let json = item.to_json()?;
        for index in inputs {
            if let Some(slot) = self.found.get_mut(*index) {
                *slot = Some(json.clone());
            }
        }
        Ok(())
    }

    fn work(&self) -> Work {
        Work::Get
    }

    fn consistent(&self) -> bool {
        self.consistent
    }
}

/// Reads the items of the keys, in their order. All of them are held in memory.
pub(crate) async fn get_items(
    database: &Database,
    info: &'static EntityInfo,
    keys: Vec<EncodedKey>,
    consistent: bool,
    subject: &Subject,
) -> Result<(Vec<Option<Vec<u8>>>, Stats)> {
    let found = keys.iter().map(|_| None).collect();
    let mut items = Items { info, keys, found, consistent };
    let mut fates = unsettled(items.len());
    let settings = Settings::default();
    let stats = run_at_hand(database, vec![&mut items], None, &mut fates, settings).await;
    if fates.iter().all(|(_, reason)| reason.is_none()) {
        return Ok((items.found, stats));
    }
    let unread = fates.iter().zip(&items.keys).filter(|((_, reason), _)| reason.is_some());
    let keys = unread.map(|(_, key)| Some(key.describe(info))).collect::<Vec<_>>();
    Err(Error::Batch(Box::new(erased_report(subject.clone(), &fates, keys.into_iter()))))
}
