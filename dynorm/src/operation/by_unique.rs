//! Finds an item by the unique values of an entity.

use super::find::{found, get_item, item};
use crate::codec::{Item, Scanner};
use crate::database::Database;
use crate::encoded::EncodedKey;
use crate::entity::Entity;
use crate::error::{Doing, Error, Result, Subject};
use crate::hooks;
use crate::rules::Visibility;
use crate::snapshot::Snapshot;
use crate::unique;
use crate::write::{claim_keys, owner_of};

/// Finds the first item that has one of the unique values of the entity, in the order of its fields.
pub(super) async fn find_by_unique<E: Entity>(database: &Database, entity: &E) -> Result<Option<E>> {
    let Some(uniques) = E::INFO.unique else { return Ok(None) };
    let table = database.table(E::INFO);
    let invalid =
        |error| Error::invalid(Subject::of(E::INFO).in_table(&table).during(Doing::Finding), &error);
    for claim in claim_keys(E::INFO, &Snapshot::of(entity)).map_err(invalid)? {
        let subject = Subject::of(E::INFO).in_table(unique::claims_table(&table)).during(Doing::FindingOwner);
        let answer = get_item(database, uniques.claims, &claim, true, &subject).await?;
        let undecodable = |error| Error::undecodable(subject.clone(), &error);
        let Some(claimed) = item(&answer).map_err(undecodable)? else { continue };
        let Some(owner) = owner_of(&claimed, uniques) else { continue };
        let key = Item::next(&mut Scanner::new(&owner)).and_then(|item| EncodedKey::of_item(E::INFO, &item));
        let key = key.map_err(undecodable)?;
        let subject = Subject::of(E::INFO).in_table(&table).with_key(&key).during(Doing::Reading);
        let answer = get_item(database, E::INFO, &key, true, &subject).await?;
        let entity: Option<E> = found(&answer, Visibility::default())
            .map_err(|error| Error::undecodable(subject.clone(), &error))?;
        if let Some(mut entity) = entity {
            hooks::retrieved(database, &mut entity).await;
            return Ok(Some(entity));
        }
    }
    Ok(None)
}
