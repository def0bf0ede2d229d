//! An order history: customers and their orders in one table with template keys.

use dynorm::prelude::*;

/// A customer is the item `PROFILE` of its partition.
#[derive(Entity, Clone, Debug, Default)]
#[entity(table = "shop", partition = "CUSTOMER#{id}", sort = "PROFILE")]
pub(crate) struct Customer {
    #[entity(id)]
    pub(crate) id: Id<Customer>,
    pub(crate) name: String,
}

/// An order is in the partition of its customer, after the orders placed before it.
#[derive(Entity, Clone, Debug, Default)]
#[entity(table = "shop", partition = "CUSTOMER#{customer_id}", sort = "ORDER#{placed_at}#{id}")]
// The index holds its keys, those of the table, and `total`: enough for a list of orders.
#[entity(index("by_status", partition = "STATUS#{status}", sort = "{placed_at}", include = [total]))]
pub(crate) struct Order {
    pub(crate) customer_id: Id<Customer>,
    pub(crate) placed_at: Timestamp,
    #[entity(id)]
    id: Id<Order>,
    pub(crate) status: Status,
    pub(crate) total: u32,
    pub(crate) remarks: String,
}

#[derive(Attribute, Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Status {
    #[default]
    Placed,
    Shipped,
    Returned,
}

/// Every order of a customer, the oldest first. Other items of the partition, such as the customer, are not
/// read.
pub(crate) async fn of_customer(id: Id<Customer>) -> dynorm::Result<Collection<Order>> {
    OrderRepo::filter(Order::CUSTOMER_ID.eq(id)).get_all().await
}

/// The template begins with `placed_at`, so the table sorts by it.
pub(crate) async fn latest(id: Id<Customer>, count: u64) -> dynorm::Result<Collection<Order>> {
    OrderRepo::filter(Order::CUSTOMER_ID.eq(id))
        .order_by(Order::PLACED_AT.desc())
        .limit(count)
        .get_all()
        .await
}

/// The bounds become bounds of the key: all timestamps have the same length, so the texts of the template
/// sort as they do.
pub(crate) async fn between(
    id: Id<Customer>,
    from: Timestamp,
    to: Timestamp,
) -> dynorm::Result<Collection<Order>> {
    OrderRepo::filter(Order::CUSTOMER_ID.eq(id) & Order::PLACED_AT.between(from, to)).get_all().await
}

/// The orders of all customers with this status, the oldest first. They have a type of their own, with the
/// fields in the index.
pub(crate) async fn with_status(status: Status) -> dynorm::Result<Collection<OrderByStatus>> {
    OrderRepo::by_status(status).get_all().await
}

/// Whole orders: the items found in the index are completed by a batch get, and checked again.
pub(crate) async fn with_remarks(status: Status) -> dynorm::Result<Collection<Order>> {
    OrderRepo::by_status(status).hydrate().filter(Order::REMARKS.ne("")).get_all().await
}

/// Two customers: one with an order every month, one with a single order.
pub(crate) async fn fill() -> anyhow::Result<[Customer; 2]> {
    let named = |name: &str| Customer { name: name.to_owned(), ..Customer::default() };
    let mut customers = [named("Ada"), named("Alan")];
    CustomerRepo::batch_save(&mut customers).await?;

    let [ada, alan] = &customers;
    let mut orders = Vec::new();
    for month in 1..=6 {
        let status = if month < 5 { Status::Shipped } else { Status::Placed };
        let placed_at = format!("2026-{month:02}-15T12:00:00Z").parse()?;
        let remarks = if month == 6 { "leave it at the door".to_owned() } else { String::new() };
        let total = 10 * month;
        orders.push(Order { customer_id: ada.id, placed_at, status, total, remarks, ..Order::default() });
    }
    let placed_at = "2026-03-01T08:00:00Z".parse()?;
    orders.push(Order { customer_id: alan.id, placed_at, total: 7, ..Order::default() });
    OrderRepo::batch_save(orders).await?;
    Ok(customers)
}
