//! Updates that create a missing item in the same request.

use std::collections::HashMap;
use std::fmt;

use super::OperationFuture;
use super::changes::{complete, templates};
use super::claiming::{Sending, claiming};
use super::held::{check_version_of, stamp_entity};
use super::returning::attributes;
use super::update::Update;
use crate::codec::{Item, Scanner, ValueError};
use crate::database::Database;
use crate::entity::{EncodedItem, EncodedKey, Entity, EntityInfo, Stamp, encode_entity, part_of_key};
use crate::error::{Doing, Error, OperationKind, Result, Subject};
use crate::expression::{self, Change, DocumentPath, Json, Source};
use crate::key::Part;
use crate::rules::Existence;
use crate::transport::{Answer, Repeat};
use crate::write::{Action, Intent, Known, ReturnValues, Write};

/// The subject of an update of the stored item, or of this entity if there is none.
pub struct OrInsert<E>(E);

impl<E: Entity> Update<E, OrInsert<E>> {
    pub(crate) fn or_insert(entity: E) -> Self {
        Self::of(OrInsert(entity))
    }
}

impl<E: Entity> IntoFuture for Update<E, OrInsert<E>> {
    type Output = Result<E>;
    type IntoFuture = OperationFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { subject: OrInsert(entity), changes, database, .. } = self;
        OperationFuture::new(async move {
            let database = Database::of_operation(database)?;
            upsert(&database, entity, changes).await
        })
    }
}

impl<E: Entity> fmt::Debug for OrInsert<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OrInsert")
    }
}

async fn upsert<E: Entity>(database: &Database, mut entity: E, changes: Vec<Change>) -> Result<E> {
    let table = database.table(E::INFO);
    // The update itself raises the version, from that of the item or else that of the entity.
    let stamp = Stamp::of_id();
    check_version_of(&entity, true)
        .and_then(|()| stamp_entity(&mut entity, &stamp))
        .map_err(|error| error.in_table(&table))?;
    let item = encode_entity(&entity).map_err(|error| error.in_table(&table))?;
    let encoded = item.key(E::INFO);
    let subject = Subject::of(E::INFO).in_table(table).with_key(&encoded).during(Doing::Upserting);
    if E::INFO.unique.is_some() {
        let why = "an upsert cannot say which values it takes before it is made, and its unique fields are claimed with it: use `update_or_create`";
        return Err(Error::invalid(subject, &ValueError::new(why)));
    }
    let key = entity.entity_key();
    let part = |field: usize| part_of_key::<E>(&key, field);
    let changes = complete(E::INFO, changes, &part, &stamp)
        .and_then(|changes| fill_in(E::INFO, changes, &item, &|field| entity.key_part(field)))
        .map_err(|error| Error::invalid(subject.clone(), &error))?;
    let write = |known: &Known| upsert_request(E::INFO, &changes, known, encoded.clone(), subject.clone());
    let answer = claiming(database, Known::nothing(), Sending::Alone(Repeat::Any), write).await?;
    // Without claims it is not a transaction.
    let answer = answer.unwrap_or_else(Answer::empty);
    attributes(&answer).map_err(|error| Error::undecodable(subject, &error))
}

fn upsert_request(
    info: &'static EntityInfo,
    (changes, start): &(Vec<Change>, Starts),
    known: &Known,
    key: EncodedKey,
    subject: Subject,
) -> Result<Write> {
    let start = |name: &str| start.get(name).map(|json| json.0.clone());
    let intent = Intent::new(info, Action::Change { changes, start: &start });
    let (existence, returning) = (Existence::PresentOrAbsent, Some(ReturnValues::New));
    Intent { existence, nulls: known.nulls, returning, ..intent }.write(OperationKind::Updating, key, subject)
}

/// The initial value of each attribute, by its name.
type Starts = HashMap<String, Json>;

/// Adds the attributes that are not changed: the item keeps its value, or else gets that of the entity.
fn fill_in<'p>(
    info: &'static EntityInfo,
    mut changes: Vec<Change>,
    item: &EncodedItem,
    field: &dyn Fn(usize) -> Option<&'p dyn Part>,
) -> std::result::Result<(Vec<Change>, Starts), ValueError> {
    let text = std::str::from_utf8(&item.json).map_err(|_| ValueError::new("not UTF-8"))?;
    let keys: Vec<&str> = info.keys().map(|(_, source)| info.attribute(source)).collect();
    let mut start = Starts::new();
    let mut filled = Vec::new();
    for (name, value) in Item::next(&mut Scanner::new(text))?.iter() {
        let name = name.unescape()?.into_owned();
        if keys.contains(&name.as_str()) {
            continue;
        }
        let json = Json::of(value);
        if changes.iter().all(|change| change.path.attribute != name) {
            filled.push(Change {
                path: DocumentPath::of(name.clone()),
                is_entry: false,
                action: expression::Action::SetIfAbsent(Source::Value(json.clone())),
            });
        }
        start.insert(name, json);
    }
    for change in &mut changes {
        check_change(change, &start)?;
    }
    check_templates(info, &changes, field)?;
    changes.append(&mut filled);
    Ok((changes, start))
}

/// Refuses changes that one request cannot express both for an existing item and for a new one.
fn check_change(change: &mut Change, start: &Starts) -> std::result::Result<(), ValueError> {
    let inside = |path: &DocumentPath| {
        ValueError::new(format!(
            "`{path:?}` lies inside a field, which is not there yet if the item is not: an upsert changes whole fields, so set the whole, or use `update_or_create`"
        ))
    };
    if change.path.depth() > 0 {
        return Err(inside(&change.path));
    }
    let is_empty = !start.contains_key(&*change.path.attribute);
    if matches!(change.action, expression::Action::Insert(_) | expression::Action::Discard(_)) && !is_empty {
        return Err(ValueError::new(format!(
            "`{:?}` is not empty in the entity, and `{}` changes it: DynamoDB cannot start from one set and add to it in one request, so leave it empty in the entity, or use `update_or_create`",
            change.path,
            change.action.name()
        )));
    }
    let mut refused = None;
    change.each_operand(&mut |path, _| {
        if path.depth() > 0 {
            refused.get_or_insert_with(|| inside(path));
        }
    });
    refused.map_or(Ok(()), Err)
}

/// Refuses templates of which some parts may be absent: a missing part would be filled in from the entity
/// while the item keeps the others, and the key would match neither.
fn check_templates<'p>(
    info: &'static EntityInfo,
    changes: &[Change],
    field: &dyn Fn(usize) -> Option<&'p dyn Part>,
) -> std::result::Result<(), ValueError> {
    for template in templates(info) {
        if changes.iter().any(|change| change.path.is_attribute(template.attribute)) {
            continue;
        }
        let parts: Vec<usize> = template.fields().filter(|part| !info.key_fields.contains(part)).collect();
        let may_be_absent = |part: &usize| {
            let defaulted = info.fields.get(*part).is_some_and(|field| field.defaulted);
            defaulted || field(*part).is_none_or(Part::may_be_absent_part)
        };
        if parts.len() < 2 || !parts.iter().any(may_be_absent) {
            continue;
        }
        let names = parts.iter().map(|part| {
            let name = info.fields.get(*part).map_or("", |field| field.name);
            format!("`{name}`")
        });
        return Err(ValueError::new(format!(
            "the index key `{}` is made of {}, of which an item may have some and lack others, so that the key would be a mixture: set all of them in the upsert, or use `update_or_create`",
            template.attribute,
            names.collect::<Vec<_>>().join(", ")
        )));
    }
    Ok(())
}
