//! What the derive macros know of a type once it is read.
//!
//! To add a field attribute, begin with `parse/field.rs`: it lists every place. What an entity has is a member of [`Entity`],
//! filled by `parse/entity.rs`, judged by `check.rs`, and written by `expand/entity.rs`.

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
    /// False for an enum and its like, which cannot be an entity.
    pub(crate) has_fields: bool,
    pub(crate) partition: Option<Source>,
    pub(crate) sort: Option<Source>,
    /// A part of the key was given and could not be used, which is reported: that it is missing is not a second mistake.
    pub(crate) key_failed: bool,
    pub(crate) indexes: Vec<Index>,
    /// Of an entity whose key is a template: the attribute that holds its type.
    pub(crate) type_attribute: Option<LitStr>,
    /// What that attribute holds, if not the name of the struct.
    pub(crate) type_name: TypeName,
    /// The word that says that values are written into templates as they are.
    pub(crate) unescaped: Option<Ident>,
    /// It has rules of its own.
    pub(crate) validate: bool,
    /// It has hooks, and this is where it says so.
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
    /// Its doc comments.
    pub(crate) docs: Vec<&'i syn::Attribute>,
    /// The name of the attribute, with the place where it comes from.
    pub(crate) name: LitStr,
    pub(crate) storage: Storage,
    pub(crate) default: Option<DefaultValue>,
    pub(crate) sensitive: bool,
    /// No other entity has the same value.
    pub(crate) unique: Option<Ident>,
    /// What dynorm sets in it, with the words that say so.
    pub(crate) stamps: Vec<(StampKind, Ident)>,
}

/// How the value of a field is stored.
pub(crate) enum Storage {
    /// By its type.
    Attribute,
    /// By the functions of a module.
    With(Path),
    /// By serde, as a nested value.
    Serde,
    /// As the expiry of the item, in seconds.
    Expiry,
    /// The attributes that the struct does not model.
    Flatten(Ident),
    /// Not at all.
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

/// Where a key comes from.
pub(crate) enum Source {
    Field(Ident),
    Template { attribute: LitStr, template: Template },
}

pub(crate) struct Index {
    pub(crate) name: LitStr,
    pub(crate) local: bool,
    /// None of a local index, which has that of the table.
    pub(crate) partition: Vec<Source>,
    pub(crate) sort: Vec<Source>,
    /// What it holds, if not everything.
    pub(crate) projection: Option<Projected>,
    /// As `key_failed` of an entity.
    pub(crate) failed: bool,
}

/// `keys_only`, or `include = [a, b]`.
pub(crate) struct Projected {
    pub(crate) word: Ident,
    pub(crate) include: Vec<Ident>,
}

impl Field<'_> {
    /// False for fields that have no attribute of their own.
    pub(crate) fn is_stored(&self) -> bool {
        !matches!(self.storage, Storage::Flatten(_) | Storage::Skip(_))
    }

    /// Why it cannot be a key, if it cannot: a key is stored, and by its type.
    pub(crate) fn why_no_key(&self) -> Option<&'static str> {
        match &self.storage {
            Storage::Attribute => None,
            Storage::Skip(_) => Some("is left out of the item with `skip`"),
            Storage::Flatten(_) => Some("stands for many attributes with `flatten`"),
            Storage::Serde => Some("is stored through `serde`, which can make anything of it"),
            Storage::With(_) => Some("is stored through `with`, which can make anything of it"),
            Storage::Expiry => Some("is stored in seconds, as the expiry of the item"),
        }
    }

    /// True for fields that are stored by their type, so that they can be a key.
    pub(crate) fn is_typed(&self) -> bool {
        matches!(self.storage, Storage::Attribute)
    }
}

impl Entity<'_> {
    /// The field that is `kind`.
    pub(crate) fn stamped(&self, kind: StampKind) -> Option<&Field<'_>> {
        self.fields.iter().find(|field| field.stamps.iter().any(|(stamp, _)| *stamp == kind))
    }

    pub(crate) fn field(&self, ident: &Ident) -> Option<&Field<'_>> {
        self.fields.iter().find(|field| field.ident == ident)
    }

    /// The position of a field in the table of fields, which lists the stored ones.
    pub(crate) fn position(&self, ident: &Ident) -> Literal {
        let mut stored = self.fields.iter().filter(|field| field.is_stored());
        Literal::usize_unsuffixed(stored.position(|field| field.ident == ident).unwrap_or(0))
    }

    /// The fields that the key of the table is made of, in order.
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

    /// Where the keys of the table come from.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Source> {
        [&self.partition, &self.sort].into_iter().flatten()
    }

    /// Where the keys of the indexes come from.
    pub(crate) fn index_keys(&self) -> impl Iterator<Item = &Source> {
        self.indexes.iter().flat_map(Index::keys)
    }

    /// True if the key of the table is there, and every field in it.
    pub(crate) fn has_key(&self) -> bool {
        self.partition.is_some() && self.keys().all(|source| self.has_fields_of(source))
    }

    /// True if the keys of an index are there, and every field in them.
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

    /// The fields that a projected index holds: those of the keys, and those that are included, in the order of the struct.
    pub(crate) fn fields_of(&self, index: &Index) -> Vec<&Field<'_>> {
        let keys: Vec<&Ident> = self.keys().chain(self.keys_of(index)).flat_map(Source::fields).collect();
        let include = index.projection.iter().flat_map(|projection| &projection.include);
        // Every query asks whether an item is deleted or has expired.
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

    /// The attributes that are made of fields: the keys that templates make, and the entity's type.
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
    /// A template, in an attribute that is named by the user or by default.
    pub(crate) fn of(template: Option<Template>, attribute: Option<LitStr>, default: &str) -> Option<Self> {
        let template = template?;
        let attribute = attribute.unwrap_or_else(|| LitStr::new(default, template.literal.span()));
        Some(Self::Template { attribute, template })
    }

    /// The fields that it is made of.
    pub(crate) fn fields(&self) -> Vec<&Ident> {
        match self {
            Self::Field(field) => vec![field],
            Self::Template { template, .. } => template.fields(),
        }
    }

    /// As a message names it.
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

/// A struct of some of the fields of an entity.
pub(crate) struct Projection<'i> {
    pub(crate) ident: &'i Ident,
    pub(crate) of: Path,
    pub(crate) door: Path,
    pub(crate) parts: Vec<Part<'i>>,
    /// False for an enum and its like, which cannot be a projection.
    pub(crate) has_fields: bool,
}

/// A field of a projection, which is the field of that name, or something else.
pub(crate) struct Part<'i> {
    pub(crate) ident: &'i Ident,
    pub(crate) ty: &'i Type,
    pub(crate) from: Option<Expr>,
    /// What is said of it could not be read, which is reported.
    pub(crate) failed: bool,
}

pub(crate) struct Attribute<'i> {
    pub(crate) ident: &'i Ident,
    pub(crate) generics: &'i Generics,
    pub(crate) door: Path,
    /// `None` for what cannot be one.
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
