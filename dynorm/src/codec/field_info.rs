//! What the derive macros say of each field of a struct.

use super::text::{head, is_plain_byte};
use super::{ScalarType, ValueError};

/// What is known of one field of a struct before any value of it is: made by the derive macros, in a table
/// for each struct.
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

    /// Why a value of this field is refused, with its name. Of a sensitive field, the reason is not shown,
    /// since it may show the value.
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

/// The name of an attribute as it stands in an item, `,"name":`, in a block of one size: that is copied
/// without a loop.
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
