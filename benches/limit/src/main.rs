//! The Rust limit: what axum on one thread needs for the benchmark's plain, typed and sleeping routes.

use std::time::Duration;

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const HELLO: &str = "Hello, World!";

#[derive(Deserialize)]
struct Window {
    q: Option<String>,
    limit: Option<i64>,
}

#[derive(Serialize)]
struct Item {
    id: i64,
    name: String,
    price: f64,
    in_stock: bool,
    tags: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Address {
    street: String,
    city: String,
    zip: String,
    country: String,
}

#[derive(Serialize, Deserialize)]
struct Customer {
    name: String,
    email: String,
    age: i64,
    address: Address,
}

#[derive(Serialize, Deserialize)]
struct Line {
    sku: String,
    name: String,
    qty: i64,
    price: f64,
    #[serde(default)]
    tags: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Order {
    id: i64,
    status: String,
    customer: Customer,
    lines: Vec<Line>,
    notes: Option<String>,
    total: f64,
}

impl Order {
    fn is_valid(&self) -> bool {
        self.id >= 1
            && matches!(self.status.as_str(), "new" | "paid" | "shipped")
            && self.customer.name.len() <= 100
            && (0..=150).contains(&self.customer.age)
            && self.lines.iter().all(|line| line.qty >= 1 && line.price >= 0.0)
            && self.total >= 0.0
    }
}

async fn message() -> Json<Value> {
    Json(json!({ "message": HELLO }))
}

async fn item(Path(item_id): Path<i64>, Query(window): Query<Window>) -> Response {
    let limit = window.limit.unwrap_or(10);
    if !(1..=100).contains(&limit) {
        return StatusCode::UNPROCESSABLE_ENTITY.into_response();
    }
    Json(json!({ "item_id": item_id, "q": window.q, "limit": limit })).into_response()
}

async fn order(Json(order): Json<Order>) -> Response {
    if !order.is_valid() {
        return StatusCode::UNPROCESSABLE_ENTITY.into_response();
    }
    Json(order).into_response()
}

async fn items() -> Json<Vec<Item>> {
    let item = |id: i64| Item {
        id,
        name: format!("Item {id}"),
        price: id as f64 * 1.5 + 0.25,
        in_stock: id % 2 == 0,
        tags: vec!["a".into(), "b".into(), format!("t{id}")],
    };
    Json((0..100).map(item).collect())
}

async fn sleep0() -> Json<Value> {
    tokio::task::yield_now().await;
    message().await
}

async fn sleep10() -> Json<Value> {
    tokio::time::sleep(Duration::from_millis(10)).await;
    message().await
}

fn thousand_routes() -> Router {
    let mut router = Router::new();
    for number in (0..1000).step_by(2) {
        let detail = number + 1;
        router = router
            .route(&format!("/api/v1/res{number}/list"), get(async || Json(json!({ "ok": true }))))
            .route(
                &format!("/api/v1/res{detail}/{{id}}/detail"),
                get(async |Path(id): Path<i64>| Json(json!({ "id": id }))),
            );
    }
    router
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let variant = std::env::var("BENCH_VARIANT").unwrap_or_default();
    let app = if variant == "routes" {
        thousand_routes()
    } else {
        Router::new()
            .route("/plaintext", get(async || HELLO))
            .route("/json", get(message))
            .route("/json-sync", get(message))
            .route("/items/{item_id}", get(item))
            .route("/body", post(order))
            .route("/list", get(items))
            .route("/sleep0", get(sleep0))
            .route("/sleep10", get(sleep10))
    };
    let port = std::env::args().nth(1).unwrap_or_else(|| "8000".into());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    axum::serve(listener, app).await
}
