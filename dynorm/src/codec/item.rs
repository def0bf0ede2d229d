//! The attributes of a struct, as an item or a nested map.

use std::ops::Range;

use super::encoder::wrote_nothing;
use super::key_limits::may_be_refused;
use super::{Encoder, FieldInfo, ValueError};

/// Writes the attributes of a struct, in the order of its fields; the derive macros call it.
///
/// Each is written with a comma before it. The first of these becomes the opening bracket in the end.
#[derive(Debug)]
pub struct ItemWriter<'e> {
    encoder: &'e mut Encoder,
    fields: &'static [FieldInfo],
    start: usize,
    /// Where the values of the table's keys were written.
    keys: [Place; 2],
    /// What hardly any item has.
    notes: Option<Box<Notes>>,
}

/// What is noted of an item while it is written.
#[derive(Debug, Default)]
struct Notes {
    /// The keys of the table and of its indexes whose length may be refused.
    suspects: Vec<Place>,
    /// What could not be written, if that is to be collected, and not to end the writing.
    refused: Option<Vec<Refused>>,
}

/// An attribute that could not be written, and why.
pub(crate) type Refused = (String, ValueError);

/// Where the value of an attribute was written, by its name.
type Place = (&'static str, Range<usize>);

impl<'e> ItemWriter<'e> {
    pub(crate) fn new(encoder: &'e mut Encoder, fields: &'static [FieldInfo]) -> Self {
        let start = encoder.len();
        let keys = [("", 0..0), ("", 0..0)];
        Self { encoder, fields, start, keys, notes: None }
    }

    /// The same for an item that may hold what cannot be written: that is left out, and
    /// [`finish`](Self::finish) gives it.
    pub(crate) fn collecting(encoder: &'e mut Encoder, fields: &'static [FieldInfo]) -> Self {
        let notes = Notes { refused: Some(Vec::new()), ..Notes::default() };
        Self { notes: Some(Box::new(notes)), ..Self::new(encoder, fields) }
    }

    /// The field at `index` of the table of fields, written by `encode`; left out if it is absent, or NULL if
    /// an absent one would be read as its default.
    #[inline]
    pub(crate) fn encoded_field(
        &mut self,
        index: usize,
        is_absent: bool,
        encode: impl FnOnce(&mut Encoder) -> Result<(), ValueError>,
    ) -> Result<(), ValueError> {
        let Some(info) = self.fields.get(index) else { return Ok(()) };
        if is_absent && (info.key || !info.defaulted) {
            return Ok(());
        }
        let before = self.encoder.len();
        self.encoder.label(info);
        let start = self.encoder.len();
        if let Err(error) = encode(self.encoder) {
            return self.refuse(before, info.name, info.locate(error));
        }
        if is_settled(info, self.encoder.len() - start) { Ok(()) } else { self.wrote(info, before, start) }
    }

    /// A field of text, the most frequent of all: the same in one piece.
    #[inline]
    pub(crate) fn text_field(&mut self, index: usize, text: &str) -> Result<(), ValueError> {
        let Some(info) = self.fields.get(index) else { return Ok(()) };
        let before = self.encoder.len();
        self.encoder.label(info);
        let start = self.encoder.len();
        self.encoder.tagged_text(text);
        if is_settled(info, self.encoder.len() - start) { Ok(()) } else { self.wrote(info, before, start) }
    }

    /// What is to be done behind a field, for the few where there is something to do.
    fn wrote(&mut self, info: &'static FieldInfo, before: usize, start: usize) -> Result<(), ValueError> {
        if self.encoder.len() == start {
            return self.refuse(before, info.name, info.locate(wrote_nothing()));
        }
        self.note_key(info.name, start, info.table_key);
        Ok(())
    }

    fn note_key(&mut self, name: &'static str, start: usize, of_table: bool) {
        let place = (name, start..self.encoder.len());
        if may_be_refused(place.1.len()) {
            self.notes.get_or_insert_default().suspects.push(place.clone());
        }
        if of_table && let Some(slot) = self.keys.iter_mut().find(|(known, _)| known.is_empty()) {
            *slot = place;
        }
    }

    /// The field at `index`, written by a function of its own; left out if that writes NULL.
    pub fn field_with(
        &mut self,
        index: usize,
        encode: impl FnOnce(&mut Encoder) -> Result<(), ValueError>,
    ) -> Result<(), ValueError> {
        let Some(info) = self.fields.get(index) else { return Ok(()) };
        let before = self.encoder.len();
        self.encoder.label(info);
        let start = self.encoder.len();
        if let Err(error) = encode(self.encoder) {
            return self.refuse(before, info.name, info.locate(error));
        }
        match self.encoder.written_since(start) {
            [] => {
                let error = ValueError::new("the module of `with` wrote no value").in_field(info.name);
                self.refuse(before, info.name, error)
            }
            br#"{"NULL":true}"# if !info.defaulted => {
                self.encoder.truncate(before);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// An attribute that the struct does not model, whose value `write` adds. A name that it does model, and
    /// one that is `derived` from its fields, is refused, since one of the two would be lost.
    pub(crate) fn other(
        &mut self,
        name: &str,
        write: &mut dyn FnMut(&mut Encoder) -> Result<(), ValueError>,
        derived: &[&str],
    ) -> Result<(), ValueError> {
        let before = self.encoder.len();
        if self.fields.iter().any(|info| info.name == name) || derived.contains(&name) {
            let error = ValueError::new(format!(
                "the flattened map holds {name:?}, which is an attribute of the struct itself"
            ));
            return self.refuse(before, name, error);
        }
        self.encoder.push(b',');
        let start = self.encoder.len();
        self.encoder.json_string(name);
        if let Err(error) = self.encoder.check_name(start) {
            return self.refuse(before, name, error);
        }
        self.encoder.push(b':');
        let start = self.encoder.len();
        let written = write(self.encoder)
            .and_then(|()| if self.encoder.len() == start { Err(wrote_nothing()) } else { Ok(()) });
        match written {
            Ok(()) => Ok(()),
            Err(error) => self.refuse(before, name, error.in_field(name.to_owned())),
        }
    }

    /// An attribute that is no field, such as the type of the entity.
    pub(crate) fn text(&mut self, name: &str, text: &str) -> Result<(), ValueError> {
        self.encoder.name(name);
        self.encoder.string(text)
    }

    /// A key that is made by a template.
    pub(crate) fn key(&mut self, name: &'static str, text: &str, of_table: bool) -> Result<(), ValueError> {
        self.encoder.name(name);
        let start = self.encoder.len();
        self.encoder.string(text)?;
        self.note_key(name, start, of_table);
        Ok(())
    }

    /// Where the encoded value of a key of the table was written.
    pub(crate) fn key_range(&self, name: &str) -> Option<Range<usize>> {
        self.keys.iter().find(|(written, _)| *written == name).map(|(_, range)| range.clone())
    }

    /// The encoded values of the keys, of the table or of its indexes, whose length DynamoDB may refuse, by
    /// their names.
    pub(crate) fn suspects(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        let suspects = self.notes.iter().flat_map(|notes| &notes.suspects);
        suspects.map(|(name, range)| {
            (*name, self.encoder.written_since(range.start).get(..range.len()).unwrap_or_default())
        })
    }

    /// Ends the item, and gives what could not be written if that was to be collected.
    pub(crate) fn finish(&mut self) -> Vec<Refused> {
        self.encoder.set_or_push(self.start, b'{');
        self.encoder.push(b'}');
        self.notes.as_mut().and_then(|notes| notes.refused.take()).unwrap_or_default()
    }

    /// An attribute that cannot be made.
    pub(crate) fn without(&mut self, name: &str, error: ValueError) -> Result<(), ValueError> {
        self.refuse(self.encoder.len(), name, error)
    }

    /// An attribute that was begun at `start` and cannot be written.
    fn refuse(&mut self, start: usize, name: &str, error: ValueError) -> Result<(), ValueError> {
        let refused = self.notes.as_mut().and_then(|notes| notes.refused.as_mut());
        let Some(refused) = refused else { return Err(error) };
        refused.push((name.to_owned(), error));
        self.encoder.take_back(start);
        Ok(())
    }
}

impl Encoder {
    /// The attributes of a struct, as a nested map.
    #[doc(hidden)]
    pub fn structure(
        &mut self,
        fields: &'static [FieldInfo],
        write: impl FnOnce(&mut ItemWriter<'_>) -> Result<(), ValueError>,
    ) -> Result<(), ValueError> {
        self.enter(br#"{"M":"#)?;
        let mut writer = ItemWriter::new(self, fields);
        write(&mut writer)?;
        writer.finish();
        self.leave(b"}");
        Ok(())
    }

    /// The data of an enum's variant, as a nested map with its name under `tag`.
    #[doc(hidden)]
    pub fn variant(
        &mut self,
        tag: &'static str,
        name: &str,
        fields: &'static [FieldInfo],
        write: impl FnOnce(&mut ItemWriter<'_>) -> Result<(), ValueError>,
    ) -> Result<(), ValueError> {
        self.structure(fields, |item| {
            item.text(tag, name)?;
            write(item)
        })
    }
}

/// True if there is nothing to be done behind a field whose value has so many bytes as JSON. Of an index key,
/// nothing but that may be wrong.
#[inline]
const fn is_settled(info: &FieldInfo, length: usize) -> bool {
    length > 0 && (!info.key || !(info.table_key || may_be_refused(length)))
}
