//! Tests every combination of rules with every kind of write: DynamoDB accepts the condition, the condition
//! allows what the rules allow, and its failure has the right meaning.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail with the test"
)]

mod expression;

use std::collections::BTreeSet;

use expression::{Attributes, Condition, read};
use serde_json::{Value, json};

use super::nulls::Nulls;
use super::{Action, Intent, Known, Rule, UniqueValues};
use crate::__private::{claims_in, entity, field, template};
use crate::attribute::ScalarType;
use crate::codec::{FieldInfo, Request, ValueError};
use crate::encoded::EncodedKey;
use crate::entity::EntityInfo;
use crate::error::{Doing, Error, StoredItem, Subject};
use crate::expression::{Change, Json, Node, Source};
use crate::key::Segment;
use crate::rules::Existence;
use crate::transport::{CancellationReason, FailureKind};
use crate::unique::Claimed;

const NUMBER: Option<ScalarType> = Some(ScalarType::Number);
const TEXT: Option<ScalarType> = Some(ScalarType::String);

static FIELDS: [FieldInfo; 6] = [
    FieldInfo::key("id", TEXT),
    field("email", TEXT),
    field("deleted_at", TEXT),
    field("expires_at", NUMBER),
    field("version", NUMBER),
    field("stars", NUMBER),
];

/// An entity with some of the rules.
#[derive(Clone, Copy, Debug)]
struct Rules {
    unique: bool,
    soft_delete: bool,
    expiry: bool,
    version: bool,
    shared: bool,
    template: bool,
}

const LAST: u64 = 9;

impl Rules {
    fn all() -> impl Iterator<Item = Self> {
        (0..64).map(|bits: u32| {
            let bit = |position: u32| bits >> position & 1 == 1;
            Self {
                unique: bit(0),
                soft_delete: bit(1),
                expiry: bit(2),
                version: bit(3),
                shared: bit(4),
                template: bit(5),
            }
        })
    }

    fn info(self) -> &'static EntityInfo {
        fn encode(_: &crate::entity::Stamp, _: &mut crate::codec::Encoder) -> Result<(), ValueError> {
            Ok(())
        }
        let mut info = EntityInfo { fields: &FIELDS, key_fields: &[0], ..entity("User", "users") };
        if self.template {
            info.partition = template("pk", &[Segment::Text("USER#"), Segment::Field(0, 0)]);
        }
        if self.unique {
            let claims = Box::leak(Box::new(claims_in("User", "users-unique", self.expiry)));
            info = info.uniques(&[1], claims);
        }
        if self.soft_delete {
            info = info.deleted_at(2, encode);
        }
        if self.expiry {
            info = info.ttl(3);
        }
        if self.version {
            info = info.version(4, LAST);
        }
        if self.shared {
            info.type_attribute = Some("entity_type");
            info.type_names = &["User", "Member"];
        }
        Box::leak(Box::new(info))
    }

    fn key(self) -> (&'static str, Value) {
        if self.template { ("pk", json!({"S": "USER#a"})) } else { ("id", json!({"S": "a"})) }
    }

    fn encoded_key(self, info: &'static EntityInfo) -> EncodedKey {
        let value = self.key().1.to_string();
        EncodedKey::new(info, std::iter::once(value.as_bytes()))
    }

    /// Returns no item, and items with every state of every attribute that a rule checks.
    fn items(self) -> Vec<Option<Attributes>> {
        let null = || json!({"NULL": true});
        let mut items = vec![Attributes::from([(self.key().0.to_owned(), self.key().1)])];
        let mut vary = |is_there: bool, name: &str, values: &[Option<Value>]| {
            if is_there {
                let with = |item: &Attributes, value: &Option<Value>| {
                    let mut item = item.clone();
                    if let Some(value) = value {
                        item.insert(name.to_owned(), value.clone());
                    }
                    item
                };
                items =
                    items.iter().flat_map(|item| values.iter().map(move |value| with(item, value))).collect();
            }
        };
        let number = |number: &str| Some(json!({ "N": number }));
        let text = |text: &str| Some(json!({ "S": text }));
        vary(true, "stars", &[number("5")]);
        vary(self.shared, "entity_type", &[text("User"), text("Member"), text("Order"), Some(null()), None]);
        vary(self.soft_delete, "deleted_at", &[None, Some(null()), text("2020")]);
        vary(
            self.expiry,
            "expires_at",
            &[None, Some(null()), text("x"), number("1000"), number("99999999999")],
        );
        vary(self.version, "version", &[None, Some(null()), number("0"), number("3"), number("9")]);
        vary(self.unique, "email", &[None, Some(null()), text("a@b")]);
        std::iter::once(None).chain(items.into_iter().map(Some)).collect()
    }
}

/// An item as the rules see it, implemented independently.
struct Seen<'i>(&'i Attributes, Rules);

impl Seen<'_> {
    fn value(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name)?.as_object()?.iter().next()?;
        if value.0 == "NULL" { None } else { value.1.as_str() }
    }

    fn is_own(&self) -> bool {
        !self.1.shared || matches!(self.value("entity_type"), Some("User" | "Member"))
    }

    fn is_null(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| value.get("NULL").is_some())
    }

    fn is_trashed(&self) -> bool {
        self.value("deleted_at").is_some()
    }

    fn is_expired(&self) -> bool {
        self.value("expires_at") == Some("1000")
    }

    fn version(&self) -> u64 {
        self.value("version").map_or(0, |version| version.parse().unwrap())
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Save,
    Merge,
    Create,
    Update,
    Raise,
    SoftDelete,
    Upsert,
    Delete,
    Check,
}

const KINDS: [Kind; 9] = [
    Kind::Save,
    Kind::Merge,
    Kind::Create,
    Kind::Update,
    Kind::Raise,
    Kind::SoftDelete,
    Kind::Upsert,
    Kind::Delete,
    Kind::Check,
];

/// Conditions of a caller, with their results for an item that has `stars` and for a missing one.
fn asked() -> Vec<(Option<Node>, bool)> {
    let five = || Node::equals("stars", br#"{"N":"5"}"#.to_vec());
    let six = || Node::equals("stars", br#"{"N":"6"}"#.to_vec());
    let not = Node::negated;
    let all = |nodes: Vec<Node>| Node::all(nodes).expect("some");
    vec![
        (None, true),
        (Some(five()), true),
        (Some(six()), false),
        (Some(five().and(all(vec![five()]))), true),
        (Some(all(vec![all(vec![five().or(six())])])), true),
        (Some(not(all(vec![not(six().or(five()))]))), true),
        (Some(all(vec![six(), five()]).or(not(six()).and(five()))), true),
    ]
}

struct Case {
    rules: Rules,
    kind: Kind,
    version: Option<u64>,
    /// The assumed email of the item, if that is part of the condition.
    email: Option<Option<&'static str>>,
    /// What the write builds on is taken to be NULL.
    over_null: bool,
    asked: bool,
    /// True if the caller's condition requires an item.
    has_asked: bool,
    rule: Rule,
    request: Value,
}

impl Case {
    /// Returns what must hold, according to the rules.
    fn allows(&self, item: Option<&Attributes>) -> bool {
        let seen = item.map(|item| Seen(item, self.rules));
        let exists = match (self.kind, &seen) {
            (_, Some(item)) if !item.is_own() => false,
            (Kind::Save | Kind::Merge | Kind::Delete | Kind::Check, _) => true,
            (Kind::Create, Some(item)) => item.is_expired(),
            (Kind::Create | Kind::Upsert, None) => true,
            (Kind::Update | Kind::Raise | Kind::SoftDelete, None) => false,
            (Kind::SoftDelete, Some(_)) => true,
            (Kind::Update | Kind::Raise | Kind::Upsert, Some(item)) => {
                !item.is_trashed() && !item.is_expired()
            }
        };
        let version = match (self.version, &seen) {
            (None, Some(item)) => self.kind != Kind::Raise || !self.rules.version || item.version() < LAST,
            (None, None) => true,
            (Some(_), None) if self.kind == Kind::Delete => true,
            (Some(version), Some(item)) => version == item.version(),
            (Some(version), None) => version == 0,
        };
        let unique = match (&self.email, &seen) {
            (None, _) => true,
            (Some(None), None) => true,
            (Some(None), Some(_)) | (Some(Some(_)), None) => false,
            (Some(Some(email)), Some(item)) => {
                item.value("email") == Some(*email) && (!self.rules.expiry || self.is_as_long(item))
            }
        };
        let nulls = seen.as_ref().is_none_or(|item| self.is_over(item));
        exists && version && unique && nulls && if item.is_some() { self.asked } else { !self.has_asked }
    }

    /// What the write builds on is NULL, or is not, as it is taken to be.
    fn is_over(&self, item: &Seen<'_>) -> bool {
        match self.builds_on() {
            Some(name) => item.is_null(name) == self.over_null,
            None => true,
        }
    }

    fn builds_on(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Raise => self.rules.version.then_some("version"),
            Kind::SoftDelete => self.rules.soft_delete.then_some("deleted_at"),
            _ => None,
        }
    }

    /// True if the item has no expiry, as assumed.
    fn is_as_long(&self, item: &Seen<'_>) -> bool {
        item.value("expires_at").is_none()
    }
}

/// Visits every combination.
fn cases(mut visit: impl FnMut(&Case)) {
    let changes = |info: &'static EntityInfo, kind: Kind| {
        let mut changes = vec![Change::set("stars", Source::Value(Json(br#"{"N":"6"}"#.to_vec())))];
        if kind == Kind::SoftDelete
            && let Some(name) = info.deleted_at_attribute()
        {
            let now = Source::Value(Json(br#"{"S":"2021"}"#.to_vec()));
            let action = crate::expression::Action::SetIfAbsent(now);
            changes.push(Change { action, ..Change::remove(name) });
        }
        if kind == Kind::Raise
            && let Some(name) = info.version_attribute()
        {
            let operand = crate::expression::Number::Value(Json(br#"{"N":"1"}"#.to_vec()));
            let action = crate::expression::Action::Add { operand, minus: false, starts: true };
            changes.push(Change { action, ..Change::remove(name) });
        }
        changes
    };
    let can_build = [Kind::Raise, Kind::SoftDelete];
    for rules in Rules::all() {
        let info = rules.info();
        let key = rules.encoded_key(info);
        let item = Value::from(serde_json::Map::from_iter([(rules.key().0.to_owned(), rules.key().1)]));
        let item = item.to_string();
        let versions: &[Option<u64>] = if rules.version { &[None, Some(0), Some(3)] } else { &[None] };
        let emails: &[Option<Option<&'static str>>] =
            if rules.unique { &[None, Some(None), Some(Some("a@b"))] } else { &[None] };
        for kind in KINDS {
            let changes = changes(info, kind);
            let change = Action::Change { changes: &changes, start: &|_| None };
            let (action, existence) = match kind {
                Kind::Save => (Action::Put(item.as_bytes()), Existence::Any),
                Kind::Merge => (change, Existence::Any),
                Kind::Create => (Action::Put(item.as_bytes()), Existence::Absent),
                Kind::Update | Kind::Raise => (change, Existence::Present),
                Kind::SoftDelete => (change, Existence::Stored),
                Kind::Upsert => (change, Existence::PresentOrAbsent),
                Kind::Delete => (Action::Delete, Existence::Any),
                Kind::Check => (Action::Check, Existence::Any),
            };
            for (version, email) in
                versions.iter().flat_map(|version| emails.iter().map(move |email| (*version, *email)))
            {
                let nulls = [false, true].into_iter().filter(|null| !null || can_build.contains(&kind));
                for ((condition, asked), over_null) in
                    asked().iter().flat_map(|asked| nulls.clone().map(move |null| (asked, null)))
                {
                    let uniques = email.map(|email| {
                        let json =
                            email.map(|email| json!({"id": {"S": "a"}, "email": {"S": email}}).to_string());
                        let known = match &json {
                            Some(json) => Known::of(Claimed::of_json(info, json.as_bytes()).unwrap()),
                            None => Known::nothing(),
                        };
                        UniqueValues { known, after: Claimed::none(), renew: false }
                    });
                    let intent = Intent {
                        existence,
                        version: version.map(i128::from),
                        uniques,
                        nulls: Nulls { version: over_null, deleted_at: over_null },
                        condition: condition.as_ref(),
                        ..Intent::new(info, action)
                    };
                    let rule = intent.rule(Some(&key), false).unwrap();
                    let members = String::from_utf8(rule.members.to_vec()).unwrap();
                    let request = if members == "{" || members == "," || members.is_empty() {
                        json!({})
                    } else {
                        serde_json::from_str(&format!("{{{}}}", &members[1..])).unwrap()
                    };
                    let email = email.filter(|_| kind != Kind::Create);
                    visit(&Case {
                        rules,
                        kind,
                        version,
                        email,
                        over_null,
                        asked: *asked,
                        has_asked: condition.is_some(),
                        rule,
                        request,
                    });
                }
            }
        }
    }
}

#[test]
fn every_condition_is_one_that_dynamodb_takes_and_allows_what_the_rules_say() {
    let mut checked = 0_u64;
    let (mut of, mut items) = (None, Vec::new());
    cases(|case| {
        let rules = format!("{:?}", case.rules);
        if of.as_ref() != Some(&rules) {
            (of, items) = (Some(rules), case.rules.items());
        }
        let condition = match read(&case.request) {
            Ok(condition) => condition,
            Err(error) => panic!("{:?} {:?}: {error}: {}", case.rules, case.kind, case.request),
        };
        let returns = case.request.get("ReturnValuesOnConditionCheckFailure").is_some();
        assert_eq!(returns, condition.is_some(), "{}", case.request);
        let none = Attributes::new();
        for item in &items {
            let holds = |condition: &Condition| condition.holds(item.as_ref().unwrap_or(&none));
            let is_allowed = condition.as_ref().is_none_or(holds);
            assert_eq!(
                is_allowed,
                case.allows(item.as_ref()),
                "{:?} {:?} of version {:?}, email {:?}: {item:?}: {}",
                case.rules,
                case.kind,
                case.version,
                case.email,
                case.request
            );
            checked += 1;
        }
    });
    assert!(checked > 500_000, "{checked}");
}

/// Makes the failure of a condition that found this item.
fn failure(item: Option<&Attributes>) -> crate::transport::Failure {
    let item = item.map(|item| StoredItem::new(&serde_json::to_string(item).unwrap()));
    CancellationReason { code: "ConditionalCheckFailed".to_owned(), message: None, item }.into_failure(true)
}

#[test]
fn every_failure_means_what_the_rules_say() {
    let (mut of, mut items) = (None, Vec::new());
    let mut meanings = BTreeSet::new();
    cases(|case| {
        let rules = format!("{:?}", case.rules);
        if of.as_ref() != Some(&rules) {
            (of, items) = (Some(rules), case.rules.items());
        }
        // Unique values are checked elsewhere: the write is made anew.
        if case.email.is_some() || case.has_asked {
            return;
        }
        let subject = Subject::of(case.rules.info()).during(Doing::Writing);
        for item in items.iter().filter(|item| !case.allows(item.as_ref())) {
            let failure = failure(item.as_ref());
            assert_eq!(failure.kind, FailureKind::ConditionFailed);
            let outcome = case.rule.explain(failure, &subject, b"{}");
            let seen = item.as_ref().map(|item| Seen(item, case.rules));
            let must_exist = matches!(case.kind, Kind::Update | Kind::Raise | Kind::SoftDelete);
            let is_visible =
                |seen: &Seen<'_>| case.kind == Kind::SoftDelete || !(seen.is_trashed() || seen.is_expired());
            let name = match &outcome {
                Ok(_) => "again",
                Err(Error::TypeMismatch(_)) => "type",
                Err(Error::NotFound(_)) => "not found",
                Err(Error::VersionConflict(_)) => "version",
                Err(Error::ConditionFailed(_)) => "condition",
                Err(Error::Rejected(_)) => "last version",
                Err(other) => panic!("{other}"),
            };
            let expected = match (&seen, case.version) {
                (Some(seen), _) if !seen.is_own() => "type",
                (None, _) if must_exist => "not found",
                (Some(seen), _) if must_exist && !is_visible(seen) => "not found",
                (Some(seen), Some(version)) if seen.version() != version => "version",
                (None, Some(1..)) => "version",
                (Some(seen), None) if case.kind == Kind::Raise && seen.version() >= LAST => "last version",
                (Some(seen), _) if !case.is_over(seen) => "again",
                _ => "condition",
            };
            assert_eq!(name, expected, "{:?} {:?} of {:?}: {item:?}", case.rules, case.kind, case.version);
            meanings.insert(name);
        }
    });
    assert_eq!(meanings.len(), 6, "{meanings:?}");
}

#[test]
fn a_version_that_is_no_number_from_0_is_named() {
    let rules = Rules {
        unique: false,
        soft_delete: false,
        expiry: false,
        version: true,
        shared: false,
        template: false,
    };
    let info = rules.info();
    for (version, says) in
        [(-1, "-1, and versions count from 0"), (i128::from(LAST), "the last that its type holds")]
    {
        let changes = [Change {
            action: crate::expression::Action::Add {
                operand: crate::expression::Number::Value(Json(br#"{"N":"1"}"#.to_vec())),
                minus: false,
                starts: true,
            },
            ..Change::remove("version")
        }];
        let action = Action::Change { changes: &changes, start: &|_| None };
        let intent = Intent { version: Some(version), ..Intent::new(info, action) };
        let error = intent.rule(None, false).unwrap_err().to_string();
        assert!(error.contains("version") && error.contains(says), "{error}");
    }
    // A version that cannot be raised can still be deleted.
    let delete = Intent { version: Some(i128::from(LAST)), ..Intent::new(info, Action::Delete) };
    assert!(delete.rule(None, false).is_ok());
    for found in [json!({"N": "-3"}), json!({"N": "1.5"}), json!({"S": "3"})] {
        let intent = Intent { version: Some(3), ..Intent::new(info, Action::Put(b"{}")) };
        let rule = intent.rule(None, false).unwrap();
        let item = Attributes::from([("id".to_owned(), json!({"S": "a"})), ("version".to_owned(), found)]);
        let error = rule.explain(failure(Some(&item)), &Subject::of(info), b"{}").unwrap_err();
        assert!(
            matches!(error, Error::Undecodable(_)) && error.to_string().contains("version: expected a"),
            "{error}"
        );
    }
}

#[cfg(feature = "embedded")]
#[tokio::test]
async fn the_embedded_engine_takes_every_condition() {
    use aws_sdk_dynamodb::types::{
        AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
    };

    use crate::codec::Encoder;
    use crate::database::Database;
    use crate::transport::send;

    let db = Database::memory().unwrap();
    for (table, key) in [("plain", "id"), ("template", "pk")] {
        let definition =
            AttributeDefinition::builder().attribute_name(key).attribute_type(ScalarAttributeType::S);
        let schema = KeySchemaElement::builder().attribute_name(key).key_type(KeyType::Hash);
        db.client()
            .create_table()
            .table_name(table)
            .attribute_definitions(definition.build().unwrap())
            .key_schema(schema.build().unwrap())
            .billing_mode(BillingMode::PayPerRequest)
            .send()
            .await
            .unwrap();
    }
    let (mut sent, mut seen) = (Vec::new(), BTreeSet::new());
    cases(|case| {
        // Each condition is tried once.
        let shape = (case.rules.template, case.request.get("ConditionExpression").map(Value::to_string));
        if case.kind == Kind::Check
            || case.rule.is_transaction()
            || !seen.insert((shape, case.request.get("UpdateExpression").map(Value::to_string)))
        {
            return;
        }
        let (name, value) = case.rules.key();
        let mut encoder = Encoder::default();
        encoder
            .raw(Value::from(serde_json::Map::from_iter([(name.to_owned(), value)])).to_string().as_bytes());
        let mut request = Request::new(512);
        let table = if case.rules.template { "template" } else { "plain" };
        case.rule.write(&mut request, table, encoder.as_bytes());
        sent.push((case.rule.operation(), table, request.finish()));
    });
    assert!(sent.len() > 500, "{}", sent.len());
    for (operation, table, body) in sent {
        if let Err(failure) = send(db.carrier(), operation, table, body.clone()).await {
            let text = String::from_utf8(body).unwrap();
            assert_eq!(failure.kind, FailureKind::ConditionFailed, "{}: {text}", failure.message);
        }
    }
}
