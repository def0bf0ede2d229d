//! Reading the fields of a struct from the attributes of an item.

use super::layout::Layout;
use super::{Attributes, FieldInfo, Value, ValueError};

/// The attributes of an item or of a map, for the `N` fields of a struct.
#[derive(Debug)]
pub struct Fields<'a, const N: usize> {
    infos: &'static [FieldInfo],
    layout: Layout<'a, N>,
}

impl<'a, const N: usize> Fields<'a, N> {
    /// Creates the reader for an item or a map.
    #[inline]
    pub fn read(item: impl Attributes<'a>, infos: &'static [FieldInfo]) -> Result<Self, ValueError> {
        Ok(Self { infos, layout: item.layout(infos)? })
    }

    /// Reads the field at `index` with `decode`, which gets NULL if the item does not have the attribute.
    pub fn get_with<T>(
        &self,
        index: usize,
        decode: impl FnOnce(Value<'_>) -> Result<T, ValueError>,
    ) -> Result<T, ValueError> {
        match self.value(index)? {
            Some(value) => decode(value).map_err(|error| self.locate(index, error)),
            None => decode(Value::NULL).map_err(|_| self.missing(index)),
        }
    }

    /// The same, or `default` if the item does not have the attribute.
    pub fn get_with_or<T>(
        &self,
        index: usize,
        decode: impl FnOnce(Value<'_>) -> Result<T, ValueError>,
        default: impl FnOnce() -> T,
    ) -> Result<T, ValueError> {
        if self.value(index)?.is_none() { Ok(default()) } else { self.get_with(index, decode) }
    }

    /// Calls `visit` with each attribute that is not a field, except those that are `derived` from fields.
    pub(crate) fn each_other(
        &self,
        derived: &[&str],
        visit: &mut dyn FnMut(&str, Value<'a>) -> Result<(), ValueError>,
    ) -> Result<(), ValueError> {
        self.layout.each(&mut |name, value| {
            let name = name.unescape()?;
            if self.infos.iter().any(|info| info.name == name) || derived.contains(&&*name) {
                return Ok(());
            }
            visit(&name, value)
        })
    }

    /// Returns the value of the field at `index`.
    #[inline(always)]
    pub(crate) fn value(&self, index: usize) -> Result<Option<Value<'a>>, ValueError> {
        self.layout.value(index, self.infos)
    }

    fn name(&self, index: usize) -> &'static str {
        self.infos.get(index).map_or("", |info| info.name)
    }

    #[cold]
    pub(crate) fn locate(&self, index: usize, error: ValueError) -> ValueError {
        match self.infos.get(index) {
            Some(info) => info.locate(error),
            None => error,
        }
    }

    #[cold]
    pub(crate) fn missing(&self, index: usize) -> ValueError {
        ValueError::new(
            "the attribute is missing; make the field an `Option` or give it a `default` if it may be",
        )
        .in_field(self.name(index))
    }
}
