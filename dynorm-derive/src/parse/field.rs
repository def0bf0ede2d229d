//! Reads a field and its attributes, for entities and nested structs.
//!
//! To add a field attribute, also change: `words.rs` (its word, and the lists that it belongs to); `model.rs`
//! (a `Storage` or a member of `Field`, or here a `Role`); `check.rs` (what it excludes); `expand/fields.rs`
//! if it changes how the field is stored, or `expand/rules.rs` if it changes what writes and reads do; the
//! list in the docs of `lib.rs`; a golden in `tests.rs`; and a case in `dynorm-tests/tests/ui`. A test fails
//! if the words, the readers and the docs differ.

use syn::ext::IdentExt;
use syn::{Ident, LitStr};

use super::case::Case;
use crate::attr::{self, Argument, Entry, Once};
use crate::errors::Errors;
use crate::model::{DefaultValue, Field, Projected, StampKind, Storage};
use crate::words;

/// The role of a field in its entity.
pub(super) enum Role {
    Key {
        word: Ident,
        sort: bool,
    },
    /// Gets a new id at the first save; the partition key, unless the field or a template says otherwise.
    Id {
        word: Ident,
    },
    Index {
        name: LitStr,
        sort: bool,
        projection: Option<Projected>,
        word: Ident,
    },
    LocalIndex {
        name: LitStr,
        projection: Option<Projected>,
        word: Ident,
    },
    Stamp {
        word: Ident,
        kind: StampKind,
    },
    /// No other item has the same value.
    Unique {
        word: Ident,
    },
    /// An attribute that could not be read, so that its role is not known.
    Unknown,
}

/// The attributes of one field, while they are read.
#[derive(Default)]
struct Read {
    storage: Option<(Ident, Storage)>,
    rename: Option<LitStr>,
    default: Option<(Ident, DefaultValue)>,
    sensitive: bool,
    roles: Vec<Role>,
}

/// Reads a field of an entity (`attribute` is "entity") or of a nested struct ("attribute").
pub(super) fn read<'i>(
    field: &'i syn::Field,
    attribute: &str,
    case: Option<Case>,
    errors: &mut Errors,
) -> Option<(Field<'i>, Vec<Role>)> {
    let ident = field.ident.as_ref()?;
    let known = if attribute == words::ENTITY { words::ON_FIELD } else { words::ON_NESTED_FIELD };
    let mut once = Once::default();
    let mut read = Read::default();
    let before = errors.count();
    for entry in &attr::entries(&field.attrs, attribute, errors) {
        let text = entry.word.unraw().to_string();
        if !known.contains(&text.as_str()) {
            unknown(entry, known, attribute, errors);
            continue;
        }
        // A field may be in several indexes.
        if matches!(text.as_str(), words::INDEX | words::LSI) || once.first(&entry.word, errors) {
            read.entry(entry, &text, errors);
        }
    }
    if errors.count() > before {
        read.roles.push(Role::Unknown);
    }
    let storage = read.storage.map_or(Storage::Attribute, |(_, storage)| storage);
    if let (Some((word, _)), Storage::Flatten(_)) = (&read.default, &storage) {
        errors.at(word, "a flattened map is empty if there are no other attributes: remove `default`");
    }
    let name = read.rename.unwrap_or_else(|| {
        let text = ident.unraw().to_string();
        LitStr::new(&case.map_or(text.clone(), |case| case.of_field(&text)), ident.span())
    });
    let default = read.default.map(|(_, default)| default);
    let docs = field.attrs.iter().filter(|attribute| attribute.path().is_ident("doc")).collect();
    let (vis, ty, sensitive) = (&field.vis, &field.ty, read.sensitive);
    let field =
        Field { ident, vis, ty, docs, name, storage, default, sensitive, unique: None, stamps: Vec::new() };
    Some((field, read.roles))
}

impl Read {
    fn entry(&mut self, entry: &Entry, text: &str, errors: &mut Errors) {
        let word = entry.word.clone();
        match text {
            words::INDEX => self.roles.extend(index_role(entry, errors)),
            words::LSI => {
                self.roles.extend(local_index_role(entry, errors));
            }
            words::RENAME => self.rename = entry.text("eMail", errors),
            words::WITH => {
                if let Some(path) = entry.path("my_module", errors) {
                    self.store(word, Storage::With(path), errors);
                }
            }
            words::DEFAULT => match &entry.argument {
                Argument::None => self.default = Some((word, DefaultValue::OfType)),
                Argument::Value(value) => {
                    self.default = Some((word, DefaultValue::Expression((**value).clone())));
                }
                Argument::Brackets(..) | Argument::List(_) => {
                    errors
                        .at(entry, "write `default` for the default of the type, or `default = expression`");
                }
            },
            _ if !entry.flag(errors) => {}
            words::ID => self.roles.push(Role::Id { word }),
            words::PARTITION | words::SORT => self.roles.push(Role::Key { word, sort: text == words::SORT }),
            words::CREATED_AT => self.roles.push(Role::Stamp { word, kind: StampKind::CreatedAt }),
            words::UPDATED_AT => self.roles.push(Role::Stamp { word, kind: StampKind::UpdatedAt }),
            words::DELETED_AT => self.roles.push(Role::Stamp { word, kind: StampKind::DeletedAt }),
            words::VERSION => self.roles.push(Role::Stamp { word, kind: StampKind::Version }),
            words::TTL => {
                self.roles.push(Role::Stamp { word: word.clone(), kind: StampKind::Ttl });
                self.store(word, Storage::Expiry, errors);
            }
            words::UNIQUE => self.roles.push(Role::Unique { word }),
            words::SKIP => self.store(word.clone(), Storage::Skip(word), errors),
            words::FLATTEN => self.store(word.clone(), Storage::Flatten(word), errors),
            words::SERDE => self.store(word, Storage::Serde, errors),
            words::SENSITIVE => self.sensitive = true,
            _ => {}
        }
    }

    /// Sets the storage of the field, which may be given once.
    fn store(&mut self, word: Ident, storage: Storage, errors: &mut Errors) {
        match &self.storage {
            Some((other, _)) => errors
                .at(&word, format_args!("`{word}` and `{other}` exclude each other: remove one of the two")),
            None => self.storage = Some((word, storage)),
        }
    }
}

fn unknown(entry: &Entry, known: &[&str], attribute: &str, errors: &mut Errors) {
    let text = entry.word.unraw().to_string();
    if attribute == words::ENTITY && words::ON_ENTITY.contains(&text.as_str()) {
        let value = if words::ENTITY_FLAGS.contains(&text.as_str()) { "" } else { " = …" };
        errors.at(
            &entry.word,
            format_args!("`{text}` belongs on the struct: write `#[entity({text}{value})]` above the struct"),
        );
    } else if attribute == words::ATTRIBUTE && words::ON_FIELD.contains(&text.as_str()) {
        errors.at(
            &entry.word,
            format_args!(
                "`{text}` is for the fields of an entity, and this is a nested struct: move it to \
                a field that derives `Entity`"
            ),
        );
    } else {
        attr::unknown(&entry.word, known, "a field", errors);
    }
}

/// `index = "name"`, `index("name")`, `index("name", sort)`
fn index_role(entry: &Entry, errors: &mut Errors) -> Option<Role> {
    let (name, options) = entry.named("by_email", errors)?;
    let (mut partition, mut sort) = (false, false);
    let mut projection = None;
    let mut once = Once::default();
    for option in &options {
        if !once.first(&option.word, errors) {
            continue;
        }
        match option.word.unraw().to_string().as_str() {
            words::SORT | words::PARTITION if option.has_value() => {
                let option = &option.word;
                errors.at(
                    option,
                    format_args!(
                        "a key of several fields or of a template belongs on the struct: write \
                        `#[entity(index(\"{}\", {option} = …))]` above it, or `{option}` alone for this \
                        field",
                        name.value()
                    ),
                );
            }
            words::SORT => sort = option.flag(errors),
            words::PARTITION => partition = option.flag(errors),
            words::KEYS_ONLY | words::INCLUDE => projected(option, &mut projection, errors),
            _ => attr::unknown(&option.word, words::IN_FIELD_INDEX, "an index of a field", errors),
        }
    }
    if partition && sort {
        errors.at(
            &entry.word,
            format_args!(
                "a field is the partition key or the sort key of the index `{}`, not both: remove one of \
                the two",
                name.value()
            ),
        );
        return None;
    }
    Some(Role::Index { name, sort, projection, word: entry.word.clone() })
}

/// `lsi = "name"`, `lsi("name", keys_only)`
fn local_index_role(entry: &Entry, errors: &mut Errors) -> Option<Role> {
    let (name, options) = entry.named("by_date", errors)?;
    let mut projection = None;
    let mut once = Once::default();
    for option in &options {
        if !once.first(&option.word, errors) {
            continue;
        }
        match option.word.unraw().to_string().as_str() {
            words::KEYS_ONLY | words::INCLUDE => projected(option, &mut projection, errors),
            _ => attr::unknown(&option.word, words::IN_LSI, "a local index", errors),
        }
    }
    Some(Role::LocalIndex { name, projection, word: entry.word.clone() })
}

/// `keys_only` or `include = [a, b]`
pub(super) fn projected(option: &Entry, projection: &mut Option<Projected>, errors: &mut Errors) {
    let word = option.word.clone();
    let include = if word.unraw() == words::INCLUDE {
        option.fields("name, email", errors)
    } else {
        option.flag(errors).then(Vec::new)
    };
    if projection.is_some() {
        errors.at(&word, "`keys_only` and `include` exclude each other: remove one of the two");
    }
    if let Some(include) = include {
        *projection = Some(Projected { word, include });
    }
}
