//! A paged HTTP endpoint. Run it with `cargo run --example pages`, and send a request:
//!
//! ```sh
//! curl 'http://127.0.0.1:3000/events?city=Paris&size=20'
//! ```
//!
//! The response is `{"items": […], "next": "…"}`; `next` is the `cursor` of the next page, and `null` on the
//! last. `cargo run --example pages -- --demo` walks through the pages without a socket, and prints the
//! responses.

use std::env;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use axum::body::{Body, to_bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use dynorm::prelude::*;
use dynorm::ulid::Ulid;
use dynorm::{Cursor, Error};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower::ServiceExt as _;

/// Stored in the table `events`.
#[derive(Entity, Serialize, Clone, Debug, Default)]
struct Event {
    #[entity(id)]
    id: Id<Event>,
    title: String,
    #[entity(index = "by_city")]
    city: String,
    #[entity(index("by_city", sort))] // the events of a city come in this order
    starts_at: Timestamp,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = env::args().skip(1);
    let router = router(App::new().await?);
    match arguments.next().as_deref() {
        None => {
            let listener = TcpListener::bind("127.0.0.1:3000").await.context("cannot serve on port 3000")?;
            println!("http://127.0.0.1:3000/events?city=Paris&size=20");
            Ok(axum::serve(listener, router).await?)
        }
        Some("--demo") => demo(&router).await,
        Some(other) => bail!("unknown argument {other:?}: there is only `--demo`"),
    }
}

fn router(app: App) -> Router {
    Router::new().route("/events", get(events)).with_state(app)
}

/// The state shared by all requests.
#[derive(Clone)]
struct App {
    db: Database,
    cursor_key: Arc<[u8]>,
}

impl App {
    async fn new() -> anyhow::Result<Self> {
        let db = Database::memory()?; // on AWS, `Database::from_env().await?`
        db.create_table::<Event>().await?;
        EventRepo::batch_save(some_events()).on(&db).await?;
        // Several servers need the same key. Without one, cursors are valid only while this process runs.
        let key = env::var("CURSOR_KEY").ok().filter(|key| !key.is_empty());
        let key = key.unwrap_or_else(|| Ulid::generate().to_string());
        Ok(Self { db, cursor_key: key.into_bytes().into() })
    }
}

/// The query string.
#[derive(Deserialize)]
struct Params {
    city: String,
    #[serde(default = "default_size")]
    size: usize,
    cursor: Option<Cursor>,
}

fn default_size() -> usize {
    20
}

#[derive(Serialize)]
struct EventPage {
    items: Collection<Event>,
    next: Option<Cursor>,
}

async fn events(
    State(app): State<App>,
    params: Result<Query<Params>, QueryRejection>,
) -> Result<Json<EventPage>, HttpError> {
    let Query(Params { city, size, cursor }) = params?;
    let page = EventRepo::by_city(city)
        .page(size.min(100)) // limits the size of a response
        .after(cursor)
        .signed(&*app.cursor_key)
        .on(&app.db)
        .await?;
    Ok(Json(EventPage { items: page.items, next: page.next }))
}

/// A response with a status code and `{"error": "…"}`.
struct HttpError(StatusCode, String);

impl From<QueryRejection> for HttpError {
    fn from(error: QueryRejection) -> Self {
        Self(error.status(), error.body_text())
    }
}

impl From<Error> for HttpError {
    fn from(error: Error) -> Self {
        let status = match error {
            // The cursor comes from the client, and was altered or belongs to another city.
            _ if error.is_invalid_cursor() => StatusCode::BAD_REQUEST,
            // City and size come from the client as well. Here they are empty or 0.
            Error::Invalid(_) => StatusCode::BAD_REQUEST,
            _ if error.is_retryable() => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if status == StatusCode::BAD_REQUEST {
            return Self(status, error.to_string());
        }
        eprintln!("{error:?}"); // for the operator, with its causes
        Self(status, "the database failed".to_owned())
    }
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

/// Requests all events in Paris, page by page, and then what is refused.
async fn demo(router: &Router) -> anyhow::Result<()> {
    let mut query = "city=Paris&size=20".to_owned();
    let mut last_cursor = String::new();
    for number in 1.. {
        let (_, page) = fetch(router, &query).await?;
        let items = page["items"].as_array().context("a page has items")?;
        let titles: Vec<&str> = items.iter().filter_map(|event| event["title"].as_str()).collect();
        let (first, last) = (titles.first().unwrap_or(&"-"), titles.last().unwrap_or(&"-"));
        println!("page {number}: {} events, {first} to {last}", titles.len());
        let Some(next) = page["next"].as_str() else { break };
        query = format!("city=Paris&size=20&cursor={next}");
        last_cursor = next.to_owned();
    }

    let altered = last_cursor.replace('.', "A.");
    for (what, query) in [
        ("an altered cursor", format!("city=Paris&cursor={altered}")),
        ("a cursor of another city", format!("city=Rome&cursor={last_cursor}")),
        ("something else as a cursor", "city=Paris&cursor=page-2".to_owned()),
        ("no city", "size=20".to_owned()),
        ("a size of 0", "city=Paris&size=0".to_owned()),
    ] {
        let (status, answer) = fetch(router, &query).await?;
        println!("{what}: {} {}", status.as_u16(), answer["error"].as_str().unwrap_or_default());
    }
    Ok(())
}

async fn fetch(router: &Router, query: &str) -> anyhow::Result<(StatusCode, Value)> {
    let request = Request::get(format!("/events?{query}")).body(Body::empty())?;
    let response = router.clone().oneshot(request).await?;
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await?;
    Ok((status, serde_json::from_slice(&body)?))
}

/// An event every hour from now on: 90 events, 45 of them in Paris.
fn some_events() -> impl Iterator<Item = Event> {
    let now = Timestamp::now();
    (0..90).map(move |hour| Event {
        title: format!("Event {}", hour / 2 + 1),
        city: if hour % 2 == 0 { "Paris" } else { "Rome" }.to_owned(),
        starts_at: now.checked_add(Duration::from_secs(3600 * hour)).unwrap_or(now),
        ..Event::default()
    })
}
