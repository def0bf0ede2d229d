//! Stops a server that returns the same pages again and again.
//!
//! A query reads in the order of the sort key, so every position must come after the one before. In an index,
//! several items can have the same sort key, and DynamoDB does not say in which order those come. There, and
//! in a scan, which has no order, Brent's algorithm finds a position that repeats. It stores one position,
//! whatever the length of the cycle.
//! <https://maths-people.anu.edu.au/~brent/pub/pub051.html>

use std::cmp::Ordering;

use super::evaluate::order_of_values;
use super::plan::Plan;
use super::position::{Next, is_within};
use crate::codec::{Encoder, Item, Scanner, ValueError};
use crate::entity::EncodedKey;

type Result<T> = std::result::Result<T, ValueError>;

/// The stored position of a lane.
#[derive(Debug, Default)]
pub(super) struct Progress {
    kept: Option<Vec<u8>>,
    /// The number of positions since then.
    since: u64,
    /// The number of positions after which another one is stored; doubles each time.
    period: u64,
}

impl Progress {
    /// Checks the position at the end of a page that began at `before`.
    pub(super) fn advance(&mut self, plan: &Plan, lane: usize, before: &Next, after: &str) -> Result<()> {
        let position = Item::next(&mut Scanner::new(after))?;
        if !is_within(&position, plan, lane)? {
            return Err(ValueError::new(
                "the server continues after a key that is invalid or outside of the conditions",
            ));
        }
        let stuck = |how: &str| {
            let key = EncodedKey::of_item(plan.info, &position).map(|key| key.describe(plan.info));
            ValueError::new(format!("the server {how}: a page ends at {}", key.unwrap_or_default()))
        };
        if let Next::After(before) = before {
            if is_same(before, &position, plan)? {
                return Err(stuck("returns the same page again and again"));
            }
            match order(before, &position, plan)? {
                // No earlier position can come again.
                Ordering::Greater => *self = Self::default(),
                Ordering::Equal => {}
                Ordering::Less => return Err(stuck("goes back in the order of the keys")),
            }
        }
        if let Some(kept) = &self.kept
            && is_same(kept, &position, plan)?
        {
            return Err(stuck("returns the same pages again and again"));
        }
        self.since += 1;
        if self.since > self.period {
            self.period = self.since.saturating_mul(2);
            self.since = 0;
            self.kept = Some(after.as_bytes().to_vec());
        }
        Ok(())
    }
}

/// The order of a position relative to the one before it, in the direction of reading. In a scan all are
/// equal.
fn order(before: &[u8], position: &Item<'_>, plan: &Plan) -> Result<Ordering> {
    let before = keys(before)?;
    for name in &plan.sort_attributes {
        let (Some(one), Some(other)) = (encoded(&before, name)?, encoded(position, name)?) else { continue };
        match order_of_values(&other, &one)? {
            Some(Ordering::Equal) | None => {}
            Some(order) => return Ok(if plan.descending { order.reverse() } else { order }),
        }
    }
    Ok(Ordering::Equal)
}

/// True if both are the position of the same item, however its keys are written.
fn is_same(stored: &[u8], position: &Item<'_>, plan: &Plan) -> Result<bool> {
    let stored = keys(stored)?;
    for name in plan.position_keys() {
        match (stored.get(name)?, position.get(name)?) {
            (Some(one), Some(other)) if one.equals(&other)? => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

fn keys(json: &[u8]) -> Result<Item<'_>> {
    let text = std::str::from_utf8(json).map_err(|_| ValueError::new("not UTF-8"))?;
    Item::next(&mut Scanner::new(text))
}

fn encoded(item: &Item<'_>, name: &str) -> Result<Option<Vec<u8>>> {
    Ok(item.get(name)?.map(|value| {
        let mut encoder = Encoder::default();
        value.write(&mut encoder);
        encoder.into_bytes()
    }))
}
