//! Completes the changes of an update: sets `updated_at`, raises the version, and sets the keys that
//! templates make. Refuses changes that DynamoDB would refuse, and changes that would leave an index key
//! inconsistent.

use crate::codec::{Encoder, ValueError};
use crate::entity::{EntityInfo, IndexInfo, Stamp};
use crate::expression::{Action, Change, Json, Number, Source, check_overlaps};
use crate::key::{EncodedPart, KeySource, Part, Template, check_key};

/// Returns the value of a field, by its position in the table of fields, if the key is made of it.
pub(super) type KeyParts<'p> = dyn Fn(usize) -> Option<&'p dyn Part> + 'p;

/// Returns the changes to send.
pub(super) fn complete<'p>(
    info: &'static EntityInfo,
    mut changes: Vec<Change>,
    key: &KeyParts<'p>,
    stamp: &Stamp,
) -> Result<Vec<Change>, ValueError> {
    for change in &mut changes {
        settle(info, change)?;
    }
    check_overlaps(&changes)?;
    touch(info, &mut changes, stamp)?;
    raise(info, &mut changes);
    for template in templates(info) {
        if let Some(change) = derive(info, &template, &changes, key)? {
            changes.push(change);
        }
    }
    check_index_keys(info, &changes)?;
    Ok(changes)
}

/// Checks and completes what depends on more than the type of the field.
fn settle(info: &'static EntityInfo, change: &mut Change) -> Result<(), ValueError> {
    let field = |name: &str| info.fields.iter().find(|field| field.name == name);
    let top = (change.path.depth() == 0).then(|| field(&change.path.attribute)).flatten();
    if let Action::Refused(error) = &change.action {
        let error = error.clone();
        return Err(match (top, field(&change.path.attribute)) {
            (Some(field), _) => field.locate(error),
            (None, Some(field)) if field.sensitive => field.locate(error),
            _ => error.in_field(format!("{:?}", change.path)),
        });
    }
    let refused =
        |problem: &'static str| Err(ValueError::new(problem).in_field(format!("{:?}", change.path)));
    match &mut change.action {
        // A removed attribute would be read as the default.
        Action::Set(source @ Source::Absent) if top.is_some_and(|field| field.defaulted && !field.key) => {
            *source = Source::Value(Json::null());
        }
        Action::SetIfAbsent(Source::Absent) => {
            return refused("`set_if_absent` was given a value that is stored by leaving the attribute out");
        }
        Action::SetIfAbsent(Source::Sum { .. }) => {
            return refused("`set_if_absent` was given a sum, and DynamoDB takes a value or a field there");
        }
        Action::Add { starts, .. } | Action::Extend { starts, .. } => {
            *starts = starts_empty(*starts, top.copied().as_ref());
        }
        _ => {}
    }
    change.each_operand(&mut |path, starts| {
        let top = (path.depth() == 0).then(|| field(&path.attribute)).flatten();
        *starts = starts_empty(*starts, top);
    });
    Ok(())
}

/// True if a field counts as 0 or as an empty list while it is absent: it is optional, and has no other
/// default.
fn starts_empty(optional: bool, field: Option<&crate::codec::FieldInfo>) -> bool {
    match field {
        Some(field) => (optional || field.defaulted) && !field.preset,
        None => optional,
    }
}

/// Sets `updated_at`, unless the caller does.
fn touch(info: &'static EntityInfo, changes: &mut Vec<Change>, stamp: &Stamp) -> Result<(), ValueError> {
    let Some(updated_at) = info.updated_at else { return Ok(()) };
    let Some(field) = info.fields.get(updated_at.field) else { return Ok(()) };
    let is_changed = changes.iter().any(|change| change.path.attribute == field.name);
    if is_changed || info.key_fields.contains(&updated_at.field) {
        return Ok(());
    }
    let mut encoder = Encoder::default();
    (updated_at.encode)(stamp, &mut encoder).map_err(|error| error.in_field(field.name))?;
    changes.push(Change::set(field.name, Source::Value(Json(encoder.into_bytes()))));
    Ok(())
}

/// Raises the version, unless the caller changes it.
fn raise(info: &'static EntityInfo, changes: &mut Vec<Change>) {
    let Some(name) = info.version_attribute() else { return };
    if changes.iter().any(|change| change.path.attribute == name) {
        return;
    }
    let operand = Number::Value(Json(br#"{"N":"1"}"#.to_vec()));
    let action = Action::Add { operand, minus: false, starts: true };
    changes.push(Change { action, ..Change::remove(name) });
}

/// Returns the templates of the indexes, each once. The table's own key never changes.
pub(super) fn templates(info: &'static EntityInfo) -> Vec<Template> {
    let own: Vec<&str> = info.keys().map(|(_, source)| info.attribute(source)).collect();
    let mut templates: Vec<Template> = Vec::new();
    for (_, source) in info.indexes.iter().flat_map(IndexInfo::keys) {
        if let KeySource::Template(template) = source
            && !own.contains(&template.attribute)
            && templates.iter().all(|known| known.attribute != template.attribute)
        {
            templates.push(*template);
        }
    }
    templates
}

/// What an update knows about a part of a template.
enum Known {
    OfKey,
    Value(EncodedPart),
    Absent,
    /// Changed by this method, to a value that only the server knows.
    Computed(&'static str),
    Unchanged,
}

/// Returns the change of the attribute that a template makes, if one of its fields changes.
fn derive<'p>(
    info: &'static EntityInfo,
    template: &Template,
    changes: &[Change],
    key: &KeyParts<'p>,
) -> Result<Option<Change>, ValueError> {
    let name = |field: usize| info.fields.get(field).map_or("", |field| field.name);
    let changes_of = |field: usize| changes.iter().find(|change| change.path.is_attribute(name(field)));
    let Some(cause) = template.fields().find(|field| changes_of(*field).is_some()) else {
        return Ok(None);
    };
    let parts: Vec<(usize, Known)> = template
        .fields()
        .map(|field| {
            let known = match changes_of(field).map(|change| &change.action) {
                Some(Action::Set(Source::Value(json))) if json.0 != Json::NULL => {
                    Known::Value(EncodedPart(json.0.clone()))
                }
                Some(Action::Set(Source::Absent | Source::Value(_)) | Action::Remove) => Known::Absent,
                Some(action) => Known::Computed(action.name()),
                None if key(field).is_some() => Known::OfKey,
                None => Known::Unchanged,
            };
            (field, known)
        })
        .collect();
    // If a part is absent, there is no key, whatever the other parts are.
    if parts.iter().any(|(_, known)| matches!(known, Known::Absent)) {
        return Ok(Some(Change::remove(template.attribute)));
    }
    let mut missing = Vec::new();
    for (field, known) in &parts {
        match known {
            Known::Computed(method) => {
                missing.push(format!("`{}` (to a value, where it is changed by `{method}`)", name(*field)));
            }
            Known::Unchanged => missing.push(format!("`{}`", name(*field))),
            _ => {}
        }
    }
    if !missing.is_empty() {
        return Err(ValueError::new(format!(
            "a change of `{}` changes the index key `{}`, which is made of {}, and not all of them are known here: set {} in the same update, or read the item and save it",
            name(cause),
            template.attribute,
            template.fields().map(|field| format!("`{}`", name(field))).collect::<Vec<_>>().join(", "),
            missing.join(" and ")
        )));
    }
    let field = |field: usize| -> Option<&dyn Part> {
        match parts.iter().find(|(part, _)| *part == field) {
            Some((_, Known::Value(part))) => Some(part),
            _ => key(field).map(|part| part as &dyn Part),
        }
    };
    let text = template.render(&field).map_err(|error| error.in_field(template.attribute))?;
    Ok(Some(match text {
        Some(text) => {
            let mut encoder = Encoder::default();
            encoder.string(&text)?;
            Change::set(template.attribute, Source::Value(Json(encoder.into_bytes())))
        }
        None => Change::remove(template.attribute),
    }))
}

/// Checks that index keys are not empty and not too long.
pub(super) fn check_index_keys(info: &'static EntityInfo, changes: &[Change]) -> Result<(), ValueError> {
    for index in info.indexes {
        for (role, source) in index.keys() {
            let attribute = info.attribute(source);
            for change in changes.iter().filter(|change| change.path.is_attribute(attribute)) {
                if let Action::Set(Source::Value(json)) | Action::SetIfAbsent(Source::Value(json)) =
                    &change.action
                    && json.0 != Json::NULL
                {
                    check_key(&json.0, role, &format_args!("the index `{}`", index.name))
                        .map_err(|error| error.in_field(attribute))?;
                }
            }
        }
    }
    Ok(())
}
