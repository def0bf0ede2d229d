//! Writing the attributes of a struct, as an item or a nested map.

use std::ops::Range;

use super::encoder::wrote_nothing;
use super::key_limits::may_be_refused;
use super::{Encoder, FieldInfo, ValueError};

/// Writes the attributes of a struct, in the order of its fields; the derive macros call it.
///
/// Each attribute is written with a comma before it. At the end, the first comma is replaced by the opening
/// bracket.
#[derive(Debug)]
pub struct ItemWriter<'e> {
    encoder: &'e mut Encoder,
    fields: &'static [FieldInfo],
    start: usize,
    /// The positions of the table's key values.
    keys: [Written; 2],
    /// Boxed, since hardly any item needs them.
    notes: Option<Box<Notes>>,
}

/// What is remembered of an item while it is written.
#[derive(Debug, Default)]
struct Notes {
    /// The keys of the table and its indexes whose size DynamoDB may refuse.
    keys_to_check: Vec<Written>,
    /// The attributes that could not be written, if errors are to be collected rather than returned at once.
    refused: Option<Vec<Refused>>,
}

/// An attribute that could not be written, and why.
pub(crate) type Refused = (String, ValueError);

/// The name of an attribute, and the position of its value in the encoder.
type Written = (&'static str, Range<usize>);

impl<'e> ItemWriter<'e> {
    pub(crate) fn new(encoder: &'e mut Encoder, fields: &'static [FieldInfo]) -> Self {
        let start = encoder.len();
        let keys = [("", 0..0), ("", 0..0)];
        Self { encoder, fields, start, keys, notes: None }
    }

    /// The same, but leaves out attributes that cannot be written; [`finish`](Self::finish) returns them.
    pub(crate) fn collecting(encoder: &'e mut Encoder, fields: &'static [FieldInfo]) -> Self {
        let notes = Notes { refused: Some(Vec::new()), ..Notes::default() };
        Self { notes: Some(Box::new(notes)), ..Self::new(encoder, fields) }
    }

    /// Writes the field at `index` with `encode`. An absent value is left out, or written as NULL if the
    /// field has a default, which a missing attribute would be read as.
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

    /// Writes a text field: the same, optimized for the most frequent type.
    #[inline]
    pub(crate) fn text_field(&mut self, index: usize, text: &str) -> Result<(), ValueError> {
        let Some(info) = self.fields.get(index) else { return Ok(()) };
        let before = self.encoder.len();
        self.encoder.label(info);
        let start = self.encoder.len();
        self.encoder.tagged_text(text);
        if is_settled(info, self.encoder.len() - start) { Ok(()) } else { self.wrote(info, before, start) }
    }

    /// Checks a field after it is written, and remembers keys; only for the few fields that need it.
    fn wrote(&mut self, info: &'static FieldInfo, before: usize, start: usize) -> Result<(), ValueError> {
        if self.encoder.len() == start {
            return self.refuse(before, info.name, info.locate(wrote_nothing()));
        }
        self.note_key(info.name, start, info.table_key);
        Ok(())
    }

    fn note_key(&mut self, name: &'static str, start: usize, of_table: bool) {
        let written = (name, start..self.encoder.len());
        if may_be_refused(written.1.len()) {
            self.notes.get_or_insert_default().keys_to_check.push(written.clone());
        }
        if of_table && let Some(slot) = self.keys.iter_mut().find(|(name, _)| name.is_empty()) {
            *slot = written;
        }
    }

    /// Writes the field at `index` with `encode`; the attribute is left out if that writes NULL and the field
    /// has no default.
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

    /// Writes an attribute that the struct does not model; `write` adds its value. The name of a field, and
    /// of an attribute that is `derived` from fields, is refused, since one of the two values would be lost.
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

    /// Writes a text attribute that is not a field, such as the type of the entity.
    pub(crate) fn text(&mut self, name: &str, text: &str) -> Result<(), ValueError> {
        self.encoder.name(name);
        self.encoder.string(text)
    }

    /// Writes a key that a template made.
    pub(crate) fn key(&mut self, name: &'static str, text: &str, of_table: bool) -> Result<(), ValueError> {
        self.encoder.name(name);
        let start = self.encoder.len();
        self.encoder.string(text)?;
        self.note_key(name, start, of_table);
        Ok(())
    }

    /// Returns the position of the encoded value of a table key.
    pub(crate) fn key_range(&self, name: &str) -> Option<Range<usize>> {
        self.keys.iter().find(|(written, _)| *written == name).map(|(_, range)| range.clone())
    }

    /// Returns the names and encoded values of the keys whose size DynamoDB may refuse.
    pub(crate) fn keys_to_check(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        let keys_to_check = self.notes.iter().flat_map(|notes| &notes.keys_to_check);
        keys_to_check.map(|(name, range)| {
            (*name, self.encoder.written_since(range.start).get(..range.len()).unwrap_or_default())
        })
    }

    /// Finishes the item. Returns the attributes that could not be written, if they were collected.
    pub(crate) fn finish(&mut self) -> Vec<Refused> {
        self.encoder.set_or_push(self.start, b'{');
        self.encoder.push(b'}');
        self.notes.as_mut().and_then(|notes| notes.refused.take()).unwrap_or_default()
    }

    /// Refuses an attribute of which nothing is written yet.
    pub(crate) fn without(&mut self, name: &str, error: ValueError) -> Result<(), ValueError> {
        self.refuse(self.encoder.len(), name, error)
    }

    /// Refuses an attribute that was written in part, from `start` on: returns the error, or collects it.
    fn refuse(&mut self, start: usize, name: &str, error: ValueError) -> Result<(), ValueError> {
        let refused = self.notes.as_mut().and_then(|notes| notes.refused.as_mut());
        let Some(refused) = refused else { return Err(error) };
        refused.push((name.to_owned(), error));
        self.encoder.take_back(start);
        Ok(())
    }
}

impl Encoder {
    /// Writes the attributes of a struct as a nested map.
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

    /// Writes the data of an enum's variant as a nested map, with the name of the variant under `tag`.
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

/// Returns true if a field whose value has this many bytes of JSON needs no check. For an index key the size
/// alone must be checked; a table key must also be remembered.
#[inline]
const fn is_settled(info: &FieldInfo, length: usize) -> bool {
    length > 0 && (!info.key || !(info.table_key || may_be_refused(length)))
}
