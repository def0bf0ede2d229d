//! Queries: [`aircraft`] has a function for every kind of query, [`orders`] an order history in a table that
//! several entities share, [`plans`] prints the plans of queries. Run it with `cargo run --example queries`.

mod aircraft;
mod orders;
mod plans;

use std::path::Path;

use anyhow::Context as _;
use dynorm::prelude::*;
use serde::Deserialize;

use orders::{Customer, Order, Status};

/// An aircraft: an item of the table `planes` and, through serde, a row of the file.
#[derive(Entity, Deserialize, Clone, Debug)]
struct Plane {
    #[entity(partition)]
    tailnum: String,
    // An item without the sort key of an index is not in it: `by_engine` finds only planes with a known year.
    #[entity(index("by_engine", sort))]
    #[serde(deserialize_with = "csv::invalid_option")] // the file has `NA` for an unknown year
    year: Option<u16>,
    #[entity(index = "by_manufacturer")] // the partition key of a global index …
    manufacturer: String,
    model: String,
    engines: u8,
    #[entity(index("by_manufacturer", sort))]
    // … and its sort key, which a query can narrow and sort by
    seats: u16,
    #[entity(index = "by_engine")]
    engine: Engine,
}

#[derive(Attribute, Deserialize, Clone, Copy, Debug, PartialEq)]
enum Engine {
    #[serde(rename = "Turbo-fan")]
    TurboFan,
    #[serde(rename = "Turbo-jet")]
    TurboJet,
    #[serde(rename = "Turbo-prop")]
    TurboProp,
    #[serde(rename = "Turbo-shaft")]
    TurboShaft,
    Reciprocating,
    #[serde(rename = "4 Cycle")]
    FourCycle,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let db = Database::memory()?; // on AWS: `Database::from_env().await?`
    db.create_table::<Plane>().await?;
    db.create_table::<Customer>().with::<Order>().await?; // one table, `shop`, with the indexes of both
    db.install(); // from here on, every `PlaneRepo::…` uses it

    ask_for_aircraft().await?;
    ask_for_orders().await?;
    plans::print();
    Ok(())
}

async fn ask_for_aircraft() -> anyhow::Result<()> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("planes.csv");
    println!("import: {} planes", aircraft::import(&file).await?.items);

    let plane = aircraft::by_tailnum("N10156").await?;
    println!("by key: N10156 is {} {}", plane.manufacturer, plane.model);

    let planes = aircraft::with_tailnums(&["N10156", "N670US", "N102UW"]).await?;
    println!("several keys: {} of 3 planes have more than 100 seats", planes.len());

    println!("count: {} planes of AIRBUS", aircraft::count_of("AIRBUS").await?);

    let range = aircraft::with_seats("BOEING", 250, 300).await?;
    println!("sort key: {} BOEING have 250 to 300 seats; {} items were read", range.len(), range.scanned());

    let filtered = aircraft::with_many_engines("BOEING").await?;
    let (found, scanned) = (filtered.len(), filtered.scanned());
    println!("filter: {found} BOEING have more than two engines; {scanned} items were read");

    println!("order and limit: the largest BOEING");
    for (tailnum, model, seats) in aircraft::largest("BOEING", 3).await? {
        println!("  {tailnum}  {model:<8} {seats} seats");
    }

    let smallest = aircraft::smallest("BOEING").await?.context("there is no BOEING")?;
    println!("projection: the smallest BOEING is a {} with {} seats", smallest.name, smallest.seats);

    let largest = aircraft::largest_of_any(&["AIRBUS", "AIRBUS INDUSTRIE", "EMBRAER"]).await?;
    let seats = largest.context("there is none of these")?.seats;
    println!("several partitions: the largest of AIRBUS and EMBRAER has {seats} seats");

    println!("exists: a plane of TUPOLEV? {}", aircraft::is_there_one_of("TUPOLEV").await?);

    let seats = aircraft::seats_since(Engine::TurboJet, 2000).await?;
    println!("stream: the turbo-jets since 2000 have {seats} seats");

    println!("collection: the propellers of before 1980, by manufacturer");
    for (manufacturer, models) in aircraft::models_before(Engine::Reciprocating, 1980).await? {
        println!("  {manufacturer}: {}", models.join(", "));
    }

    println!("scan: {} planes are of before 1970", aircraft::built_before(1970).await?);

    println!("field by name: {} planes have 4 engines", aircraft::search("engines", 4).await?.len());
    let error = aircraft::search("wings", 2).await.err().context("planes have no field `wings`")?;
    println!("field by name: {error}");
    Ok(())
}

async fn ask_for_orders() -> anyhow::Result<()> {
    let [ada, alan] = orders::fill().await?;

    println!("orders: {} has {}", ada.name, orders::of_customer(ada.id).await?.len());
    println!("orders: {} has {}", alan.name, orders::of_customer(alan.id).await?.len());

    println!("orders: the latest three of {}", ada.name);
    for order in &orders::latest(ada.id, 3).await? {
        println!("  {:.10}  {:>3}  {:?}", order.placed_at, order.total, order.status);
    }

    let (from, to) = ("2026-02-01T00:00:00Z".parse()?, "2026-03-31T23:59:59Z".parse()?);
    let spring = orders::between(ada.id, from, to).await?;
    println!("orders: {} from February to March, by {}", spring.len(), ada.name);

    let waiting = orders::with_status(Status::Placed).await?;
    let total: u32 = waiting.iter().map(|order| order.total).sum();
    println!("orders: {} of all customers wait to be shipped, for {total}", waiting.len());
    for order in &orders::with_remarks(Status::Placed).await? {
        println!("orders: {}, for {}", order.remarks, order.total);
    }
    Ok(())
}
