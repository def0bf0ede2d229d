//! A small order service with customers, a stock, orders and transactions. Many customers shop in parallel
//! while goods are delivered, and in the end the books must balance. Then it shows versions (two clerks
//! change one price), hooks (an account with open orders cannot be closed) and soft deletes (a closed account
//! is reopened). Run it with `cargo run --example orders`; `-- --faults` makes the database throttle, lose
//! answers and cancel transactions meanwhile.

mod shop;

use std::fmt;
use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::{bail, ensure};
use dynorm::prelude::*;
use dynorm::testing::{FaultLog, Faults};

use shop::{
    Customer, CustomerRepo, Order, OrderRepo, Refusal, State, Stock, StockRepo, cancel, close, deliver,
    open_again, place, ship,
};

const HELP: &str = "\
A small order service, whose books balance in the end.

Usage: cargo run --example orders -- [OPTIONS]

Options:
      --faults        The database throttles, loses answers and cancels transactions meanwhile
      --seed N        Another seed makes other faults [default: 1]
      --customers N   How many shop at once [default: 8]
  -h, --help          Print this
";

const CREDIT: i64 = 3_000;
const STOCK: [(&str, i64, u32); 3] = [("tea", 450, 25), ("milk", 120, 60), ("cups", 900, 9)];

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<()> {
    let Some((faults, customers, log)) = options()? else { return Ok(write!(io::stdout(), "{HELP}")?) };
    let db = Database::memory()?;
    db.create_table::<Customer>().await?;
    db.create_table::<Stock>().await?;
    db.create_table::<Order>().await?;
    let stock =
        STOCK.map(|(sku, price, left)| Stock { sku: sku.to_owned(), price, left, ..Stock::default() });
    StockRepo::batch_save(stock).on(&db).await?;
    let customer = |number: usize| Customer {
        name: format!("customer {number}"),
        email: format!(" Customer{number}@Example.com"),
        credit: CREDIT,
        ..Customer::default()
    };
    let customers = CustomerRepo::batch_save((0..customers).map(customer)).on(&db).await?;
    let mut out = io::stdout();

    let faulty = faults.log(&log).on(&db);
    let shopping = customers.iter().enumerate().map(|(number, customer)| {
        let (faulty, id) = (faulty.clone(), customer.id);
        tokio::spawn(async move { faulty.scope(shop(number, id)).await })
    });
    let supplying = {
        let faulty = faulty.clone();
        tokio::spawn(async move { faulty.scope(supply()).await })
    };
    let mut told = Told::default();
    for task in shopping.chain([supplying]).collect::<Vec<_>>() {
        told.add(&task.await?);
    }
    writeln!(out, "{told}")?;
    if log.total().requests > 0 {
        writeln!(out, "the requests: {}", log.of("TransactWriteItems"))?;
    }
    balance(&db, &customers).await?;
    writeln!(out, "the books balance: nothing was sold twice, and nobody has paid for nothing")?;

    db.install();
    refusals(&mut out).await?;
    prices(&mut out).await?;
    accounts(&mut out).await
}

/// Shows refused operations.
async fn refusals(out: &mut impl io::Write) -> anyhow::Result<()> {
    let customer = CustomerRepo::save(Customer { credit: CREDIT, ..Customer::default() }).await?;
    for lines in [&[("tea", 500), ("milk", 1)][..], &[("milk", 1), ("sugar", 1)]] {
        if let Err(refusal) = place(customer.id, lines).await {
            writeln!(out, "refused: {refusal}")?;
        }
    }
    Ok(())
}

/// Two clerks change one price. The second must read the first one's change before its own is accepted.
async fn prices(out: &mut impl io::Write) -> anyhow::Result<()> {
    let mut one = StockRepo::get("milk").await?;
    let mut other = one.clone();
    one.price = 130;
    StockRepo::save(&mut one).await?;
    other.price = 110;
    match StockRepo::save(&mut other).await {
        Err(error) if error.is_version_conflict() => writeln!(out, "refused: {error}")?,
        _ => bail!("the second price has overwritten the first"),
    }
    let now = StockRepo::retry_on_conflict("milk", |stock| stock.price -= 10).await?;
    writeln!(out, "milk costs {}, after both have changed it", now.price)?;
    Ok(())
}

/// Closes an account, and reopens it.
async fn accounts(out: &mut impl io::Write) -> anyhow::Result<()> {
    let late = Customer {
        name: "a late customer".to_owned(),
        email: " Late@Example.COM ".to_owned(),
        credit: CREDIT,
        ..Customer::default()
    };
    let customer = CustomerRepo::save(late).await?;
    writeln!(out, "{} has the e-mail {}", customer.name, customer.email)?;
    let order = place(customer.id, &[("milk", 1)]).await?;
    if let Err(refusal) = close(customer.id).await {
        writeln!(out, "the account stays open: {refusal}")?;
    }
    ship(&order).await?;
    close(customer.id).await?;
    if let Err(refusal) = place(customer.id, &[("milk", 1)]).await {
        writeln!(out, "refused: {refusal}")?;
    }
    let customer = open_again(customer.id).await?;
    writeln!(out, "{} is back, with a credit of {}", customer.name, customer.credit)?;
    Ok(())
}

/// `None` for `--help`.
fn options() -> anyhow::Result<Option<(Faults, usize, FaultLog)>> {
    use lexopt::prelude::*;
    let (mut faulty, mut seed, mut customers) = (false, 1, 8);
    let mut args = lexopt::Parser::from_env();
    while let Some(arg) = args.next()? {
        match arg {
            Long("faults") => faulty = true,
            Long("seed") => seed = args.value()?.parse()?,
            Long("customers") => customers = args.value()?.parse()?,
            Long("help") | Short('h') => return Ok(None),
            other => bail!("{}; see --help", other.unexpected()),
        }
    }
    let faults = Faults::seeded(seed);
    let faults = if faulty {
        faults.conflict(0.10).throttle(0.05).server_error(0.02).cut_before(0.03).cut_after(0.05)
    } else {
        faults
    };
    Ok(Some((faults, customers, FaultLog::default())))
}

/// The results of the customers' requests.
#[derive(Default)]
struct Told {
    placed: u32,
    shipped: u32,
    cancelled: u32,
    delivered: u32,
    refused: u32,
    failed: u32,
}

impl Told {
    fn add(&mut self, other: &Self) {
        self.placed += other.placed;
        self.shipped += other.shipped;
        self.cancelled += other.cancelled;
        self.delivered += other.delivered;
        self.refused += other.refused;
        self.failed += other.failed;
    }

    fn count(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::Database(_) | Refusal::Uncertain(_) => Self { failed: 1, ..Self::default() },
            _ => Self { refused: 1, ..Self::default() },
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { placed, shipped, cancelled, delivered, refused, failed } = self;
        write!(
            f,
            "{placed} orders placed, {shipped} shipped, {cancelled} cancelled, {refused} refused, \
            {delivered} deliveries, {failed} failed"
        )
    }
}

/// A customer who orders five times, and cancels every third order.
async fn shop(number: usize, customer: Id<Customer>) -> Told {
    let mut told = Told::default();
    for round in 0..5 {
        let lines = match (number + round) % 3 {
            0 => &[("tea", 2), ("milk", 1)][..],
            1 => &[("cups", 1)],
            _ => &[("milk", 3), ("cups", 1), ("tea", 1)],
        };
        let order = match place(customer, lines).await {
            Ok(order) => order,
            Err(refusal) => {
                told.add(&Told::count(&refusal));
                continue;
            }
        };
        told.placed += 1;
        let cancels = (number + round) % 3 == 2;
        match if cancels { cancel(&order).await } else { ship(&order).await } {
            Ok(()) if cancels => told.cancelled += 1,
            Ok(()) => told.shipped += 1,
            Err(refusal) => told.add(&Told::count(&refusal)),
        }
    }
    told
}

/// A supplier who delivers all goods again and again.
async fn supply() -> Told {
    let mut told = Told::default();
    for (sku, _, _) in STOCK.iter().cycle().take(12) {
        match deliver(sku, 2).await {
            Ok(_) => told.delivered += 1,
            Err(refusal) => told.add(&Told::count(&refusal)),
        }
    }
    told
}

/// Compares the stock and the payments with the orders.
async fn balance(db: &Database, customers: &[Customer]) -> anyhow::Result<()> {
    let orders = OrderRepo::all().on(db).await?;
    let valid: Vec<&Order> = orders.iter().filter(|order| order.state != State::Cancelled).collect();
    for (sku, _, at_first) in STOCK {
        let lines = valid.iter().flat_map(|order| &order.lines).filter(|line| line.sku == sku);
        let sold: u32 = lines.map(|line| line.count).sum();
        let Stock { left, delivered, .. } = StockRepo::get(sku).on(db).await?;
        let all = at_first + delivered;
        ensure!(left + sold == all, "{sold} {sku} are sold and {left} left, of {all}");
    }
    for customer in customers {
        let paid: i64 =
            valid.iter().filter(|order| order.customer == customer.id).map(|order| order.total).sum();
        let now = CustomerRepo::get(customer.id).on(db).await?;
        ensure!(now.credit + paid == CREDIT, "{} has {} and paid {paid}", now.name, now.credit);
        let placed = OrderRepo::by_customer(customer.id).count().on(db).await?;
        ensure!(u64::from(now.orders) == placed, "{} has {placed} orders, not {}", now.name, now.orders);
        let is_open = |order: &&&Order| order.customer == customer.id && order.state == State::Placed;
        let open = valid.iter().filter(is_open).count();
        ensure!(usize::try_from(now.open_orders)? == open, "{} has {open} open orders", now.name);
    }
    Ok(())
}
