//! Key templates: entities that share a table never replace each other's items, whatever their values are.

use dynorm::prelude::*;
use dynorm_tests::database;

#[derive(Entity, Clone, Debug, PartialEq)]
#[entity(table = "shop", partition = "USER#{name}")]
struct User {
    name: String,
}

#[derive(Entity, Clone, Debug, PartialEq)]
#[entity(table = "shop", partition = "USER#{user}#ORDER#{number}")]
struct Order {
    user: String,
    number: u32,
}

#[tokio::test]
async fn no_value_makes_the_key_of_another_entity() {
    let db = database();
    db.create_table::<User>().with::<Order>().await.unwrap();
    let order = Order { user: "ada".into(), number: 1 };
    OrderRepo::save(&order).on(&db).await.unwrap();
    let users = ["ada#ORDER#1", "ada", "ada\\#ORDER#1", "#", ""].map(|name| User { name: name.into() });
    UserRepo::batch_save(&users).on(&db).await.unwrap();
    for user in &users {
        assert_eq!(UserRepo::find(&user.name).on(&db).await.unwrap().as_ref(), Some(user));
        UserRepo::delete_by_id(&user.name).on(&db).await.unwrap();
    }
    UserRepo::save(&users[0]).on(&db).await.unwrap();
    UserRepo::batch_delete(["ada#ORDER#1"]).on(&db).await.unwrap();
    assert_eq!(OrderRepo::find(("ada", 1)).on(&db).await.unwrap(), Some(order));
    assert_eq!(UserRepo::all().on(&db).await.unwrap(), []);
}

macro_rules! of_shop {
    ($($entity:ident: $($attribute:literal $($sort:literal)?),+;)*) => {$(
        #[derive(Entity, Clone, Debug, PartialEq)]
        #[entity(table = "overlaps", $(partition = $attribute $(, sort = $sort)?),+)]
        struct $entity {
            one: String,
            two: String,
        }
    )*};
}

of_shop! {
    Equal: "USER#{one}" "{two}";
    Also: "USER#{two}" "{one}";
    Behind: "{one}#{two}" "X";
    Apart: "ORDER#{one}" "{two}";
    Other: "USER#{one}" "A#{two}";
    Bar: "USER#{one}" "{two}|";
}

#[derive(Entity, Clone, Debug, PartialEq)]
#[entity(table = "overlaps")]
struct Plain {
    #[entity(partition)]
    pk: String,
    #[entity(sort)]
    sk: String,
}

#[tokio::test]
async fn entities_that_can_make_one_key_are_refused_together() {
    let db = database();
    let error = |error: dynorm::Error| {
        assert!(matches!(error, dynorm::Error::Configuration(_)), "{error}");
        error.to_string()
    };
    let equal = error(db.create_table::<Equal>().with::<Also>().await.unwrap_err());
    for part in [
        "`Equal` and `Also`",
        "`overlaps`",
        "pk = \"USER#\"",
        "\"USER#{one}\" and \"{two}\"",
        "\"USER#{two}\" and \"{one}\"",
    ] {
        assert!(equal.contains(part), "{part}: {equal}");
    }
    let behind = error(db.create_table::<Equal>().with::<Behind>().await.unwrap_err());
    assert!(behind.contains("pk = \"USER#\" and sk = \"X\""), "{behind}");
    let plain = error(db.create_table::<Plain>().with::<Apart>().await.unwrap_err());
    assert!(plain.contains("`Plain` with the field `pk`"), "{plain}");
    error(db.create_table::<Apart>().with::<Other>().with::<Bar>().with::<Equal>().await.unwrap_err());
    // No table was created.
    let absent = db.client().describe_table().table_name(db.table_name::<Equal>()).send().await;
    assert!(absent.is_err());
    db.create_table::<Apart>().with::<Other>().await.unwrap();
}

#[derive(Entity, Clone, Debug, PartialEq)]
#[entity(table = "people", partition = "P#{name}", type_attribute = "kind")]
#[entity(type_name = "PERSON", type_name(also = ["User", "Person"]))]
struct Person {
    name: String,
    age: u32,
}

/// The same entity before it was renamed, and another entity.
#[derive(Entity, Clone, Debug, PartialEq)]
#[entity(table = "people", partition = "P#{name}", type_attribute = "kind", type_name = "User")]
struct Former {
    name: String,
    age: u32,
}

#[derive(Entity, Clone, Debug, PartialEq)]
#[entity(table = "people", partition = "P#{name}", type_attribute = "kind")]
struct Stranger {
    name: String,
    age: u32,
}

/// The same table without types.
#[derive(Entity, Clone, Debug, PartialEq)]
#[entity(table = "people", partition = "P#{name}", untyped)]
struct Anyone {
    name: String,
    age: u32,
}

#[tokio::test]
async fn former_types_are_read_as_the_entitys_own() {
    let db = database();
    db.create_table::<Person>().with::<Former>().await.unwrap();
    let (ada, bob) = ("ada".to_owned(), "bob".to_owned());
    FormerRepo::save(Former { name: ada.clone(), age: 1 }).on(&db).await.unwrap();
    StrangerRepo::save(Stranger { name: bob.clone(), age: 2 }).on(&db).await.unwrap();
    AnyoneRepo::save(Anyone { name: "cyd".into(), age: 3 }).on(&db).await.unwrap();
    let kind = async |name: &str| {
        let query = db.client().get_item().table_name(db.table_name::<Person>());
        let key = aws_sdk_dynamodb::types::AttributeValue::S(format!("P#{name}"));
        let item = query.key("pk", key).send().await.unwrap().item.unwrap();
        item.get("kind").map(|kind| kind.as_s().unwrap().clone())
    };
    assert_eq!(PersonRepo::find(&ada).on(&db).await.unwrap().map(|person| person.age), Some(1));
    assert!(PersonRepo::find(&bob).on(&db).await.unwrap_err().is_type_mismatch());
    assert_eq!(PersonRepo::all().on(&db).await.unwrap().len(), 1);
    assert_eq!(PersonRepo::count().on(&db).await.unwrap(), 1);
    // An update keeps the type name, and a save writes the new one.
    PersonRepo::update(&ada).add(Person::AGE, 1).on(&db).await.unwrap();
    assert_eq!(kind("ada").await.as_deref(), Some("User"));
    PersonRepo::save(Person { name: ada.clone(), age: 5 }).on(&db).await.unwrap();
    assert_eq!(kind("ada").await.as_deref(), Some("PERSON"));
    assert!(FormerRepo::find(&ada).on(&db).await.unwrap_err().is_type_mismatch());
    // Without types all items are the entity's, and no type is written.
    assert_eq!(AnyoneRepo::all().on(&db).await.unwrap().len(), 3);
    assert_eq!(kind("cyd").await, None);
    let plan = PersonRepo::scan().on(&db).explain().to_string();
    assert!(plan.contains(r#"kind IN ("PERSON", "User", "Person")"#), "{plan}");
}

/// Keys as another program writes them.
#[derive(Entity, Clone, Debug, PartialEq)]
#[entity(table = "theirs", partition = "USER#{name}", sort = "{path}", escape = "none", untyped)]
struct Theirs {
    name: String,
    path: String,
}

#[tokio::test]
async fn keys_that_others_made_are_written_as_they_are() {
    let db = database();
    db.create_table::<Theirs>().await.unwrap();
    let theirs = Theirs { name: "a#b".into(), path: "c#d\\".into() };
    TheirsRepo::save(&theirs).on(&db).await.unwrap();
    let items = db.client().scan().table_name(db.table_name::<Theirs>()).send().await.unwrap();
    let item = items.items().first().unwrap();
    assert_eq!(item["pk"].as_s().unwrap(), "USER#a#b");
    assert_eq!(item["sk"].as_s().unwrap(), "c#d\\");
    assert_eq!(TheirsRepo::find(("a#b", "c#d\\")).on(&db).await.unwrap(), Some(theirs));
}

#[derive(Attribute, Clone, Copy, Debug, PartialEq)]
struct Number(u8);

#[derive(Entity, Clone, Debug, PartialEq)]
#[entity(table = "padded", partition = "P#{group}", sort = "{number:05}")]
#[entity(index("by_small", partition = "{group}", sort = "{small:03}"))]
struct Padded {
    group: String,
    number: i64,
    small: Option<Number>,
}

#[tokio::test]
async fn padded_numbers_are_in_order_and_what_does_not_fit_is_refused() {
    let db = database();
    db.create_table::<Padded>().await.unwrap();
    let padded = |number, small| Padded { group: "g".into(), number, small };
    let all: Vec<Padded> = [7, 10, 70, 0].iter().map(|number| padded(*number, Some(Number(7)))).collect();
    PaddedRepo::batch_save(&all).on(&db).await.unwrap();
    let below =
        PaddedRepo::filter(Padded::GROUP.eq("g") & Padded::NUMBER.lt(9)).get_all().on(&db).await.unwrap();
    assert_eq!(below.iter().map(|it| it.number).collect::<Vec<_>>(), [0, 7]);
    let below = PaddedRepo::filter(Padded::GROUP.eq("g") & Padded::NUMBER.lt(1_000_000)).on(&db);
    assert_eq!(below.get_all().await.unwrap().len(), 4);
    let above = PaddedRepo::filter(Padded::GROUP.eq("g") & Padded::NUMBER.gt(-1)).on(&db);
    assert_eq!(above.get_all().await.unwrap().len(), 4);
    // By name, a string with the same digits is refused.
    let text = PaddedRepo::filter(Padded::GROUP.eq("g") & dynorm::field("number").eq("7")).on(&db);
    assert!(text.get_all().await.unwrap_err().to_string().contains("a condition on it takes a number"));
    for number in [-1, 100_000] {
        let error = PaddedRepo::save(padded(number, None)).on(&db).await.unwrap_err().to_string();
        assert!(error.contains("padded"), "{error}");
    }
}
