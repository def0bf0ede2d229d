//! Queries of a table and its indexes.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use dynorm::Stats;
use dynorm::prelude::*;
use futures_util::TryStreamExt as _;

use crate::{Engine, Plane, PlaneRepo};

/// Stops at the first malformed row; the example `planes` shows how to continue after one.
pub(crate) async fn import(file: &Path) -> anyhow::Result<Stats> {
    let rows = csv::Reader::from_path(file).with_context(|| format!("cannot open {}", file.display()))?;
    let mut malformed = None;
    let planes = rows
        .into_deserialize()
        .map_while(|row: csv::Result<Plane>| row.map_err(|e| malformed = Some(e)).ok());
    let stats = PlaneRepo::batch_save_stream(planes).await?;
    match malformed {
        Some(error) => Err(error).context("the import has ended early"),
        None => Ok(stats),
    }
}

// By a key

/// `one` requires exactly one match. For a whole key, `PlaneRepo::get(tailnum)` does the same.
pub(crate) async fn by_tailnum(tailnum: &str) -> dynorm::Result<Plane> {
    PlaneRepo::filter(Plane::TAILNUM.eq(tailnum)).one().await
}

/// Several whole keys become a batch get, whatever the other conditions are.
pub(crate) async fn with_tailnums(tailnums: &[&str]) -> dynorm::Result<Collection<Plane>> {
    PlaneRepo::filter(Plane::TAILNUM.is_in(tailnums.iter().copied()) & Plane::SEATS.gt(100)).get_all().await
}

/// A count transfers no items, but costs as much as reading them.
pub(crate) async fn count_of(manufacturer: &str) -> dynorm::Result<u64> {
    PlaneRepo::by_manufacturer(manufacturer).count().await
}

/// Stops at the first match.
pub(crate) async fn is_there_one_of(manufacturer: &str) -> dynorm::Result<bool> {
    PlaneRepo::by_manufacturer(manufacturer).exists().await
}

// By a part of a partition

/// `seats` is the sort key of the index, so nothing else is read.
pub(crate) async fn with_seats(manufacturer: &str, low: u16, high: u16) -> dynorm::Result<Collection<Plane>> {
    PlaneRepo::by_manufacturer(manufacturer).filter(Plane::SEATS.between(low, high)).get_all().await
}

/// `engines` is not a key, so all planes of the manufacturer are read and paid for.
pub(crate) async fn with_many_engines(manufacturer: &str) -> dynorm::Result<Collection<Plane>> {
    PlaneRepo::by_manufacturer(manufacturer).filter(Plane::ENGINES.gt(2)).get_all().await
}

/// `select` transfers only these fields. A tuple of fields gives a `Vec` of tuples.
pub(crate) async fn largest(manufacturer: &str, count: u64) -> dynorm::Result<Vec<(String, String, u16)>> {
    PlaneRepo::by_manufacturer(manufacturer)
        .order_by(Plane::SEATS.desc())
        .limit(count)
        .select((Plane::TAILNUM, Plane::MODEL, Plane::SEATS))
        .get_all()
        .await
}

/// A struct of some of the fields, to read them together in several places.
#[derive(Projection, Debug)]
#[projection(of = Plane)]
pub(crate) struct Model {
    #[projection(from = Plane::MODEL)] // the field is called otherwise here
    pub(crate) name: String,
    pub(crate) seats: u16,
}

/// `select_as` reads only the fields of the struct.
pub(crate) async fn smallest(manufacturer: &str) -> dynorm::Result<Option<Model>> {
    PlaneRepo::by_manufacturer(manufacturer).order_by(Plane::SEATS.asc()).select_as().first().await
}

/// Each manufacturer is a query. Their results are merged in the given order.
pub(crate) async fn largest_of_any(manufacturers: &[&str]) -> dynorm::Result<Option<Plane>> {
    let is_one_of_them = Plane::MANUFACTURER.is_in(manufacturers.iter().copied());
    PlaneRepo::filter(is_one_of_them).order_by(Plane::SEATS.desc()).first().await
}

// Many items

/// Gives one plane after another while the next page is being fetched, so the memory does not grow with their
/// number.
pub(crate) async fn seats_since(engine: Engine, year: u16) -> dynorm::Result<u64> {
    let seats = PlaneRepo::by_engine(engine).filter(Plane::YEAR.ge(year)).select(Plane::SEATS).stream();
    seats.try_fold(0, async |sum, seats| Ok(sum + u64::from(seats))).await
}

/// A collection can do what DynamoDB cannot, such as grouping, or sorting by any field.
pub(crate) async fn models_before(
    engine: Engine,
    year: u16,
) -> dynorm::Result<BTreeMap<String, Vec<String>>> {
    let planes = PlaneRepo::by_engine(engine).filter(Plane::YEAR.lt(year)).get_all().await?;
    let models = |planes: Collection<Plane>| planes.sorted_by(Plane::MODEL).pluck(Plane::MODEL);
    let groups = planes.group_by(Plane::MANUFACTURER).into_iter();
    Ok(groups.map(|(manufacturer, planes)| (manufacturer, models(planes))).collect())
}

// The whole table

/// No index serves this. A scan must be requested explicitly; its segments can be read in parallel.
pub(crate) async fn built_before(year: u16) -> dynorm::Result<u64> {
    PlaneRepo::scan().filter(Plane::YEAR.lt(year)).segments(4).count().await
}

/// For code that knows field names only at run time, such as a search form. An unknown name is an error.
pub(crate) async fn search(field: &str, number: u32) -> dynorm::Result<Collection<Plane>> {
    PlaneRepo::filter(dynorm::field(field).eq(number)).allow_scan().get_all().await
}
