use super::encoder::wrote_nothing;
use super::{Encoder, FieldInfo, ValueError};
use crate::Attribute;
use crate::attribute::Flatten;

/// Writes the attributes of a struct, in the order of its fields; the derive macros call it.
#[derive(Debug)]
pub struct ItemWriter<'e> {
    encoder: &'e mut Encoder,
    fields: &'static [FieldInfo],
    /// Where the value of each key attribute was written, by field, so that it can be checked once the item is whole.
    keys: Vec<(&'static str, std::ops::Range<usize>)>,
    empty: bool,
}

impl<'e> ItemWriter<'e> {
    pub(crate) fn new(encoder: &'e mut Encoder, fields: &'static [FieldInfo]) -> Self {
        encoder.push(b'{');
        Self { encoder, fields, keys: Vec::new(), empty: true }
    }

    /// The field at `index` of the table of fields; left out if it is absent, or NULL if an absent one would be read as its
    /// default.
    pub fn field<T: Attribute>(&mut self, index: usize, value: &T) -> Result<(), ValueError> {
        let kept = self.fields.get(index).is_some_and(|info| info.defaulted && !info.key);
        if value.is_absent() && !kept {
            return Ok(());
        }
        let Some(info) = self.name(index) else { return Ok(()) };
        let start = self.encoder.len();
        self.encoder.value(value).map_err(|error| info.locate(error))?;
        if info.key {
            self.keys.push((info.name, start..self.encoder.len()));
        }
        Ok(())
    }

    /// The field at `index`, written by a function of its own; left out if that writes NULL.
    pub fn field_with(
        &mut self,
        index: usize,
        encode: impl FnOnce(&mut Encoder) -> Result<(), ValueError>,
    ) -> Result<(), ValueError> {
        let (start, empty) = (self.encoder.len(), self.empty);
        let Some(info) = self.name(index) else { return Ok(()) };
        let value = self.encoder.len();
        encode(self.encoder).map_err(|error| info.locate(error))?;
        match self.encoder.written_since(value) {
            [] => {
                return Err(ValueError::new("the module of `with` wrote no value").in_field(info.name));
            }
            br#"{"NULL":true}"# if !info.defaulted => {
                self.encoder.truncate(start);
                self.empty = empty;
            }
            _ => {}
        }
        Ok(())
    }

    /// The attributes that the struct does not model. A name that it does model, and one that is `derived` from its fields,
    /// is refused, since one of the two would be lost.
    pub fn rest<M: Flatten>(&mut self, map: &M, derived: &[&str]) -> Result<(), ValueError> {
        let fields = self.fields;
        map.each_attribute(&mut |name, value| {
            if fields.iter().any(|info| info.name == name) || derived.contains(&name) {
                return Err(ValueError::new(format!(
                    "the flattened map holds {name:?}, which is an attribute of the struct itself"
                )));
            }
            self.separate();
            let start = self.encoder.len();
            self.encoder.json_string(name);
            self.encoder.check_name(start)?;
            self.encoder.push(b':');
            let start = self.encoder.len();
            value(self.encoder)
                .and_then(|()| if self.encoder.len() == start { Err(wrote_nothing()) } else { Ok(()) })
                .map_err(|error| error.in_field(name.to_owned()))
        })
    }

    /// An attribute that is no field: a key made by a template, or the type of the entity.
    pub(crate) fn text(&mut self, name: &'static str, text: &str, key: bool) -> Result<(), ValueError> {
        self.separate();
        self.encoder.json_string(name);
        self.encoder.push(b':');
        let start = self.encoder.len();
        self.encoder.string(text)?;
        if key {
            self.keys.push((name, start..self.encoder.len()));
        }
        Ok(())
    }

    /// Where the encoded value of a key attribute was written.
    pub(crate) fn key_range(&self, name: &str) -> Option<std::ops::Range<usize>> {
        self.keys.iter().find(|(written, _)| *written == name).map(|(_, range)| range.clone())
    }

    pub(crate) fn finish(self) {
        self.encoder.push(b'}');
    }

    /// The encoded value of each key attribute that was written, by its name.
    pub(crate) fn keys(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        self.keys.iter().map(|(name, range)| {
            (*name, self.encoder.written_since(range.start).get(..range.len()).unwrap_or_default())
        })
    }

    fn name(&mut self, index: usize) -> Option<&'static FieldInfo> {
        let info = self.fields.get(index)?;
        self.separate();
        if info.plain {
            self.encoder.push(b'"');
            self.encoder.raw(info.name.as_bytes());
            self.encoder.raw(b"\":");
        } else {
            self.encoder.json_string(info.name);
            self.encoder.push(b':');
        }
        Some(info)
    }

    fn separate(&mut self) {
        if !std::mem::take(&mut self.empty) {
            self.encoder.push(b',');
        }
    }
}
