//! Reads the indexes of an entity, from the attributes of the struct and of its fields.

use syn::ext::IdentExt;
use syn::{Ident, LitStr};

use super::field;
use crate::attr::{self, Entry, Once};
use crate::errors::Errors;
use crate::model::{Entity, Field, Index, Projected, Source};
use crate::words;

/// `index("gsi1", partition = "STATUS#{status}", sort = "{placed_at}")`, or with several attributes a key
/// `index("by_place", partition = [country, city], sort = [street, number])`, on the struct.
pub(super) fn read_index(entry: &Entry, entity: &mut Entity<'_>, errors: &mut Errors) {
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
            words::PARTITION if option.is_list() => {
                *several_partition = option.fields("country, city", errors).unwrap_or_default();
            }
            words::SORT if option.is_list() => {
                *several_sort = option.fields("street, number", errors).unwrap_or_default();
            }
            words::PARTITION => partition = option.template("STATUS#{status}", errors),
            words::SORT => sort = option.template("{placed_at}", errors),
            words::KEYS_ONLY | words::INCLUDE => field::projected(option, &mut projection, errors),
            words::PARTITION_ATTRIBUTE => partition_attribute = option.text("gsi1pk", errors),
            words::SORT_ATTRIBUTE => sort_attribute = option.text("gsi1sk", errors),
            _ => attr::unknown(&option.word, words::IN_INDEX, "an index", errors),
        }
    }
    for (attribute, template, word) in
        [(&partition_attribute, &partition, words::PARTITION), (&sort_attribute, &sort, words::SORT)]
    {
        if let (Some(attribute), None, true) = (attribute, template, errors.count() == before) {
            errors.at(
                attribute,
                format_args!(
                    "this names the attribute of a template, and there is no template: add `{word} \
                    = \"…\"`"
                ),
            );
        }
    }
    let failed = errors.count() > before;
    if partition.is_none() && sort.is_none() && several.iter().all(Vec::is_empty) && !failed {
        errors.at(
            &name,
            "the keys of an index on the struct are templates or lists of fields: write `index(\"gsi1\", \
            partition = \"STATUS#{status}\")` or `index(\"by_place\", partition = [country, city])`, or put \
            `index = \"…\"` on a field",
        );
        return;
    }
    let in_index = |role: &str| format!("{}{role}", name.value());
    let partition = Source::of(partition, partition_attribute, &in_index(words::PARTITION_OF_TEMPLATE));
    let sort = Source::of(sort, sort_attribute, &in_index(words::SORT_OF_TEMPLATE));
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
                let role = if is_sort { words::SORT } else { words::PARTITION };
                errors.at(
                    &name,
                    format_args!(
                        "the index `{}` has its {role} key in two places: give it \
                    once, here or on the fields",
                        name.value()
                    ),
                );
            }
        }
    }
    add_projection(entity, &name, projection, errors);
    if failed {
        fail_index(entity, &name);
    }
}

pub(super) fn add_projection(
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
                "the index `{}` has two projections: give `keys_only` or `include` once, on any of its keys",
                name.value()
            ),
        );
    }
    index.projection = Some(projection);
}

/// The index with this name, which is added if there is none.
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

/// Records that a part of the index is invalid, so that nothing more is checked.
pub(super) fn fail_index(entity: &mut Entity<'_>, name: &LitStr) {
    if let Some(index) = index(entity, name) {
        index.failed = true;
    }
}

pub(super) fn add_index_key(
    entity: &mut Entity<'_>,
    name: &LitStr,
    source: Source,
    sort: bool,
    errors: &mut Errors,
) {
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
    let word = if sort { words::SORT } else { words::PARTITION };
    match slot.first() {
        Some(other) => errors.at(
            name,
            format_args!(
                "the index `{0}` has a {role} already, {1}: choose another name{remedy}; a key of several \
                fields is given on the struct, in order: `#[entity(index(\"{0}\", {word} = [a, b]))]`",
                name.value(),
                other.describe()
            ),
        ),
        None => slot.push(source),
    }
}

pub(super) fn add_local_index(
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
