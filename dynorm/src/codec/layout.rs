//! Finding the attributes of an item or map for the fields of a struct.

use std::cell::Cell;

use super::place::Place;
use super::scanner::{RawString, Scanner};
use super::{FieldInfo, Value, ValueError};

/// The positions of the attributes that the fields of a struct are read from.
#[derive(Debug)]
pub struct Layout<'a, const N: usize> {
    text: &'a str,
    depth: u8,
    order: Order<'a, N>,
}

#[derive(Debug)]
enum Order<'a, const N: usize> {
    /// In the order of the answer, for an item. The items of a table mostly have their attributes in the same
    /// order, so the one after the last that was found is tried first.
    Coming(&'a [Place], Cell<usize>),
    /// In the order of the fields, for a map.
    Sorted([Option<Place>; N]),
}

impl<'a, const N: usize> Layout<'a, N> {
    #[inline]
    pub(super) fn of_item(text: &'a str, places: &'a [Place]) -> Self {
        Self { text, depth: 0, order: Order::Coming(places, Cell::new(0)) }
    }

    pub(super) fn of_map(text: &'a str, depth: u8, infos: &'static [FieldInfo]) -> Result<Self, ValueError> {
        let mut places = [None; N];
        sort(text, infos, &mut places)?;
        Ok(Self { text, depth, order: Order::Sorted(places) })
    }

    /// Returns the value of the field at `index`.
    #[inline(always)]
    pub(super) fn value(
        &self,
        index: usize,
        infos: &'static [FieldInfo],
    ) -> Result<Option<Value<'a>>, ValueError> {
        let place = match &self.order {
            Order::Sorted(places) => places.get(index).and_then(Option::as_ref),
            Order::Coming(places, next) => {
                let Some(info) = infos.get(index) else { return Ok(None) };
                let expected = next.get();
                match places.get(expected) {
                    Some(place) if !place.is_escaped() && place.is(info.head, info.name, self.text) => {
                        next.set(expected + 1);
                        Some(place)
                    }
                    _ => search(places, self.text, info, next)?,
                }
            }
        };
        Ok(place.map(|place| place.value(self.text, self.depth)))
    }

    /// Calls `visit` with each attribute.
    pub(super) fn each(
        &self,
        visit: &mut dyn FnMut(RawString<'a>, Value<'a>) -> Result<(), ValueError>,
    ) -> Result<(), ValueError> {
        let (text, depth) = (self.text, self.depth);
        let mut visit = |place: &Place| visit(place.name(text), place.value(text, depth));
        match &self.order {
            Order::Coming(places, _) => places.iter().try_for_each(visit),
            // The sorted list has only fields, so read the map again.
            Order::Sorted(_) => Scanner::new(text).places(|place| visit(place)),
        }
    }
}

/// Searches for an attribute that is not at its expected position.
#[inline(never)]
fn search<'p>(
    places: &'p [Place],
    text: &str,
    info: &FieldInfo,
    next: &Cell<usize>,
) -> Result<Option<&'p Place>, ValueError> {
    let Some(index) = position(places, text, info.head, info.name)? else { return Ok(None) };
    next.set(index + 1);
    Ok(places.get(index))
}

/// Sorts the attributes of a map by field, so that they are found by the index of the field. Attributes that
/// are not fields are left out.
fn sort(text: &str, infos: &'static [FieldInfo], sorted: &mut [Option<Place>]) -> Result<(), ValueError> {
    let mut expected = 0;
    Scanner::new(text).places(|place| {
        let index = if place.is_escaped() {
            let name = place.name(text).unescape()?;
            infos.iter().position(|info| info.name == name)
        } else {
            let is_its = |info: &FieldInfo| place.is(info.head, info.name, text);
            match infos.get(expected) {
                Some(info) if is_its(info) => Some(expected),
                _ => infos.iter().position(is_its),
            }
        };
        if let Some(index) = index {
            expected = index + 1;
            if let Some(slot) = sorted.get_mut(index) {
                *slot = Some(*place);
            }
        }
        Ok(())
    })
}

/// Returns the index of the attribute `name`, whose first bytes are `head`.
pub(super) fn position(
    places: &[Place],
    text: &str,
    head: u64,
    name: &str,
) -> Result<Option<usize>, ValueError> {
    for (index, place) in places.iter().enumerate() {
        let is_its = if place.is_escaped() { place.name(text).is(name)? } else { place.is(head, name, text) };
        if is_its {
            return Ok(Some(index));
        }
    }
    Ok(None)
}
