//! Reads of several entities at once.

use std::fmt;

use super::get::{Arrangement, BatchGet, Gets};
use super::inputs::{Group, cannot_begin, open, run_at_hand, unsettled};
use super::mixed::{batch_error, subject};
use super::report::erased_report;
use super::settings::{Options, Settings, batch_options};
use super::stats::Fates;
use super::{Fate, Stats};
use crate::database::Database;
use crate::entity::Entity;
use crate::error::{BatchItem, BatchReport, Doing, Error};
use crate::operation::OperationFuture;
use crate::sealed::Sealed;

/// Reads several entities at once, which share requests.
///
/// ```
/// # use dynorm::prelude::*;
/// # #[derive(Entity, Clone, Debug, Default, PartialEq)]
/// # struct User { #[entity(id)] id: Id<User>, name: String }
/// # #[derive(Entity, Clone, Debug, Default, PartialEq)]
/// # struct Order { #[entity(id)] id: Id<Order>, total: u32 }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> dynorm::Result<()> {
/// # let db = Database::memory()?;
/// # db.create_table::<User>().await?;
/// # db.create_table::<Order>().await?;
/// # db.install();
/// # let user = UserRepo::save(User::default()).await?;
/// # let (user_ids, order_ids) = ([user.id], [Id::new()]);
/// let (users, orders) =
///     dynorm::batch_get((UserRepo::batch_get(&user_ids), OrderRepo::batch_get(&order_ids).positional())).await?;
/// assert_eq!(users, [user]);
/// assert_eq!(orders, [None]);
/// # Ok(())
/// # }
/// ```
pub fn batch_get<'a, T: GetTuple>(gets: T) -> BatchGets<'a, T> {
    let (groups, database) = gets.into_groups();
    BatchGets { groups, before: None, settings: Options { database, ..Options::default() }.into() }
}

/// Reads of several entities. Made by [`batch_get`](crate::batch_get()).
///
/// It gives a tuple of what each part gives. Of what is said of a part, [`consistent`](BatchGet::consistent) and
/// [`positional`](BatchGet::positional) hold for it; the database is that of the first part that names one; all else is
/// said of the whole.
#[must_use = "an operation does nothing until it is awaited"]
pub struct BatchGets<'a, T: GetTuple> {
    groups: T::Groups,
    /// What an earlier batch came to, if this one goes on with it.
    before: Option<(Fates, Stats)>,
    settings: Settings<'a>,
}

impl<'a, T: GetTuple> BatchGets<'a, T> {
    batch_options!();
}

/// A tuple of two to eight reads, for [`batch_get`](crate::batch_get()).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tuple of `batch_get`s",
    label = "expected a tuple of two to eight reads",
    note = "for example `dynorm::batch_get((UserRepo::batch_get(&ids), OrderRepo::batch_get(&keys)))`"
)]
pub trait GetTuple: Sealed {
    /// The tuple of what each part gives.
    type Output;
    #[doc(hidden)]
    type Groups: Groups;
    #[doc(hidden)]
    fn into_groups(self) -> (Self::Groups, Option<Database>);
    #[doc(hidden)]
    fn output(groups: Self::Groups, stats: &Stats, database: Option<&Database>) -> Self::Output;
}

pub trait Groups: Send + 'static {
    fn len(&self) -> usize;
    fn as_groups(&mut self) -> Vec<&mut dyn Group>;
    fn with_each(&self, visit: &mut dyn FnMut(&dyn Group));
}

macro_rules! get_tuples {
    ($(($($entity:ident $shape:ident $position:tt),*);)*) => {$(
        impl<$($entity: Entity),*> Groups for ($(Gets<$entity>,)*) {
            fn len(&self) -> usize {
                0 $(+ self.$position.keys.len())*
            }

            fn as_groups(&mut self) -> Vec<&mut dyn Group> {
                vec![$(&mut self.$position),*]
            }

            fn with_each(&self, visit: &mut dyn FnMut(&dyn Group)) {
                $(visit(&self.$position);)*
            }
        }

        #[diagnostic::do_not_recommend]
        impl<$($entity: Entity, $shape: Arrangement<$entity>),*> GetTuple
            for ($(BatchGet<'_, $entity, $shape>,)*)
        {
            type Output = ($($shape::Output,)*);
            type Groups = ($(Gets<$entity>,)*);

            fn into_groups(self) -> (Self::Groups, Option<Database>) {
                let database = None$(.or(self.$position.settings.options.database))*;
                let groups = ($({
                    let found = self.$position.keys.iter().map(|_| None).collect();
                    Gets {
                        keys: self.$position.keys,
                        found,
                        consistent: self.$position.consistent,
                        visible: self.$position.visible,
                    }
                },)*);
                (groups, database)
            }

            fn output(groups: Self::Groups, stats: &Stats, database: Option<&Database>) -> Self::Output {
                ($($shape::output(groups.$position.found, stats.clone(), database.cloned()),)*)
            }
        }
    )*};
}

get_tuples! {
    (A S 0, B T 1);
    (A S 0, B T 1, C U 2);
    (A S 0, B T 1, C U 2, D V 3);
    (A S 0, B T 1, C U 2, D V 3, E W 4);
    (A S 0, B T 1, C U 2, D V 3, E W 4, F X 5);
    (A S 0, B T 1, C U 2, D V 3, E W 4, F X 5, G Y 6);
    (A S 0, B T 1, C U 2, D V 3, E W 4, F X 5, G Y 6, H Z 7);
}

impl<'a, T: GetTuple + 'a> IntoFuture for BatchGets<'a, T> {
    type Output = Result<T::Output, BatchGetsError<T>>;
    type IntoFuture = OperationFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { mut groups, before, mut settings } = self;
        OperationFuture::new(async move {
            let mut again = settings.options.clone();
            let only = before.as_ref().map(|(fates, _)| open(fates));
            let (mut fates, mut stats) =
                before.unwrap_or_else(|| (unsettled(groups.len()), Stats::default()));
            match Database::of_operation(settings.options.database.take()) {
                Ok(database) => {
                    stats.failed = 0;
                    let all = groups.as_groups();
                    stats += run_at_hand(&database, all, only, &mut fates, settings).await;
                    if fates.iter().all(|(_, reason)| reason.is_none()) {
                        return Ok(T::output(groups, &stats.with_fates(&fates), Some(&database)));
                    }
                    again.database = Some(database);
                }
                Err(error) => cannot_begin(&mut fates, only.as_deref(), error),
            }
            Err(BatchGetsError(Box::new(UnfinishedGets { groups, fates, stats, options: again })))
        })
    }
}

impl<T: GetTuple> fmt::Debug for BatchGets<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchGets").field("inputs", &self.groups.len()).finish_non_exhaustive()
    }
}

/// Some items of a [`batch_get`](crate::batch_get()) of several entities could not be read. As an [`Error`] it lists them;
/// [`retry`](Self::retry) asks for them again.
pub struct BatchGetsError<T: GetTuple>(Box<UnfinishedGets<T::Groups>>);

struct UnfinishedGets<G> {
    groups: G,
    fates: Fates,
    stats: Stats,
    options: Options,
}

impl<T: GetTuple> BatchGetsError<T> {
    /// The fate of every input, in order: those of the first part, then those of the second, and so on.
    pub fn fates(&self) -> impl ExactSizeIterator<Item = Fate> {
        self.0.fates.iter().map(|(fate, _)| *fate)
    }

    /// What the batch took.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.0.stats
    }

    /// The keys that could not be read, as text, with what is known of them and why.
    #[must_use]
    pub fn failures(&self) -> Vec<BatchItem> {
        self.report().failures
    }

    /// What was read, without what could not be.
    #[must_use]
    pub fn into_found(self) -> T::Output {
        let UnfinishedGets { groups, stats, options, .. } = *self.0;
        T::output(groups, &stats, options.database.as_ref())
    }

    /// Asks again just for what could not be read, and gives the whole.
    pub fn retry<'a>(self) -> BatchGets<'a, T> {
        let UnfinishedGets { groups, fates, stats, options } = *self.0;
        BatchGets { groups, before: Some((fates, stats)), settings: options.into() }
    }

    fn report(&self) -> BatchReport {
        let (mut infos, mut keys) = (Vec::new(), Vec::new());
        let mut fates = self.0.fates.iter();
        self.0.groups.with_each(&mut |group| {
            infos.push(group.info());
            for (local, (_, reason)) in fates.by_ref().take(group.len()).enumerate() {
                if reason.is_some() {
                    keys.push(group.describe(local));
                }
            }
        });
        erased_report(subject(Doing::Reading, infos.into_iter()), &self.0.fates, keys.into_iter())
    }
}

batch_error! {
    [T: GetTuple] BatchGetsError<T>;
}
