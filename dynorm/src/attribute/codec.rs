//! The methods of the codec's types that take any [`Attribute`]. They stand here since the codec itself is a
//! lower layer and does not know the trait.

use super::{Attribute, shape};
use crate::codec::{Encoder, Fields, ItemWriter, MapEncoder, ValueError, wrote_nothing};

impl Encoder {
    /// Writes a list, type `L`.
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

    /// Writes a set, type `SS`, `NS` or `BS` by the type `T`. DynamoDB has no empty sets, so an empty one is
    /// written as NULL.
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

    /// Writes one value, and refuses an [`Attribute::encode`] that wrote nothing: the JSON of the whole item
    /// would be invalid.
    pub(crate) fn value<T: Attribute>(&mut self, value: &T) -> Result<(), ValueError> {
        let start = self.len();
        value.encode(self)?;
        if self.len() == start { Err(wrote_nothing()) } else { Ok(()) }
    }
}

impl MapEncoder<'_> {
    /// Writes one entry. The key may be of any type that is stored as text.
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
    /// Writes the field at `index`. An absent value is left out, or written as NULL if the field has a
    /// default, which a missing attribute would be read as.
    pub fn field<T: Attribute>(&mut self, index: usize, value: &T) -> Result<(), ValueError> {
        self.encoded_field(index, value.is_absent(), |encoder| value.encode(encoder))
    }
}

impl<const N: usize> Fields<'_, N> {
    /// Reads the field at `index`.
    #[inline]
    pub fn get<T: Attribute>(&self, index: usize) -> Result<T, ValueError> {
        match self.value(index)? {
            Some(value) => T::decode(value).map_err(|error| self.locate(index, error)),
            None => T::absent().ok_or_else(|| self.missing(index)),
        }
    }

    /// Reads the field at `index`, or returns `default` if the item does not have it.
    pub fn get_or<T: Attribute>(&self, index: usize, default: impl FnOnce() -> T) -> Result<T, ValueError> {
        match self.value(index)? {
            // A type that cannot be absent has no other use for NULL.
            Some(value) if value.is_null() && T::absent().is_none() => Ok(default()),
            Some(value) => T::decode(value).map_err(|error| self.locate(index, error)),
            None => Ok(default()),
        }
    }
}
