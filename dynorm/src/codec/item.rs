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
    /// What could not be written, if that is to be collected, and not to end the writing.
    refused: Option<Vec<Refused>>,
}

/// An attribute that could not be written, and why.
pub(crate) type Refused = (String, ValueError);

/// Where an attribute begins, so that it can be taken back.
struct Start {
    at: usize,
    empty: bool,
}

impl<'e> ItemWriter<'e> {
    pub(crate) fn new(encoder: &'e mut Encoder, fields: &'static [FieldInfo]) -> Self {
        encoder.push(b'{');
        Self { encoder, fields, keys: Vec::new(), empty: true, refused: None }
    }

    /// The same for an item that may hold what cannot be written: that is left out, and [`finish`](Self::finish) gives it.
    pub(crate) fn collecting(encoder: &'e mut Encoder, fields: &'static [FieldInfo]) -> Self {
        Self { refused: Some(Vec::new()), ..Self::new(encoder, fields) }
    }

    /// The field at `index` of the table of fields; left out if it is absent, or NULL if an absent one would be read as its
    /// default.
    pub fn field<T: Attribute>(&mut self, index: usize, value: &T) -> Result<(), ValueError> {
        let kept = self.fields.get(index).is_some_and(|info| info.defaulted && !info.key);
        if value.is_absent() && !kept {
            return Ok(());
        }
        let before = self.start();
        let Some(info) = self.name(index) else { return Ok(()) };
        let start = self.encoder.len();
        if let Err(error) = self.encoder.value(value) {
            return self.refuse(&before, info.name, info.locate(error));
        }
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
        let before = self.start();
        let Some(info) = self.name(index) else { return Ok(()) };
        let value = self.encoder.len();
        if let Err(error) = encode(self.encoder) {
            return self.refuse(&before, info.name, info.locate(error));
        }
        match self.encoder.written_since(value) {
            [] => {
                let error = ValueError::new("the module of `with` wrote no value").in_field(info.name);
                self.refuse(&before, info.name, error)
            }
            br#"{"NULL":true}"# if !info.defaulted => {
                self.encoder.truncate(before.at);
                self.empty = before.empty;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The attributes that the struct does not model. A name that it does model, and one that is `derived` from its fields,
    /// is refused, since one of the two would be lost.
    pub fn rest<M: Flatten>(&mut self, map: &M, derived: &[&str]) -> Result<(), ValueError> {
        let fields = self.fields;
        map.each_attribute(&mut |name, value| {
            let before = self.start();
            if fields.iter().any(|info| info.name == name) || derived.contains(&name) {
                let error = ValueError::new(format!(
                    "the flattened map holds {name:?}, which is an attribute of the struct itself"
                ));
                return self.refuse(&before, name, error);
            }
            self.separate();
            let start = self.encoder.len();
            self.encoder.json_string(name);
            if let Err(error) = self.encoder.check_name(start) {
                return self.refuse(&before, name, error);
            }
            self.encoder.push(b':');
            let start = self.encoder.len();
            let written = value(self.encoder)
                .and_then(|()| if self.encoder.len() == start { Err(wrote_nothing()) } else { Ok(()) });
            match written {
                Ok(()) => Ok(()),
                Err(error) => self.refuse(&before, name, error.in_field(name.to_owned())),
            }
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

    /// Ends the item, and gives what could not be written if that was to be collected.
    pub(crate) fn finish(self) -> Vec<Refused> {
        self.encoder.push(b'}');
        self.refused.unwrap_or_default()
    }

    /// An attribute that cannot be made.
    pub(crate) fn without(&mut self, name: &str, error: ValueError) -> Result<(), ValueError> {
        let here = self.start();
        self.refuse(&here, name, error)
    }

    /// Where the next attribute begins.
    fn start(&self) -> Start {
        Start { at: self.encoder.len(), empty: self.empty }
    }

    /// An attribute that was begun and cannot be written.
    fn refuse(&mut self, start: &Start, name: &str, error: ValueError) -> Result<(), ValueError> {
        let Some(refused) = &mut self.refused else { return Err(error) };
        refused.push((name.to_owned(), error));
        self.encoder.take_back(start.at);
        self.empty = start.empty;
        Ok(())
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
