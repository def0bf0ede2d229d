//! The shop: what it stores, and what can be done in it. Each operation is one transaction, so that what it promises holds
//! whatever happens on the way, and whoever else is at it.

use std::fmt;

use dynorm::prelude::*;

#[derive(Entity, Clone, Debug, Default)]
pub(crate) struct Customer {
    #[entity(id)]
    pub(crate) id: Id<Customer>,
    pub(crate) name: String,
    pub(crate) open: bool,
    /// What is left to spend.
    pub(crate) credit: i64,
    pub(crate) orders: u32,
}

#[derive(Entity, Clone, Debug)]
#[entity(table = "stock")]
pub(crate) struct Stock {
    #[entity(partition)]
    pub(crate) sku: String,
    pub(crate) price: i64,
    pub(crate) left: u32,
}

#[derive(Entity, Clone, Debug)]
pub(crate) struct Order {
    #[entity(id)]
    pub(crate) id: Id<Order>,
    #[entity(index = "by_customer")]
    pub(crate) customer: Id<Customer>,
    pub(crate) state: State,
    pub(crate) lines: Vec<Line>,
    pub(crate) total: i64,
    #[entity(created_at)]
    pub(crate) placed_at: Timestamp,
}

#[derive(Attribute, Clone, Copy, Debug, PartialEq)]
pub(crate) enum State {
    Placed,
    Shipped,
    Cancelled,
}

#[derive(Attribute, Clone, Debug)]
pub(crate) struct Line {
    pub(crate) sku: String,
    pub(crate) count: u32,
}

/// Why the shop does not do what it is asked for.
#[derive(Debug)]
pub(crate) enum Refusal {
    Unknown(String),
    SoldOut {
        sku: String,
        left: u32,
    },
    NoCredit {
        credit: i64,
        total: i64,
    },
    Closed,
    NotPlaced(State),
    /// The database failed, and it is known whether anything was changed: nothing was.
    Database(dynorm::Error),
    /// The database failed, and nobody knows.
    Uncertain(dynorm::Error),
}

impl From<dynorm::Error> for Refusal {
    fn from(error: dynorm::Error) -> Self {
        if error.outcome_known() { Self::Database(error) } else { Self::Uncertain(error) }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(what) => write!(f, "there is no {what}"),
            Self::SoldOut { sku, left } => write!(f, "{left} {sku} are left"),
            Self::NoCredit { credit, total } => write!(f, "a credit of {credit} does not pay for {total}"),
            Self::Closed => f.write_str("the account is closed"),
            Self::NotPlaced(state) => write!(f, "the order is {state:?} already"),
            Self::Database(error) => write!(f, "{error}"),
            Self::Uncertain(error) => write!(f, "{error}"),
        }
    }
}

/// Takes goods from the stock, and their price from the customer, and writes the order: all of it, or nothing.
pub(crate) async fn place(customer: Id<Customer>, lines: &[(&str, u32)]) -> Result<Order, Refusal> {
    // The prices, at one moment.
    let found = StockRepo::transact_get(lines.iter().map(|(sku, _)| *sku)).await?;
    let mut total = 0;
    for ((sku, count), stock) in lines.iter().zip(found) {
        let stock = stock.ok_or_else(|| Refusal::Unknown((*sku).to_owned()))?;
        total += stock.price * i64::from(*count);
    }
    let line = |(sku, count): &(&str, u32)| Line { sku: (*sku).to_owned(), count: *count };
    let mut order = Order {
        id: Id::default(),
        customer,
        state: State::Placed,
        lines: lines.iter().map(line).collect(),
        total,
        placed_at: Timestamp::default(),
    };

    let pay = CustomerRepo::update(customer).subtract(Customer::CREDIT, total).add(Customer::ORDERS, 1);
    let pay = pay.when(Customer::OPEN.eq(true) & Customer::CREDIT.ge(total));
    let mut transaction = dynorm::transaction().create(&mut order).update(pay);
    for (sku, count) in lines {
        let take = StockRepo::update(*sku).subtract(Stock::LEFT, *count).when(Stock::LEFT.ge(*count));
        transaction = transaction.update(take);
    }
    match transaction.await {
        Ok(()) => Ok(order),
        Err(error) => Err(why_not_placed(error, total)),
    }
}

/// The error holds the items as the failed conditions found them.
fn why_not_placed(error: dynorm::Error, total: i64) -> Refusal {
    if let Some(Ok(stock)) = error.current::<Stock>() {
        return Refusal::SoldOut { sku: stock.sku, left: stock.left };
    }
    match error.current::<Customer>() {
        Some(Ok(customer)) if !customer.open => Refusal::Closed,
        Some(Ok(customer)) => Refusal::NoCredit { credit: customer.credit, total },
        _ if error.is_not_found() => Refusal::Unknown("customer".to_owned()),
        _ => error.into(),
    }
}

/// Gives everything back, if the order has not been shipped.
pub(crate) async fn cancel(order: &Order) -> Result<(), Refusal> {
    let state = OrderRepo::update(order.id).set(Order::STATE, State::Cancelled);
    let pay_back = CustomerRepo::update(order.customer).add(Customer::CREDIT, order.total);
    let mut transaction =
        dynorm::transaction().update(state.when(Order::STATE.eq(State::Placed))).update(pay_back);
    for line in &order.lines {
        transaction = transaction.update(StockRepo::update(&line.sku).add(Stock::LEFT, line.count));
    }
    transaction.await.map_err(why_not_changed)
}

/// Ships an order of a customer whose account is still open.
pub(crate) async fn ship(order: &Order) -> Result<(), Refusal> {
    let state = OrderRepo::update(order.id).set(Order::STATE, State::Shipped);
    dynorm::transaction()
        .update(state.when(Order::STATE.eq(State::Placed)))
        .check(CustomerRepo::check(order.customer, Customer::OPEN.eq(true)))
        .await
        .map_err(why_not_changed)
}

fn why_not_changed(error: dynorm::Error) -> Refusal {
    match (error.current::<Order>(), error.current::<Customer>()) {
        (Some(Ok(order)), _) => Refusal::NotPlaced(order.state),
        (_, Some(Ok(_))) => Refusal::Closed,
        _ => error.into(),
    }
}
