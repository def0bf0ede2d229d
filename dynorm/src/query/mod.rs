//! Reading many items: queries by an index, and the pages that queries and scans come in.

pub(crate) mod pages;

use std::fmt;
use std::marker::PhantomData;

use crate::codec::Encoder;
use crate::codec::ValueError;
use crate::collection::Collection;
use crate::database::Database;
use crate::entity::{Entity, encode_key_value};
use crate::error::{Error, Result, Subject};
use crate::expression::{Condition, Node};
use crate::key::{Part, check_key};
use crate::operation::OperationFuture;
use crate::transport::Operation;
use pages::{PagedRequest, Pages};

/// A query by an index, begun by the function that the derive macro puts on the repository for it, such as
/// `UserRepo::by_status(Status::Active)`.
///
/// ```
/// # use dynorm::prelude::*;
/// # #[derive(Entity, Clone, Debug, Default)]
/// # struct User { #[entity(id)] id: Id<User>, #[entity(index = "by_city")] city: String, age: u32 }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> dynorm::Result<()> {
/// # let db = Database::memory()?;
/// # db.create_table::<User>().await?;
/// # db.install();
/// UserRepo::save(User { city: "Paris".into(), age: 36, ..Default::default() }).await?;
/// let parisians = UserRepo::by_city("Paris").filter(User::AGE.ge(18)).get_all().await?;
/// assert_eq!(parisians.len(), 1);
/// # Ok(())
/// # }
/// ```
#[must_use = "a query does nothing until it is awaited"]
pub struct Query<E: Entity> {
    request: std::result::Result<PagedRequest, ValueError>,
    filter: Option<Node>,
    database: Option<Database>,
    of: PhantomData<fn() -> E>,
}

impl<E: Entity> Query<E> {
    /// A query by the index at a position of the table of indexes, for one value of its partition key.
    #[doc(hidden)]
    pub fn by_index(index: usize, parts: &[(usize, &dyn Part)]) -> Self {
        Self { request: by_index(E::INFO, index, parts), filter: None, database: None, of: PhantomData }
    }

    /// Keeps the entities for which the condition holds. Several filters must all hold. A condition on the sort key of the
    /// index bounds what is read. DynamoDB applies the others after it has read the items, so what is left out is paid for;
    /// it takes no others on the keys of the index.
    pub fn filter(mut self, condition: Condition<E>) -> Self {
        self.filter = Some(match self.filter.take() {
            Some(filter) => filter.and(condition.node),
            None => condition.node,
        });
        self
    }

    /// Uses this database.
    pub fn on(mut self, database: &Database) -> Self {
        self.database = Some(database.clone());
        self
    }

    /// Every match, in the order of the index's sort key.
    pub fn get_all(self) -> GetAll<E> {
        GetAll(self)
    }
}

fn by_index(
    info: &'static crate::entity::EntityInfo,
    index: usize,
    parts: &[(usize, &dyn Part)],
) -> std::result::Result<PagedRequest, ValueError> {
    let index = info.indexes.get(index).ok_or_else(|| ValueError::new("the entity has no such index"))?;
    let mut request = PagedRequest::new(Operation::Query, info).index(index);
    let part = |field: usize| parts.iter().find(|(known, _)| *known == field).map(|(_, part)| *part);
    let name = info.attribute(&index.partition);
    let mut encoder = Encoder::default();
    encode_key_value(&index.partition, &part, &mut encoder).map_err(|error| error.in_field(name))?;
    let json = encoder.into_bytes();
    check_key(&json, crate::key::KeyRole::Partition, &format_args!("the index `{}`", index.name))
        .map_err(|error| error.in_field(name))?;
    request.expression.add_key_condition(name, json);
    Ok(request)
}

impl<E: Entity> fmt::Debug for Query<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Query")
            .field("entity", &E::INFO.name)
            .field("filter", &self.filter)
            .finish_non_exhaustive()
    }
}

/// Every match of a query. Made by [`Query::get_all`].
#[must_use = "a query does nothing until it is awaited"]
pub struct GetAll<E: Entity>(Query<E>);

impl<E: Entity> GetAll<E> {
    /// Uses this database.
    pub fn on(self, database: &Database) -> Self {
        Self(self.0.on(database))
    }
}

impl<E: Entity> IntoFuture for GetAll<E> {
    type Output = Result<Collection<E>>;
    type IntoFuture = OperationFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Query { request, filter, database, .. } = self.0;
        OperationFuture::new(async move {
            let database = Database::of_operation(database)?;
            let request = request.and_then(|mut request| {
                filter.as_ref().map_or(Ok(()), |filter| request.filter(filter))?;
                Ok(request)
            });
            let subject = || Subject::of(E::INFO).in_table(database.table(E::INFO)).during("querying");
            let request = request.map_err(|error| Error::invalid(subject(), &error))?;
            Pages::new(database, request, "querying").collect().await
        })
    }
}

impl<E: Entity> fmt::Debug for GetAll<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GetAll").field(&self.0).finish()
    }
}
