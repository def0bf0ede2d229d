use std::cell::Cell;

use super::attributes::position;
use super::place::{Place, head};
use super::scanner::{RawString, Scanner};
use super::text::is_plain_byte;
use super::{Attributes, ScalarType, Value, ValueError};
use crate::Attribute;

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

/// The attributes of an item or of a map, for the `N` fields of a struct.
#[derive(Debug)]
pub struct Fields<'a, const N: usize> {
    infos: &'static [FieldInfo],
    layout: Layout<'a, N>,
}

impl<'a, const N: usize> Fields<'a, N> {
    /// Takes up the attributes of an item, or of a map.
    #[inline]
    pub fn read(item: impl Attributes<'a>, infos: &'static [FieldInfo]) -> Result<Self, ValueError> {
        Ok(Self { infos, layout: item.layout(infos)? })
    }

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

    /// The field at `index`, read by a function of its own. It is asked for NULL where the item does not have it.
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

    /// The same, or `default` where the item does not have it.
    pub fn get_with_or<T>(
        &self,
        index: usize,
        decode: impl FnOnce(Value<'_>) -> Result<T, ValueError>,
        default: impl FnOnce() -> T,
    ) -> Result<T, ValueError> {
        if self.value(index)?.is_none() { Ok(default()) } else { self.get_with(index, decode) }
    }

    /// The attributes that are no field, as a map, except what is `derived` from the fields.
    pub fn rest<M: crate::attribute::Flatten>(&self, derived: &[&str]) -> Result<M, ValueError> {
        let mut map = M::default();
        self.layout.each(&mut |name, value| {
            let name = name.unescape()?;
            if self.infos.iter().any(|info| info.name == name) || derived.contains(&&*name) {
                return Ok(());
            }
            map.insert_attribute(&name, value)
        })?;
        Ok(map)
    }

    #[inline(always)]
    fn value(&self, index: usize) -> Result<Option<Value<'a>>, ValueError> {
        self.layout.value(index, self.infos)
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

/// Where the attributes lie that the fields of a struct are read from.
#[derive(Debug)]
pub(super) struct Layout<'a, const N: usize> {
    text: &'a str,
    depth: u8,
    order: Order<'a, N>,
}

#[derive(Debug)]
enum Order<'a, const N: usize> {
    /// As they come. Items of one table mostly have their attributes in one order: the one behind the last that was found is
    /// tried first.
    Coming(&'a [Place], Cell<usize>),
    /// Sorted into the fields, of a map.
    Sorted([Option<Place>; N]),
}

impl<'a, const N: usize> Layout<'a, N> {
    #[inline]
    pub(super) fn of_item(text: &'a str, places: &'a [Place]) -> Self {
        Self { text, depth: 0, order: Order::Coming(places, Cell::new(0)) }
    }

    pub(super) fn of_map(text: &'a str, depth: u8, infos: &'static [FieldInfo]) -> Result<Self, ValueError> {
        let mut places = [None; N];
        sort(text, depth, infos, &mut places)?;
        Ok(Self { text, depth, order: Order::Sorted(places) })
    }

    /// The value of the field at `index`.
    #[inline(always)]
    fn value(&self, index: usize, infos: &'static [FieldInfo]) -> Result<Option<Value<'a>>, ValueError> {
        let place = match &self.order {
            Order::Sorted(places) => places.get(index).and_then(Option::as_ref),
            Order::Coming(places, next) => {
                let Some(info) = infos.get(index) else { return Ok(None) };
                let expected = next.get();
                match places.get(expected) {
                    Some(place) if !place.is_escaped() && place.is(info.head, info.name, self.text) => {
                        next.set(expected + 1);
                        Some(place)
                    }
                    _ => search(places, self.text, info, next)?,
                }
            }
        };
        Ok(place.map(|place| place.value(self.text, self.depth)))
    }

    /// Calls `visit` with each attribute.
    fn each(
        &self,
        visit: &mut dyn FnMut(RawString<'a>, Value<'a>) -> Result<(), ValueError>,
    ) -> Result<(), ValueError> {
        let (text, depth) = (self.text, self.depth);
        let mut visit = |place: &Place| visit(place.name(text), place.value(text, depth));
        match &self.order {
            Order::Coming(places, _) => places.iter().try_for_each(visit),
            // What is no field was left out.
            Order::Sorted(_) => Scanner::new(text).places(depth, |place| visit(place)),
        }
    }
}

/// Searches an attribute that is not where it was expected.
#[inline(never)]
fn search<'p>(
    places: &'p [Place],
    text: &str,
    info: &FieldInfo,
    next: &Cell<usize>,
) -> Result<Option<&'p Place>, ValueError> {
    let Some(index) = position(places, text, info.head, info.name)? else { return Ok(None) };
    next.set(index + 1);
    Ok(places.get(index))
}

/// Sorts the attributes of a map into fields, where they are found by the position of the field. What is no field is left out.
fn sort(
    text: &str,
    depth: u8,
    infos: &'static [FieldInfo],
    sorted: &mut [Option<Place>],
) -> Result<(), ValueError> {
    let mut expected = 0;
    Scanner::new(text).places(depth, |place| {
        let index = if place.is_escaped() {
            let name = place.name(text).unescape()?;
            infos.iter().position(|info| info.name == name)
        } else {
            let is_its = |info: &FieldInfo| place.is(info.head, info.name, text);
            match infos.get(expected) {
                Some(info) if is_its(info) => Some(expected),
                _ => infos.iter().position(is_its),
            }
        };
        if let Some(index) = index {
            expected = index + 1;
            if let Some(slot) = sorted.get_mut(index) {
                *slot = Some(*place);
            }
        }
        Ok(())
    })
}
