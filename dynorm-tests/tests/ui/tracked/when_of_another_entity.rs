use dynorm::Tracked;
use dynorm::prelude::*;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(id)]
    id: Id<User>,
    name: String,
}

#[derive(Entity, Clone, Debug)]
struct Order {
    #[entity(id)]
    id: Id<Order>,
    total: u32,
}

async fn save(user: &mut Tracked<User>) -> dynorm::Result<()> {
    user.save().when(Order::TOTAL.eq(1)).await
}

fn main() {}
