//! What the codec does with a value of any type that can be stored: the codec itself stands below the types,
//! and knows bytes.

use super::{Attribute, shape};
use crate::codec::{Encoder, Fields, ItemWriter, MapEncoder, ValueError, wrote_nothing};

impl Encoder {
    /// A list, type `L`.
    pub fn list<'t, T: Attribute + 't>(
        &mut self,
        items: impl IntoIterator<Item = &'t T>,
    ) -> Result<(), ValueError> {
        self.begin_list()?;
        for (index, item) in items.into_iter().enumerate() {
            self.separate(index);
            self.value(item).map_err(|error| error.at_index(index))?;
        }
        self.end_list();
        Ok(())
    }

    /// The set type of `T`: `SS`, `NS` or `BS`. An empty set, which DynamoDB does not have, becomes NULL.
    pub fn set<'t, T>(&mut self, items: impl IntoIterator<Item = &'t T>) -> Result<(), ValueError>
    where
        T: Attribute<Shape: shape::Scalar> + 't,
    {
        self.set_of(<T::Shape as shape::Scalar>::TYPE, |encoder| {
            let mut count = 0;
            items.into_iter().try_for_each(|item| {
                encoder.separate(count);
                count += 1;
                encoder.value(item).map_err(|error| error.at_index(count - 1))
            })?;
            Ok(count)
        })
    }

    /// One value, in a place that has one: what an implementation by hand leaves out would spoil the whole
    /// item.
    pub(crate) fn value<T: Attribute>(&mut self, value: &T) -> Result<(), ValueError> {
        let start = self.len();
        value.encode(self)?;
        if self.len() == start { Err(wrote_nothing()) } else { Ok(()) }
    }
}

impl MapEncoder<'_> {
    /// One entry, with a key of any type that is stored as text.
    ///
    /// ```
    /// # use dynorm::attribute::{Encoder, ValueError};
    /// fn write_prices(encoder: &mut Encoder) -> Result<(), ValueError> {
    ///     encoder.map(|map| {
    ///         map.entry(&"tea".to_string(), &250)?;
    ///         map.entry(&"cake".to_string(), &420)
    ///     })
    /// }
    /// ```
    pub fn entry<K, V>(&mut self, key: &K, value: &V) -> Result<(), ValueError>
    where
        K: Attribute<Shape: shape::TextLike>,
        V: Attribute,
    {
        self.encoded_entry(|encoder| encoder.value(key), |encoder| encoder.value(value))
    }
}

impl ItemWriter<'_> {
    /// The field at `index` of the table of fields; left out if it is absent, or NULL if an absent one would
    /// be read as its default.
    pub fn field<T: Attribute>(&mut self, index: usize, value: &T) -> Result<(), ValueError> {
        self.encoded_field(index, value.is_absent(), |encoder| value.encode(encoder))
    }
}

impl<const N: usize> Fields<'_, N> {
    /// The field at `index` of the table.
    #[inline]
    pub fn get<T: Attribute>(&self, index: usize) -> Result<T, ValueError> {
        match self.value(index)? {
            Some(value) => T::decode(value).map_err(|error| self.locate(index, error)),
            None => T::absent().ok_or_else(|| self.missing(index)),
        }
    }

    /// The field at `index`, or `default` where the item does not have it.
    pub fn get_or<T: Attribute>(&self, index: usize, default: impl FnOnce() -> T) -> Result<T, ValueError> {
        match self.value(index)? {
            // A type that has no absence of its own has no other use for NULL.
            Some(value) if value.is_null() && T::absent().is_none() => Ok(default()),
            Some(value) => T::decode(value).map_err(|error| self.locate(index, error)),
            None => Ok(default()),
        }
    }
}
