//! The TTL setting of tables: the attribute that holds the expiry of items, which DynamoDB deletes after it.

use std::fmt;
use std::marker::PhantomData;

use aws_sdk_dynamodb::types::{TimeToLiveSpecification, TimeToLiveStatus};

use super::OperationFuture;
use crate::database::Database;
use crate::entity::{Entity, EntityInfo};
use crate::error::{Doing, Error, Report, Result, Subject};
use crate::transport::{Failure, FailureKind, in_runtime};

/// Enables TTL for a table. Created by [`Database::enable_ttl`], which describes the effect on the items of
/// the table.
///
/// If TTL is already enabled for the attribute of the entity, nothing happens. If it is enabled for another
/// attribute, the error is [`Error::TableMismatch`]: a table has only one such attribute, and DynamoDB takes
/// up to an hour to disable it.
///
/// The call does not wait until DynamoDB deletes items: it may start after an hour, and deletes items within
/// a few days of their expiry. Reads leave out expired items in any case.
#[must_use = "an operation does nothing until it is awaited"]
pub struct EnableTtl<E: Entity> {
    database: Database,
    of: PhantomData<fn() -> E>,
}

impl<E: Entity> EnableTtl<E> {
    pub(super) fn new(database: Database) -> Self {
        Self { database, of: PhantomData }
    }
}

impl<E: Entity> IntoFuture for EnableTtl<E> {
    type Output = Result<()>;
    type IntoFuture = OperationFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        OperationFuture::new(in_runtime(async move {
            enable(self.database.clone(), E::INFO).await?;
            match EntityInfo::claims_of(&[E::INFO]) {
                Some(claims) => enable(self.database, claims).await,
                None => Ok(()),
            }
        }))
    }
}

impl<E: Entity> fmt::Debug for EnableTtl<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnableTtl").field("entity", &E::INFO.name).finish_non_exhaustive()
    }
}

async fn enable(database: Database, info: &'static EntityInfo) -> Result<()> {
    let database = Database::of_operation(Some(database))?;
    let subject = Subject::of(info).in_table(database.table(info));
    let Some(ttl) = ttl_attribute_of(&[info])? else { return Ok(()) };
    let state = describe(&database, &subject).await?;
    match state.difference(&ttl) {
        None => Ok(()),
        Some(_) if state.attribute.is_none() => switch_on(&database, &ttl, &subject).await,
        Some(difference) => Err(Error::TableMismatch(Report::new(subject, difference, None))),
    }
}

/// The TTL attribute of a table, and the entity that declares it.
pub(super) struct TtlAttribute {
    info: &'static EntityInfo,
    attribute: &'static str,
}

/// Returns the TTL attribute on which all entities of a table agree; `None` if none of them expires.
pub(super) fn ttl_attribute_of(infos: &[&'static EntityInfo]) -> Result<Option<TtlAttribute>> {
    let mut attributes =
        infos.iter().filter_map(|info| Some(TtlAttribute { info, attribute: info.expiry_attribute()? }));
    let Some(first) = attributes.next() else { return Ok(None) };
    match attributes.find(|other| other.attribute != first.attribute) {
        None => Ok(Some(first)),
        Some(other) => Err(Error::configuration(
            format!(
                "`{}` expires by the attribute `{}` and `{}` by `{}`, and the table `{}` that they share has one TTL: store both under one name, by `#[entity(rename = \"{}\")]`",
                first.info.name,
                first.attribute,
                other.info.name,
                other.attribute,
                first.info.table,
                first.attribute
            ),
            None,
        )),
    }
}

/// The TTL setting of a table.
pub(super) struct State {
    /// The attribute for which TTL is enabled, or being enabled.
    attribute: Option<String>,
}

impl State {
    /// Returns how it differs from the entity, and what to do about it.
    pub(super) fn difference(&self, ttl: &TtlAttribute) -> Option<String> {
        let TtlAttribute { info, attribute } = ttl;
        match &self.attribute {
            Some(found) if found == attribute => None,
            Some(found) => Some(format!(
                "TTL is on by the attribute `{found}`, not by `{attribute}`: a table has one, so switch that off (`UpdateTimeToLive`; it takes up to an hour) and then call `db.enable_ttl::<{}>().await`, or store the field as `{found}`",
                info.name
            )),
            None => Some(format!(
                "TTL is off, not on by the attribute `{attribute}`: call `db.enable_ttl::<{}>().await`, and DynamoDB deletes what has expired",
                info.name
            )),
        }
    }
}

pub(super) async fn describe(database: &Database, subject: &Subject) -> Result<State> {
    let request = database.client().describe_time_to_live().table_name(&subject.table);
    let answer = request
        .send()
        .await
        .map_err(|error| Failure::new(error).into_error(subject.clone().during(Doing::LookingUpTtl)))?;
    let description = answer.time_to_live_description;
    let is_on = description
        .as_ref()
        .and_then(|description| description.time_to_live_status())
        .is_some_and(|status| matches!(status, TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling));
    let attribute = description.and_then(|description| description.attribute_name);
    Ok(State { attribute: attribute.filter(|_| is_on) })
}

pub(super) async fn switch_on(database: &Database, ttl: &TtlAttribute, subject: &Subject) -> Result<()> {
    let subject = subject.clone().during(Doing::SwitchingOnTtl);
    let specification = TimeToLiveSpecification::builder().enabled(true).attribute_name(ttl.attribute);
    let specification = specification.build().map_err(|error| {
        Error::configuration(
            format!("the TTL of the table `{}` cannot be described", subject.table),
            Some(error.into()),
        )
    })?;
    let request = database.client().update_time_to_live().table_name(&subject.table);
    let Err(error) = request.time_to_live_specification(specification).send().await else { return Ok(()) };
    let failure = Failure::new(error);
    // DynamoDB refuses to enable it twice: another client did it meanwhile, or an attempt whose answer was
    // lost.
    if failure.kind == FailureKind::Rejected
        && let Ok(state) = describe(database, &subject).await
        && state.difference(ttl).is_none()
    {
        return Ok(());
    }
    Err(failure.into_error(subject))
}
