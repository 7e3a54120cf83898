//! How an exchange ends: the native answer, the plain 500 of a handler that failed, the 503 of a full pool; and what
//! the log learns of it. Called by flights and hosts.

use bytes::Bytes;
use covet_http::{Body, ResponseHead};
use pyo3::exceptions::PyException;
use pyo3::exceptions::asyncio::CancelledError;
use pyo3::prelude::*;

use super::exchange::{Exchange, Outgoing, SharedExchange};
use super::journal::{log, log_exception};
use crate::object::fork;
use crate::object::task::{self, Outcome};
use crate::plan::Answer;

const NAME_LENGTH: Bytes = Bytes::from_static(b"content-length");
const NAME_TYPE: Bytes = Bytes::from_static(b"content-type");
const PLAIN: Bytes = Bytes::from_static(b"text/plain; charset=utf-8");
const JSON: Bytes = Bytes::from_static(b"application/json");

/// Send a plan's answer; gives what runs in the background after it.
pub(crate) fn respond(exchange: &Exchange, answer: Answer) -> Option<Py<PyAny>> {
    let (head, body, background) = framed(exchange, answer);
    exchange.respond(head, body);
    background
}

/// Head and body of a plan's answer, its length among the fields, and what runs in the background after it.
pub(crate) fn framed(exchange: &Exchange, answer: Answer) -> (ResponseHead, Body, Option<Py<PyAny>>) {
    let Answer {
        status,
        mut headers,
        framed,
        body,
        background,
    } = answer;
    if !framed && !covet_http::response::is_bodiless(status) {
        headers.insert(0, (NAME_LENGTH, exchange.site.length(body.len())));
    }
    (ResponseHead { status, headers }, Body::from(body), background)
}

/// The answer to a path that no route has, as FastAPI writes it.
pub(crate) fn not_found(exchange: &Exchange) {
    let body = Bytes::from_static(b"{\"detail\":\"Not Found\"}");
    let headers = vec![(NAME_LENGTH, exchange.site.length(body.len())), (NAME_TYPE, JSON)];
    exchange.respond(ResponseHead { status: 404, headers }, Body::Full(body));
}

/// The answer when the thread pool's queue is full.
pub(crate) fn overloaded(exchange: &Exchange) {
    let body = Bytes::from_static(b"Service Unavailable");
    let retry = (Bytes::from_static(b"retry-after"), Bytes::from_static(b"1"));
    let headers = vec![
        (NAME_LENGTH, exchange.site.length(body.len())),
        (NAME_TYPE, PLAIN),
        retry,
    ];
    exchange.respond(ResponseHead { status: 503, headers }, Body::Full(body));
    exchange.close();
}

fn broken(exchange: &Exchange) {
    let body = Bytes::from_static(b"Internal Server Error");
    let headers = vec![
        (NAME_LENGTH, exchange.site.length(body.len())),
        (NAME_TYPE, PLAIN),
    ];
    exchange.respond(ResponseHead { status: 500, headers }, Body::Full(body));
}

/// A task of the request has ended and no other follows.
pub(crate) fn conclude(py: Python<'_>, exchange: &SharedExchange, outcome: Outcome) {
    let Some(exchange) = exchange.get() else { return };
    if fork::is_child() {
        fork::leave(py, outcome.as_ref().err());
    }
    match outcome {
        Ok(_) => complete(py, exchange),
        Err(error) => fail(py, exchange, error),
    }
    exchange.close();
}

/// Was the application done with its answer when it said it was?
fn complete(py: Python<'_>, exchange: &Exchange) {
    let missing = match *exchange.outgoing.borrow() {
        Outgoing::Over => return,
        Outgoing::Idle => "ASGI callable returned without starting response.",
        Outgoing::Held(_) | Outgoing::Streaming(_) => "ASGI callable returned without completing response.",
    };
    if !exchange.is_gone() {
        log(py, "error", missing);
    }
    give_up(exchange, missing);
}

fn fail(py: Python<'_>, exchange: &Exchange, error: PyErr) {
    if task::is_fatal(py, &error) {
        give_up(exchange, "the process ends");
        exchange.site.set_fatal(error);
        return;
    }
    // A task cancelled because its client has gone is no news; what a drain cuts off was named at its deadline.
    let is_news = error.is_instance_of::<PyException>(py)
        || !(exchange.is_gone() || exchange.site.is_cut() && error.is_instance_of::<CancelledError>(py));
    if is_news {
        log_exception(py, "Exception in ASGI application", &error);
    }
    give_up(exchange, "the handler failed");
}

fn give_up(exchange: &Exchange, why: &str) {
    let begun = exchange.has_begun();
    if begun {
        exchange.fail(why);
    } else {
        broken(exchange);
    }
}
