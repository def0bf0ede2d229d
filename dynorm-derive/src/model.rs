//! What a derive reads from a type: the input of `check` and `expand`.
//!
//! To add a field attribute, also change the places listed in `parse/field.rs`. To add a property of an
//! entity, add a field to [`Entity`] here, and also change `words.rs` (its word), `parse/entity.rs` (reads
//! it), `check.rs` (what it excludes), `expand/entity.rs` or `expand/rules.rs` (its code), the list in the
//! docs of `lib.rs`, a golden in `tests.rs`, and a case in `dynorm-tests/tests/ui`. A test fails if the
//! words, the readers and the docs differ.

use proc_macro2::{Literal, Span};
use syn::{Expr, Generics, Ident, LitStr, Path, Type, Visibility};

use crate::template::Template;

pub(crate) struct Entity<'i> {
    pub(crate) ident: &'i Ident,
    pub(crate) vis: &'i Visibility,
    pub(crate) door: Path,
    pub(crate) table: LitStr,
    pub(crate) repository: Ident,
    pub(crate) fields: Vec<Field<'i>>,
    /// False for an enum or the like, which cannot be an entity.
    pub(crate) has_fields: bool,
    pub(crate) partition: Option<Source>,
    pub(crate) sort: Option<Source>,
    /// A key was given but is invalid, which has been reported, so that a missing key is not a second error.
    pub(crate) key_failed: bool,
    pub(crate) indexes: Vec<Index>,
    /// The attribute that holds the type name, if the key is a template.
    pub(crate) type_attribute: Option<LitStr>,
    /// The type name, if it is not the name of the struct.
    pub(crate) type_name: TypeName,
    /// The word `escape`, if values are not escaped in templates.
    pub(crate) unescaped: Option<Ident>,
    /// Validated before writes.
    pub(crate) validate: bool,
    /// The word `hooks`, if it has hooks.
    pub(crate) hooks: Option<Ident>,
}

/// `type_name = "USER"`, `type_name(also = ["User"])`.
#[derive(Default)]
pub(crate) struct TypeName {
    pub(crate) written: Option<LitStr>,
    /// Former names, which are read as well.
    pub(crate) former: Vec<LitStr>,
}

impl TypeName {
    pub(crate) fn all(&self) -> impl Iterator<Item = &LitStr> {
        self.written.iter().chain(&self.former)
    }
}

/// A field of an entity or of a nested struct.
pub(crate) struct Field<'i> {
    pub(crate) ident: &'i Ident,
    pub(crate) vis: &'i Visibility,
    pub(crate) ty: &'i Type,
    /// The doc comments of the field.
    pub(crate) docs: Vec<&'i syn::Attribute>,
    /// The name of the attribute, with the span of the token that gave it.
    pub(crate) name: LitStr,
    pub(crate) storage: Storage,
    pub(crate) default: Option<DefaultValue>,
    pub(crate) sensitive: bool,
    /// The word `unique`, if no other item may have the same value.
    pub(crate) unique: Option<Ident>,
    /// The values that dynorm sets in it, each with its word.
    pub(crate) stamps: Vec<(StampKind, Ident)>,
}

/// How a field is stored.
pub(crate) enum Storage {
    /// As its type says.
    Attribute,
    /// By the functions of a module.
    With(Path),
    /// By serde, as a nested value.
    Serde,
    /// In seconds, as the expiry of the item.
    Expiry,
    /// As the attributes that have no field of their own.
    Flatten(Ident),
    /// Not stored.
    Skip(Ident),
}

pub(crate) enum DefaultValue {
    /// `Default::default()`
    OfType,
    Expression(Expr),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum StampKind {
    Id,
    CreatedAt,
    UpdatedAt,
    DeletedAt,
    Version,
    Ttl,
}

/// The source of a key attribute.
pub(crate) enum Source {
    Field(Ident),
    Template { attribute: LitStr, template: Template },
}

pub(crate) struct Index {
    pub(crate) name: LitStr,
    pub(crate) local: bool,
    /// Empty for a local index, which has the partition key of the table.
    pub(crate) partition: Vec<Source>,
    pub(crate) sort: Vec<Source>,
    /// The fields that it holds, if not the whole item.
    pub(crate) projection: Option<Projected>,
    /// See `key_failed` of [`Entity`].
    pub(crate) failed: bool,
}

/// `keys_only`, or `include = [a, b]`.
pub(crate) struct Projected {
    pub(crate) word: Ident,
    pub(crate) include: Vec<Ident>,
}

impl Field<'_> {
    /// False for a field without an attribute of its own.
    pub(crate) fn is_stored(&self) -> bool {
        !matches!(self.storage, Storage::Flatten(_) | Storage::Skip(_))
    }

    /// The reason why it cannot be a key, or `None`: a key is stored, and as its type says.
    pub(crate) fn why_no_key(&self) -> Option<&'static str> {
        match &self.storage {
            Storage::Attribute => None,
            Storage::Skip(_) => Some("is left out of the item with `skip`"),
            Storage::Flatten(_) => Some("is stored as many attributes with `flatten`"),
            Storage::Serde => Some("is stored by `serde`, in a form that dynorm does not know"),
            Storage::With(_) => Some("is stored by `with`, in a form that dynorm does not know"),
            Storage::Expiry => Some("is stored in seconds, as the expiry of the item"),
        }
    }

    /// True for a field that is stored as its type says, so that it can be a key.
    pub(crate) fn is_typed(&self) -> bool {
        matches!(self.storage, Storage::Attribute)
    }
}

impl Entity<'_> {
    /// The field with the stamp `kind`.
    pub(crate) fn stamped(&self, kind: StampKind) -> Option<&Field<'_>> {
        self.fields.iter().find(|field| field.stamps.iter().any(|(stamp, _)| *stamp == kind))
    }

    pub(crate) fn field(&self, ident: &Ident) -> Option<&Field<'_>> {
        self.fields.iter().find(|field| field.ident == ident)
    }

    /// The position of a field in the table of fields, which lists only stored ones.
    pub(crate) fn position(&self, ident: &Ident) -> Literal {
        let mut stored = self.fields.iter().filter(|field| field.is_stored());
        Literal::usize_unsuffixed(stored.position(|field| field.ident == ident).unwrap_or(0))
    }

    /// The fields in the table's key, in order.
    pub(crate) fn key_fields(&self) -> Vec<&Ident> {
        let mut fields: Vec<&Ident> = Vec::new();
        for source in self.keys() {
            for field in source.fields() {
                if !fields.contains(&field) {
                    fields.push(field);
                }
            }
        }
        fields
    }

    /// The sources of the table's keys.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Source> {
        [&self.partition, &self.sort].into_iter().flatten()
    }

    /// The sources of the indexes' keys.
    pub(crate) fn index_keys(&self) -> impl Iterator<Item = &Source> {
        self.indexes.iter().flat_map(Index::keys)
    }

    /// True if the table has a key and all fields in it exist.
    pub(crate) fn has_key(&self) -> bool {
        self.partition.is_some() && self.keys().all(|source| self.has_fields_of(source))
    }

    /// True if the index has its keys and all fields in them exist.
    pub(crate) fn has_keys_of(&self, index: &Index) -> bool {
        self.keys_of(index).all(|source| self.has_fields_of(source))
            && self.partition_of(index).next().is_some()
    }

    /// The partition key of an index.
    pub(crate) fn partition_of<'e>(&'e self, index: &'e Index) -> impl Iterator<Item = &'e Source> {
        self.partition.iter().filter(|_| index.local).chain(&index.partition)
    }

    fn keys_of<'e>(&'e self, index: &'e Index) -> impl Iterator<Item = &'e Source> {
        self.partition_of(index).chain(&index.sort)
    }

    /// The fields in a projected index, in the order of the struct: those of the keys, and the included ones.
    pub(crate) fn fields_of(&self, index: &Index) -> Vec<&Field<'_>> {
        let keys: Vec<&Ident> = self.keys().chain(self.keys_of(index)).flat_map(Source::fields).collect();
        let include = index.projection.iter().flat_map(|projection| &projection.include);
        // Every query needs these, since it filters out soft-deleted and expired items.
        let asked = self.fields.iter().filter(|field| {
            field.stamps.iter().any(|(kind, _)| matches!(kind, StampKind::DeletedAt | StampKind::Ttl))
        });
        let held: Vec<&Ident> =
            keys.into_iter().chain(include).chain(asked.map(|field| field.ident)).collect();
        self.fields.iter().filter(|field| field.is_stored() && held.contains(&field.ident)).collect()
    }

    fn has_fields_of(&self, source: &Source) -> bool {
        source.fields().into_iter().all(|ident| self.field(ident).is_some_and(Field::is_typed))
    }

    /// The generated attributes: the keys from templates, and the type name.
    pub(crate) fn derived(&self) -> Vec<&LitStr> {
        let mut attributes: Vec<&LitStr> = Vec::new();
        let templates = self.keys().chain(self.index_keys()).filter_map(|source| match source {
            Source::Template { attribute, .. } => Some(attribute),
            Source::Field(_) => None,
        });
        for attribute in templates.chain(&self.type_attribute) {
            if !attributes.iter().any(|known| known.value() == attribute.value()) {
                attributes.push(attribute);
            }
        }
        attributes
    }
}

impl Index {
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Source> {
        self.partition.iter().chain(&self.sort)
    }
}

impl Source {
    /// A template, in the attribute that the user named or in the default one.
    pub(crate) fn of(template: Option<Template>, attribute: Option<LitStr>, default: &str) -> Option<Self> {
        let template = template?;
        let attribute = attribute.unwrap_or_else(|| LitStr::new(default, template.literal.span()));
        Some(Self::Template { attribute, template })
    }

    /// The fields in it.
    pub(crate) fn fields(&self) -> Vec<&Ident> {
        match self {
            Self::Field(field) => vec![field],
            Self::Template { template, .. } => template.fields(),
        }
    }

    /// Its name in a message.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Field(field) => format!("`{field}`"),
            Self::Template { .. } => "the template on the struct".to_owned(),
        }
    }

    pub(crate) fn span(&self) -> Span {
        match self {
            Self::Field(field) => field.span(),
            Self::Template { template, .. } => template.literal.span(),
        }
    }
}

/// A struct with some of the fields of an entity.
pub(crate) struct Projection<'i> {
    pub(crate) ident: &'i Ident,
    pub(crate) of: Path,
    pub(crate) door: Path,
    pub(crate) fields: Vec<ProjectionField<'i>>,
    /// False for an enum or the like, which cannot be a projection.
    pub(crate) has_fields: bool,
}

/// A field of a projection: the field of that name, or the path in `from`.
pub(crate) struct ProjectionField<'i> {
    pub(crate) ident: &'i Ident,
    pub(crate) ty: &'i Type,
    pub(crate) from: Option<Expr>,
    /// Its attributes are invalid, which has been reported.
    pub(crate) failed: bool,
}

pub(crate) struct Attribute<'i> {
    pub(crate) ident: &'i Ident,
    pub(crate) generics: &'i Generics,
    pub(crate) door: Path,
    /// `None` for a type that cannot be an attribute.
    pub(crate) shape: Option<AttributeShape<'i>>,
}

pub(crate) enum AttributeShape<'i> {
    Struct(Vec<Field<'i>>),
    Newtype(&'i Type),
    /// Unit variants, stored as text.
    Choice(Vec<(&'i Ident, LitStr)>),
    /// Variants with data, stored as maps with a tag.
    Tagged {
        tag: LitStr,
        variants: Vec<Variant<'i>>,
    },
}

pub(crate) struct Variant<'i> {
    pub(crate) ident: &'i Ident,
    pub(crate) name: LitStr,
    pub(crate) data: VariantData<'i>,
}

pub(crate) enum VariantData<'i> {
    Unit,
    Newtype(&'i Type),
    Struct(Vec<Field<'i>>),
}
