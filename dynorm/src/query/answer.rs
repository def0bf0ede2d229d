//! Reads the page that DynamoDB answers: its items, which are checked against the request, its counts, and
//! the position of the next page.

use super::evaluate::matches;
use super::plan::Plan;
use crate::codec::{Item, Scanner, Value, ValueError, consumed_capacity};
use crate::entity::EncodedKey;

type Result<T> = std::result::Result<T, ValueError>;

/// A page without its items.
#[derive(Debug, Default)]
pub(super) struct Summary<'a> {
    /// True if the answer has a list of items, even an empty one.
    pub(super) has_items: bool,
    /// The number of matching items, as the server counts them.
    pub(super) count: Option<u64>,
    /// The number of items that were evaluated, with those that the filter left out.
    pub(super) scanned: Option<u64>,
    /// The last evaluated key, after which there may be more items.
    pub(super) last: Option<&'a str>,
    /// The consumed capacity units.
    pub(super) units: f64,
}

impl Summary<'_> {
    /// The number of evaluated items.
    pub(super) fn evaluated(&self) -> u64 {
        self.scanned.or(self.count).unwrap_or_default()
    }
}

/// Reads a page of a lane, and calls `each` with the index and the item of every match.
pub(super) fn read_page<'a>(
    text: &'a str,
    plan: &Plan,
    lane: usize,
    each: &mut dyn FnMut(usize, &Item<'a>) -> Result<()>,
) -> Result<Summary<'a>> {
    let expected = Expected::new(plan, lane)?;
    let mut summary = Summary::default();
    let mut items = None;
    let mut item = Item::default();
    Scanner::new(text).object(|member, scanner| {
        match member.text {
            "Items" => {
                let mut index = 0usize;
                scanner.array(|scanner| {
                    item.refill(scanner)?;
                    expected.check(&item)?;
                    each(index, &item)?;
                    index += 1;
                    Ok(())
                })?;
                items = Some(index as u64);
                summary.has_items = true;
            }
            "Count" => {
                summary.count = Some(number(scanner.skip()?).map_err(|error| error.in_field("Count"))?);
            }
            "ScannedCount" => {
                let scanned = number(scanner.skip()?).map_err(|error| error.in_field("ScannedCount"))?;
                summary.scanned = Some(scanned);
            }
            "ConsumedCapacity" => {
                consumed_capacity(scanner.skip()?, &mut |_, units| summary.units += units);
            }
            "LastEvaluatedKey" => summary.last = Some(scanner.skip()?).filter(|key| *key != "null"),
            _ => drop(scanner.skip()?),
        }
        Ok(())
    })?;
    let disagree = |what: &str, one, other| {
        ValueError::new(format!("the answer {what}: it says {one}, but there are {other}"))
    };
    match (summary.count, summary.scanned, items) {
        (Some(count), _, Some(items)) if count != items => Err(disagree("miscounts its items", count, items)),
        (Some(count), Some(scanned), _) if scanned < count => {
            Err(disagree("has read fewer items than match", scanned, count))
        }
        _ => Ok(summary),
    }
}

/// Reads a number of items. A page is at most 1 MB, so a larger number than `u32` is an error.
fn number(text: &str) -> Result<u64> {
    let number = text.parse::<u32>().map(u64::from);
    number.map_err(|_| ValueError::new("this is not a number of items that a page could hold"))
}

/// The key values that every item of a lane must have.
struct Expected<'p> {
    plan: &'p Plan,
    partition: Vec<(&'static str, Value<'p>)>,
}

impl<'p> Expected<'p> {
    fn new(plan: &'p Plan, lane: usize) -> Result<Self> {
        let values = plan.partitions.get(lane).into_iter().flatten();
        let value = |(name, json): (&&'static str, &'p Vec<u8>)| {
            let text = std::str::from_utf8(json).map_err(|_| ValueError::new("not UTF-8"))?;
            Ok((*name, Value::parse(&mut Scanner::new(text))?))
        };
        let partition = plan.partition.iter().zip(values).map(value).collect::<Result<_>>()?;
        Ok(Self { plan, partition })
    }

    /// Refuses an item of another partition, or outside of the bounds of the sort key.
    fn check(&self, item: &Item<'_>) -> Result<()> {
        for (name, expected) in &self.partition {
            // Compares the spelling first, which is nearly always the same.
            if !item.get(name)?.map_or(Ok(false), |value| value.equals(expected))? {
                return Err(self.refused(item, name));
            }
        }
        for (node, name) in self.plan.sort.iter().zip(&self.plan.sort_attributes) {
            if !matches(node, item)? {
                return Err(self.refused(item, name));
            }
        }
        Ok(())
    }

    #[cold]
    fn refused(&self, item: &Item<'_>, name: &str) -> ValueError {
        let info = self.plan.info;
        let key = EncodedKey::of_item(info, item).map(|key| key.describe(info)).unwrap_or_default();
        ValueError::new(format!(
            "the server returned an item that was not requested: the `{name}` of the one with {key} does \
            not meet the condition"
        ))
    }
}
