//! Refuses what a struct says and DynamoDB or dynorm cannot do. One rule a function.

use syn::ext::IdentExt;
use syn::{Ident, LitStr};

use crate::attr;
use crate::errors::Errors;
use crate::model::{Entity, Field, Index, Source, StampKind, Storage};
use crate::names::{constant_name, projection_name, starter_name};
use crate::template::Segment;
use crate::words;

pub(crate) fn entity(entity: &Entity<'_>, errors: &mut Errors) {
    names(entity, errors);
    if !entity.has_fields {
        return;
    }
    field_names(&entity.fields, errors);
    partition_key(entity, errors);
    templates(entity, errors);
    derived_names(entity, errors);
    type_names(entity, errors);
    escape(entity, errors);
    one_key_each(entity, errors);
    indexes(entity, errors);
    uniques(entity, errors);
    stamps_of_keys(entity, errors);
}

/// Attribute names are unique in an item and have 1 to 65,535 bytes; those of keys have at most 255.
pub(crate) fn field_names(fields: &[Field<'_>], errors: &mut Errors) {
    let mut seen: Vec<String> = Vec::new();
    for field in fields.iter().filter(|field| field.is_stored()) {
        let name = field.name.value();
        if name.is_empty() {
            errors.at(&field.name, "the name of an attribute has at least one character");
        }
        if seen.contains(&name) {
            errors.at(
                &field.name,
                format_args!("two fields are stored as {name:?}: rename one with `rename = \"…\"`"),
            );
        }
        seen.push(name);
    }
    constants(fields, errors);
    let flattened = fields.iter().filter_map(|field| match &field.storage {
        Storage::Flatten(word) => Some(word),
        _ => None,
    });
    for word in flattened.skip(1) {
        errors.at(
            word,
            "two fields are `flatten`, and only one can hold the attributes without a field: remove one of \
            the two",
        );
    }
}

/// Each field has a constant, its name in capitals; no two may be equal.
fn constants(fields: &[Field<'_>], errors: &mut Errors) {
    let mut seen: Vec<(Ident, &Ident)> = Vec::new();
    for field in fields.iter().filter(|field| field.is_stored()) {
        let constant = constant_name(field.ident);
        match seen.iter().find(|(known, _)| *known == constant) {
            Some((_, other)) => errors.at(
                field.ident,
                format_args!(
                    "`{other}` and `{}` would both have the constant `{constant}`: rename one of \
                    the two fields",
                    field.ident
                ),
            ),
            None => seen.push((constant, field.ident)),
        }
    }
}

/// `unique` is for fields that are not part of the key.
fn uniques(entity: &Entity<'_>, errors: &mut Errors) {
    for field in &entity.fields {
        let Some(word) = &field.unique else { continue };
        if entity.key_fields() == [field.ident] {
            errors.at(
                word,
                format_args!(
                    "`{}` is the whole key, and no two items have the same: remove `unique`",
                    field.ident
                ),
            );
        } else if entity.key_fields().contains(&field.ident) {
            errors.at(
                word,
                format_args!(
                    "`{0}` is part of the key, which never changes, so it cannot be `unique`: give \
                    the unique value a field of its own, or make `{0}` the whole key",
                    field.ident
                ),
            );
        }
    }
}

/// A key never changes, so a field that writes change cannot be part of it. (`ttl` is refused as a key
/// because of its storage.)
fn stamps_of_keys(entity: &Entity<'_>, errors: &mut Errors) {
    let keys = entity.key_fields();
    for field in entity.fields.iter().filter(|field| keys.contains(&field.ident)) {
        for (kind, word) in &field.stamps {
            let (why, remedy) = match kind {
                StampKind::Version => (
                    "every write raises it",
                    "give the version a field of its own: `#[entity(version)] version: u64`",
                ),
                StampKind::UpdatedAt => (
                    "every write changes it",
                    "give it a field of its own, `#[entity(updated_at)] updated_at: Timestamp`, or use a \
                    `created_at` field as the key",
                ),
                StampKind::DeletedAt => (
                    "a delete sets it",
                    "give it a field of its own: `#[entity(deleted_at)] deleted_at: Option<Timestamp>`",
                ),
                StampKind::Id | StampKind::CreatedAt | StampKind::Ttl => continue,
            };
            errors.at(
                word,
                format_args!(
                    "`{}` is part of the key, which never changes, and {why}: {remedy}",
                    field.ident
                ),
            );
        }
    }
}

/// Every entity has a partition key. A sort key needs a partition key beside it.
fn partition_key(entity: &Entity<'_>, errors: &mut Errors) {
    if entity.partition.is_some() || entity.key_failed {
        return;
    }
    match &entity.sort {
        Some(sort) => errors.push(syn::Error::new(
            sort.span(),
            "a sort key needs a partition key: add `#[entity(partition)]` to another field",
        )),
        None => errors.at(
            entity.ident,
            "the entity has no partition key: add `#[entity(id)]` to a field that dynorm fills with a new \
            id, or `#[entity(partition)]` to a field of your own",
        ),
    }
}

/// The fields in a template exist, and are stored as their type says.
fn templates(entity: &Entity<'_>, errors: &mut Errors) {
    for source in entity.keys().chain(entity.index_keys()) {
        let Source::Template { template, .. } = source else { continue };
        for segment in &template.segments {
            let Segment::Field { field: name, .. } = segment else { continue };
            match entity.field(name) {
                Some(field) => {
                    if let Some(why) = field.why_no_key() {
                        errors.at(
                            &template.literal,
                            format_args!("`{{{name}}}` {why}, so it cannot be part of a key"),
                        );
                    }
                }
                None => {
                    let known: Vec<String> =
                        entity.fields.iter().map(|field| field.ident.to_string()).collect();
                    let known: Vec<&str> = known.iter().map(String::as_str).collect();
                    let hint = match attr::nearest(&name.to_string(), &known) {
                        Some(near) => format!("did you mean `{{{near}}}`?"),
                        None => format!("it has {}", attr::list(&known)),
                    };
                    errors.at(
                        &template.literal,
                        format_args!("`{{{name}}}` is not a field of `{}`; {hint}", entity.ident),
                    );
                }
            }
        }
    }
}

/// A generated attribute has a name of its own, unless the same template fills it for another key.
fn derived_names(entity: &Entity<'_>, errors: &mut Errors) {
    for attribute in entity.derived() {
        if let Some(field) =
            entity.fields.iter().find(|field| field.is_stored() && field.name.value() == attribute.value())
        {
            errors.at(
                &field.name,
                format_args!(
                    "dynorm generates the attribute {:?} of `{}`, so the field needs another name: add \
                    `rename = \"…\"`, or rename the generated one with `partition_attribute`, \
                    `sort_attribute` or `type_attribute`",
                    attribute.value(),
                    entity.ident
                ),
            );
        }
    }
    let mut made: Vec<(String, String)> = Vec::new();
    for source in entity.keys().chain(entity.index_keys()) {
        let Source::Template { attribute, template } = source else { continue };
        let (name, text) = (attribute.value(), template.literal.value());
        if made.iter().any(|(known, other)| *known == name && *other != text) {
            errors.at(
                attribute,
                format_args!(
                    "two templates have the attribute {name:?}: rename one with \
                    `partition_attribute = \"…\"` or `sort_attribute = \"…\"`"
                ),
            );
        }
        made.push((name, text));
    }
}

/// The type names of an entity are not empty and not equal.
fn type_names(entity: &Entity<'_>, errors: &mut Errors) {
    let mut seen: Vec<String> = Vec::new();
    for name in entity.type_name.all() {
        let text = name.value();
        if text.is_empty() {
            errors.at(name, "the type of an entity has at least one character, such as \"USER\"");
        } else if seen.contains(&text) {
            errors.at(name, format_args!("the type {text:?} is given twice: remove one of the two"));
        }
        seen.push(text);
    }
    let is_own = |name: &&LitStr| entity.type_name.written.is_none() && entity.ident.unraw() == name.value();
    if let Some(name) = entity.type_name.former.iter().find(is_own) {
        errors.at(
            name,
            format_args!(
                "{:?} is the type of this struct already: remove it, or give the struct another `type_name`",
                name.value()
            ),
        );
    }
}

/// `escape` applies to templates only.
fn escape(entity: &Entity<'_>, errors: &mut Errors) {
    let mut sources = entity.keys().chain(entity.index_keys());
    if let Some(word) = &entity.unescaped
        && !entity.key_failed
        && !sources.any(|source| matches!(source, Source::Template { .. }))
    {
        errors.at(
            word,
            "only values in templates are escaped, and this entity has no template: remove \
            `escape`",
        );
    }
}

/// The partition key and the sort key are different attributes.
fn one_key_each(entity: &Entity<'_>, errors: &mut Errors) {
    let same = |partition: &[Source], sort: &[Source]| {
        sort.iter().find_map(|sort| match sort {
            Source::Field(field)
                if partition.iter().any(|one| matches!(one, Source::Field(one) if one == field)) =>
            {
                Some(field.clone())
            }
            _ => None,
        })
    };
    if let Some(field) = same(entity.partition.as_slice(), entity.sort.as_slice()) {
        errors.at(
            &field,
            format_args!(
                "`{field}` is both the partition key and the sort key: put `sort` on another field, or \
                remove it"
            ),
        );
    }
    for index in &entity.indexes {
        if let Some(field) = same(&index.partition, &index.sort) {
            errors.at(
                &field,
                format_args!(
                    "`{field}` is both the partition key and the sort key of the index `{}`: remove one of \
                    the two",
                    index.name.value()
                ),
            );
        }
    }
}

/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const MAX_LOCAL_INDEXES: usize = 5;

fn indexes(entity: &Entity<'_>, errors: &mut Errors) {
    for index in entity.indexes.iter().filter(|index| index.local).skip(MAX_LOCAL_INDEXES) {
        errors.at(
            &index.name,
            format_args!(
                "a table has at most {MAX_LOCAL_INDEXES} local indexes: make this one an \
                `index(\"…\", sort)` with a partition key of its own"
            ),
        );
    }
    let mut starters: Vec<Ident> = Vec::new();
    for index in &entity.indexes {
        let name = &index.name;
        if index.local {
            local_index(entity, name, errors);
        } else if index.partition.is_empty() && !index.failed {
            errors.at(
                name,
                format_args!(
                    "the index `{0}` has a sort key and no partition key: put `index = \"{0}\"` on the \
                    field to query by",
                    name.value()
                ),
            );
        }
        key_of_several(entity, index, errors);
        projection(entity, index, errors);
        let starter = starter_name(name);
        if words::OPERATIONS.contains(&starter.to_string().as_str()) {
            errors.at(
                name,
                format_args!(
                    "the function of the index would be `{}::{starter}`, which is an operation \
                    already: choose another name, such as \"by_{}\"",
                    entity.repository,
                    name.value()
                ),
            );
        } else if starters.contains(&starter) {
            errors.at(
                name,
                format_args!(
                    "two indexes would have the function `{}::{starter}`: choose another name",
                    entity.repository
                ),
            );
        }
        starters.push(starter);
        if index.projection.is_some() && projection_name(entity, index) == entity.repository {
            errors.at(
                name,
                format_args!(
                    "the items of the index would have the type `{}`, which is the repository \
                    already: choose another name, such as \"by_{}\"",
                    entity.repository,
                    name.value()
                ),
            );
        }
    }
}

/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.DesignPattern.MultiAttributeKeys.html>
const MAX_KEY_ATTRIBUTES: usize = 4;

/// A key of a global index has at most four attributes.
fn key_of_several(entity: &Entity<'_>, index: &Index, errors: &mut Errors) {
    for (role, sources) in [("partition", &index.partition), ("sort", &index.sort)] {
        if let Some(further) = sources.get(MAX_KEY_ATTRIBUTES) {
            errors.push(syn::Error::new(
                further.span(),
                format!(
                    "the {role} key of an index has at most {MAX_KEY_ATTRIBUTES} attributes, and this \
                    one has {}: put several fields into a template, `{role} = \"{{a}}#{{b}}\"`",
                    sources.len()
                ),
            ));
        }
        let mut seen: Vec<&Ident> = Vec::new();
        for source in sources {
            let Source::Field(ident) = source else { continue };
            if seen.contains(&ident) {
                errors.at(ident, format_args!("`{ident}` is in the {role} key twice: remove one of the two"));
            }
            seen.push(ident);
            match entity.field(ident) {
                Some(field) => {
                    if let Some(why) = field.why_no_key() {
                        errors.at(ident, format_args!("`{ident}` {why}, so it cannot be part of a key"));
                    }
                }
                None => unknown_field(entity, ident, errors),
            }
        }
    }
}

/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Projection.html>
const MAX_INCLUDED: usize = 20;

/// A projected index includes only stored fields that are not part of a key anyway.
fn projection(entity: &Entity<'_>, index: &Index, errors: &mut Errors) {
    let Some(projection) = &index.projection else { return };
    let keys: Vec<&Ident> =
        entity.keys().chain(entity.partition_of(index)).chain(&index.sort).flat_map(Source::fields).collect();
    let mut seen: Vec<&Ident> = Vec::new();
    let before = errors.count();
    for ident in &projection.include {
        match entity.field(ident) {
            None => unknown_field(entity, ident, errors),
            Some(field) if !field.is_stored() => errors.at(
                ident,
                format_args!("`{ident}` has no attribute of its own, so an index cannot hold it: remove it"),
            ),
            Some(_) if keys.contains(&ident) => errors.at(
                ident,
                format_args!(
                    "`{ident}` is part of a key, and an index holds its keys and those of the \
                    table anyway: remove it"
                ),
            ),
            Some(_) if seen.contains(&ident) => {
                errors.at(ident, format_args!("`{ident}` is included twice: remove one of the two"));
            }
            Some(_) => {}
        }
        seen.push(ident);
    }
    if errors.count() > before {
        return;
    }
    // A field in a template is not itself a key attribute.
    let is_key = |field: &Ident| {
        let mut sources = entity.keys().chain(entity.partition_of(index)).chain(&index.sort);
        sources.any(|source| matches!(source, Source::Field(key) if key == field))
    };
    let held = entity.fields_of(index).into_iter().filter(|field| !is_key(field.ident)).count();
    let beside_keys = held + usize::from(entity.type_attribute.is_some());
    if beside_keys > MAX_INCLUDED {
        let of_type =
            if entity.type_attribute.is_some() { ", the type of the entity among them" } else { "" };
        errors.at(
            &projection.word,
            format_args!(
                "an index holds up to {MAX_INCLUDED} attributes beside its keys, and this one \
                would hold {beside_keys}{of_type}: remove some, or remove `include`, so that it holds the \
                whole item"
            ),
        );
    }
    // With several entities in the table, the index may hold more than this entity has.
    if entity.type_attribute.is_some() {
        return;
    }
    let mut stored = entity.fields.iter().filter(|field| !matches!(field.storage, Storage::Skip(_)));
    if stored.all(|field| keys.contains(&field.ident) || seen.contains(&field.ident)) {
        errors.at(
            &projection.word,
            format_args!(
                "the index `{}` would hold every field: remove `{}`, so that it holds the whole item",
                index.name.value(),
                projection.word
            ),
        );
    }
}

fn unknown_field(entity: &Entity<'_>, ident: &Ident, errors: &mut Errors) {
    let known: Vec<String> = entity.fields.iter().map(|field| field.ident.to_string()).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let hint = match attr::nearest(&ident.to_string(), &known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it has {}", attr::list(&known)),
    };
    errors.at(ident, format_args!("`{ident}` is not a field of `{}`; {hint}", entity.ident));
}

/// A local index needs a table with a sort key.
fn local_index(entity: &Entity<'_>, name: &LitStr, errors: &mut Errors) {
    if entity.sort.is_none() && !entity.key_failed {
        errors.at(
            name,
            "a local index needs a table with a sort key: add `#[entity(sort)]` to a field, or make this \
            one an `index(\"…\", sort)` with a partition key of its own",
        );
    }
}

/// Names of tables and indexes have 3 to 255 characters: letters, digits, `_`, `-` and `.`. Names of key
/// attributes have 1 to 255 bytes.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html>
fn names(entity: &Entity<'_>, errors: &mut Errors) {
    let table = std::iter::once(("a table", &entity.table, "; name it with `#[entity(table = \"…\")]`"));
    for (what, name, remedy) in table.chain(entity.indexes.iter().map(|index| ("an index", &index.name, "")))
    {
        let text = name.value();
        let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        if !(3..=255).contains(&text.len()) || !text.bytes().all(known) {
            errors.at(
                name,
                format_args!(
                    "{text:?} cannot be the name of {what}: it has 3 to 255 characters, which are \
                    letters, digits, `_`, `-` and `.`{remedy}"
                ),
            );
        }
    }
    for attribute in entity.derived() {
        let text = attribute.value();
        if !(1..=255).contains(&text.len()) {
            errors.at(attribute, format_args!("{text:?} cannot be the name of a key: it has 1 to 255 bytes"));
        }
    }
    for source in entity.keys().chain(entity.index_keys()) {
        if let Source::Field(ident) = source
            && let Some(field) = entity.field(ident)
            && field.name.value().len() > 255
        {
            errors.at(&field.name, "the name of a key has at most 255 bytes: rename it");
        }
    }
}
