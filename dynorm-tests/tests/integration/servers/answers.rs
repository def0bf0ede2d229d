//! Successes without DynamoDB's answer, and errors of proxies in front of DynamoDB.

use dynorm_tests::canned::{self, Answer};

use super::{said, terminals};

/// Successes that are not an answer to any operation.
const NONE: [&str; 13] = [
    "",
    "<html><body>Welcome to the hotel's network</body></html>",
    "null",
    "[]",
    "[{}]",
    "\"{}\"",
    "7",
    "true",
    r#"{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"oops"}"#,
    r#"{"message":"Forbidden"}"#,
    r#"{"Attributes":{"owner":{"S":"#,
    r#"{"Item":{},"Items":[],"Count":0,"Responses":{},"UnprocessedItems":{},"UnprocessedKeys":{}"#,
    "{}<html>",
];

#[tokio::test(start_paused = true)]
async fn a_success_is_an_answer_of_dynamodb() {
    for body in NONE {
        for terminal in terminals() {
            let (db, _) = canned::database(move |_| Answer::ok(body));
            let error = (terminal.run)(db).await.expect_err(&format!("{} of {body:?}", terminal.name));
            assert_eq!(error.outcome_known(), !terminal.is_write, "{} of {body:?}: {error:?}", terminal.name);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_text_is_no_answer() {
    for body in [b"\xff\xfe".as_slice(), b"{\"Item\":{\"owner\":{\"S\":\"\xc3\"}}}", b"\x1f\x8b\x08\x00"] {
        for terminal in terminals() {
            let (db, _) = canned::database(move |_| Answer::Bytes(200, body.to_vec()));
            let error = (terminal.run)(db).await.expect_err(terminal.name);
            assert_eq!(error.outcome_known(), !terminal.is_write, "{}: {error:?}", terminal.name);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn members_have_their_types() {
    // The answer to a transaction is empty.
    let has_none = ["transaction", "save of a unique value", "create of a unique value"];
    for (attributes, others) in [("[]", "7"), ("\"x\"", "\"x\""), ("7", "[[]]"), ("{\"owner\":7}", "true")] {
        let body = format!(
            r#"{{"Item":{attributes},"Attributes":{attributes},"Items":{others},"Count":"x","Responses":{others},"UnprocessedItems":{others},"UnprocessedKeys":{others}}}"#
        );
        for terminal in terminals().into_iter().filter(|terminal| !has_none.contains(&terminal.name)) {
            let is_put = ["save", "create", "save of a version"].contains(&terminal.name)
                || terminal.name.starts_with("batch_create")
                || terminal.name == "batch_save of versions";
            if is_put && attributes.starts_with('{') {
                continue;
            }
            let answer = body.clone();
            let (db, _) = canned::database(move |_| Answer::ok(answer.clone()));
            let error = (terminal.run)(db).await.expect_err(&format!("{} of {body}", terminal.name));
            // An item that is read back was written.
            if terminal.name != "exactly_once" {
                assert_eq!(
                    error.outcome_known(),
                    !terminal.is_write,
                    "{} of {body}: {error:?}",
                    terminal.name
                );
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn required_members_are_there() {
    for terminal in terminals().into_iter().filter(|terminal| {
        // Each conditional write is a request of its own.
        terminal.name.starts_with("batch_")
            && !["batch_save of versions", "batch_create"].contains(&terminal.name)
            || terminal.name.contains("query")
            || terminal.name.contains("scan")
            || ["all", "count", "transact_get"].contains(&terminal.name)
    }) {
        for body in
            ["{}", r#"{"ConsumedCapacity":[]}"#, r#"{"UnprocessedItems":null,"Responses":null,"Items":null}"#]
        {
            let (db, _) = canned::database(move |_| Answer::ok(body));
            let error = (terminal.run)(db).await.expect_err(&format!("{} of {body}", terminal.name));
            assert_eq!(error.outcome_known(), !terminal.is_write, "{} of {body}: {error:?}", terminal.name);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_is_told() {
    for (status, is_known) in [(204, false), (302, false), (413, true), (418, true), (503, false)] {
        for body in ["", "<html>not here</html>"] {
            for terminal in terminals() {
                let (db, _) = canned::database(move |_| Answer::Json(status, body.to_owned()));
                let error = (terminal.run)(db).await.expect_err(terminal.name);
                let text = said(&error);
                if status != 204 {
                    assert!(text.contains(&status.to_string()), "{}: {text}", terminal.name);
                }
                let expected = is_known || !terminal.is_write;
                assert_eq!(error.outcome_known(), expected, "{status} of {}: {text}", terminal.name);
            }
        }
    }
}
