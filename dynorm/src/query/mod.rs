//! Queries: conditions, in any order, become a query of the table or of an index, or a scan where that is asked for.

mod cursor;
mod evaluate;
mod explain;
mod operands;
mod page;
mod plan;
mod refusal;
mod run;
mod select;
mod stream;

pub use cursor::{Cursor, IntoCursor};
pub use explain::Explanation;
pub use page::{Page, PageQuery};
#[doc(hidden)]
pub use select::{PartOf, part};
pub use select::{Places, Projected, Projection, Selection, Whole};
pub use stream::QueryStream;

use std::borrow::Cow;
use std::fmt;

use crate::codec::{Encoder, ValueError};
use crate::collection::Collection;
use crate::database::Database;
use crate::entity::{Entity, EntityInfo};
use crate::error::{Doing, Error, Result, Subject};
use crate::expression::{Condition, Node};
use crate::field::Field;
use crate::key::Part;
use crate::operation::OperationFuture;
use crate::rules::{Expires, SoftDelete, Trashed, Visibility};
use plan::Plan;
use run::{Next, Reader, Run, is_merged};

/// The most partitions that one query reads, for `is_in` on a partition key.
const MAX_PARTITIONS: usize = 100;

/// A query, as it is being put together. It begins with [`Repository::filter`](crate::Repository::filter), with the function
/// that the derive macro makes for each index, named as the index is, or with [`Repository::scan`](crate::Repository::scan).
///
/// The conditions decide what is read. The table or the index serves a query if they fix its partition key, by `eq` or by
/// `is_in` (at most 100 values); of several, the table is taken if its whole key is fixed, or else the one whose sort key they narrow most, and
/// the table before its indexes. Conditions that fix several whole keys of the table become a batch get. An index has no items without one of its keys:
/// where such a key is an `Option`, the index is chosen only if the conditions ask for it (`exists()` is enough), so that the answer
/// does not depend on the indexes that there are; who begins with the index, or names it by [`using`](Self::using), gets what it
/// has. What is left of the conditions is a filter, which DynamoDB applies after it has read the items: what it leaves out
/// is paid for. [`explain`](Self::explain) tells. A query that nothing serves is refused, unless
/// [`allow_scan`](Self::allow_scan) permits to read the whole table.
///
/// ```
/// # use dynorm::prelude::*;
/// # #[derive(Entity, Clone, Debug, Default)]
/// # struct User { #[entity(id)] id: Id<User>, #[entity(index = "by_city")] city: String, #[entity(index("by_city", sort))] age: u32 }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> dynorm::Result<()> {
/// # let db = Database::memory()?;
/// # db.create_table::<User>().await?;
/// # db.install();
/// UserRepo::save(User { city: "Paris".into(), age: 36, ..Default::default() }).await?;
/// let parisians = UserRepo::filter(User::CITY.eq("Paris"))
///     .filter(User::AGE.between(18, 65))
///     .order_by(User::AGE.desc())
///     .limit(10)
///     .get_all()
///     .await?;
/// assert_eq!(parisians.len(), 1);
/// assert_eq!(UserRepo::by_city("Paris").first().await?.map(|user| user.age), Some(36));
/// # Ok(())
/// # }
/// ```
///
/// A query says what is looked for, and not yet what is wanted of it, so it cannot be awaited itself ("`Query<User>` is not a
/// future"). What is awaited is one of [`get_all`](Self::get_all), [`first`](Self::first), [`one`](Self::one),
/// [`count`](Self::count), [`exists`](Self::exists) and [`page`](Self::page); [`stream`](Self::stream) gives a stream.
#[must_use = "a query does nothing by itself: await `.get_all()`, `.first()`, `.count()` or another that it ends in"]
pub struct Query<E: Entity, S: Selection<E> = Whole<E>> {
    spec: Spec,
    limit: Option<u64>,
    max_evaluated: Option<u64>,
    segments: Option<u32>,
    selection: S,
    database: Option<Database>,
    of: std::marker::PhantomData<fn() -> E>,
}

/// What the planner is told.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    info: &'static EntityInfo,
    source: Source,
    conditions: Vec<Node>,
    order: Option<Order>,
    using: Option<Cow<'static, str>>,
    allow_scan: bool,
    consistent: bool,
    hydrate: bool,
    visible: Visibility,
}

/// How a query began.
#[derive(Clone, Debug)]
enum Source {
    Filter,
    /// By an index, with the fields of its partition key.
    Index(usize, Vec<(usize, std::result::Result<Vec<u8>, ValueError>)>),
    Scan,
}

/// An attribute to be in order of.
#[derive(Clone, Debug)]
struct Order {
    attribute: &'static str,
    descending: bool,
}

/// An order by a field; made by [`Field::asc`] and [`Field::desc`].
pub struct OrderBy<E> {
    order: Order,
    of: std::marker::PhantomData<fn(&E)>,
}

/// What [`Query::order_by`] takes: the order of a field, with its direction, as [`Field::asc`] and [`Field::desc`] make it.
#[diagnostic::on_unimplemented(
    message = "an order needs a direction: `.asc()` or `.desc()` of a field",
    label = "`{Self}` has no direction",
    note = "for example `.order_by(User::AGE.desc())`"
)]
pub trait IntoOrder {
    /// The entity whose field it is.
    type Entity;

    #[doc(hidden)]
    fn into_order(self) -> OrderBy<Self::Entity>;
}

#[diagnostic::do_not_recommend]
impl<E> IntoOrder for OrderBy<E> {
    type Entity = E;

    fn into_order(self) -> Self {
        self
    }
}

impl<E, T, K> Field<E, T, K> {
    /// In the order of this field, the least first.
    ///
    /// ```
    /// # use dynorm::prelude::*;
    /// # #[derive(Entity, Clone, Debug)]
    /// # struct Reading { #[entity(partition)] sensor: String, #[entity(sort)] taken_at: Timestamp }
    /// let latest_last = ReadingRepo::filter(Reading::SENSOR.eq("kitchen")).order_by(Reading::TAKEN_AT.asc());
    /// ```
    #[must_use]
    pub fn asc(self) -> OrderBy<E> {
        let order = Order { attribute: self.name(), descending: false };
        OrderBy { order, of: std::marker::PhantomData }
    }

    /// In the order of this field, the greatest first.
    #[must_use]
    pub fn desc(self) -> OrderBy<E> {
        let order = Order { attribute: self.name(), descending: true };
        OrderBy { order, of: std::marker::PhantomData }
    }
}

impl<E> fmt::Debug for OrderBy<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Order { attribute, descending } = &self.order;
        write!(f, "{attribute} {}", if *descending { "descending" } else { "ascending" })
    }
}

impl<E: Entity> Query<E> {
    fn new(source: Source) -> Self {
        let spec = Spec {
            info: E::INFO,
            source,
            conditions: Vec::new(),
            order: None,
            using: None,
            allow_scan: false,
            consistent: false,
            hydrate: false,
            visible: Visibility::default(),
        };
        Self {
            spec,
            limit: None,
            max_evaluated: None,
            segments: None,
            selection: Whole::new(),
            database: None,
            of: std::marker::PhantomData,
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

    /// Reads only these fields, and gives them instead of the entity: one field, or a tuple of up to eight. A place inside a field,
    /// such as `User::ADDRESS.field(Address::CITY)`, gives `None` where it is not there.
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

    /// Reads only the fields of a struct with `#[derive(Projection)]`, and gives that instead of the entity; see [`Projection`].
    pub fn select_as<P: Projection<Entity = E>>(self) -> Query<E, Projected<P>> {
        self.giving(Projected::new())
    }

    /// Permits to use an index that does not hold the whole item: what it finds is completed by a batch get, in steps of 400
    /// items, and checked against the conditions again, since an index may tell of what has changed since.
    ///
    /// Without it a projected index is used only where it holds what is [selected](Self::select) and asked for.
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
    /// Gives whole entities: what the index finds is completed by a batch get; see [`hydrate`](Query::hydrate).
    pub fn hydrate(self) -> Query<E> {
        self.giving(Whole::new()).hydrate()
    }
}

impl<E: Entity, S: Selection<E>> Query<E, S> {
    fn giving<T: Selection<E>>(self, selection: T) -> Query<E, T> {
        let Self { spec, limit, max_evaluated, segments, database, .. } = self;
        Query { spec, limit, max_evaluated, segments, selection, database, of: std::marker::PhantomData }
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

    /// Evaluates at most so many items, those included that a filter leaves out, and ends then. What comes behind them is
    /// found from [`Collection::next`](Collection::next) or [`Page::next`]. Several partitions in the order of a sort key need
    /// an item each.
    pub fn max_evaluated(mut self, items: u64) -> Self {
        self.max_evaluated = Some(items);
        self
    }

    /// Queries by this index, whatever else would serve. It gives what the index has: no items without one of its keys.
    pub fn using(mut self, index: impl Into<Cow<'static, str>>) -> Self {
        self.spec.using = Some(index.into());
        self
    }

    /// Permits to read the whole table, if neither its key nor an index serves the conditions.
    pub fn allow_scan(mut self) -> Self {
        self.spec.allow_scan = true;
        self
    }

    /// Reads what every write that has succeeded so far has left, at twice the read capacity. Global indexes cannot.
    pub fn consistent(mut self) -> Self {
        self.spec.consistent = true;
        self
    }

    /// Reads the parts of a scan side by side, up to eight at a time. The whole costs the same. The items come as they are
    /// read, those of several segments in between each other.
    pub fn segments(mut self, segments: u32) -> Self {
        self.segments = Some(segments);
        self
    }

    /// Uses this database.
    pub fn on(mut self, database: &Database) -> Self {
        self.database = Some(database.clone());
        self
    }

    /// Every match.
    pub fn get_all(self) -> GetAll<E, S> {
        GetAll(self)
    }

    /// The first match, if there is any.
    pub fn first(self) -> First<E, S> {
        First(self)
    }

    /// The only match: an error if there is none, and if there are several.
    pub fn one(self) -> One<E, S> {
        One(self)
    }

    /// The number of matches. It reads, and pays for, what [`get_all`](Self::get_all) would.
    pub fn count(self) -> Count<E, S> {
        Count(self)
    }

    /// True if there is a match.
    pub fn exists(self) -> Exists<E, S> {
        Exists(self)
    }

    /// A page of `size` matches; see [`PageQuery`].
    pub fn page(self, size: usize) -> PageQuery<E, S> {
        PageQuery::new(self, size)
    }

    /// The matches one after another; see [`QueryStream`].
    pub fn stream(self) -> QueryStream<E, S> {
        QueryStream::new(self)
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
    fn run(
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

    fn doing(&self) -> Doing {
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

macro_rules! terminals {
    ($($(#[$doc:meta])* $name:ident -> $output:ty, |$query:ident| $run:block)*) => {$(
        $(#[$doc])*
        #[must_use = "a query does nothing until it is awaited"]
        pub struct $name<E: Entity, S: Selection<E> = Whole<E>>(Query<E, S>);

        impl<E: Entity, S: Selection<E>> $name<E, S> {
            /// Reads what every write that has succeeded so far has left, at twice the read capacity. Global indexes cannot.
            pub fn consistent(self) -> Self {
                Self(self.0.consistent())
            }

            /// Uses this database.
            pub fn on(self, database: &Database) -> Self {
                Self(self.0.on(database))
            }
        }

        impl<E: Entity, S: Selection<E>> IntoFuture for $name<E, S> {
            type Output = Result<$output>;
            type IntoFuture = OperationFuture<'static, Self::Output>;

            fn into_future(self) -> Self::IntoFuture {
                let $query = self.0;
                OperationFuture::new(async move $run)
            }
        }

        impl<E: Entity, S: Selection<E>> fmt::Debug for $name<E, S> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.0).finish()
            }
        }
    )*};
}

terminals! {
    /// Every match of a query. Made by [`Query::get_all`].
    GetAll -> S::Many, |query| {
        let (limit, doing) = (query.limit, query.doing());
        let mut run = query.run(limit, doing, |_| Ok(None))?;
        let mut items = Vec::new();
        while limit.is_none_or(|limit| (items.len() as u64) < limit)
            && let Some(item) = run.pop().await?
        {
            items.push(item);
        }
        let next = if run.is_at_end() { None } else { Some(Cursor::new(&run.reader, &run.positions(), None)?) };
        let (stats, scanned) = (run.finish(items.len() as u64), run.evaluated);
        Ok(S::many(items, Found { stats, scanned, next, database: run.reader.database().clone() }))
    }
    /// The first match of a query. Made by [`Query::first`].
    First -> Option<S::Output>, |query| {
        let doing = query.doing();
        query.run(Some(1), doing, |_| Ok(None))?.pop().await
    }
    /// The only match of a query. Made by [`Query::one`].
    One -> S::Output, |query| {
        let doing = query.doing();
        let mut run = query.run(Some(2), doing, |_| Ok(None))?;
        let Some(one) = run.pop().await? else {
            return Err(Error::not_found(run.reader.subject().clone()));
        };
        if run.pop().await?.is_some() {
            let error = ValueError::new("several items match, and `one` takes exactly one: use `first`, or narrow the conditions");
            return Err(Error::invalid(run.reader.subject().clone(), &error));
        }
        Ok(one)
    }
    /// The number of matches of a query. Made by [`Query::count`] and [`Repository::count`](crate::Repository::count).
    Count -> u64, |query| {
        let (limit, max) = (query.limit, query.max_evaluated);
        let mut run = query.run(limit, Doing::Counting, |_| Ok(None))?;
        if limit.is_none() && max.is_none() && !run.reader.plan.counts_here() {
            return run.count_all().await;
        }
        let mut count = 0;
        while limit.is_none_or(|limit| count < limit) && run.pass().await? {
            count += 1;
        }
        Ok(count)
    }
    /// Whether a query has a match. Made by [`Query::exists`].
    Exists -> bool, |query| {
        let doing = query.doing();
        query.run(Some(1), doing, |_| Ok(None))?.pass().await
    }
}

/// What is known of the items that a query has found.
#[derive(Debug)]
pub struct Found {
    stats: crate::batch::Stats,
    scanned: u64,
    next: Option<Cursor>,
    database: Database,
}

impl Found {
    pub(crate) fn into_collection<T>(self, items: Vec<T>) -> Collection<T> {
        let Self { stats, scanned, next, database } = self;
        Collection::new(items, Some(database)).with_stats(stats).with_page(scanned, next)
    }
}
