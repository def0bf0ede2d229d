//! Validation of an entity's fields before every write.

use dynorm::Fate;
use dynorm::prelude::*;
use dynorm_tests::database;

#[derive(Entity, garde::Validate, Clone, Debug, PartialEq)]
#[entity(validate)]
struct User {
    #[entity(partition)]
    #[garde(length(min = 1))]
    name: String,
    #[garde(email)]
    email: String,
    #[garde(range(min = 18, max = 120))]
    age: u8,
    #[garde(inner(length(max = 5)))]
    tags: Vec<String>,
    #[garde(dive)]
    address: Option<Address>,
    #[garde(skip)]
    #[entity(version)]
    version: u64,
}

#[derive(Attribute, garde::Validate, Clone, Debug, PartialEq)]
struct Address {
    #[garde(pattern(r"^[0-9]{5}$"))]
    zip: String,
}

fn user(name: &str, age: u8) -> User {
    User {
        name: name.into(),
        email: format!("{name}@example.com"),
        age,
        tags: Vec::new(),
        address: None,
        version: 0,
    }
}

#[tokio::test]
async fn an_entity_that_breaks_its_rules_is_not_written() {
    let db = database();
    db.create_table::<User>().await.unwrap();
    let mut wrong = User {
        email: "ada".into(),
        tags: vec!["ok".into(), "too long".into()],
        address: Some(Address { zip: "x".into() }),
        ..user("ada", 7)
    };
    let before = wrong.clone();
    let error = UserRepo::save(&mut wrong).on(&db).await.unwrap_err();
    assert!(matches!(error, dynorm::Error::ValidationFailed(_)) && error.outcome_known());
    let fields: Vec<&str> = error.violations().iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["address.zip", "age", "email", "tags[1]"]);
    let text = error.to_string();
    assert!(text.starts_with("`User` with name = ada in the table `"), "{text}");
    assert!(text.contains("breaks its rules: `address.zip`: "), "{text}");
    assert!(text.contains("; `age`: lower than 18; `email`: not a valid email: "), "{text}");
    assert_eq!(wrong, before, "the version is put back");
    for error in [
        UserRepo::create(user("ada", 7)).on(&db).await.unwrap_err(),
        UserRepo::save(user("ada", 7)).merge().on(&db).await.unwrap_err(),
        UserRepo::first_or_create(user("ada", 7)).on(&db).await.unwrap_err(),
    ] {
        assert_eq!(error.violations().len(), 1, "{error}");
    }
    assert_eq!(UserRepo::count().on(&db).await.unwrap(), 0);
}

#[tokio::test]
async fn in_a_batch_the_others_are_written() {
    let db = database();
    db.create_table::<User>().await.unwrap();
    let users: Vec<User> = (0..40u8).map(|number| user(&format!("u{number}"), 5 + number)).collect();
    let error = UserRepo::batch_save(&users).on(&db).await.unwrap_err();
    let failed: Vec<usize> = error.failures().iter().map(|failure| failure.index).collect();
    assert_eq!(failed, (0..13).collect::<Vec<usize>>());
    assert!(error.failures().iter().all(|failure| failure.fate == Fate::Rejected));
    assert!(error.failures().iter().all(|failure| failure.reason.violations().len() == 1));
    assert_eq!(UserRepo::count().on(&db).await.unwrap(), 27);
    let mut failed = 0;
    UserRepo::batch_save_stream(&users[..20]).on_failure(|_| failed += 1).on(&db).await.unwrap();
    assert!(failed >= 13);
}
