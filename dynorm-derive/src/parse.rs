//! Reads a type and its attributes. What is wrong with one attribute is reported and passed over, so that everything else
//! is still read.

use heck::{ToKebabCase, ToLowerCamelCase, ToPascalCase, ToShoutySnakeCase, ToSnakeCase};
use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Fields, FieldsNamed, GenericParam, Ident, LitStr, Path, Variant as SynVariant};

use crate::attr::{self, Argument, Entry};
use crate::errors::Errors;
use crate::model::{
    Attribute, AttributeShape, DefaultValue, Entity, Field, Index, Source, StampKind, Storage, Variant,
    VariantData,
};
use crate::template::Template;

const FIELD_WORDS: &[&str] = &[
    "id",
    "partition",
    "sort",
    "index",
    "lsi",
    "created_at",
    "updated_at",
    "rename",
    "skip",
    "default",
    "flatten",
    "serde",
    "with",
    "sensitive",
];
const NESTED_FIELD_WORDS: &[&str] = &["rename", "skip", "default", "flatten", "serde", "with"];
const ENTITY_WORDS: &[&str] = &[
    "table",
    "rename_all",
    "repo",
    "crate",
    "partition",
    "sort",
    "index",
    "partition_attribute",
    "sort_attribute",
    "type_attribute",
];
const STRUCT_WORDS: &[&str] = &["rename_all", "crate"];
const ENUM_WORDS: &[&str] = &["rename_all", "crate", "tag"];
const VARIANT_WORDS: &[&str] = &["rename", "rename_all"];
const CASES: &[&str] = &[
    "snake_case",
    "camelCase",
    "PascalCase",
    "kebab-case",
    "SCREAMING_SNAKE_CASE",
    "lowercase",
    "UPPERCASE",
];

pub(crate) fn entity<'i>(input: &'i DeriveInput, errors: &mut Errors) -> Option<Entity<'i>> {
    let entries = attr::entries(&input.attrs, "entity", errors);
    let fields = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => fields,
            _ => {
                errors.at(
                    &input.ident,
                    "an entity is a struct with named fields, since each becomes an attribute of its item: write `struct User { #[entity(id)] id: Id<User> }`",
                );
                return None;
            }
        },
        Data::Enum(_) | Data::Union(_) => {
            errors.at(
                &input.ident,
                "an entity is a struct: derive `Attribute` for an enum, and make it a field of one",
            );
            return None;
        }
    };
    if let Some(parameter) = input.generics.params.first() {
        let message = match parameter {
            GenericParam::Lifetime(_) => {
                "an entity owns what it holds, since it is read from answers that are gone: use `String` or `Cow<'static, str>` instead of a reference"
            }
            _ => {
                "an entity is not generic, since it stands for one table: write one struct for each table, and share their common part as a field that derives `Attribute`"
            }
        };
        errors.at(parameter, message);
        return None;
    }
    let mut once = Once::default();
    let mut table = None;
    let mut repository = None;
    let mut door = default_door();
    let mut case = None;
    let mut templates = KeyTemplates::default();
    let mut index_entries = Vec::new();
    for entry in &entries {
        let word = entry.word.unraw().to_string();
        if word != "index" && !once.first(&entry.word, errors) {
            continue;
        }
        match word.as_str() {
            "table" => table = entry.text("users", errors),
            "repo" => {
                if let Some(text) = entry.text("Users", errors) {
                    match text.parse::<Ident>() {
                        Ok(ident) => repository = Some(ident),
                        Err(_) => errors.at(text, "`repo` names a type: write `repo = \"Users\"`"),
                    }
                }
            }
            "crate" => door = entry.path("my_dynorm", errors).unwrap_or(door),
            "rename_all" => case = parse_case(entry, errors),
            "partition" => templates.partition = parse_template(entry, "CUSTOMER#{customer_id}", errors),
            "sort" => templates.sort = parse_template(entry, "ORDER#{id}", errors),
            "partition_attribute" => templates.partition_attribute = entry.text("pk", errors),
            "sort_attribute" => templates.sort_attribute = entry.text("sk", errors),
            "type_attribute" => templates.type_attribute = entry.text("entity_type", errors),
            "index" => index_entries.push(entry),
            _ => attr::unknown(&entry.word, ENTITY_WORDS, "an entity", errors),
        }
    }
    let ident = &input.ident;
    let name = ident.unraw().to_string();
    let table = table.unwrap_or_else(|| LitStr::new(&table_name(&name), ident.span()));
    let repository = repository.unwrap_or_else(|| Ident::new(&format!("{name}Repo"), ident.span()));
    let mut entity = Entity {
        ident,
        vis: &input.vis,
        door,
        table,
        repository,
        fields: Vec::new(),
        partition: None,
        sort: None,
        indexes: Vec::new(),
        type_attribute: None,
    };
    templates.into_keys(&mut entity, errors);
    for entry in index_entries {
        struct_index(entry, &mut entity, errors);
    }
    read_entity_fields(fields, case, &mut entity, errors);
    Some(entity)
}

/// The key templates of an entity, and the names of the attributes that hold them.
#[derive(Default)]
struct KeyTemplates {
    partition: Option<Template>,
    sort: Option<Template>,
    partition_attribute: Option<LitStr>,
    sort_attribute: Option<LitStr>,
    type_attribute: Option<LitStr>,
}

impl KeyTemplates {
    fn into_keys(self, entity: &mut Entity<'_>, errors: &mut Errors) {
        let named = |name: Option<LitStr>, default: &str, span: Span| {
            name.unwrap_or_else(|| LitStr::new(default, span))
        };
        for (attribute, template, word) in [
            (&self.partition_attribute, &self.partition, "partition"),
            (&self.sort_attribute, &self.sort, "sort"),
        ] {
            if let (Some(attribute), None) = (attribute, template) {
                errors.at(
                    attribute,
                    format_args!("this names the attribute of a template, and there is none: write `{word} = \"…\"` beside it"),
                );
            }
        }
        if self.partition.is_some() || self.sort.is_some() {
            let span = entity.ident.span();
            entity.type_attribute = Some(named(self.type_attribute, "entity_type", span));
        } else if let Some(attribute) = self.type_attribute {
            errors.at(attribute, "only an entity whose key is a template has its type stored: write `partition = \"…\"` beside it");
        }
        entity.partition = self.partition.map(|template| {
            let attribute = named(self.partition_attribute, "pk", template.literal.span());
            Source::Template { attribute, template }
        });
        entity.sort = self.sort.map(|template| {
            let attribute = named(self.sort_attribute, "sk", template.literal.span());
            Source::Template { attribute, template }
        });
    }
}

/// `index("gsi1", partition = "STATUS#{status}", sort = "{placed_at}")` on the struct.
fn struct_index(entry: &Entry, entity: &mut Entity<'_>, errors: &mut Errors) {
    let Some((name, options)) = entry.named("gsi1", errors) else { return };
    let mut once = Once::default();
    let (mut partition, mut sort) = (None, None);
    let (mut partition_attribute, mut sort_attribute) = (None, None);
    for option in &options {
        if !once.first(&option.word, errors) {
            continue;
        }
        match option.word.unraw().to_string().as_str() {
            "partition" => partition = parse_template(option, "STATUS#{status}", errors),
            "sort" => sort = parse_template(option, "{placed_at}", errors),
            "partition_attribute" => partition_attribute = option.text("gsi1pk", errors),
            "sort_attribute" => sort_attribute = option.text("gsi1sk", errors),
            _ => attr::unknown(
                &option.word,
                &["partition", "sort", "partition_attribute", "sort_attribute"],
                "an index",
                errors,
            ),
        }
    }
    let source = |template: Option<Template>, attribute: Option<LitStr>, suffix: &str| {
        template.map(|template| {
            let default = || LitStr::new(&format!("{}{suffix}", name.value()), name.span());
            Source::Template { attribute: attribute.unwrap_or_else(default), template }
        })
    };
    let partition = source(partition, partition_attribute, "pk");
    let sort = source(sort, sort_attribute, "sk");
    if partition.is_none() && sort.is_none() {
        errors.at(
            &name,
            "an index on the struct is made of templates: write `index(\"gsi1\", partition = \"STATUS#{status}\")`, or put `index = \"…\"` on a field",
        );
        return;
    }
    for (source, sort) in [(partition, false), (sort, true)] {
        if let Some(source) = source {
            add_index_key(entity, &name, source, sort, errors);
        }
    }
}

fn add_index_key(entity: &mut Entity<'_>, name: &LitStr, source: Source, sort: bool, errors: &mut Errors) {
    let position = entity.indexes.iter().position(|index| index.name.value() == name.value());
    let position = position.unwrap_or_else(|| {
        entity.indexes.push(Index { name: name.clone(), local: false, partition: None, sort: None });
        entity.indexes.len() - 1
    });
    let Some(index) = entity.indexes.get_mut(position) else { return };
    if index.local {
        errors.at(name, format_args!("`{}` is a local index already: choose another name", name.value()));
        return;
    }
    let slot = if sort { &mut index.sort } else { &mut index.partition };
    if slot.is_some() {
        let role = if sort { "sort key" } else { "partition key" };
        errors.at(
            name,
            format_args!(
                "the index `{}` has a {role} already: an index has one of each, so choose another name{}",
                name.value(),
                if sort { "" } else { ", or make this the sort key with `index(\"…\", sort)`" }
            ),
        );
        return;
    }
    *slot = Some(source);
}

fn read_entity_fields<'i>(
    fields: &'i FieldsNamed,
    case: Option<Case>,
    entity: &mut Entity<'i>,
    errors: &mut Errors,
) {
    let mut stamped: Vec<StampKind> = Vec::new();
    for syn_field in &fields.named {
        let Some((mut field, roles)) = read_field(syn_field, "entity", case, errors) else { continue };
        let has_part = roles.iter().any(|role| matches!(role, Role::Key { id: false, .. }));
        for role in roles {
            match role {
                Role::Key { word, sort, id } => {
                    if id {
                        field.stamps.push(StampKind::Id);
                    }
                    if refuse_untyped(&field, &word, errors) {
                        continue;
                    }
                    let slot = if sort { &mut entity.sort } else { &mut entity.partition };
                    // Where a template is the key, or the field says itself which part of the key it is, `id` only fills it.
                    if id && (has_part || matches!(slot, Some(Source::Template { .. }))) {
                        continue;
                    }
                    if let Some(other) = slot {
                        let kind = if sort { "sort key" } else { "partition key" };
                        let other = match other {
                            Source::Field(field) => format!("`{field}`"),
                            Source::Template { .. } => "the template of the struct".to_owned(),
                        };
                        errors.at(
                            word,
                            format_args!("two {kind}s: {other} is it already; a table has one, so remove one of the two{}",
                                if sort { "" } else { ", or make this the sort key with `#[entity(sort)]`" }),
                        );
                    } else {
                        *slot = Some(Source::Field(field.ident.clone()));
                    }
                }
                Role::Index { name, sort, word } => {
                    if !refuse_untyped(&field, &word, errors) {
                        add_index_key(entity, &name, Source::Field(field.ident.clone()), sort, errors);
                    }
                }
                Role::LocalIndex { name, word } => {
                    if refuse_untyped(&field, &word, errors) {
                        continue;
                    }
                    if entity.indexes.iter().any(|index| index.name.value() == name.value()) {
                        errors.at(
                            &name,
                            format_args!("there is an index `{}` already: choose another name", name.value()),
                        );
                        continue;
                    }
                    let sort = Some(Source::Field(field.ident.clone()));
                    entity.indexes.push(Index { name, local: true, partition: None, sort });
                }
                Role::Stamp { word, kind } => {
                    if stamped.contains(&kind) {
                        errors.at(
                            &word,
                            format_args!(
                                "two fields are `{word}`: an entity has one, so remove one of the two"
                            ),
                        );
                        continue;
                    }
                    stamped.push(kind);
                    field.stamps.push(kind);
                }
            }
        }
        entity.fields.push(field);
    }
}

/// A key must be stored, and by its type.
fn refuse_untyped(field: &Field<'_>, word: &Ident, errors: &mut Errors) -> bool {
    let why = match &field.storage {
        Storage::Attribute => return false,
        Storage::Skip(_) => "is left out of the item with `skip`",
        Storage::Flatten(_) => "stands for many attributes with `flatten`",
        Storage::Serde(_) => "is stored through `serde`, which can be anything",
        Storage::With(_) => "is stored through `with`, which can be anything",
    };
    let ident = field.ident;
    errors.at(word, format_args!("`{ident}` {why}, so it cannot be a key: remove one of the two"));
    true
}

/// What a field is to its entity.
enum Role {
    Key { word: Ident, sort: bool, id: bool },
    Index { name: LitStr, sort: bool, word: Ident },
    LocalIndex { name: LitStr, word: Ident },
    Stamp { word: Ident, kind: StampKind },
}

fn read_field<'i>(
    field: &'i syn::Field,
    attribute: &str,
    case: Option<Case>,
    errors: &mut Errors,
) -> Option<(Field<'i>, Vec<Role>)> {
    let ident = field.ident.as_ref()?;
    let is_entity = attribute == "entity";
    let words = if is_entity { FIELD_WORDS } else { NESTED_FIELD_WORDS };
    let mut once = Once::default();
    let mut storage: Option<(Ident, Storage)> = None;
    let mut rename = None;
    let mut default = None;
    let mut sensitive = false;
    let mut roles = Vec::new();
    for entry in &attr::entries(&field.attrs, attribute, errors) {
        let word = &entry.word;
        let text = word.unraw().to_string();
        if !words.contains(&text.as_str()) {
            attr::unknown(word, words, "a field", errors);
            continue;
        }
        // A field may belong to several indexes.
        if !matches!(text.as_str(), "index" | "lsi") && !once.first(word, errors) {
            continue;
        }
        let mut store = |new: Storage, errors: &mut Errors| match &storage {
            Some((other, _)) => {
                errors.at(
                    word,
                    format_args!("`{text}` and `{other}` exclude each other: remove one of the two"),
                );
            }
            None => storage = Some((word.clone(), new)),
        };
        match text.as_str() {
            "id" if entry.flag(errors) => {
                roles.push(Role::Key { word: word.clone(), sort: false, id: true });
            }
            "partition" | "sort" if entry.flag(errors) => {
                roles.push(Role::Key { word: word.clone(), sort: text == "sort", id: false });
            }
            "index" => roles.extend(index_role(entry, errors)),
            "lsi" => {
                if let Some(name) = entry.text("by_date", errors) {
                    roles.push(Role::LocalIndex { name, word: word.clone() });
                }
            }
            "created_at" if entry.flag(errors) => {
                roles.push(Role::Stamp { word: word.clone(), kind: StampKind::CreatedAt });
            }
            "updated_at" if entry.flag(errors) => {
                roles.push(Role::Stamp { word: word.clone(), kind: StampKind::UpdatedAt });
            }
            "rename" => rename = entry.text("eMail", errors),
            "skip" if entry.flag(errors) => store(Storage::Skip(word.clone()), errors),
            "flatten" if entry.flag(errors) => store(Storage::Flatten(word.clone()), errors),
            "serde" if entry.flag(errors) => store(Storage::Serde(word.clone()), errors),
            "with" => {
                if let Some(path) = entry.path("my_module", errors) {
                    store(Storage::With(path), errors);
                }
            }
            "sensitive" => sensitive = entry.flag(errors),
            "default" => match &entry.argument {
                Argument::None => default = Some((word.clone(), DefaultValue::OfType)),
                Argument::Value(value) => {
                    default = Some((word.clone(), DefaultValue::Expression((**value).clone())));
                }
                Argument::List(_) => {
                    errors
                        .at(entry, "write `default` for the default of the type, or `default = expression`");
                }
            },
            _ => {}
        }
    }
    let storage = storage.map_or(Storage::Attribute, |(_, storage)| storage);
    if let (Some((word, _)), Storage::Flatten(_)) = (&default, &storage) {
        errors.at(word, "a flattened map is empty when there is nothing in it: remove `default`");
    }
    let name = rename.unwrap_or_else(|| {
        let text = ident.unraw().to_string();
        LitStr::new(&case.map_or(text.clone(), |case| case.of_field(&text)), ident.span())
    });
    let default = default.map(|(_, default)| default);
    let field = Field {
        ident,
        vis: &field.vis,
        ty: &field.ty,
        name,
        storage,
        default,
        sensitive,
        stamps: Vec::new(),
    };
    Some((field, roles))
}

/// `index = "name"`, `index("name")`, `index("name", sort)`
fn index_role(entry: &Entry, errors: &mut Errors) -> Option<Role> {
    let (name, options) = entry.named("by_email", errors)?;
    let mut sort = false;
    for option in &options {
        match option.word.unraw().to_string().as_str() {
            "sort" => sort = option.flag(errors),
            "partition" => {
                option.flag(errors);
            }
            _ => attr::unknown(&option.word, &["partition", "sort"], "an index of a field", errors),
        }
    }
    Some(Role::Index { name, sort, word: entry.word.clone() })
}

pub(crate) fn attribute<'i>(input: &'i DeriveInput, errors: &mut Errors) -> Option<Attribute<'i>> {
    let entries = attr::entries(&input.attrs, "attribute", errors);
    let is_enum = matches!(input.data, Data::Enum(_));
    let words = if is_enum { ENUM_WORDS } else { STRUCT_WORDS };
    let mut once = Once::default();
    let (mut door, mut case, mut tag) = (default_door(), None, None);
    for entry in &entries {
        if !once.first(&entry.word, errors) {
            continue;
        }
        match entry.word.unraw().to_string().as_str() {
            "crate" => door = entry.path("my_dynorm", errors).unwrap_or(door),
            "rename_all" => case = parse_case(entry, errors),
            "tag" if is_enum => tag = entry.text("type", errors),
            _ => {
                let of = if is_enum { "an enum" } else { "a struct" };
                attr::unknown(&entry.word, words, of, errors);
            }
        }
    }
    if let Some(lifetime) = input.generics.lifetimes().next() {
        errors.at(
            lifetime,
            "an attribute owns what it holds, since it is read from answers that are gone: use `String` or `Cow<'static, str>` instead of a reference",
        );
        return None;
    }
    let shape = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => AttributeShape::Struct(nested_fields(fields, case, errors)),
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                AttributeShape::Newtype(fields.unnamed.first().map(|field| &field.ty)?)
            }
            Fields::Unnamed(_) | Fields::Unit => {
                errors.at(
                    &input.ident,
                    "an attribute is a struct with named fields, which becomes a map, or a newtype of one field, which becomes what it holds",
                );
                return None;
            }
        },
        Data::Enum(data) if data.variants.is_empty() => {
            errors.at(&input.ident, "an enum without variants has no value that could be stored");
            return None;
        }
        Data::Enum(data) if data.variants.iter().all(|variant| matches!(variant.fields, Fields::Unit)) => {
            if let Some(tag) = tag {
                errors.at(
                    tag,
                    "the variants of this enum hold no data, so each is stored as its name: remove `tag`",
                );
            }
            let variants = data.variants.iter();
            AttributeShape::Choice(
                variants.map(|variant| (&variant.ident, variant_name(variant, case, errors).0)).collect(),
            )
        }
        Data::Enum(data) => {
            let tag = tag.unwrap_or_else(|| LitStr::new("type", input.ident.span()));
            let variants = data.variants.iter();
            AttributeShape::Tagged {
                variants: variants.filter_map(|variant| read_variant(variant, case, &tag, errors)).collect(),
                tag,
            }
        }
        Data::Union(_) => {
            errors.at(&input.ident, "a union cannot be stored: use an enum");
            return None;
        }
    };
    if let AttributeShape::Choice(variants) = &shape {
        check_variant_names(variants.iter().map(|(_, name)| name), errors);
    }
    if let AttributeShape::Tagged { variants, .. } = &shape {
        check_variant_names(variants.iter().map(|variant| &variant.name), errors);
    }
    Some(Attribute { ident: &input.ident, generics: &input.generics, door, shape })
}

fn nested_fields<'i>(fields: &'i FieldsNamed, case: Option<Case>, errors: &mut Errors) -> Vec<Field<'i>> {
    let fields = fields.named.iter().filter_map(|field| read_field(field, "attribute", case, errors));
    let fields: Vec<Field<'i>> = fields.map(|(field, _)| field).collect();
    crate::check::field_names(&fields, errors);
    fields
}

fn read_variant<'i>(
    variant: &'i SynVariant,
    case: Option<Case>,
    tag: &LitStr,
    errors: &mut Errors,
) -> Option<Variant<'i>> {
    let (name, field_case) = variant_name(variant, case, errors);
    let data = match &variant.fields {
        Fields::Unit => VariantData::Unit,
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
            VariantData::Newtype(fields.unnamed.first().map(|field| &field.ty)?)
        }
        Fields::Unnamed(fields) => {
            errors.at(fields, "the values of a variant become entries of a map, so they need names: write `Variant { width: u32, height: u32 }`");
            return None;
        }
        Fields::Named(fields) => {
            let fields = nested_fields(fields, field_case, errors);
            for field in &fields {
                if field.is_stored() && field.name.value() == tag.value() {
                    errors.at(
                        &field.name,
                        format_args!("`{}` is the name of the tag, too: choose another with `#[attribute(tag = \"…\")]` on the enum", tag.value()),
                    );
                }
            }
            VariantData::Struct(fields)
        }
    };
    Some(Variant { ident: &variant.ident, name, data })
}

fn variant_name(variant: &SynVariant, case: Option<Case>, errors: &mut Errors) -> (LitStr, Option<Case>) {
    let mut once = Once::default();
    let (mut rename, mut field_case) = (None, None);
    for entry in &attr::entries(&variant.attrs, "attribute", errors) {
        if !once.first(&entry.word, errors) {
            continue;
        }
        match entry.word.unraw().to_string().as_str() {
            "rename" => rename = entry.text("active", errors),
            "rename_all" => field_case = parse_case(entry, errors),
            _ => attr::unknown(&entry.word, VARIANT_WORDS, "a variant", errors),
        }
    }
    let name = rename.unwrap_or_else(|| {
        let text = variant.ident.unraw().to_string();
        LitStr::new(&case.unwrap_or(Case::Snake).of_variant(&text), variant.ident.span())
    });
    (name, field_case)
}

fn check_variant_names<'n>(names: impl Iterator<Item = &'n LitStr>, errors: &mut Errors) {
    let mut seen: Vec<String> = Vec::new();
    for name in names {
        if seen.contains(&name.value()) {
            errors
                .at(name, format_args!("two variants are stored as {:?}: rename one of them", name.value()));
        }
        seen.push(name.value());
    }
}

fn parse_template(entry: &Entry, example: &str, errors: &mut Errors) -> Option<Template> {
    let literal = entry.text(example, errors)?;
    Template::parse(literal).map_err(|error| errors.push(error)).ok()
}

/// Names that are given once.
#[derive(Default)]
struct Once(Vec<String>);

impl Once {
    fn first(&mut self, word: &Ident, errors: &mut Errors) -> bool {
        let text = word.unraw().to_string();
        if self.0.contains(&text) {
            errors.at(word, format_args!("`{text}` is given twice: remove one of the two"));
            return false;
        }
        self.0.push(text);
        true
    }
}

/// How names are spelled, as in serde.
#[derive(Clone, Copy)]
enum Case {
    Snake,
    Camel,
    Pascal,
    Kebab,
    Screaming,
    Lower,
    Upper,
}

impl Case {
    fn of_field(self, name: &str) -> String {
        match self {
            Self::Snake => name.to_owned(),
            Self::Lower => name.to_lowercase(),
            Self::Upper => name.to_uppercase(),
            case => case.of_variant(name),
        }
    }

    fn of_variant(self, name: &str) -> String {
        match self {
            Self::Snake => name.to_snake_case(),
            Self::Camel => name.to_lower_camel_case(),
            Self::Pascal => name.to_pascal_case(),
            Self::Kebab => name.to_kebab_case(),
            Self::Screaming => name.to_shouty_snake_case(),
            Self::Lower => name.to_lowercase(),
            Self::Upper => name.to_uppercase(),
        }
    }
}

fn parse_case(entry: &Entry, errors: &mut Errors) -> Option<Case> {
    let text = entry.text("camelCase", errors)?;
    Some(match text.value().as_str() {
        "snake_case" => Case::Snake,
        "camelCase" => Case::Camel,
        "PascalCase" => Case::Pascal,
        "kebab-case" => Case::Kebab,
        "SCREAMING_SNAKE_CASE" => Case::Screaming,
        "lowercase" => Case::Lower,
        "UPPERCASE" => Case::Upper,
        other => {
            let hint = attr::nearest(other, CASES)
                .map_or_else(|| attr::list(CASES), |near| format!("did you mean `{near}`?"));
            errors.at(&text, format_args!("unknown case {other:?}: {hint}"));
            return None;
        }
    })
}

fn default_door() -> Path {
    syn::parse_quote!(::dynorm)
}

/// `OrderItem` → `order_items`
fn table_name(name: &str) -> String {
    let snake = name.to_snake_case();
    match snake.rsplit_once('_') {
        Some((first, last)) => format!("{first}_{}", pluralizer::pluralize(last, 2, false)),
        None => pluralizer::pluralize(&snake, 2, false),
    }
}
