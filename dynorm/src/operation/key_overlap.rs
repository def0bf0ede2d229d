//! Refuses entities that share a table and whose templates can produce the same key.

use crate::entity::EntityInfo;
use crate::error::{Error, Result};
use crate::key::{KeySource, Segment, shared_key};

/// Returns an error if two entities of a table can produce the same key.
pub(super) fn keep_apart(infos: &[&'static EntityInfo]) -> Result<()> {
    for (position, one) in infos.iter().enumerate() {
        for other in infos.iter().skip(position + 1) {
            if are_to_be_apart(one, other)
                && let Some(keys) = shared_keys(one, other)
            {
                return Err(Error::configuration(
                    format!(
                        "`{}` and `{}` share the table `{}` and can make one key, such as {}, so that an item of one would \
                         replace that of the other: {} beside {}; begin their templates with different texts, such as \
                         \"{}#…\" and \"{}#…\"",
                        one.name,
                        other.name,
                        one.table,
                        keys.join(" and "),
                        described(one),
                        described(other),
                        one.type_name().to_uppercase(),
                        other.type_name().to_uppercase(),
                    ),
                    None,
                ));
            }
        }
    }
    Ok(())
}

/// False for entities of the same type, which read each other's items, for two whose items store no type and
/// cannot be told apart anyway, and for keys with `escape = "none"`.
fn are_to_be_apart(one: &'static EntityInfo, other: &'static EntityInfo) -> bool {
    let types = |info: &EntityInfo| info.type_names.iter().copied().chain([info.type_name()]);
    let is_one_type = one.type_attribute.is_some()
        && other.type_attribute.is_some()
        && types(one).any(|name| types(other).any(|also| name == also));
    let has_types = one.type_attribute.is_some() || other.type_attribute.is_some();
    let is_escaped = |info: &'static EntityInfo| info.keys().all(|(_, source)| source.is_escaped());
    has_types && !is_one_type && is_escaped(one) && is_escaped(other)
}

/// Returns an example for each attribute of the key, if the whole keys can be equal.
fn shared_keys(one: &'static EntityInfo, other: &'static EntityInfo) -> Option<Vec<String>> {
    // Different key attributes are reported when the table is compared.
    let names = |info: &'static EntityInfo| info.keys().map(|(_, source)| info.attribute(source));
    if !names(one).eq(names(other)) {
        return None;
    }
    let pairs = one.keys().zip(other.keys());
    pairs
        .map(|((_, source), (_, also))| {
            let key = shared_key((source, one.fields), (also, other.fields))?;
            Some(format!("{} = {key:?}", one.attribute(source)))
        })
        .collect()
}

/// Returns the key as it is declared.
fn described(info: &'static EntityInfo) -> String {
    let name = |field: usize| info.fields.get(field).map_or("", |field| field.name);
    let keys = info.keys().map(|(_, source)| match source {
        KeySource::Field(field) => format!("the field `{}`", name(*field)),
        KeySource::Template(template) => {
            let segments = template.segments.iter().map(|segment| match segment {
                Segment::Text(text) => text.replace('{', "{{").replace('}', "}}"),
                Segment::Field(field, 0) => format!("{{{}}}", name(*field)),
                Segment::Field(field, width) => format!("{{{}:0{width}}}", name(*field)),
            });
            format!("\"{}\"", segments.collect::<String>())
        }
    });
    let keys: Vec<String> = keys.collect();
    format!("`{}` with {}", info.name, keys.join(" and "))
}
