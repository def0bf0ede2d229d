//! A query, as it is being put together.

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
#[must_use = "a query does nothing by itself: await `.get_all()`, `.first()`, `.count()` or another that it ends in"]
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

    /// A query by the index at a position of the table of indexes, for one value of its partition key.
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
    /// place inside a field, such as `User::ADDRESS.field(Address::CITY)`, gives `None` where it is not
    /// there.
    ///
    /// DynamoDB bills a query for whole items all the same; what is spared is the way.
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
    /// let pairs: Vec<(Id<User>, String)> = UserRepo::by_city("Paris").select((User::ID, User::EMAIL)).get_all().await?;
    /// let emails: Vec<String> = UserRepo::by_city("Paris").select(User::EMAIL).get_all().await?;
    /// # assert_eq!((pairs.len(), emails.len()), (1, 1));
    /// # Ok(())
    /// # }
    /// ```
    pub fn select<S: Selection<E>>(self, selection: S) -> Query<E, S> {
        self.giving(selection)
    }

    /// Reads only the fields of a struct with `#[derive(Projection)]`, and gives that instead of the entity;
    /// see [`Projection`].
    pub fn select_as<P: Projection<Entity = E>>(self) -> Query<E, Projected<P>> {
        self.giving(Projected::new())
    }

    /// Permits to use an index that does not hold the whole item: what it finds is completed by a batch get,
    /// in steps of 400 items, and checked against the conditions again, since an index may tell of what has
    /// changed since.
    ///
    /// Without it a projected index is used only where it holds what is [selected](Self::select) and asked
    /// for.
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
    /// // What the index holds has a type of its own, with `id`, `city` and `name`.
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
    /// Gives whole entities: what the index finds is completed by a batch get; see
    /// [`hydrate`](Query::hydrate).
    pub fn hydrate(self) -> Query<E> {
        self.giving(Whole::new()).hydrate()
    }
}

impl<E: Entity, S: Selection<E>> Query<E, S> {
    fn giving<T: Selection<E>>(self, selection: T) -> Query<E, T> {
        let Self { spec, limit, max_evaluated, segments, database, .. } = self;
        Query { spec, limit, max_evaluated, segments, selection, database, of: PhantomData }
    }

    /// Keeps the entities for which the condition holds. Several filters must all hold.
    pub fn filter(mut self, condition: Condition<E>) -> Self {
        self.spec.conditions.push(condition.node);
        self
    }

    /// In the order of a field, which must be the sort key of what is queried: DynamoDB knows no other order.
    pub fn order_by(mut self, order: impl IntoOrder<Entity = E>) -> Self {
        self.spec.order = Some(order.into_order().order);
        self
    }

    /// At most so many matches. A filter may have to leave out many items before there are as many.
    pub fn limit(mut self, matches: u64) -> Self {
        self.limit = Some(matches);
        self
    }

    /// Evaluates at most so many items, those included that a filter leaves out, and ends then. What comes
    /// behind them is found from [`Collection::next`](crate::Collection::next) or
    /// [`Page::next`](crate::Page::next). Several partitions in the order of a sort key need an item each.
    pub fn max_evaluated(mut self, items: u64) -> Self {
        self.max_evaluated = Some(items);
        self
    }

    /// Queries by this index, whatever else would serve. It gives what the index has: no items without one of
    /// its keys.
    pub fn using(mut self, index: impl Into<Cow<'static, str>>) -> Self {
        self.spec.using = Some(index.into());
        self
    }

    /// Permits to read the whole table, if neither its key nor an index serves the conditions.
    pub fn allow_scan(mut self) -> Self {
        self.spec.allow_scan = true;
        self
    }

    /// Reads what every write that has succeeded so far has left, at twice the read capacity. Global indexes
    /// cannot.
    pub fn consistent(mut self) -> Self {
        self.spec.consistent = true;
        self
    }

    /// Reads the parts of a scan side by side, up to eight at a time. The whole costs the same. The items
    /// come as they are read, those of several segments in between each other.
    pub fn segments(mut self, segments: u32) -> Self {
        self.segments = Some(segments);
        self
    }

    /// Uses this database.
    pub fn on(mut self, database: &Database) -> Self {
        self.database = Some(database.clone());
        self
    }

    /// How the query is carried out. Nothing is sent.
    pub fn explain(&self) -> Explanation {
        Explanation::new(self.plan(), self.limit, self.max_evaluated)
    }

    fn plan(&self) -> std::result::Result<Plan, ValueError> {
        if self.limit == Some(0) {
            return Err(ValueError::new(
                "`limit(0)` asks for nothing: leave the query out, or give a number from 1",
            ));
        }
        if self.max_evaluated == Some(0) {
            return Err(ValueError::new(
                "`max_evaluated(0)` permits nothing to be read: give a number from 1",
            ));
        }
        let plan = Plan::new(&self.spec, self.selection.paths().as_deref())?;
        let partitions = plan.partitions.len();
        if let Some(most) = self.max_evaluated
            && most < partitions as u64
            && is_merged(&plan)
        {
            // No page would ever have an item, and its cursor would lie where it began.
            return Err(ValueError::new(format!(
                "`max_evaluated({most})` is less than the {partitions} partitions that are merged, and the order is known only when an item of each has been read: give at least {partitions}"
            )));
        }
        match self.segments {
            Some(segments) if !(1..=1_000_000).contains(&segments) => {
                Err(ValueError::new(format!("a scan has 1 to 1,000,000 segments, and not {segments}")))
            }
            Some(_) if plan.operation != crate::transport::Operation::SCAN => {
                Err(ValueError::new("a query has no segments: they are parts of a scan"))
            }
            _ => Ok(plan),
        }
    }

    /// Begins to carry the query out; if `start` is given, from there.
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
    /// Sees what is marked as deleted as well.
    pub fn with_trashed(mut self) -> Self
    where
        E: SoftDelete,
    {
        self.spec.visible.trashed = Trashed::With;
        self
    }

    /// Sees only what is marked as deleted.
    pub fn only_trashed(mut self) -> Self
    where
        E: SoftDelete,
    {
        self.spec.visible.trashed = Trashed::Only;
        self
    }
}

impl<E: Entity, S: Selection<E>> Query<E, S> {
    /// Sees what has expired as well, as long as DynamoDB has not deleted it.
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
