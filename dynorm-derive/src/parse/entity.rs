//! Reads what `#[derive(Entity)]` stands on.

use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Fields, FieldsNamed, GenericParam, Ident, LitStr};

use super::case::{self, Case};
use super::field::{self, Role};
use super::{Once, default_door};
use crate::attr::{self, Entry};
use crate::errors::Errors;
use crate::model::{Entity, Field, Index, Projected, Source, StampKind};
use crate::plural::table_name;
use crate::template::{Segment, Template};

/// What an entity knows.
pub(super) const WORDS: &[&str] = &[
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
    "validate",
    "hooks",
];
/// The words that stand alone.
pub(super) const FLAGS: &[&str] = &["validate", "hooks"];
/// What an index on the struct knows.
const INDEX_WORDS: &[&str] =
    &["partition", "sort", "partition_attribute", "sort_attribute", "keys_only", "include"];
/// What belongs to a field, where a user may look for it on the struct.
const FIELD_WORDS: &[&str] = &["id", "lsi", "created_at", "updated_at", "deleted_at", "version", "ttl"];

/// `None` for what cannot be an entity at all.
pub(crate) fn entity<'i>(input: &'i DeriveInput, errors: &mut Errors) -> Option<Entity<'i>> {
    if let Some(parameter) = input.generics.params.first() {
        errors.at(
            parameter,
            match parameter {
                GenericParam::Lifetime(_) => {
                    "an entity owns what it holds, since it is read from answers that are gone: use `String` or `Cow<'static, str>` instead of a reference"
                }
                _ => {
                    "an entity is not generic, since it stands for one table: write one struct for each table, and share their common part as a field that derives `Attribute`"
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
                "an entity is a struct with named fields, since each becomes an attribute of its item: write `struct User { #[entity(id)] id: Id<User> }`",
                errors,
            ),
        },
        Data::Enum(_) => refuse(
            &mut entity,
            "an entity is a struct, and this is an enum: derive `Attribute` for it, and make it a field of an entity",
            errors,
        ),
        Data::Union(_) => refuse(
            &mut entity,
            "an entity is a struct with named fields, and this is a union: use a struct, with an enum as a field for what is one of several",
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

/// What the attributes of the struct itself say.
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
    let entries = attr::entries(&input.attrs, "entity", errors);
    let mut key_failed = errors.count() > before;
    for entry in &entries {
        let word = entry.word.unraw().to_string();
        if word != "index" && !once.first(&entry.word, errors) {
            continue;
        }
        match word.as_str() {
            "validate" => validate = entry.flag(errors),
            "hooks" => hooks = entry.flag(errors).then(|| entry.word.clone()),
            "table" => table = entry.text("users", errors),
            "repo" => repository = repository_name(entry, errors),
            "crate" => door = entry.path("my_dynorm", errors).unwrap_or(door),
            "rename_all" => case = case::parse(entry, errors),
            "partition" => {
                templates.partition = super::template(entry, "CUSTOMER#{customer_id}", errors);
                key_failed |= templates.partition.is_none();
            }
            "sort" => {
                templates.sort = super::template(entry, "ORDER#{id}", errors);
                key_failed |= templates.sort.is_none();
            }
            "partition_attribute" => templates.partition_attribute = entry.text("pk", errors),
            "sort_attribute" => templates.sort_attribute = entry.text("sk", errors),
            "type_attribute" => templates.type_attribute = entry.text("entity_type", errors),
            "index" => indexes.push(entry),
            word if FIELD_WORDS.contains(&word) => {
                errors.at(
                    &entry.word,
                    format_args!(
                        "`{word}` is said of a field: write `#[entity({word})]` above the field that it is"
                    ),
                );
                key_failed = true;
            }
            _ => {
                attr::unknown(&entry.word, WORDS, "an entity", errors);
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
        for (attribute, template, word) in [
            (&self.partition_attribute, &self.partition, "partition"),
            (&self.sort_attribute, &self.sort, "sort"),
        ] {
            if let (Some(attribute), None, false) = (attribute, template, entity.key_failed) {
                errors.at(
                    attribute,
                    format_args!("this names the attribute of a template, and there is none: write `{word} = \"…\"` beside it"),
                );
            }
        }
        if self.partition.is_some() || self.sort.is_some() {
            let default = || LitStr::new("entity_type", entity.ident.span());
            entity.type_attribute = Some(self.type_attribute.unwrap_or_else(default));
        } else if let (Some(attribute), false) = (self.type_attribute, entity.key_failed) {
            errors.at(attribute, "only an entity whose key is a template has its type stored: write `partition = \"…\"` beside it");
        }
        entity.partition = source(self.partition, self.partition_attribute, "pk");
        entity.sort = source(self.sort, self.sort_attribute, "sk");
    }
}

/// A template, in an attribute that is named by the user or by default.
fn source(template: Option<Template>, attribute: Option<LitStr>, default: &str) -> Option<Source> {
    let template = template?;
    let attribute = attribute.unwrap_or_else(|| LitStr::new(default, template.literal.span()));
    Some(Source::Template { attribute, template })
}

/// `index("gsi1", partition = "STATUS#{status}", sort = "{placed_at}")`, or of several attributes
/// `index("by_place", partition = [country, city], sort = [street, number])`, on the struct.
fn read_index(entry: &Entry, entity: &mut Entity<'_>, errors: &mut Errors) {
    let Some((name, options)) = entry.named("gsi1", errors) else { return };
    let mut once = Once::default();
    let (mut partition, mut sort) = (None, None);
    let (mut partition_attribute, mut sort_attribute) = (None, None);
    let mut several: [Vec<Ident>; 2] = [Vec::new(), Vec::new()];
    let mut projection = None;
    let before = errors.count();
    let [several_partition, several_sort] = &mut several;
    for option in &options {
        if !once.first(&option.word, errors) {
            continue;
        }
        match option.word.unraw().to_string().as_str() {
            "partition" if option.is_list() => {
                *several_partition = option.fields("country, city", errors).unwrap_or_default();
            }
            "sort" if option.is_list() => {
                *several_sort = option.fields("street, number", errors).unwrap_or_default();
            }
            "partition" => partition = super::template(option, "STATUS#{status}", errors),
            "sort" => sort = super::template(option, "{placed_at}", errors),
            "keys_only" | "include" => field::projected(option, &mut projection, errors),
            "partition_attribute" => partition_attribute = option.text("gsi1pk", errors),
            "sort_attribute" => sort_attribute = option.text("gsi1sk", errors),
            _ => attr::unknown(&option.word, INDEX_WORDS, "an index", errors),
        }
    }
    for (attribute, template, word) in
        [(&partition_attribute, &partition, "partition"), (&sort_attribute, &sort, "sort")]
    {
        if let (Some(attribute), None, true) = (attribute, template, errors.count() == before) {
            errors.at(
                attribute,
                format_args!("this names the attribute of a template, and there is none: write `{word} = \"…\"` beside it"),
            );
        }
    }
    let failed = errors.count() > before;
    if partition.is_none() && sort.is_none() && several.iter().all(Vec::is_empty) && !failed {
        errors.at(
            &name,
            "an index on the struct is made of templates or of several fields: write `index(\"gsi1\", partition = \"STATUS#{status}\")` or `index(\"by_place\", partition = [country, city])`, or put `index = \"…\"` on a field",
        );
        return;
    }
    let partition = source(partition, partition_attribute, &format!("{}pk", name.value()));
    let sort = source(sort, sort_attribute, &format!("{}sk", name.value()));
    for (source, is_sort) in [(partition, false), (sort, true)] {
        if let Some(source) = source {
            add_index_key(entity, &name, source, is_sort, errors);
        }
    }
    for (fields, is_sort) in several.into_iter().zip([false, true]) {
        if let (Some(index), false) = (index(entity, &name), fields.is_empty()) {
            let slot = if is_sort { &mut index.sort } else { &mut index.partition };
            if slot.is_empty() {
                slot.extend(fields.into_iter().map(Source::Field));
            } else {
                let role = if is_sort { "sort" } else { "partition" };
                errors.at(&name, format_args!("the index `{}` has its {role} key in two places: give it once, here or on the fields", name.value()));
            }
        }
    }
    add_projection(entity, &name, projection, errors);
    if failed {
        fail_index(entity, &name);
    }
}

fn add_projection(
    entity: &mut Entity<'_>,
    name: &LitStr,
    projection: Option<Projected>,
    errors: &mut Errors,
) {
    let (Some(index), Some(projection)) = (index(entity, name), projection) else { return };
    if index.projection.is_some() {
        errors.at(
            &projection.word,
            format_args!(
                "it is said twice what the index `{}` holds: say it once, on any of its keys",
                name.value()
            ),
        );
    }
    index.projection = Some(projection);
}

/// The index of a name, a new one if there is none.
fn index<'e>(entity: &'e mut Entity<'_>, name: &LitStr) -> Option<&'e mut Index> {
    let position = entity.indexes.iter().position(|index| index.name.value() == name.value());
    let position = position.unwrap_or_else(|| {
        let name = name.clone();
        entity.indexes.push(Index {
            name,
            local: false,
            partition: Vec::new(),
            sort: Vec::new(),
            projection: None,
            failed: false,
        });
        entity.indexes.len() - 1
    });
    entity.indexes.get_mut(position)
}

/// A part of the index could not be read, so that nothing more is asked of it.
fn fail_index(entity: &mut Entity<'_>, name: &LitStr) {
    if let Some(index) = index(entity, name) {
        index.failed = true;
    }
}

fn add_index_key(entity: &mut Entity<'_>, name: &LitStr, source: Source, sort: bool, errors: &mut Errors) {
    let Some(index) = index(entity, name) else { return };
    if index.local {
        errors.at(
            name,
            format_args!("`{}` is the name of a local index already: choose another", name.value()),
        );
        return;
    }
    let (slot, role, remedy) = if sort {
        (&mut index.sort, "sort key", "")
    } else {
        (&mut index.partition, "partition key", ", or make this the sort key with `index(\"…\", sort)`")
    };
    let word = if sort { "sort" } else { "partition" };
    match slot.first() {
        Some(other) => errors.at(
            name,
            format_args!(
                "the index `{0}` has a {role} already, {1}: choose another name{remedy}; a key of several fields is said on the struct, in its order: `#[entity(index(\"{0}\", {word} = [a, b]))]`",
                name.value(),
                other.describe()
            ),
        ),
        None => slot.push(source),
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
        let Some((mut field, roles)) = field::read(field, "entity", case, errors) else { continue };
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
                            "two fields are `{word}`: `{other}` is it already, and an entity has one, so remove one of the two"
                        ),
                    ),
                    None => {
                        stamped.push((kind, field.ident));
                        let is_asked_for = matches!(kind, StampKind::Version | StampKind::DeletedAt);
                        match field.why_no_key().filter(|_| is_asked_for) {
                            Some(why) => errors.at(
                                &word,
                                format_args!(
                                    "`{}` {why}, and writes ask the table for it: remove one of the two",
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
                "two {role}s: {} is it already, and a table has one, so remove one of the two{remedy}",
                other.describe()
            ),
        ),
        None => *slot = Some(Source::Field(field.ident.clone())),
    }
}

fn add_local_index(
    entity: &mut Entity<'_>,
    name: LitStr,
    projection: Option<Projected>,
    field: &Field<'_>,
    errors: &mut Errors,
) {
    if entity.indexes.iter().any(|index| index.name.value() == name.value()) {
        errors.at(&name, format_args!("there is an index `{}` already: choose another name", name.value()));
        return;
    }
    let sort = vec![Source::Field(field.ident.clone())];
    entity.indexes.push(Index { name, local: true, partition: Vec::new(), sort, projection, failed: false });
}

fn refuse_untyped(field: &Field<'_>, word: &Ident, errors: &mut Errors) -> bool {
    let Some(why) = field.why_no_key() else { return false };
    let ident = field.ident;
    errors.at(word, format_args!("`{ident}` {why}, so it cannot be a key: remove one of the two"));
    true
}

/// Puts the fields themselves into the templates, which name them without `r#`.
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
