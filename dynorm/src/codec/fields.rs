use super::place::{Place, head};
use super::text::is_plain_byte;
use super::{Attributes, Value, ValueError};
use crate::Attribute;
use crate::attribute::ScalarType;

/// What is known of one field of a struct before any value of it is: made by the derive macros, in a table for each struct.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FieldInfo {
    /// The name of the attribute that the field is stored in.
    pub name: &'static str,
    /// The type as a key, for fields whose type can be one.
    pub scalar: Option<ScalarType>,
    /// A key of the table or of one of its indexes, so that its value is checked before it is sent.
    pub(crate) key: bool,
    /// Its values stay out of errors.
    pub(crate) sensitive: bool,
    /// An absent attribute is read as something else than absence, so absence is stored as NULL.
    pub(crate) defaulted: bool,
    /// Every value makes a text of one length, and the order of the texts is that of the values.
    pub(crate) fixed: bool,
    /// Its default is an expression, so that it is known only to whoever reads it.
    pub(crate) preset: bool,
    /// A key of an index that may be absent, which leaves the item out of the index.
    pub(crate) optional: bool,
    /// What tells the name from most others at a glance.
    pub(super) head: u64,
    /// A key of the table itself.
    pub(crate) table_key: bool,
    pub(crate) label: Label,
}

impl FieldInfo {
    /// A field whose type is `scalar` as a key.
    #[must_use]
    pub const fn new(name: &'static str, scalar: Option<ScalarType>) -> Self {
        Self {
            name,
            scalar,
            key: false,
            sensitive: false,
            defaulted: false,
            fixed: false,
            preset: false,
            optional: false,
            head: head(name.as_bytes()),
            table_key: false,
            label: Label::of(name),
        }
    }

    /// A field that is a key of the table or of an index.
    #[must_use]
    pub const fn key(name: &'static str, scalar: Option<ScalarType>) -> Self {
        Self { key: true, table_key: true, ..Self::new(name, scalar) }
    }

    /// A field that is a key of an index, and may be absent if `optional`.
    #[must_use]
    pub const fn index_key(name: &'static str, (scalar, optional): (Option<ScalarType>, bool)) -> Self {
        Self { key: true, optional, ..Self::new(name, scalar) }
    }

    /// A field whose stored type is known to its module alone (`serde`, `with`).
    #[must_use]
    pub const fn opaque(name: &'static str) -> Self {
        Self::new(name, None)
    }

    /// A field that stands in a template; `fixed` says whether it is text of one length.
    #[must_use]
    pub const fn part(self, fixed: bool) -> Self {
        Self { fixed, ..self }
    }

    /// A field that stands in the template of an index, and may be absent if `optional`.
    #[must_use]
    pub const fn index_part(self, (fixed, optional): (bool, bool)) -> Self {
        Self { fixed, optional, ..self }
    }

    /// Marks a field with a default of its own.
    #[must_use]
    pub const fn defaulted(self) -> Self {
        Self { defaulted: true, ..self }
    }

    /// Marks a field whose default is an expression.
    #[must_use]
    pub const fn preset(self) -> Self {
        Self { preset: true, ..self.defaulted() }
    }

    /// Why a value of this field is refused, with its name. Of a sensitive field, the reason is not shown, since it may show
    /// the value.
    pub(crate) fn locate(&self, error: ValueError) -> ValueError {
        let error = if self.sensitive {
            ValueError::new(
                "there is something wrong with the value, which is not shown since the field is sensitive",
            )
        } else {
            error
        };
        error.in_field(self.name)
    }

    /// Marks a field whose values no two items have: what its type must be for that is asked by the argument.
    #[must_use]
    pub const fn unique(self, (): ()) -> Self {
        self
    }

    /// Marks a field whose values are not shown in errors.
    #[must_use]
    pub const fn sensitive(self) -> Self {
        Self { sensitive: true, ..self }
    }
}

/// The name of an attribute as it stands in an item, `,"name":`, in a block of one size: that is copied without a loop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Label {
    block: [u8; Self::SIZE],
    /// 0 for a name that is too long for a block, or is to be escaped.
    len: usize,
}

impl Label {
    const SIZE: usize = 32;

    #[allow(
        clippy::indexing_slicing,
        reason = "done by the compiler, and within the bounds that are checked"
    )]
    const fn of(name: &str) -> Self {
        const NONE: Label = Label { block: [0; Label::SIZE], len: 0 };
        let bytes = name.as_bytes();
        let len = bytes.len() + 4;
        if len > Self::SIZE {
            return NONE;
        }
        let mut block = [0; Self::SIZE];
        (block[0], block[1], block[len - 2], block[len - 1]) = (b',', b'"', b'"', b':');
        let mut index = 0;
        while index < bytes.len() {
            if !is_plain_byte(bytes[index]) {
                return NONE;
            }
            block[index + 2] = bytes[index];
            index += 1;
        }
        Self { block, len }
    }

    /// True if there is no label of this name.
    #[inline]
    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    pub(super) fn append(&self, out: &mut Vec<u8>) {
        let end = out.len() + self.len;
        out.extend_from_slice(&self.block);
        out.truncate(end);
    }
}

/// The attributes of an item, sorted into the `N` fields of a struct; the others are passed over.
#[derive(Debug)]
pub struct Fields<'a, const N: usize> {
    infos: &'static [FieldInfo],
    text: &'a str,
    depth: u8,
    places: [Option<Place>; N],
    rest: Vec<Place>,
}

impl<'a, const N: usize> Fields<'a, N> {
    /// Sorts the attributes of an item, or of a map.
    #[inline]
    pub fn read(item: impl Attributes<'a>, infos: &'static [FieldInfo]) -> Result<Self, ValueError> {
        let mut fields = Self { infos, text: "", depth: 0, places: [None; N], rest: Vec::new() };
        let mut sorter = Sorter::new(infos, &mut fields.places, None);
        item.sort(&mut sorter)?;
        (fields.text, fields.depth) = (sorter.text, sorter.depth);
        Ok(fields)
    }

    /// The same, keeping the attributes that are no field, except those `left_out`.
    pub fn read_all(
        item: impl Attributes<'a>,
        infos: &'static [FieldInfo],
        left_out: &[&str],
    ) -> Result<Self, ValueError> {
        let mut fields = Self { infos, text: "", depth: 0, places: [None; N], rest: Vec::new() };
        let mut sorter = Sorter::new(infos, &mut fields.places, Some((&mut fields.rest, left_out)));
        item.sort(&mut sorter)?;
        (fields.text, fields.depth) = (sorter.text, sorter.depth);
        Ok(fields)
    }

    /// The field at `index` of the table.
    #[inline]
    pub fn get<T: Attribute>(&self, index: usize) -> Result<T, ValueError> {
        match self.value(index) {
            Some(value) => T::decode(value).map_err(|error| self.locate(index, error)),
            None => T::absent().ok_or_else(|| self.missing(index)),
        }
    }

    /// The field at `index`, or `default` where the item does not have it.
    pub fn get_or<T: Attribute>(&self, index: usize, default: impl FnOnce() -> T) -> Result<T, ValueError> {
        match self.value(index) {
            // A type that has no absence of its own has no other use for NULL.
            Some(value) if value.is_null() && T::absent().is_none() => Ok(default()),
            Some(value) => T::decode(value).map_err(|error| self.locate(index, error)),
            None => Ok(default()),
        }
    }

    /// The field at `index`, read by a function of its own. It is asked for NULL where the item does not have it.
    pub fn get_with<T>(
        &self,
        index: usize,
        decode: impl FnOnce(Value<'_>) -> Result<T, ValueError>,
    ) -> Result<T, ValueError> {
        match self.value(index) {
            Some(value) => decode(value).map_err(|error| self.locate(index, error)),
            None => decode(Value::NULL).map_err(|_| self.missing(index)),
        }
    }

    /// The same, or `default` where the item does not have it.
    pub fn get_with_or<T>(
        &self,
        index: usize,
        decode: impl FnOnce(Value<'_>) -> Result<T, ValueError>,
        default: impl FnOnce() -> T,
    ) -> Result<T, ValueError> {
        if self.value(index).is_none() { Ok(default()) } else { self.get_with(index, decode) }
    }

    /// The attributes that are no field, as a map.
    pub fn rest<M: crate::attribute::Flatten>(&self) -> Result<M, ValueError> {
        let mut map = M::default();
        for place in &self.rest {
            let name = place.name(self.text).unescape()?;
            map.insert_attribute(&name, place.value(self.text, self.depth))?;
        }
        Ok(map)
    }

    #[inline]
    fn value(&self, index: usize) -> Option<Value<'a>> {
        let place = self.places.get(index)?.as_ref()?;
        Some(place.value(self.text, self.depth))
    }

    fn name(&self, index: usize) -> &'static str {
        self.infos.get(index).map_or("", |info| info.name)
    }

    #[cold]
    fn locate(&self, index: usize, error: ValueError) -> ValueError {
        match self.infos.get(index) {
            Some(info) => info.locate(error),
            None => error,
        }
    }

    #[cold]
    fn missing(&self, index: usize) -> ValueError {
        ValueError::new(
            "the attribute is missing; make the field an `Option` or give it a `default` if it may be",
        )
        .in_field(self.name(index))
    }
}

/// Puts attributes where the fields of a struct find them. It is compiled once, whatever the struct.
pub(super) struct Sorter<'a, 's> {
    infos: &'static [FieldInfo],
    text: &'a str,
    depth: u8,
    /// Items of one table mostly come with their attributes in one order: the field after the last one is tried first.
    expected: usize,
    places: &'s mut [Option<Place>],
    /// Where the attributes go that are no field, and which of them do not.
    rest: Option<(&'s mut Vec<Place>, &'s [&'s str])>,
}

impl<'a, 's> Sorter<'a, 's> {
    #[inline]
    fn new(
        infos: &'static [FieldInfo],
        places: &'s mut [Option<Place>],
        rest: Option<(&'s mut Vec<Place>, &'s [&'s str])>,
    ) -> Self {
        Self { infos, text: "", depth: 0, expected: 0, places, rest }
    }

    /// The text that the places lie in.
    pub(super) fn of(&mut self, text: &'a str, depth: u8) {
        (self.text, self.depth) = (text, depth);
    }

    #[inline]
    pub(super) fn take(&mut self, place: &Place) -> Result<(), ValueError> {
        if place.is_escaped() {
            return self.take_escaped(place);
        }
        let is_its = |info: &FieldInfo| place.is(info.head, info.name, self.text);
        let index = match self.infos.get(self.expected) {
            Some(info) if is_its(info) => Some(self.expected),
            _ => self.infos.iter().position(is_its),
        };
        match index {
            Some(index) => self.put(index, place),
            None if self.rest.is_none() => {}
            None => self.keep(place)?,
        }
        Ok(())
    }

    #[inline(never)]
    fn take_escaped(&mut self, place: &Place) -> Result<(), ValueError> {
        let name = place.name(self.text).unescape()?;
        match self.infos.iter().position(|info| info.name == name) {
            Some(index) => self.put(index, place),
            None => self.keep(place)?,
        }
        Ok(())
    }

    #[inline]
    fn put(&mut self, index: usize, place: &Place) {
        self.expected = index + 1;
        if let Some(slot) = self.places.get_mut(index) {
            *slot = Some(*place);
        }
    }

    fn keep(&mut self, place: &Place) -> Result<(), ValueError> {
        if let Some((rest, left_out)) = &mut self.rest
            && !left_out.contains(&&*place.name(self.text).unescape()?)
        {
            rest.push(*place);
        }
        Ok(())
    }
}
