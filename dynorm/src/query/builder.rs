//! The query builder.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use super::explain::Explanation;
use super::order::IntoOrder;
use super::plan::Plan;
use super::position::Next;
use super::reader::Reader;
use super::run::{Run, is_merged};
use super::select::{Projected, Projection, Selection, Whole};
use super::spec::{Source, Spec};
use crate::codec::{Encoder, ValueError};
use crate::database::Database;
use crate::entity::Entity;
use crate::error::{Doing, Error, Result, Subject};
use crate::expression::Condition;
use crate::key::Part;
use crate::rules::{Expires, SoftDelete, Trashed};

#[doc = include_str!("../../docs/query.md")]
#[must_use = "a query does nothing by itself: await `.get_all()`, `.first()`, `.count()` or the like"]
pub struct Query<E: Entity, S: Selection<E> = Whole<E>> {
    spec: Spec,
    pub(super) limit: Option<u64>,
    pub(super) max_evaluated: Option<u64>,
    segments: Option<u32>,
    selection: S,
    database: Option<Database>,
    of: PhantomData<fn() -> E>,
}

impl<E: Entity> Query<E> {
    fn new(source: Source) -> Self {
        Self {
            spec: Spec::new(E::INFO, source),
            limit: None,
            max_evaluated: None,
            segments: None,
            selection: Whole::new(),
            database: None,
            of: PhantomData,
        }
    }

    pub(crate) fn by_conditions() -> Self {
        Self::new(Source::Filter)
    }

    pub(crate) fn scan() -> Self {
        Self::new(Source::Scan)
    }

    /// A query of the index at this position in the table of indexes, for one value of its partition key.
    #[doc(hidden)]
    pub fn by_index(index: usize, parts: &[(usize, &dyn Part)]) -> Self {
        let encode = |(field, part): &(usize, &dyn Part)| {
            let mut encoder = Encoder::default();
            let encoded = if part.is_absent_part() {
                Err(ValueError::new("a part of the key is absent"))
            } else {
                part.encode_part(&mut encoder).map(|()| encoder.into_bytes())
            };
            (*field, encoded)
        };
        Self::new(Source::Index(index, parts.iter().map(encode).collect()))
    }

    /// Reads only these fields, and gives them instead of the entity: one field, or a tuple of up to eight. A
    /// path inside a field, such as `User::ADDRESS.field(Address::CITY)`, gives an `Option`, which is `None`
    /// if it is absent.
    ///
    /// DynamoDB charges for whole items all the same; only the transfer is smaller.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug, Default)]
    /// # struct User { #[entity(id)] id: Id<User>, #[entity(index = "by_city")] city: String, email: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<User>().await?;
    /// # db.install();
    /// # UserRepo::save(User { city: "Paris".into(), ..Default::default() }).await?;
    /// let emails: Vec<String> = UserRepo::by_city("Paris").select(User::EMAIL).get_all().await?;
    /// let pairs: Vec<(Id<User>, String)> =
    ///     UserRepo::by_city("Paris").select((User::ID, User::EMAIL)).get_all().await?;
    /// # assert_eq!((pairs.len(), emails.len()), (1, 1));
    /// # Ok(())
    /// # }
    /// ```
    pub fn select<S: Selection<E>>(self, selection: S) -> Query<E, S> {
        self.giving(selection)
    }

    /// Reads only the fields of a struct with `#[derive(Projection)]`, and gives that struct instead of the
    /// entity; see [`Projection`].
    pub fn select_as<P: Projection<Entity = E>>(self) -> Query<E, Projected<P>> {
        self.giving(Projected::new())
    }

    /// Allows an index that does not hold the whole item. The found items are completed by batch gets, 400 at
    /// a time, and checked against the conditions again, since the index may lag behind the table.
    ///
    /// Without this, a projected index is used only if it holds all fields that are [selected](Self::select)
    /// and all that the conditions name.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// #[derive(Entity, Clone, Debug, Default)]
    /// struct User {
    ///     #[entity(id)]
    ///     id: Id<User>,
    ///     #[entity(index("by_city", include = [name]))]
    ///     city: String,
    ///     name: String,
    ///     biography: String,
    /// }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dynorm::Result<()> {
    /// # let db = Database::memory()?;
    /// # db.create_table::<User>().await?;
    /// # db.install();
    /// # UserRepo::save(User { city: "Paris".into(), name: "Ada".into(), ..Default::default() }).await?;
    ///
    /// // The items of the index have a type of their own, with `id`, `city` and `name`.
    /// let short: Collection<UserByCity> = UserRepo::by_city("Paris").get_all().await?;
    /// let whole: Collection<User> = UserRepo::by_city("Paris").hydrate().get_all().await?;
    /// assert_eq!((&short[0].name, &whole[0].name), (&"Ada".to_owned(), &"Ada".to_owned()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn hydrate(mut self) -> Self {
        self.spec.hydrate = true;
        self
    }
}

impl<E: Entity, P: Projection<Entity = E>> Query<E, Projected<P>> {
    /// Gives whole entities: the found items are completed by batch gets; see [`hydrate`](Query::hydrate).
    pub fn hydrate(self) -> Query<E> {
        self.giving(Whole::new()).hydrate()
    }
}

impl<E: Entity, S: Selection<E>> Query<E, S> {
    fn giving<T: Selection<E>>(self, selection: T) -> Query<E, T> {
        let Self { spec, limit, max_evaluated, segments, database, .. } = self;
        Query { spec, limit, max_evaluated, segments, selection, database, of: PhantomData }
    }

    /// Keeps the items that meet the condition. With several filters, all must hold.
    pub fn filter(mut self, condition: Condition<E>) -> Self {
        self.spec.conditions.push(condition.node);
        self
    }

    /// Sorts by a field, which must be the sort key of the table or of the index that is queried: DynamoDB
    /// has no other order.
    pub fn order_by(mut self, order: impl IntoOrder<Entity = E>) -> Self {
        self.spec.order = Some(order.into_order().order);
        self
    }

    /// Gives at most this many matches. With a filter, more items may be evaluated.
    pub fn limit(mut self, matches: u64) -> Self {
        self.limit = Some(matches);
        self
    }

    /// Evaluates at most this many items, including those that a filter leaves out. Continue from
    /// [`Collection::next`](crate::Collection::next) or [`Page::next`](crate::Page::next). If several
    /// partitions are merged by a sort key, at least one item of each must be allowed.
    pub fn max_evaluated(mut self, items: u64) -> Self {
        self.max_evaluated = Some(items);
        self
    }

    /// Queries this index, even if another key would serve better. Items without one of the index's keys are
    /// not found.
    pub fn using(mut self, index: impl Into<Cow<'static, str>>) -> Self {
        self.spec.using = Some(index.into());
        self
    }

    /// Allows a scan of the whole table if no key serves the conditions.
    pub fn allow_scan(mut self) -> Self {
        self.spec.allow_scan = true;
        self
    }

    /// Reads consistently: sees all writes that succeeded before, at twice the read capacity. Not possible on
    /// global indexes.
    pub fn consistent(mut self) -> Self {
        self.spec.consistent = true;
        self
    }

    /// Splits a scan into this many segments, read in parallel, eight at a time. The capacity is the same.
    /// The items come in no particular order.
    pub fn segments(mut self, segments: u32) -> Self {
        self.segments = Some(segments);
        self
    }

    /// Uses this database instead of the installed one.
    pub fn on(mut self, database: &Database) -> Self {
        self.database = Some(database.clone());
        self
    }

    /// Returns the plan of the query. Sends nothing.
    pub fn explain(&self) -> Explanation {
        Explanation::new(self.plan(), self.limit, self.max_evaluated)
    }

    fn plan(&self) -> std::result::Result<Plan, ValueError> {
        if self.limit == Some(0) {
            return Err(ValueError::new("`limit(0)` gives no matches: use at least 1"));
        }
        if self.max_evaluated == Some(0) {
            return Err(ValueError::new("`max_evaluated(0)` allows no items to be read: use at least 1"));
        }
        let plan = Plan::new(&self.spec, self.selection.paths().as_deref())?;
        let partitions = plan.partitions.len();
        if let Some(most) = self.max_evaluated
            && most < partitions as u64
            && is_merged(&plan)
        {
            // Every page would be empty, and its cursor would never advance.
            return Err(ValueError::new(format!(
                "`max_evaluated({most})` is less than the {partitions} partitions that are merged, each of \
                which needs at least one item: use at least {partitions}"
            )));
        }
        match self.segments {
            Some(segments) if !(1..=1_000_000).contains(&segments) => {
                Err(ValueError::new(format!("a scan has 1 to 1,000,000 segments, and not {segments}")))
            }
            Some(_) if plan.operation != crate::transport::Operation::SCAN => {
                Err(ValueError::new("a query has no segments, only a scan has: remove `segments`"))
            }
            _ => Ok(plan),
        }
    }

    /// Starts the query, from `start` if it is given.
    pub(super) fn run(
        self,
        wanted: Option<u64>,
        doing: Doing,
        start: impl FnOnce(&mut Reader) -> Result<Option<Vec<Next>>>,
    ) -> Result<Run<E, S>> {
        let database = Database::of_operation(self.database.clone())?;
        let plan = self.plan().map_err(|error| {
            let subject = Subject::of(E::INFO).in_table(database.table(E::INFO)).during(doing);
            Error::invalid(subject, &error)
        })?;
        let Self { segments, selection, max_evaluated, .. } = self;
        let select = selection.paths();
        let mut reader = Reader::new(database, plan, select, segments.unwrap_or(1), doing)?;
        let starts = start(&mut reader)?;
        Ok(Run::new(reader, selection, wanted, max_evaluated, starts))
    }

    pub(super) fn doing(&self) -> Doing {
        if matches!(self.spec.source, Source::Scan) { Doing::Scanning } else { Doing::Querying }
    }
}

impl<E: Entity, S: Selection<E>> Query<E, S> {
    /// Includes soft-deleted items.
    pub fn with_trashed(mut self) -> Self
    where
        E: SoftDelete,
    {
        self.spec.visible.trashed = Trashed::With;
        self
    }

    /// Gives only soft-deleted items.
    pub fn only_trashed(mut self) -> Self
    where
        E: SoftDelete,
    {
        self.spec.visible.trashed = Trashed::Only;
        self
    }
}

impl<E: Entity, S: Selection<E>> Query<E, S> {
    /// Includes expired items that DynamoDB has not deleted yet.
    pub fn with_expired(mut self) -> Self
    where
        E: Expires,
    {
        self.spec.visible.expired = true;
        self
    }
}

impl<E: Entity, S: Selection<E>> fmt::Debug for Query<E, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Query")
            .field("entity", &E::INFO.name)
            .field("conditions", &self.spec.conditions)
            .field("order", &self.spec.order)
            .finish_non_exhaustive()
    }
}
