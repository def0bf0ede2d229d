//! The shop: its entities and operations. An operation on several items is one transaction, so that it is
//! complete or has no effect, whatever fails and whoever else writes. An operation on one item checks its
//! version or a condition.

use std::fmt;

use dynorm::prelude::*;
use dynorm::{HookResult, Hooks};

#[derive(Entity, Clone, Debug, Default)]
#[entity(hooks)]
pub(crate) struct Customer {
    #[entity(id)]
    pub(crate) id: Id<Customer>,
    pub(crate) name: String,
    pub(crate) email: String,
    /// The money left to spend.
    pub(crate) credit: i64,
    pub(crate) orders: u32,
    /// The number of orders that are neither shipped nor cancelled.
    pub(crate) open_orders: u32,
    /// A closed account is soft-deleted, so that it can be reopened.
    #[entity(deleted_at)]
    pub(crate) closed_at: Option<Timestamp>,
}

impl Hooks for Customer {
    /// Normalizes the e-mail address.
    async fn saving(&mut self) -> HookResult {
        self.email = self.email.trim().to_lowercase();
        Ok(())
    }

    /// Prevents the deletion of a customer with open orders, by every kind of delete.
    async fn deleting(&self) -> HookResult {
        match self.open_orders {
            0 => Ok(()),
            open => Err(format!("{open} orders of {} are not shipped yet", self.name).into()),
        }
    }
}

#[derive(Entity, Clone, Debug, Default)]
#[entity(table = "stock")]
pub(crate) struct Stock {
    #[entity(partition)]
    pub(crate) sku: String,
    pub(crate) price: i64,
    pub(crate) left: u32,
    /// The number of pieces ever delivered.
    pub(crate) delivered: u32,
    pub(crate) called_back: bool,
    #[entity(version)]
    pub(crate) version: u64,
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

/// Why the shop refused a request.
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
    NotShipped,
    NotPlaced(State),
    CalledBack(String),
    /// The database failed, and certainly nothing was changed.
    Database(dynorm::Error),
    /// The database failed, and the outcome is unknown.
    Uncertain(dynorm::Error),
}

impl From<dynorm::Error> for Refusal {
    fn from(error: dynorm::Error) -> Self {
        if error.outcome_known() { Self::Database(error) } else { Self::Uncertain(error) }
    }
}

impl std::error::Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(what) => write!(f, "there is no {what}"),
            Self::SoldOut { sku, left } => write!(f, "{left} {sku} are left"),
            Self::NoCredit { credit, total } => write!(f, "a credit of {credit} does not pay for {total}"),
            Self::Closed => f.write_str("the account is closed"),
            Self::NotShipped => f.write_str("there are orders that are not shipped yet"),
            Self::NotPlaced(state) => write!(f, "the order is {state:?} already"),
            Self::CalledBack(sku) => write!(f, "{sku} is called back by its maker"),
            Self::Database(error) => write!(f, "{error}"),
            Self::Uncertain(error) => write!(f, "{error}"),
        }
    }
}

/// Takes goods from the stock and their price from the customer, and writes the order, in one transaction.
pub(crate) async fn place(customer: Id<Customer>, lines: &[(&str, u32)]) -> Result<Order, Refusal> {
    // Reads all prices at one moment.
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

    // A closed account is treated as absent here.
    let pay = CustomerRepo::update(customer).subtract(Customer::CREDIT, total);
    let pay = pay.add(Customer::ORDERS, 1).add(Customer::OPEN_ORDERS, 1);
    let pay = pay.when(Customer::CREDIT.ge(total));
    let mut transaction = dynorm::transaction().create(&mut order).update(pay);
    for (sku, count) in lines {
        let take = StockRepo::update(*sku).subtract(Stock::LEFT, *count).when(Stock::LEFT.ge(*count));
        transaction = transaction.update(take);
    }
    match transaction.await {
        Ok(()) => Ok(order),
        Err(error) => Err(why_not_placed(error, customer, total).await),
    }
}

/// Finds the reason in the items that the failed conditions returned.
async fn why_not_placed(error: dynorm::Error, customer: Id<Customer>, total: i64) -> Refusal {
    if let Some(Ok(stock)) = error.current::<Stock>() {
        return Refusal::SoldOut { sku: stock.sku, left: stock.left };
    }
    match error.current::<Customer>() {
        Some(Ok(customer)) => return Refusal::NoCredit { credit: customer.credit, total },
        _ if !error.is_not_found() => return error.into(),
        _ => {}
    }
    match CustomerRepo::find(customer).with_trashed().await {
        Ok(Some(_)) => Refusal::Closed,
        Ok(None) => Refusal::Unknown("customer".to_owned()),
        Err(error) => error.into(),
    }
}

/// Cancels an order and returns goods and money, if it has not been shipped.
pub(crate) async fn cancel(order: &Order) -> Result<(), Refusal> {
    let state = OrderRepo::update(order.id).set(Order::STATE, State::Cancelled);
    let pay_back = CustomerRepo::update(order.customer).add(Customer::CREDIT, order.total);
    let pay_back = pay_back.subtract(Customer::OPEN_ORDERS, 1);
    let mut transaction =
        dynorm::transaction().update(state.when(Order::STATE.eq(State::Placed))).update(pay_back);
    for line in &order.lines {
        transaction = transaction.update(StockRepo::update(&line.sku).add(Stock::LEFT, line.count));
    }
    transaction.await.map_err(why_not_changed)
}

/// Ships an order, unless it was cancelled or its goods were recalled.
pub(crate) async fn ship(order: &Order) -> Result<(), Refusal> {
    let state = OrderRepo::update(order.id).set(Order::STATE, State::Shipped);
    let mut transaction = dynorm::transaction()
        .update(state.when(Order::STATE.eq(State::Placed)))
        .update(CustomerRepo::update(order.customer).subtract(Customer::OPEN_ORDERS, 1));
    for line in &order.lines {
        transaction = transaction.check(StockRepo::check(&line.sku, Stock::CALLED_BACK.eq(false)));
    }
    transaction.await.map_err(why_not_changed)
}

fn why_not_changed(error: dynorm::Error) -> Refusal {
    match (error.current::<Order>(), error.current::<Stock>()) {
        (Some(Ok(order)), _) => Refusal::NotPlaced(order.state),
        (_, Some(Ok(stock))) => Refusal::CalledBack(stock.sku),
        _ => error.into(),
    }
}

/// Adds goods to the stock: reads, changes and saves, repeats that on a version conflict, and applies it only
/// once even if answers are lost.
pub(crate) async fn deliver(sku: &str, count: u32) -> Result<Stock, Refusal> {
    let deliver = |stock: &mut Stock| {
        stock.left += count;
        stock.delivered += count;
    };
    Ok(StockRepo::retry_on_conflict(sku, deliver).await?)
}

/// Closes an account. Its hook checks for open orders; the condition also holds against an order placed after
/// that.
pub(crate) async fn close(customer: Id<Customer>) -> Result<(), Refusal> {
    let close = CustomerRepo::delete_by_id(customer).when(Customer::OPEN_ORDERS.eq(0));
    match close.await {
        Err(error) if error.is_refused() || error.is_condition_failed() => Err(Refusal::NotShipped),
        Err(error) => Err(error.into()),
        Ok(()) => Ok(()),
    }
}

/// Reopens a closed account.
pub(crate) async fn open_again(customer: Id<Customer>) -> Result<Customer, Refusal> {
    Ok(CustomerRepo::restore(customer).await?)
}
