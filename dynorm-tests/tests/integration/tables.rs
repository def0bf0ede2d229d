//! Tables are created if they are absent, compared if they exist, and never changed.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use dynorm::Error;
use dynorm::prelude::*;
use dynorm_tests::database;

#[derive(Entity, Clone, Debug, PartialEq)]
struct Sale {
    #[entity(partition)]
    shop: String,
    #[entity(sort)]
    number: u64,
    #[entity(index = "by_day")]
    day: time::Date,
    #[entity(index("by_day", sort), lsi = "by_amount")]
    amount: u32,
}

#[tokio::test]
async fn a_table_has_the_keys_and_indexes_of_its_entity() {
    let db = database();
    db.create_table::<Sale>().configure(|sdk| sdk.deletion_protection_enabled(false)).await.unwrap();
    db.create_table::<Sale>().await.unwrap();
    let table = db.client().describe_table().table_name(db.table_name::<Sale>()).send().await.unwrap();
    let table = table.table.unwrap();
    let names = |keys: &[KeySchemaElement]| -> Vec<String> {
        keys.iter().map(|key| format!("{} {}", key.key_type(), key.attribute_name())).collect()
    };
    assert_eq!(names(table.key_schema()), ["HASH shop", "RANGE number"]);
    assert_eq!(names(table.global_secondary_indexes()[0].key_schema()), ["HASH day", "RANGE amount"]);
    assert_eq!(names(table.local_secondary_indexes()[0].key_schema()), ["HASH shop", "RANGE amount"]);

    let sale = |number: u64, amount: u32| Sale {
        shop: "north".into(),
        number,
        day: time::Date::from_ordinal_date(2026, 60).unwrap(),
        amount,
    };
    SaleRepo::batch_save([sale(1, 30), sale(2, 10), sale(10, 20)]).on(&db).await.unwrap();
    let amounts = SaleRepo::by_amount("north").get_all().on(&db).await.unwrap();
    assert_eq!(amounts, vec![sale(2, 10), sale(10, 20), sale(1, 30)]);
    let day =
        SaleRepo::by_day(sale(1, 1).day).filter(Sale::SHOP.eq("north")).get_all().on(&db).await.unwrap();
    assert_eq!(day, vec![sale(2, 10), sale(10, 20), sale(1, 30)]);
}

#[tokio::test]
async fn what_differs_is_listed() {
    let db = database();
    let key = |name: &str, kind: KeyType| {
        KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
    };
    let attribute = |name: &str, kind: ScalarAttributeType| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().unwrap()
    };
    let index = GlobalSecondaryIndex::builder()
        .index_name("by_day")
        .key_schema(key("day", KeyType::Hash))
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
        .build()
        .unwrap();
    let create = db.client().create_table().table_name(db.table_name::<Sale>());
    create
        .billing_mode(BillingMode::PayPerRequest)
        .key_schema(key("shop", KeyType::Hash))
        .key_schema(key("number", KeyType::Range))
        .attribute_definitions(attribute("shop", ScalarAttributeType::S))
        .attribute_definitions(attribute("number", ScalarAttributeType::S))
        .attribute_definitions(attribute("day", ScalarAttributeType::S))
        .global_secondary_indexes(index)
        .send()
        .await
        .unwrap();
    let error = db.create_table::<Sale>().await.unwrap_err();
    assert!(matches!(error, Error::TableMismatch(_)));
    assert_eq!(
        error.to_string(),
        format!(
            "the table `{}` exists and differs from what `Sale` says: \
             the global index `by_day` has partition key `day`, not partition key `day` and sort key `amount`; \
             the global index `by_day` projects KEYS_ONLY, not ALL; \
             the local index `by_amount` is missing; \
             the attribute `number` has the type S, not N",
            db.table_name::<Sale>()
        )
    );
}

#[tokio::test]
async fn entities_that_share_a_table_bring_their_indexes_together() {
    #[derive(Entity, Clone, Debug, PartialEq)]
    #[entity(table = "library", partition = "BOOK#{isbn}", sort = "BOOK")]
    #[entity(index("by_title", partition = "TITLE#{title}"))]
    struct Book {
        isbn: String,
        title: String,
    }
    #[derive(Entity, Clone, Debug, PartialEq)]
    #[entity(table = "library", partition = "BOOK#{isbn}", sort = "LOAN#{reader}")]
    #[entity(index("by_reader", partition = "READER#{reader}"))]
    #[entity(index("by_title", partition = "TITLE#{title}"))]
    struct Loan {
        isbn: String,
        reader: String,
        title: String,
    }

    let db = database();
    db.create_table::<Book>().with::<Loan>().await.unwrap();
    db.create_table::<Loan>().await.unwrap();
    let book = Book { isbn: "1".into(), title: "Emma".into() };
    let loan = Loan { isbn: "1".into(), reader: "ada".into(), title: "Emma".into() };
    BookRepo::save(&book).on(&db).await.unwrap();
    LoanRepo::save(&loan).on(&db).await.unwrap();
    assert_eq!(BookRepo::by_title("Emma").get_all().on(&db).await.unwrap(), vec![book]);
    assert_eq!(LoanRepo::by_title("Emma").get_all().on(&db).await.unwrap(), vec![loan.clone()]);
    assert_eq!(LoanRepo::by_reader("ada").get_all().on(&db).await.unwrap(), vec![loan]);

    let db = database();
    db.create_table::<Book>().await.unwrap();
    let error = db.create_table::<Book>().with::<Loan>().await.unwrap_err().to_string();
    assert!(error.ends_with("the global index `by_reader` is missing"), "{error}");
    let error = db.create_table::<Book>().with::<Sale>().await.unwrap_err();
    assert!(matches!(error, Error::Configuration(_)), "{error:?}");
}

#[tokio::test]
async fn a_table_is_deleted_when_asked_for() {
    let db = database();
    db.create_table::<Sale>().await.unwrap();
    db.delete_table::<Sale>().await.unwrap();
    assert!(matches!(SaleRepo::count().on(&db).await.unwrap_err(), Error::TableNotFound(_)));
    assert!(matches!(db.delete_table::<Sale>().await.unwrap_err(), Error::TableNotFound(_)));
}

#[tokio::test]
async fn prefixes_keep_tables_apart() {
    let db = database();
    let (test, live) = (db.clone().with_table_prefix(format!("{}test-", db.table_name::<Sale>())), db);
    test.create_table::<Sale>().await.unwrap();
    assert!(matches!(SaleRepo::count().on(&live).await.unwrap_err(), Error::TableNotFound(_)));
    assert_eq!(SaleRepo::count().on(&test).await.unwrap(), 0);
}

#[tokio::test]
async fn scopes_nest_and_an_operation_may_name_its_own_database() {
    let (outer, inner) = (database(), database());
    for db in [&outer, &inner] {
        db.create_table::<Sale>().await.unwrap();
    }
    let sale =
        Sale { shop: "x".into(), number: 1, day: time::Date::MIN.replace_year(2026).unwrap(), amount: 1 };
    outer
        .scope(async {
            SaleRepo::save(&sale).await.unwrap();
            inner.scope(async { assert_eq!(SaleRepo::count().await.unwrap(), 0) }).await;
            assert_eq!(SaleRepo::count().on(&inner).await.unwrap(), 0);
            assert_eq!(SaleRepo::count().await.unwrap(), 1);
        })
        .await;
}

#[cfg(test)]
mod files {
    use super::{Sale, SaleRepo};
    use dynorm::prelude::*;

    #[tokio::test]
    async fn a_file_keeps_what_was_saved() {
        let path = std::env::temp_dir().join(format!("dynorm-{}.db", dynorm::ulid::Ulid::generate()));
        let sale = Sale {
            shop: "x".into(),
            number: 1,
            day: time::Date::from_ordinal_date(2026, 1).unwrap(),
            amount: 1,
        };
        {
            let db = Database::file(&path).unwrap();
            db.create_table::<Sale>().await.unwrap();
            SaleRepo::save(&sale).on(&db).await.unwrap();
        }
        let db = Database::file(&path).unwrap();
        assert_eq!(SaleRepo::get(("x", 1)).on(&db).await.unwrap(), sale);
        drop(db);
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_path_that_cannot_be_opened_is_named() {
        let error = Database::file("/nowhere/at/all.db").unwrap_err().to_string();
        assert!(
            error.contains(
                "the database file /nowhere/at/all.db cannot be opened: there is no folder /nowhere/at"
            ),
            "{error}"
        );
    }
}
