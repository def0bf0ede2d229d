//! The attributes of one item of an answer.

use super::layout::{Layout, position};
use super::place::Place;
use super::scanner::{RawString, Scanner};
use super::text::head;
use super::{Encoder, FieldInfo, Value, ValueError};

/// The attributes of one item, as positions in the answer. The list is refilled for each item, so a page of
/// items needs one allocation for it.
#[derive(Debug, Default)]
pub struct Item<'a> {
    text: &'a str,
    places: Vec<Place>,
}

impl<'a> Item<'a> {
    /// Reads the next item.
    pub(crate) fn next(scanner: &mut Scanner<'a>) -> Result<Self, ValueError> {
        let mut item = Self { text: scanner.text, places: Vec::with_capacity(16) };
        item.refill(scanner)?;
        Ok(item)
    }

    /// Reads the next item in place of the current one.
    pub(crate) fn refill(&mut self, scanner: &mut Scanner<'a>) -> Result<(), ValueError> {
        self.text = scanner.text;
        self.places.clear();
        scanner.places(|place| {
            self.places.push(*place);
            Ok(())
        })
    }

    /// Returns the value of the attribute `name`.
    pub(crate) fn get(&self, name: &str) -> Result<Option<Value<'a>>, ValueError> {
        self.find(head(name.as_bytes()), name)
    }

    /// Returns the value of a field.
    pub(crate) fn field(&self, field: &FieldInfo) -> Result<Option<Value<'a>>, ValueError> {
        self.find(field.head, field.name)
    }

    fn find(&self, head: u64, name: &str) -> Result<Option<Value<'a>>, ValueError> {
        let index = position(&self.places, self.text, head, name)?;
        Ok(index.and_then(|index| self.places.get(index)).map(|place| place.value(self.text, 0)))
    }

    /// Writes the item as JSON.
    pub(crate) fn to_json(&self) -> Result<Vec<u8>, ValueError> {
        let mut encoder = Encoder::with_capacity(1024);
        encoder.push(b'{');
        for (index, (name, value)) in self.iter().enumerate() {
            encoder.separate(index);
            encoder.json_string(&name.unescape()?);
            encoder.push(b':');
            value.write(&mut encoder);
        }
        encoder.push(b'}');
        Ok(encoder.into_bytes())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (RawString<'a>, Value<'a>)> {
        let text = self.text;
        self.places.iter().map(move |place| (place.name(text), place.value(text, 0)))
    }
}

/// A collection of attributes: an item, or a value that is a map.
pub trait Attributes<'a> {
    #[doc(hidden)]
    fn layout<const N: usize>(self, infos: &'static [FieldInfo]) -> Result<Layout<'a, N>, ValueError>;
}

impl<'a> Attributes<'a> for &'a Item<'_> {
    #[inline]
    fn layout<const N: usize>(self, _: &'static [FieldInfo]) -> Result<Layout<'a, N>, ValueError> {
        Ok(Layout::of_item(self.text, &self.places))
    }
}

impl<'a> Attributes<'a> for Value<'a> {
    fn layout<const N: usize>(self, infos: &'static [FieldInfo]) -> Result<Layout<'a, N>, ValueError> {
        let (text, depth) = self.map_text()?;
        Layout::of_map(text, depth, infos)
    }
}

#[cfg(test)]
mod tests {
    use super::{Item, Scanner};

    #[test]
    fn attributes_are_found_by_what_their_names_mean() {
        let long = "x".repeat(40);
        let names =
            ["", "a", "\\", "\\\\", "\"", "12345678", "123456789", "12345678x", "1234567890123456é", &long];
        let attributes: Vec<String> = names
            .iter()
            .map(|name| {
                let text = serde_json::to_string(name).unwrap();
                format!("{text}:{{\"S\":{text}}}")
            })
            .collect();
        let json = format!("{{{}}}", attributes.join(","));
        let item = Item::next(&mut Scanner::new(&json)).unwrap();
        for name in names {
            assert_eq!(item.get(name).unwrap().unwrap().as_str().unwrap(), name);
        }
        for name in ["b", "12345679", "1234567890", "\\\\\\\\", "\\\"", "x"] {
            assert!(item.get(name).unwrap().is_none(), "{name}");
        }
    }
}
