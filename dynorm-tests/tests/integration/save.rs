//! Conditional saves.

use dynorm::prelude::*;
use dynorm::testing::{Fault, Faults};
use dynorm_tests::canned::{self, Answer};
use dynorm_tests::database;

#[derive(Entity, Clone, Debug, PartialEq)]
struct Article {
    #[entity(partition)]
    slug: String,
    text: String,
    edition: u32,
    tags: Vec<String>,
}

fn article(edition: u32) -> Article {
    Article { slug: "tea".into(), text: format!("edition {edition}"), edition, tags: vec!["hot".into()] }
}

async fn engine() -> Database {
    let db = database();
    db.create_table::<Article>().await.unwrap();
    db
}

#[tokio::test]
async fn it_is_saved_when_the_condition_holds_and_not_otherwise() {
    let db = engine().await;
    ArticleRepo::save(article(1)).on(&db).await.unwrap();
    ArticleRepo::save(article(2)).when(Article::EDITION.eq(1)).on(&db).await.unwrap();
    let saves = [
        ArticleRepo::save(article(3)).when(Article::EDITION.eq(1)).on(&db),
        ArticleRepo::save(article(3)).merge().when(Article::EDITION.eq(1)).on(&db),
        // Several conditions must all hold, whatever they contain.
        ArticleRepo::save(article(3))
            .when(Article::EDITION.eq(1) | Article::TEXT.begins_with("x"))
            .when(Article::EDITION.eq(2))
            .on(&db),
    ];
    for save in saves {
        let error = save.await.unwrap_err();
        assert!(error.is_condition_failed() && error.outcome_known());
        assert_eq!(error.current::<Article>().unwrap().unwrap(), article(2));
        assert!(
            error.to_string().ends_with("the condition does not hold, and nothing was changed"),
            "{error}"
        );
    }
    let save = ArticleRepo::save(article(3)).when(Article::EDITION.eq(2)).merge();
    save.when(Article::TAGS.at(0).eq("hot")).on(&db).await.unwrap();
    assert_eq!(ArticleRepo::get("tea").on(&db).await.unwrap(), article(3));
}

#[tokio::test]
async fn where_there_is_no_item_no_condition_holds_that_wants_one() {
    let db = engine().await;
    for save in [ArticleRepo::save(article(1)), ArticleRepo::save(article(1)).merge()] {
        let error = save.when(Article::EDITION.eq(1)).on(&db).await.unwrap_err();
        assert!(error.is_condition_failed());
        assert!(error.current::<Article>().is_none());
    }
    ArticleRepo::save(article(1)).when(Article::EDITION.not_exists()).on(&db).await.unwrap();
}

#[tokio::test]
async fn an_entity_in_place_is_put_back_if_the_condition_does_not_hold() {
    #[derive(Entity, Clone, Debug, Default, PartialEq)]
    struct Page {
        #[entity(id)]
        id: Id<Page>,
        #[entity(updated_at)]
        updated_at: Timestamp,
    }
    let db = database();
    db.create_table::<Page>().await.unwrap();
    let mut page = Page::default();
    PageRepo::save(&mut page).when(Page::ID.exists()).on(&db).await.unwrap_err();
    assert_eq!(page, Page::default());
}

#[tokio::test]
async fn after_a_lost_answer_a_condition_that_fails_proves_nothing() {
    let db = engine().await;
    ArticleRepo::save(article(1)).on(&db).await.unwrap();
    let faulty = Faults::scripted([Fault::CutAfter]).on(&db);
    let save = ArticleRepo::save(article(2)).when(Article::EDITION.eq(1)).on(&faulty);
    let error = save.await.unwrap_err();
    assert!(error.is_condition_failed() && !error.outcome_known());
    assert_eq!(error.current::<Article>().unwrap().unwrap(), article(2));
}

#[tokio::test]
async fn what_is_sent() {
    let (db, requests) = canned::database(|_| Answer::ok("{}"));
    ArticleRepo::save(article(1)).when(Article::EDITION.lt(7)).on(&db).await.unwrap();
    ArticleRepo::save(article(1)).on(&db).await.unwrap();
    let item = r#""Item":{"slug":{"S":"tea"},"text":{"S":"edition 1"},"edition":{"N":"1"},"tags":{"L":[{"S":"hot"}]}}"#;
    let sent = requests.all();
    assert_eq!(
        sent[0].text(),
        format!(
            r##"{{"TableName":"articles",{item},"ConditionExpression":"#0 < :0","ExpressionAttributeNames":{{"#0":"edition"}},"ExpressionAttributeValues":{{":0":{{"N":"7"}}}},"ReturnValuesOnConditionCheckFailure":"ALL_OLD"}}"##
        )
    );
    assert_eq!(sent[1].text(), format!(r#"{{"TableName":"articles",{item}}}"#));
}

#[tokio::test]
async fn a_condition_that_cannot_be_is_refused_before_it_is_sent() {
    let (db, requests) = canned::database(|_| Answer::ok("{}"));
    let refused = async |condition: dynorm::Condition<Article>| {
        let save = ArticleRepo::save(article(1)).when(condition.clone()).on(&db).await.unwrap_err();
        let delete = ArticleRepo::delete_by_id("tea").when(condition).on(&db).await.unwrap_err();
        for error in [&save, &delete] {
            assert!(matches!(error, dynorm::Error::Invalid(_)), "{error}");
            assert!(
                error.to_string().contains("`Article` with slug = tea in the table `articles`"),
                "{error}"
            );
        }
        save.to_string()
    };
    assert!(
        refused(dynorm::field("colour").eq("red"))
            .await
            .ends_with("has no field that is stored as `colour`; it has `slug`, `text`, `edition`, `tags`")
    );
    assert!(refused(Article::EDITION.is_in([0u32; 0])).await.contains("`is_in` was given no values"));
    let many = (0..200).map(|n| Article::EDITION.ne(n)).reduce(|all, one| all & one).unwrap();
    assert!(refused(many).await.contains("the condition has 399 operators, and DynamoDB takes 300"));
    let long = (0..4).map(|_| Article::EDITION.is_in(0..100)).reduce(|all, one| all | one).unwrap();
    let long = refused(long.clone() & long).await;
    assert!(
        long.contains("the condition makes an expression of") && long.contains("DynamoDB takes 4096"),
        "{long}"
    );
    assert!(requests.is_empty());
}

#[tokio::test]
async fn an_item_that_does_not_fit_says_so_when_it_is_asked_for() {
    let (db, _) = canned::database(|_| {
        Answer::Json(
            400,
            r#"{"__type":"a#ConditionalCheckFailedException","Item":{"slug":{"S":"tea"}}}"#.to_owned(),
        )
    });
    let error = ArticleRepo::save(article(1)).when(Article::EDITION.eq(1)).on(&db).await.unwrap_err();
    let undecodable = error.current::<Article>().unwrap().unwrap_err();
    assert!(matches!(undecodable, dynorm::Error::Undecodable(_)));
    assert!(
        undecodable.to_string().contains("with slug = tea") && undecodable.to_string().contains("text: ")
    );
}
