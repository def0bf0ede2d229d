//! Reads the input of `#[derive(Entity)]`.

use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Fields, FieldsNamed, GenericParam, Ident, LitStr};

use super::case::{self, Case};
use super::field::{self, Role};
use super::index::{add_index_key, add_local_index, add_projection, fail_index, read_index};
use crate::attr::{self, Entry, Once, default_door};
use crate::errors::Errors;
use crate::model::{Entity, Field, Source, StampKind, TypeName};
use crate::plural::table_name;
use crate::template::{Segment, Template};
use crate::words;

/// `None` for a type that cannot be an entity at all.
pub(crate) fn entity<'i>(input: &'i DeriveInput, errors: &mut Errors) -> Option<Entity<'i>> {
    if let Some(parameter) = input.generics.params.first() {
        errors.at(
            parameter,
            match parameter {
                GenericParam::Lifetime(_) => {
                    "an entity owns its data, since the response that it is read from is dropped: use \
                    `String` or `Cow<'static, str>` instead of a reference"
                }
                _ => {
                    "an entity cannot be generic, since it belongs to one table: write one struct for each \
                    table, and put what they share into a field that derives `Attribute`"
                }
            },
        );
        return None;
    }
    let (mut entity, case) = read_struct(input, errors);
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => read_fields(fields, case, &mut entity, errors),
            _ => refuse(
                &mut entity,
                "an entity is a struct with named fields, each stored as an attribute: write `struct User { \
                #[entity(id)] id: Id<User> }`",
                errors,
            ),
        },
        Data::Enum(_) => refuse(
            &mut entity,
            "an entity is a struct, and this is an enum: derive `Attribute` for it, and make it a field of \
            an entity",
            errors,
        ),
        Data::Union(_) => refuse(
            &mut entity,
            "an entity is a struct with named fields, and this is a union: use a struct, with an enum for a \
            field that is one of several types",
            errors,
        ),
    }
    name_template_fields(&mut entity);
    Some(entity)
}

fn refuse(entity: &mut Entity<'_>, message: &str, errors: &mut Errors) {
    errors.at(entity.ident, message);
    entity.has_fields = false;
}

/// Reads the attributes of the struct.
fn read_struct<'i>(input: &'i DeriveInput, errors: &mut Errors) -> (Entity<'i>, Option<Case>) {
    let mut once = Once::default();
    let mut table = None;
    let mut repository = None;
    let mut door = default_door();
    let mut case = None;
    let mut validate = false;
    let mut hooks = None;
    let mut templates = KeyTemplates::default();
    let mut indexes = Vec::new();
    let before = errors.count();
    let entries = attr::entries(&input.attrs, words::ENTITY, errors);
    let mut key_failed = errors.count() > before;
    for entry in &entries {
        let word = entry.word.unraw().to_string();
        // These two may be given several times.
        let is_again = word == words::INDEX || word == words::TYPE_NAME && entry.has_options();
        if !is_again && !once.first(&entry.word, errors) {
            continue;
        }
        match word.as_str() {
            words::VALIDATE => validate = entry.flag(errors),
            words::HOOKS => hooks = entry.flag(errors).then(|| entry.word.clone()),
            words::TABLE => table = entry.text("users", errors),
            words::REPO => repository = repository_name(entry, errors),
            words::CRATE => door = entry.path("my_dynorm", errors).unwrap_or(door),
            words::RENAME_ALL => case = case::parse(entry, errors),
            words::PARTITION => {
                templates.partition = entry.template("CUSTOMER#{customer_id}", errors);
                key_failed |= templates.partition.is_none();
            }
            words::SORT => {
                templates.sort = entry.template("ORDER#{id}", errors);
                key_failed |= templates.sort.is_none();
            }
            words::PARTITION_ATTRIBUTE => templates.partition_attribute = entry.text("pk", errors),
            words::SORT_ATTRIBUTE => templates.sort_attribute = entry.text("sk", errors),
            words::TYPE_ATTRIBUTE => templates.type_attribute = entry.text("entity_type", errors),
            words::TYPE_NAME if entry.has_options() => former_types(entry, &mut templates, errors),
            words::TYPE_NAME => templates.type_name.written = entry.text("USER", errors),
            words::UNTYPED => templates.untyped = entry.flag(errors).then(|| entry.word.clone()),
            words::ESCAPE => templates.unescaped = unescaped(entry, errors),
            words::INDEX => indexes.push(entry),
            word if words::ON_FIELD.contains(&word) => {
                let value = if matches!(word, words::RENAME | words::WITH) { " = …" } else { "" };
                errors.at(
                    &entry.word,
                    format_args!(
                        "`{word}` belongs on a field: write `#[entity({word}{value})]` above the field"
                    ),
                );
                key_failed = true;
            }
            _ => {
                attr::unknown(&entry.word, words::ON_ENTITY, "an entity", errors);
                key_failed = true;
            }
        }
    }
    let ident = &input.ident;
    let name = ident.unraw().to_string();
    let mut entity = Entity {
        ident,
        vis: &input.vis,
        door,
        table: table.unwrap_or_else(|| LitStr::new(&table_name(&name), ident.span())),
        repository: repository.unwrap_or_else(|| Ident::new(&format!("{name}Repo"), ident.span())),
        fields: Vec::new(),
        has_fields: true,
        partition: None,
        sort: None,
        key_failed,
        indexes: Vec::new(),
        type_attribute: None,
        type_name: TypeName::default(),
        unescaped: None,
        validate,
        hooks,
    };
    templates.into_keys(&mut entity, errors);
    for entry in indexes {
        read_index(entry, &mut entity, errors);
    }
    (entity, case)
}

fn repository_name(entry: &Entry, errors: &mut Errors) -> Option<Ident> {
    let text = entry.text("Users", errors)?;
    let ident = text.parse::<Ident>();
    if ident.is_err() {
        errors.at(
            &text,
            format_args!("{:?} cannot be the name of a type: write `repo = \"Users\"`", text.value()),
        );
    }
    ident.ok()
}

/// `type_name(also = ["User"])`
fn former_types(entry: &Entry, templates: &mut KeyTemplates, errors: &mut Errors) {
    let before = errors.count();
    let mut once = Once::default();
    for option in &entry.options(errors) {
        if option.word.unraw() != words::ALSO {
            attr::unknown(&option.word, words::IN_TYPE_NAME, "`type_name`", errors);
        } else if !templates.type_name.former.is_empty() {
            errors.at(&option.word, "the former names are given twice: put all of them into one list");
        } else if once.first(&option.word, errors) {
            templates.type_name.former = option.texts("User", errors).unwrap_or_default();
        }
    }
    if templates.type_name.former.is_empty() && errors.count() == before {
        errors.at(entry, "`type_name` needs the former names: write `type_name(also = [\"User\"])`");
    }
}

/// `escape = "none"`
fn unescaped(entry: &Entry, errors: &mut Errors) -> Option<Ident> {
    let value = entry.text(words::NONE, errors)?;
    if value.value() != words::NONE {
        errors.at(
            &value,
            "values are escaped unless `escape = \"none\"` says that they are not: write that, or remove it",
        );
        return None;
    }
    Some(entry.word.clone())
}

/// The key templates of an entity, and the names of their attributes.
#[derive(Default)]
struct KeyTemplates {
    partition: Option<Template>,
    sort: Option<Template>,
    partition_attribute: Option<LitStr>,
    sort_attribute: Option<LitStr>,
    type_attribute: Option<LitStr>,
    type_name: TypeName,
    untyped: Option<Ident>,
    unescaped: Option<Ident>,
}

impl KeyTemplates {
    fn into_keys(self, entity: &mut Entity<'_>, errors: &mut Errors) {
        for (attribute, template, word) in [
            (&self.partition_attribute, &self.partition, words::PARTITION),
            (&self.sort_attribute, &self.sort, words::SORT),
        ] {
            if let (Some(attribute), None, false) = (attribute, template, entity.key_failed) {
                errors.at(
                    attribute,
                    format_args!(
                        "this names the attribute of a template, and there is no template: add \
                        `{word} = \"…\"`"
                    ),
                );
            }
        }
        entity.unescaped = self.unescaped;
        let has_template = self.partition.is_some() || self.sort.is_some();
        if let Some(untyped) = &self.untyped {
            let said = self.type_attribute.iter().chain(self.type_name.all());
            for literal in said {
                errors.at(literal, "the items of an `untyped` entity have no type: remove one of the two");
            }
            if !has_template && !entity.key_failed {
                errors.at(untyped, "the type is stored only if the key is a template: remove `untyped`");
            }
        } else if has_template {
            let default = || LitStr::new(words::TYPE_OF_ENTITY, entity.ident.span());
            entity.type_attribute = Some(self.type_attribute.unwrap_or_else(default));
            entity.type_name = self.type_name;
        } else if !entity.key_failed {
            for literal in self.type_attribute.iter().chain(self.type_name.all()) {
                errors.at(
                    literal,
                    "the type is stored only if the key is a template: add `partition = \
                    \"…\"`, or remove this",
                );
            }
        }
        entity.partition = Source::of(self.partition, self.partition_attribute, words::PARTITION_OF_TEMPLATE);
        entity.sort = Source::of(self.sort, self.sort_attribute, words::SORT_OF_TEMPLATE);
    }
}

fn read_fields<'i>(
    fields: &'i FieldsNamed,
    case: Option<Case>,
    entity: &mut Entity<'i>,
    errors: &mut Errors,
) {
    let mut stamped: Vec<(StampKind, &Ident)> = Vec::new();
    for field in &fields.named {
        let Some((mut field, roles)) = field::read(field, words::ENTITY, case, errors) else { continue };
        let says_part = roles.iter().any(|role| matches!(role, Role::Key { .. }));
        for role in roles {
            match role {
                Role::Id { word } => {
                    field.stamps.push((StampKind::Id, word.clone()));
                    if refuse_untyped(&field, &word, errors) {
                        entity.key_failed = true;
                    } else if !says_part && !matches!(entity.partition, Some(Source::Template { .. })) {
                        add_key(entity, &field, &word, false, errors);
                    }
                }
                Role::Key { word, sort } => {
                    if refuse_untyped(&field, &word, errors) {
                        entity.key_failed = true;
                    } else {
                        add_key(entity, &field, &word, sort, errors);
                    }
                }
                Role::Index { name, sort, projection, word } => {
                    if refuse_untyped(&field, &word, errors) {
                        fail_index(entity, &name);
                    } else {
                        add_index_key(entity, &name, Source::Field(field.ident.clone()), sort, errors);
                        add_projection(entity, &name, projection, errors);
                    }
                }
                Role::LocalIndex { name, projection, word } => {
                    if !refuse_untyped(&field, &word, errors) {
                        add_local_index(entity, name, projection, &field, errors);
                    }
                }
                Role::Stamp { word, kind } => match stamped.iter().find(|(known, _)| *known == kind) {
                    Some((_, other)) => errors.at(
                        &word,
                        format_args!(
                            "an entity has one `{word}` field, and `{other}` is it already: remove one of \
                            the two"
                        ),
                    ),
                    None => {
                        stamped.push((kind, field.ident));
                        let is_asked_for = matches!(kind, StampKind::Version | StampKind::DeletedAt);
                        match field.why_no_key().filter(|_| is_asked_for) {
                            Some(why) => errors.at(
                                &word,
                                format_args!(
                                    "`{}` {why}, and writes check the stored value: remove one of the two",
                                    field.ident
                                ),
                            ),
                            None => field.stamps.push((kind, word)),
                        }
                    }
                },
                Role::Unique { word } => match field.why_no_key() {
                    Some(why) => errors.at(
                        &word,
                        format_args!(
                            "`{}` {why}, so it cannot be unique: remove one of the two",
                            field.ident
                        ),
                    ),
                    None => field.unique = Some(word),
                },
                Role::Unknown => entity.key_failed = true,
            }
        }
        entity.fields.push(field);
    }
}

fn add_key(entity: &mut Entity<'_>, field: &Field<'_>, word: &Ident, sort: bool, errors: &mut Errors) {
    let (slot, role, remedy) = if sort {
        (&mut entity.sort, "sort key", "")
    } else {
        (&mut entity.partition, "partition key", ", or make this the sort key with `#[entity(sort)]`")
    };
    match slot {
        Some(other) => errors.at(
            word,
            format_args!(
                "a table has one {role}, and {} is it already: remove one of the two{remedy}",
                other.describe()
            ),
        ),
        None => *slot = Some(Source::Field(field.ident.clone())),
    }
}

fn refuse_untyped(field: &Field<'_>, word: &Ident, errors: &mut Errors) -> bool {
    let Some(why) = field.why_no_key() else { return false };
    let ident = field.ident;
    errors.at(word, format_args!("`{ident}` {why}, so it cannot be a key: remove one of the two"));
    true
}

/// Replaces the fields in templates by those of the struct, since templates name them without `r#`.
fn name_template_fields(entity: &mut Entity<'_>) {
    let fields: Vec<&Ident> = entity.fields.iter().map(|field| field.ident).collect();
    let index_keys =
        entity.indexes.iter_mut().flat_map(|index| index.partition.iter_mut().chain(&mut index.sort));
    for source in entity.partition.iter_mut().chain(&mut entity.sort).chain(index_keys) {
        let Source::Template { template, .. } = source else { continue };
        for segment in &mut template.segments {
            if let Segment::Field { field: name, .. } = segment
                && let Some(field) = fields.iter().find(|field| field.unraw() == *name)
            {
                *name = (*field).clone();
            }
        }
    }
}
