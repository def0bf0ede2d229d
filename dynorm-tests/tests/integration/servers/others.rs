//! Answers to another request: items with another key, items that were not requested, the same item twice.

use dynorm::Fate;
use dynorm::prelude::*;
use dynorm_tests::canned::{self, Answer};
use serde_json::{Value, json};

use super::{NoteRepo, Stock, StockRepo, note, stock, terminals};

fn stored(owner: &str, number: u32) -> Value {
    json!({
        "owner": { "S": owner }, "number": { "N": number.to_string() }, "text": { "S": "milk" }, "count": { "N": "1" },
        "sku": { "S": owner }, "version": { "N": "7" }, "left": { "N": "1" },
    })
}

fn key(owner: &str, number: u32) -> Value {
    json!({ "owner": { "S": owner }, "number": { "N": number.to_string() } })
}

#[tokio::test(start_paused = true)]
async fn an_item_of_another_key_is_not_the_one_that_was_asked_for() {
    let with_items = [
        "find",
        "get",
        "transact_get",
        "delete().returning_old()",
        "update",
        "update().returning_old()",
        "upsert",
    ];
    for other in
        [stored("eve", 1), stored("ada", 2), json!({ "text": { "S": "milk" }, "count": { "N": "1" } })]
    {
        for terminal in terminals().into_iter().filter(|terminal| with_items.contains(&terminal.name)) {
            let item = other.clone();
            let (db, _) = canned::database(move |request| {
                Answer::ok(match request.target.as_str() {
                    "TransactGetItems" => json!({ "Responses": [{ "Item": item }] }).to_string(),
                    "GetItem" => json!({ "Item": item }).to_string(),
                    _ => json!({ "Attributes": item }).to_string(),
                })
            });
            let error = (terminal.run)(db).await.expect_err(terminal.name);
            assert_eq!(error.outcome_known(), !terminal.is_write, "{}: {error:?}", terminal.name);
        }
    }
    // The same key in another spelling.
    let mut same = stored("ada", 1);
    same["number"] = json!({ "N": "1.0e0" });
    same["owner"] = json!({ "S": "ada" });
    let text = json!({ "Item": same }).to_string().replace("\"ada\"", "\"\\u0061da\"");
    let (db, _) = canned::database(move |_| Answer::ok(text.clone()));
    let found = NoteRepo::find(("ada", 1)).on(&db).await;
    assert!(found.is_ok_and(|found| found == Some(note(1))));
}

#[tokio::test(start_paused = true)]
async fn a_failed_condition_is_of_the_item_that_was_written() {
    let refused = |item: Value| {
        let body = json!({
            "__type": "x#ConditionalCheckFailedException", "message": "The conditional request failed", "Item": item,
        });
        canned::database(move |_| Answer::Json(400, body.to_string())).0
    };
    let delete = |db: Database| async move { StockRepo::delete(&stock()).on(&db).await.unwrap_err() };
    let error = delete(refused(stored("tea", 1))).await;
    assert!(error.is_version_conflict() && error.outcome_known());
    assert_eq!(error.current::<Stock>().unwrap().unwrap().version, 7);
    let error = delete(refused(stored("coffee", 1))).await;
    assert!(
        !error.is_version_conflict() && !error.outcome_known() && error.current::<Stock>().is_none(),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_batch_get_is_answered_with_what_it_asked_for() {
    let asked = [("ada", 1), ("ada", 2)];
    let (own, other) = (stored("ada", 1), stored("eve", 1));
    let nothing = json!({});
    for (responses, unprocessed) in [
        (json!({ "sv_notes": [other] }), nothing.clone()),
        (json!({ "sv_notes": [own, stored("ada", 2), other] }), nothing.clone()),
        (json!({ "sv_notes": [own, own] }), nothing.clone()),
        (json!({ "sv_notes": [own], "others": [own] }), nothing.clone()),
        (json!({ "others": [own] }), nothing.clone()),
        (nothing.clone(), nothing.clone()),
        (json!({ "sv_notes": [own] }), json!({ "sv_notes": { "Keys": [key("eve", 1)] } })),
        (json!({ "sv_notes": [own] }), json!({ "others": { "Keys": [key("ada", 2)] } })),
        (json!({ "sv_notes": [{ "text": { "S": "x" } }] }), nothing.clone()),
    ] {
        let body = json!({ "Responses": responses, "UnprocessedKeys": unprocessed }).to_string();
        let text = body.clone();
        let (db, _) = canned::database(move |_| Answer::ok(body.clone()));
        let error = NoteRepo::batch_get(asked).on(&db).await.expect_err(&text);
        assert!(error.outcome_known() && !error.failures().is_empty(), "{text}: {error:?}");
        let (db, requests) = canned::database(move |request| match request.number {
            0 => Answer::ok(text.clone()),
            _ => Answer::ok(
                json!({ "Responses": { "sv_notes": [stored("ada", 1), stored("ada", 2)] } }).to_string(),
            ),
        });
        let found = NoteRepo::batch_get(asked).on(&db).await.unwrap();
        assert_eq!((found.to_vec(), requests.len()), (vec![note(1), note(2)], 2));
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_batch_never_sent_is_not_written_because_a_server_hands_it_back() {
    let put = |item: Value| json!({ "PutRequest": { "Item": item } });
    for unprocessed in [
        json!({ "sv_notes": [put(stored("eve", 9))] }),
        json!({ "others": [put(stored("ada", 1))] }),
        json!({ "sv_notes": [{ "DeleteRequest": { "Key": key("eve", 9) } }] }),
    ] {
        let body = json!({ "UnprocessedItems": unprocessed }).to_string();
        let (db, requests) = canned::database(move |_| Answer::ok(body.clone()));
        let error = NoteRepo::batch_save([note(1), note(2)]).on(&db).await.unwrap_err();
        assert!(error.failures().iter().all(|failure| failure.fate == Fate::Unknown));
        assert!(!error.outcome_known());
        assert!(requests.all().iter().all(|request| !request.text().contains("eve")), "{requests:?}");
    }
    // An input twice, and a delete of an item that was put: both are sent again.
    let both =
        json!([put(stored("ada", 1)), put(stored("ada", 1)), { "DeleteRequest": { "Key": key("ada", 2) } }]);
    let (db, requests) = canned::database(move |request| match request.number {
        0 => Answer::ok(json!({ "UnprocessedItems": { "sv_notes": both } }).to_string()),
        _ => Answer::written(),
    });
    NoteRepo::batch_save([note(1), note(2)]).on(&db).await.unwrap();
    assert_eq!(requests.all()[1].body["RequestItems"]["sv_notes"].as_array().unwrap().len(), 2);
    assert!(!requests.all()[1].text().contains("DeleteRequest"));
}
