//! The description of a field, which the derive macros make at compile time.

use super::text::{head, is_plain_byte};
use super::{ScalarType, ValueError};

/// The description of one field of a struct. The derive macros make a table of them for each struct.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FieldInfo {
    /// The name of the attribute that the field is stored in.
    pub name: &'static str,
    /// The key type, for fields whose type can be a key.
    pub scalar: Option<ScalarType>,
    /// True for a key of the table or of an index: its value is checked before it is sent.
    pub(crate) key: bool,
    /// True if the values must not appear in errors.
    pub(crate) sensitive: bool,
    /// True if a missing attribute is read as a default, so that an absent value must be stored as NULL.
    pub(crate) defaulted: bool,
    /// True if all values have texts of the same length, in the same order as the values.
    pub(crate) fixed: bool,
    /// True if the default is an expression, which is evaluated only when an item is read.
    pub(crate) preset: bool,
    /// True for a key of an index that may be absent, which leaves the item out of the index.
    pub(crate) optional: bool,
    /// The first eight bytes of the name, which distinguish it from most others in one comparison.
    pub(super) head: u64,
    /// True for a key of the table itself.
    pub(crate) table_key: bool,
    pub(crate) label: Label,
}

impl FieldInfo {
    /// Describes a field with the key type `scalar`.
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

    /// Describes a key of the table.
    #[must_use]
    pub const fn key(name: &'static str, scalar: Option<ScalarType>) -> Self {
        Self { key: true, table_key: true, ..Self::new(name, scalar) }
    }

    /// Describes a key of an index, which may be absent if `optional`.
    #[must_use]
    pub const fn index_key(name: &'static str, (scalar, optional): (Option<ScalarType>, bool)) -> Self {
        Self { key: true, optional, ..Self::new(name, scalar) }
    }

    /// Describes a field that is stored through `serde` or `with`, whose stored type is not known here.
    #[must_use]
    pub const fn opaque(name: &'static str) -> Self {
        Self::new(name, None)
    }

    /// Marks a field that a key template uses; `fixed` says whether all its values have texts of the same
    /// length.
    #[must_use]
    pub const fn part(self, fixed: bool) -> Self {
        Self { fixed, ..self }
    }

    /// Marks a field that the template of an index key uses, which may be absent if `optional`.
    #[must_use]
    pub const fn index_part(self, (fixed, optional): (bool, bool)) -> Self {
        Self { fixed, optional, ..self }
    }

    /// Marks a field with a default.
    #[must_use]
    pub const fn defaulted(self) -> Self {
        Self { defaulted: true, ..self }
    }

    /// Marks a field whose default is an expression.
    #[must_use]
    pub const fn preset(self) -> Self {
        Self { preset: true, ..self.defaulted() }
    }

    /// Adds the name of the field to the error for a value. For a sensitive field the reason is replaced,
    /// since it may contain the value.
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

    /// Marks a unique field. The argument is an expression that compiles only if the type can be unique.
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

/// The name of an attribute as it is written in an item, `,"name":`, in a block of constant size, which is
/// copied without a loop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Label {
    block: [u8; Self::SIZE],
    /// 0 for a name that is too long for the block, or needs escaping.
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

    /// Returns true if the name has no label.
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
