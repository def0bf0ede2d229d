use super::scanner::{RawString, Scanner};
use super::{Encoder, Value, ValueError};

/// The attributes of one item, as they lie in the answer. The list is filled anew for each item, so that a page of items
/// needs one allocation for it.
#[derive(Debug, Default)]
pub struct Item<'a> {
    attributes: Vec<(RawString<'a>, Value<'a>)>,
}

impl<'a> Item<'a> {
    /// The item that comes next.
    pub(crate) fn next(scanner: &mut Scanner<'a>) -> Result<Self, ValueError> {
        let mut item = Self { attributes: Vec::with_capacity(16) };
        item.refill(scanner)?;
        Ok(item)
    }

    /// Takes up the item that comes next, in the place of the one before.
    pub(crate) fn refill(&mut self, scanner: &mut Scanner<'a>) -> Result<(), ValueError> {
        self.attributes.clear();
        scanner.object(|name, scanner| {
            let value =
                Value::parse(scanner).map_err(|error| error.in_field(name.readable().into_owned()))?;
            self.attributes.push((name, value));
            Ok(())
        })
    }

    /// The value of the attribute `name`.
    pub(crate) fn get(&self, name: &str) -> Result<Option<Value<'a>>, ValueError> {
        // Should a name come twice, the last one counts, as it does for the fields of a struct.
        for (found, value) in self.attributes.iter().rev() {
            if found.is(name)? {
                return Ok(Some(*value));
            }
        }
        Ok(None)
    }

    /// The item as JSON again.
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
        self.attributes.iter().copied()
    }
}

/// What has attributes: an item, and a value that is a map.
pub trait Attributes<'a> {
    /// Calls `visit` with the name and the value of each.
    #[doc(hidden)]
    #[allow(private_interfaces, reason = "called by `Fields` alone")]
    fn each_attribute(
        self,
        visit: &mut dyn FnMut(RawString<'a>, Value<'a>) -> Result<(), ValueError>,
    ) -> Result<(), ValueError>;
}

impl<'a> Attributes<'a> for &Item<'a> {
    #[allow(private_interfaces, reason = "called by `Fields` alone")]
    fn each_attribute(
        self,
        visit: &mut dyn FnMut(RawString<'a>, Value<'a>) -> Result<(), ValueError>,
    ) -> Result<(), ValueError> {
        self.attributes.iter().try_for_each(|(name, value)| visit(*name, *value))
    }
}

impl<'a> Attributes<'a> for Value<'a> {
    #[allow(private_interfaces, reason = "called by `Fields` alone")]
    fn each_attribute(
        self,
        visit: &mut dyn FnMut(RawString<'a>, Value<'a>) -> Result<(), ValueError>,
    ) -> Result<(), ValueError> {
        let mut entries = self.as_map()?;
        while let Some((name, value)) = entries.next_raw()? {
            visit(name, value)?;
        }
        Ok(())
    }
}
