//! The code of the public face, as its users write it.

use std::collections::BTreeSet;

use dynorm::prelude::*;
use dynorm_tests::database;

/// Stored in table `users`.
#[derive(Entity, Clone, Debug, Default, PartialEq)]
pub struct User {
    #[entity(id)]
    pub id: Id<User>,
    #[entity(index = "by_email")]
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    #[entity(index = "by_status")]
    pub status: Status,
    pub age: u32,
    pub tags: BTreeSet<String>,
    pub address: Option<Address>,
    #[entity(created_at)]
    pub created_at: Timestamp,
    #[entity(updated_at, index("by_status", sort))]
    pub updated_at: Timestamp,
}

#[derive(Attribute, Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    #[default]
    Pending,
    Active,
    Inactive,
    Banned,
}

#[derive(Attribute, Clone, Debug, Default, PartialEq)]
pub struct Address {
    pub city: String,
    pub zip: String,
}

impl UserRepo {
    pub async fn active_adults() -> dynorm::Result<Collection<User>> {
        Self::by_status(Status::Active).filter(User::AGE.ge(18)).get_all().await
    }
}

#[derive(Entity, Clone, Debug, PartialEq)]
pub struct Reading {
    #[entity(partition)]
    pub sensor: String,
    #[entity(sort)]
    pub taken_at: Timestamp,
    pub celsius: f64,
}

#[derive(Entity, Clone, Debug, PartialEq)]
#[entity(table = "shop", partition = "CUSTOMER#{customer_id}", sort = "ORDER#{id}")]
#[entity(index("gsi1", partition = "STATUS#{status}", sort = "{placed_at}"))]
pub struct Order {
    pub customer_id: Id<Customer>,
    #[entity(id)]
    pub id: Id<Order>,
    pub status: OrderStatus,
    pub placed_at: Timestamp,
}

#[derive(Attribute, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OrderStatus {
    #[default]
    Placed,
    Shipped,
}

pub struct Customer;

#[tokio::test]
async fn one_item_comes_and_goes() -> anyhow::Result<()> {
    let db = database();
    db.create_table::<User>().await?;
    db.create_table::<User>().await?;
    db.scope(async {
        let mut user = User { email: "ada@example.com".into(), ..Default::default() };
        UserRepo::save(&mut user).await?;
        assert!(!user.id.is_unset());
        assert_eq!(user.created_at, user.updated_at);
        let user = UserRepo::save(user).await?;
        let copy = UserRepo::save(&user).await?;
        assert_eq!(copy.id, user.id);

        let found: Option<User> = UserRepo::find(user.id).await?;
        assert_eq!(found, Some(copy.clone()));
        let user: User = UserRepo::get(user.id).await?;
        UserRepo::find(user.id).consistent().await?;
        let everyone: Collection<User> = UserRepo::all().await?;
        assert_eq!(everyone, vec![copy]);
        let n: u64 = UserRepo::count().await?;
        assert_eq!(n, 1);
        assert_eq!(UserRepo::delete(&user).returning_old().await?, Some(user.clone()));
        UserRepo::delete_by_id(user.id).await?;
        assert!(UserRepo::get(user.id).await.unwrap_err().is_not_found());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_composite_key_and_a_template() -> anyhow::Result<()> {
    let db = database();
    db.create_table::<Reading>().await?;
    db.create_table::<Order>().await?;
    db.scope(async {
        let taken_at = Timestamp::now();
        let reading =
            ReadingRepo::save(Reading { sensor: "kitchen".into(), taken_at, celsius: 21.5 }).await?;
        assert_eq!(ReadingRepo::find(("kitchen", taken_at)).await?, Some(reading));

        let order = Order {
            customer_id: Id::new(),
            id: Id::default(),
            status: OrderStatus::Placed,
            placed_at: Timestamp::now(),
        };
        let order = OrderRepo::save(order).await?;
        assert_eq!(OrderRepo::find((order.customer_id, order.id)).await?.as_ref(), Some(&order));
        let placed = OrderRepo::gsi1(OrderStatus::Placed).get_all().await?;
        assert_eq!(placed, vec![order]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn batches() -> anyhow::Result<()> {
    let db = database();
    db.create_table::<User>().await?;
    db.scope(async {
        let mut users: Vec<User> =
            (0..120).map(|n| User { age: n, status: Status::Active, ..Default::default() }).collect();
        for (n, user) in users.iter_mut().enumerate() {
            user.email = format!("user{n}@example.com");
        }
        let saved: Collection<User> = UserRepo::batch_save(&users).await?;
        assert_eq!(saved.len(), 120);
        assert_eq!(saved.stats().requests, 5);
        UserRepo::batch_save(&mut users).await?;
        let saved = UserRepo::batch_save(users).await?;
        let ids: Vec<Id<User>> = saved.iter().map(|user| user.id).collect();
        let users: Collection<User> = UserRepo::batch_get(&ids).await?;
        assert_eq!(users, saved);
        assert_eq!(UserRepo::active_adults().await?.len(), 2 * (120 - 18));
        UserRepo::batch_delete(&ids).await?;
        UserRepo::batch_delete_entities(&users).await?;
        assert_eq!(UserRepo::count().await?, 120);
        Ok(())
    })
    .await
}
