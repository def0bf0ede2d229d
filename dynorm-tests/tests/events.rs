//! Traces of dynorm and the SDK, at every level, contain no values. The subscriber is global, so this is a
//! test program of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "that is how a test fails")]

use std::sync::{Arc, Mutex};

use dynorm::prelude::*;

/// Part of every value that must not appear.
const SECRET: &str = "s3cr3t";

#[derive(Entity, Clone, Debug, Default, PartialEq)]
#[entity(table = "lk_doors")]
struct Door {
    #[entity(partition, sensitive)]
    zone: String,
    #[entity(unique, sensitive)]
    code: String,
    text: String,
}

fn door(zone: &str) -> Door {
    Door { zone: format!("{zone}-{SECRET}"), code: format!("{zone}#{SECRET}"), text: SECRET.into() }
}

/// The trace at every level, of dynorm and of the SDK.
#[derive(Clone, Default)]
struct Events(Arc<Mutex<String>>);

impl tracing::Subscriber for Events {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        span.record(&mut Recorded(self));
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, values: &tracing::span::Record<'_>) {
        values.record(&mut Recorded(self));
    }

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        self.0.lock().unwrap().push_str(&format!("\n{} ", event.metadata().target()));
        event.record(&mut Recorded(self));
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

struct Recorded<'e>(&'e Events);

impl tracing::field::Visit for Recorded<'_> {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        self.0.0.lock().unwrap().push_str(&format!("{field}={value:?} "));
    }
}

#[tokio::test]
async fn no_event_of_any_level_shows_a_value() {
    let events = Events::default();
    tracing::subscriber::set_global_default(events.clone()).unwrap();
    let db = Database::memory().unwrap();
    db.create_table::<Door>().await.unwrap();
    let key = || door("a").zone;
    DoorRepo::batch_save([door("a"), door("b")]).on(&db).await.unwrap();
    DoorRepo::save(door("a")).on(&db).await.unwrap();
    assert_eq!(DoorRepo::find(key()).on(&db).await.unwrap(), Some(door("a")));
    assert_eq!(DoorRepo::batch_get([key()]).on(&db).await.unwrap().len(), 1);
    assert_eq!(DoorRepo::filter(Door::ZONE.eq(key())).on(&db).get_all().await.unwrap().len(), 1);
    DoorRepo::update(key()).set(Door::TEXT, SECRET).on(&db).await.unwrap();
    DoorRepo::update(key()).set(Door::TEXT, SECRET).when(Door::TEXT.eq("x")).on(&db).await.unwrap_err();
    DoorRepo::create(door("a")).on(&db).await.unwrap_err();
    let told = events.0.lock().unwrap().clone();
    assert!(told.contains("aws_smithy_runtime") && told.contains("\ndynorm "), "nothing was told");
    assert!(told.contains("transmitting request"));
    for line in told.lines() {
        // The SDK's errors hold the items that failed conditions found, and are traced at TRACE: see
        // `Database::new`.
        if !line.contains("output_or_error") {
            assert!(!line.contains(SECRET), "{line}");
        }
    }
}
