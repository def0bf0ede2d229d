//! Any nesting, by a caller or by a server, ends with a value or an error, on a thread with a small stack.

use dynorm::prelude::*;
use dynorm::{Condition, Error, Query};
use dynorm_tests::canned::{self, Answer};
use serde::{Deserialize, Serialize};

/// A quarter of the stack of a tokio worker. Unoptimised conditions of 300 levels were measured to need less
/// than half of it.
const STACK: usize = 512 * 1024;

#[derive(Entity, Clone, Debug)]
struct User {
    #[entity(partition)]
    name: String,
    #[entity(index = "by_city")]
    city: String,
    #[entity(index("by_city", sort))]
    age: u32,
    child: Option<Child>,
    lists: Option<Lists>,
    json: Option<serde_json::Value>,
    #[entity(serde)]
    chain: Option<Chain>,
}

impl Default for User {
    fn default() -> Self {
        let name = "Ada".to_owned();
        Self { name, city: "Paris".into(), age: 1, child: None, lists: None, json: None, chain: None }
    }
}

#[derive(Attribute, Clone, Debug)]
struct Child {
    child: Option<Box<Child>>,
}

#[derive(Attribute, Clone, Debug)]
struct Lists {
    lists: Vec<Lists>,
}

/// A type that only wraps itself, so that no stored value ends it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Chain(Option<Box<Chain>>);

fn on_a_small_stack<F: Future>(test: impl FnOnce() -> F + Send + 'static) {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(test());
    };
    std::thread::Builder::new().stack_size(STACK).spawn(run).unwrap().join().unwrap();
}

type Level = fn(Condition<User>) -> Condition<User>;

fn nested(levels: usize, level: Level) -> Condition<User> {
    (0..levels).fold(User::AGE.gt(1), |condition, _| level(condition))
}

/// The ways to nest a condition. All have more than 300 operators at 2,000 levels.
const LEVELS: [Level; 9] = [
    |condition| !condition,
    |condition| condition & User::AGE.gt(1),
    |condition| User::AGE.gt(1) & condition,
    |condition| condition | User::AGE.eq(1),
    |condition| User::AGE.eq(1) | condition,
    |condition| !(condition & User::CHILD.exists()),
    |condition| (condition & User::AGE.gt(1)) | User::AGE.eq(1),
    |condition| User::AGE.eq(1) | (User::AGE.gt(1) & condition),
    |condition| dynorm::field("age").eq(1) | (!condition & dynorm::field("age").exists()),
];

/// The number of levels of each with at most 300 operators.
const PERMITTED: [usize; 9] = [299, 149, 149, 149, 149, 99, 74, 74, 59];

async fn is_refused(what: impl IntoFuture<Output = dynorm::Result<impl Sized>>) {
    let error = what.await.err().unwrap();
    assert!(matches!(error, Error::Invalid(_)), "{error:?}");
    assert!(error.to_string().contains("DynamoDB takes 300"), "{error}");
}

#[test]
fn a_condition_that_is_too_deep_is_refused_by_whatever_takes_one() {
    on_a_small_stack(|| async {
        let db = Database::memory().unwrap();
        db.create_table::<User>().await.unwrap();
        for level in LEVELS {
            for levels in [400, 2_000, 10_000] {
                let condition = || nested(levels, level);
                assert!(UserRepo::filter(condition()).get_all().on(&db).await.is_err());
                is_refused(UserRepo::filter(condition()).allow_scan().get_all().on(&db)).await;
                is_refused(UserRepo::by_city("Paris").filter(condition()).count().on(&db)).await;
                is_refused(UserRepo::by_city("Paris").filter(condition()).page(1).on(&db)).await;
                is_refused(UserRepo::save(User::default()).when(condition()).on(&db)).await;
                is_refused(UserRepo::update("Ada").set(User::AGE, 2).when(condition()).on(&db)).await;
                is_refused(UserRepo::delete_by_id("Ada").when(condition()).on(&db)).await;
                let condition = condition();
                assert!(format!("{condition:?} {condition:#?}").len() < 1_000_000);
                assert!(!UserRepo::filter(condition.clone()).explain().to_string().is_empty());
                drop((condition.clone(), condition));
            }
        }
    });
}

#[test]
fn a_condition_that_is_as_deep_as_may_be_is_sent_and_evaluated() {
    on_a_small_stack(|| async {
        let (db, requests) = canned::database(|request| match request.target.as_str() {
            "BatchGetItem" => Answer::ok(
                r#"{"Responses":{"users":[{"name":{"S":"Ada"},"city":{"S":"Paris"},"age":{"N":"1"}}]}}"#,
            ),
            _ => Answer::ok(r#"{"Items":[],"Count":0}"#),
        });
        for (level, levels) in LEVELS.into_iter().zip(PERMITTED) {
            let condition = nested(levels, level);
            assert!(format!("{condition:?} {condition:#?}").contains("age"));
            let query = |query: Query<User>| query.filter(condition.clone());
            query(UserRepo::by_city("Paris")).explain().to_string();
            query(UserRepo::by_name_in(["Ada", "Eve"])).get_all().on(&db).await.unwrap();
            // Some of them are longer than 4 KB, which is an error too.
            for error in [
                UserRepo::save(User::default()).when(condition.clone()).on(&db).await.err(),
                query(UserRepo::scan()).get_all().on(&db).await.err(),
            ] {
                assert!(error.is_none_or(|error| error.to_string().contains("4096")), "{levels}");
            }
        }
        assert!(!requests.all().is_empty());
    });
}

/// The conditions fix several whole keys, so the others are evaluated here.
trait ByNameIn {
    fn by_name_in(names: [&str; 2]) -> Query<User>;
}

impl ByNameIn for UserRepo {
    fn by_name_in(names: [&str; 2]) -> Query<User> {
        Self::filter(User::NAME.is_in(names))
    }
}

#[test]
fn lists_of_any_length_end_in_an_error() {
    on_a_small_stack(|| async {
        let db = Database::memory().unwrap();
        db.create_table::<User>().await.unwrap();
        let names = || (0..200_000).map(|number| number.to_string());
        let error = UserRepo::filter(User::NAME.is_in(names())).get_all().on(&db).await.unwrap_err();
        assert!(error.to_string().contains("200000 values"), "{error}");
        let error =
            UserRepo::filter(dynorm::field("name").is_in(names())).get_all().on(&db).await.unwrap_err();
        assert!(error.to_string().contains("200000 values"), "{error}");
        // A condition on a key attribute is evaluated here, without DynamoDB's limits.
        let all = UserRepo::by_city("Paris").filter(User::AGE.is_in(0..200_000)).get_all().on(&db).await;
        assert!(all.unwrap().is_empty());
        let any = names().map(|name| User::CITY.eq(name)).reduce(|one, other| one | other).unwrap();
        is_refused(UserRepo::filter(any).get_all().on(&db)).await;
        let all = (0..2_000).fold(UserRepo::by_city("Paris"), |query, _| query.filter(User::CHILD.exists()));
        is_refused(all.get_all().on(&db)).await;
    });
}

/// `levels` times `before`, `inner`, and `levels` times `behind`.
fn nest(levels: usize, before: &str, inner: &str, behind: &str) -> String {
    format!("{}{inner}{}", before.repeat(levels), behind.repeat(levels))
}

#[test]
fn answers_are_read_as_deep_as_dynamodb_nests_and_no_deeper() {
    on_a_small_stack(|| async {
        for levels in [33, 64, 65, 300, 100_000] {
            for (field, value) in [
                ("child", nest(levels, r#"{"M":{"child":"#, r#"{"M":{}}"#, "}}")),
                ("child", nest(levels, r#"{"M":{"\u0063hild":"#, r#"{"M":{}}"#, "}}")),
                ("lists", nest(levels, r#"{"M":{"lists":{"L":["#, r#"{"M":{"lists":{"L":[]}}}"#, "]}}}")),
                ("json", nest(levels, r#"{"L":["#, r#"{"S":"x"}"#, "]}")),
                ("json", nest(levels, r#"{"M":{"a":"#, r#"{"S":"x"}"#, "}}")),
                ("chain", r#"{"S":"x"}"#.to_owned()),
                ("other", nest(levels, r#"{"L":["#, r#"{"S":"x"}"#, "]}")),
            ] {
                let item = format!(
                    r#"{{"name":{{"S":"Ada"}},"city":{{"S":"Paris"}},"age":{{"N":"1"}},"{field}":{value}}}"#
                );
                let answer = format!(r#"{{"Item":{item},"Items":[{item}],"Count":1,"Attributes":{item}}}"#);
                let (db, _) = canned::database(move |_| Answer::ok(answer.clone()));
                let results = [
                    UserRepo::find("Ada").on(&db).await.map(drop),
                    UserRepo::all().on(&db).await.map(drop),
                    UserRepo::by_city("Paris").get_all().on(&db).await.map(drop),
                ];
                for result in results {
                    match result {
                        Ok(()) => assert!(levels <= 64 || field == "other", "{field} {levels}"),
                        Err(Error::Undecodable(_)) => {
                            assert!(levels > 32 && field != "other", "{field} {levels}");
                        }
                        Err(error) => panic!("{field} {levels}: {error:?}"),
                    }
                }
            }
        }
    });
}

#[test]
fn cursors_positions_and_errors_of_any_depth_are_refused() {
    on_a_small_stack(|| async {
        let deep = nest(100_000, r#"{"M":{"a":"#, r#"{"S":"x"}"#, "}}");
        for key in [deep.clone(), format!(r#"{{"name":{deep}}}"#), nest(100_000, "[", "", "]")] {
            let answer = format!(r#"{{"Items":[],"Count":0,"LastEvaluatedKey":{key}}}"#);
            let (db, _) = canned::database(move |_| Answer::ok(answer.clone()));
            assert!(matches!(UserRepo::all().on(&db).await, Err(Error::Undecodable(_))));
            let json = format!(r#"["0000000000000000",{key}]"#);
            let text = aws_smithy_types::base64::encode(json).replace('+', "-").replace('/', "_");
            let cursor: dynorm::Cursor = format!("1{}", text.trim_end_matches('=')).parse().unwrap();
            let error = UserRepo::by_city("Paris").page(1).after(cursor).on(&db).await.unwrap_err();
            assert!(error.is_invalid_cursor(), "{error:?}");
        }
        // Cloning and dropping such values is not dynorm's code, so they are only borrowed, and never dropped.
        let json =
            (0..10_000).fold(serde_json::Value::Null, |inner, _| serde_json::Value::Array(vec![inner]));
        let chain = (0..10_000).fold(Chain(None), |inner, _| Chain(Some(Box::new(inner))));
        for user in
            [User { json: Some(json), ..User::default() }, User { chain: Some(chain), ..User::default() }]
        {
            let refused = dynorm::to_item(&user);
            std::mem::forget(user);
            assert!(matches!(refused, Err(Error::Invalid(_))));
        }
    });
}
