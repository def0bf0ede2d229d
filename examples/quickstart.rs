//! The first steps with dynorm. Run it with `cargo run --example quickstart`.

use dynorm::prelude::*;

/// Stored in the table `users`. The derive macro generates `UserRepo` with the operations.
#[derive(Entity, Clone, Debug, Default)]
struct User {
    #[entity(id)] // the partition key: a new ULID at the first save
    id: Id<User>,
    name: String,
    #[entity(index = "by_city")] // a global secondary index, queried by `UserRepo::by_city`
    city: String,
    age: u32,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // A database in this process. On AWS, use `Database::from_env().await?`.
    let db = Database::memory()?;
    db.create_table::<User>().await?;
    db.install(); // from here on, every operation uses it

    let mut ada = User { name: "Ada".into(), city: "London".into(), age: 35, ..Default::default() };
    UserRepo::save(&mut ada).await?; // sets `ada.id`
    ada.age += 1;
    UserRepo::save(&ada).await?;

    let found: Option<User> = UserRepo::find(ada.id).await?;
    println!("found:   {found:?}");

    let friends = [("Alan", "London", 41), ("Grace", "New York", 85), ("Tim", "London", 9)];
    let friends = friends.map(|(name, city, age)| User {
        name: name.into(),
        city: city.into(),
        age,
        ..Default::default()
    });
    let friends: Collection<User> = UserRepo::batch_save(friends).await?; // any number of them
    println!("batch:   {}", friends.stats());

    let adults = UserRepo::by_city("London").filter(User::AGE.ge(18)).get_all().await?;
    println!("London:  {} adults", adults.len());

    UserRepo::delete(&ada).await?;
    UserRepo::batch_delete_entities(&friends).await?;
    println!("deleted: {} users are left", UserRepo::count().await?);
    Ok(())
}
