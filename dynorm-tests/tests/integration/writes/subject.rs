//! The entities to write, which cover the pairs of rules.

use dynorm::batch::{BatchDelete, BatchRestore};
use dynorm::condition::Field;
use dynorm::operation::{Delete, Restore, RetryOnConflict};
use dynorm::prelude::*;
use dynorm::{Condition, Repository};

/// The kind of an entity's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keys {
    /// A partition key.
    Plain,
    /// A partition key and a sort key.
    Composite,
    /// Two templates, in a table of its own.
    Template,
    /// Two templates, in a shared table.
    Shared,
}

/// The rules of an entity.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) keys: Keys,
    pub(super) version: bool,
    pub(super) soft_delete: bool,
    pub(super) expiry: bool,
    pub(super) unique: bool,
    /// `created_at` and `updated_at`.
    pub(super) times: bool,
}

impl Rules {
    /// Its items have a type.
    pub(super) fn typed(self) -> bool {
        matches!(self.keys, Keys::Template | Keys::Shared)
    }

    /// Its type had another name, which is read as well.
    pub(super) fn renamed(self) -> bool {
        self.keys == Keys::Shared
    }
}

/// The former type name of entities that share a table.
pub(super) const FORMER: &str = "Former";

/// The field values of an entity.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    pub(super) text: String,
    pub(super) code: String,
    pub(super) version: u64,
    pub(super) created_at: Timestamp,
    pub(super) expires_at: Option<Timestamp>,
}

/// An entity to write. Each has the fields `text` and `code`; `code` is unique if the rules say so.
/// Operations that only some entities have, such as `restore`, are `None` for the others.
pub(super) trait Subject: Entity + Default {
    type Repo: Repository<Entity = Self>;
    const NAME: &'static str;
    const RULES: Rules;
    /// The attributes of its key.
    const KEY: &'static [&'static str];
    const TEXT: Field<Self, String>;
    const CODE: Field<Self, String>;
    /// The maximum of the version's type.
    const LAST_VERSION: u64 = u64::MAX;

    /// The entity with this number in its key.
    fn with(number: usize, fields: &Fields) -> Self;

    fn is_text(text: &str) -> Condition<Self> {
        Self::TEXT.eq(text)
    }

    fn change_text(&mut self, text: &str) {
        Self::TEXT.set(self, text.to_owned());
    }

    fn force_delete(&self) -> Option<Delete<Self>> {
        None
    }

    fn force_delete_by_id(_: Self::Key) -> Option<Delete<Self>> {
        None
    }

    fn force(_: BatchDelete<'_, Self>) -> Option<BatchDelete<'_, Self>> {
        None
    }

    fn restore(_: Self::Key) -> Option<Restore<Self>> {
        None
    }

    fn batch_restore(_: Self::Key) -> Option<BatchRestore<'static, Self>> {
        None
    }

    fn retry_on_conflict(_: Self::Key, _: &'static str) -> Option<RetryOnConflict<'static, Self>> {
        None
    }
}

/// Another entity in the shared table.
#[derive(Entity, Clone, Debug)]
#[entity(table = "shared", partition = "NEIGHBOUR#{name}", sort = "-")]
pub(super) struct Neighbour {
    name: String,
}

/// Defines an entity with its repository, from its kind of key and its rules, in this order and with these
/// names.
macro_rules! subject {
    ($name:ident $repo:ident: Plain $($rules:tt)*) => {
        subject!(@define $name $repo Plain [] ["id"] [#[entity(partition)] id: String,]
            |number| Self { id: format!("k{number}"), ..Self::default() }; $($rules)*);
    };
    ($name:ident $repo:ident: Composite $($rules:tt)*) => {
        subject!(@define $name $repo Composite [] ["group", "number"]
            [#[entity(partition)] group: String, #[entity(sort)] number: usize,]
            |number| Self { group: format!("g{}", number / 2), number, ..Self::default() }; $($rules)*);
    };
    ($name:ident $repo:ident: Template $($rules:tt)*) => {
        subject!(@define $name $repo Template
            [#[entity(partition = "GROUP#{group}", sort = "NUMBER#{number:08}")]]
            ["pk", "sk"] [group: String, number: usize,]
            |number| Self { group: format!("a#{}", number / 2), number, ..Self::default() }; $($rules)*);
    };
    ($name:ident $repo:ident: Shared $($rules:tt)*) => {
        subject!(@define $name $repo Shared
            [#[entity(
                table = "shared", partition = "GROUP#{group}", sort = "NUMBER#{number:08}",
                type_name(also = ["Former"])
            )]]
            ["pk", "sk"] [group: String, number: usize,]
            |number| Self { group: format!("a#{}", number / 2), number, ..Self::default() }; $($rules)*);
    };
    (@define $name:ident $repo:ident $keys:ident [$($table:tt)*] $attributes:tt [$($key:tt)*]
        |$number:ident| $make:expr;
        $(, version: $version:ident)? $(, soft_delete: $deleted:ident)? $(, expiry: $expires:ident)?
        $(, code: $unique:ident)? $(, times: $created:ident $updated:ident)?
    ) => {
        #[derive(Entity, Clone, Debug, Default, PartialEq)]
        $($table)*
        pub(super) struct $name {
            $($key)*
            text: String,
            $(#[entity($unique)])?
            code: String,
            $(#[entity(version, default)] version: $version,)?
            $(#[entity(deleted_at)] $deleted: Option<Timestamp>,)?
            $(#[entity(ttl)] $expires: Option<Timestamp>,)?
            $(#[entity(created_at)] $created: Timestamp, #[entity(updated_at)] $updated: Timestamp,)?
        }

        impl Subject for $name {
            type Repo = $repo;
            const NAME: &'static str = stringify!($name);
            const RULES: Rules = Rules {
                keys: Keys::$keys,
                version: !matches!(stringify!($($version)?).as_bytes(), b""),
                soft_delete: !matches!(stringify!($($deleted)?).as_bytes(), b""),
                expiry: !matches!(stringify!($($expires)?).as_bytes(), b""),
                unique: !matches!(stringify!($($unique)?).as_bytes(), b""),
                times: !matches!(stringify!($($created)?).as_bytes(), b""),
            };
            const KEY: &'static [&'static str] = &$attributes;
            const TEXT: Field<Self, String> = Self::TEXT;
            const CODE: Field<Self, String> = Self::CODE;
            $(const LAST_VERSION: u64 = $version::MAX as u64;)?

            fn with($number: usize, fields: &Fields) -> Self {
                let mut made = $make;
                made.text.clone_from(&fields.text);
                made.code.clone_from(&fields.code);
                $(made.version = $version::try_from(fields.version).unwrap();)?
                $(made.$expires = fields.expires_at;)?
                $(made.$created = fields.created_at;)?
                made
            }

            $(
                fn force_delete(&self) -> Option<Delete<Self>> {
                    let _ = self.$deleted;
                    Some($repo::force_delete(self))
                }

                fn force_delete_by_id(key: Self::Key) -> Option<Delete<Self>> {
                    Some($repo::force_delete_by_id(key))
                }

                fn force(batch: BatchDelete<'_, Self>) -> Option<BatchDelete<'_, Self>> {
                    Some(batch.force())
                }

                fn restore(key: Self::Key) -> Option<Restore<Self>> {
                    Some($repo::restore(key))
                }

                fn batch_restore(key: Self::Key) -> Option<BatchRestore<'static, Self>> {
                    Some($repo::batch_restore([key]))
                }
            )?

            $(
                fn retry_on_conflict(
                    key: Self::Key,
                    text: &'static str,
                ) -> Option<RetryOnConflict<'static, Self>> {
                    let _: $version = 0;
                    Some($repo::retry_on_conflict(key, |entity| entity.text = text.to_owned()))
                }
            )?
        }
    };
}

// All pairs of rules occur, which a test checks. The last two have a plain key and one rule, so that a
// condition has one part or several.
subject!(Bare BareRepo: Plain);
subject!(Full FullRepo: Plain, version: u64, soft_delete: deleted_at, expiry: expires_at, code: unique,
    times: created_at updated_at);
subject!(Codes CodesRepo: Composite, version: i32, code: unique, times: created_at updated_at);
subject!(Notes NotesRepo: Composite, version: u32, soft_delete: deleted_at, expiry: expires_at,
    times: created_at updated_at);
subject!(Lines LinesRepo: Composite, soft_delete: deleted_at, expiry: expires_at, code: unique);
subject!(Events EventsRepo: Template, version: i64, expiry: expires_at);
subject!(Pages PagesRepo: Template, soft_delete: deleted_at, times: created_at updated_at);
subject!(Tags TagsRepo: Template, code: unique);
subject!(Users UsersRepo: Shared, version: u64, soft_delete: deleted_at, code: unique);
subject!(Sessions SessionsRepo: Shared, expiry: expires_at, code: unique, times: created_at updated_at);
subject!(Orders OrdersRepo: Shared, version: u32, times: created_at updated_at);
subject!(Drafts DraftsRepo: Shared, soft_delete: deleted_at, expiry: expires_at);
subject!(Files FilesRepo: Plain, version: u64, soft_delete: deleted_at);
subject!(Tokens TokensRepo: Composite, expiry: expires_at);

/// Calls a macro with each of them.
macro_rules! for_each_subject {
    ($call:ident) => {
        $call!(
            Bare, Full, Codes, Notes, Lines, Events, Pages, Tags, Users, Sessions, Orders, Drafts, Files,
            Tokens
        )
    };
}
pub(super) use for_each_subject;
