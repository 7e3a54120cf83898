//! What the encoder writes: framing by request, status and body; connection options; refusals; injection.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use bytes::{Bytes, BytesMut};
use covet_http::{Delivery, Error, Length, Refusal, ResponseHead, date, response};
use proptest::prelude::*;

const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

fn stamp() -> [u8; 29] {
    date::format(784_111_777)
}

fn head(status: u16, headers: &[(&str, &str)]) -> ResponseHead {
    let pair = |(name, value): &(&str, &str)| {
        (
            Bytes::copy_from_slice(name.as_bytes()),
            Bytes::copy_from_slice(value.as_bytes()),
        )
    };
    ResponseHead {
        status,
        headers: headers.iter().map(pair).collect(),
    }
}

fn get(body: Length) -> Delivery {
    Delivery {
        minor: 1,
        keep_alive: true,
        request_method_is_head: false,
        body,
    }
}

fn to_head(body: Length) -> Delivery {
    Delivery {
        request_method_is_head: true,
        ..get(body)
    }
}

fn write(head: &ResponseHead, how: Delivery) -> Result<String, Error> {
    let mut out = BytesMut::new();
    response::write_head(&mut out, head, how, &stamp())?;
    Ok(String::from_utf8(out.to_vec())
        .unwrap()
        .replace(&format!("date: {DATE}\r\n"), ""))
}

#[test]
fn a_head_has_status_headers_date_and_length() {
    let mut out = BytesMut::from(&b"before"[..]);
    let answer = head(200, &[("Content-Type", "text/plain"), ("x-a", "b\tc")]);
    response::write_head(&mut out, &answer, get(Length::Known(5)), &stamp()).unwrap();
    let text = format!(
        "beforeHTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nx-a: b\tc\r\ndate: {DATE}\r\ncontent-length: 5\r\n\r\n"
    );
    assert_eq!(out, text.as_bytes());
}

#[test]
fn an_own_date_is_kept() {
    let text = write(&head(200, &[("Date", "today")]), get(Length::Empty)).unwrap();
    assert_eq!(
        text,
        "HTTP/1.1 200 OK\r\nDate: today\r\ncontent-length: 0\r\n\r\n"
    );
}

#[test]
fn unknown_statuses_have_an_empty_reason() {
    assert!(
        write(&head(299, &[]), get(Length::Empty))
            .unwrap()
            .starts_with("HTTP/1.1 299 \r\n")
    );
    for status in [0, 99, 1000, u16::MAX] {
        assert!(write(&head(status, &[]), get(Length::Empty)).is_err(), "{status}");
    }
}

#[test]
fn each_length_has_its_header() {
    let framing = |how| {
        write(&head(200, &[]), how)
            .unwrap()
            .strip_prefix("HTTP/1.1 200 OK\r\n")
            .unwrap()
            .to_owned()
    };
    assert_eq!(framing(get(Length::Empty)), "content-length: 0\r\n\r\n");
    assert_eq!(
        framing(get(Length::Known(u64::MAX))),
        "content-length: 18446744073709551615\r\n\r\n"
    );
    assert_eq!(
        framing(get(Length::Chunked)),
        "transfer-encoding: chunked\r\n\r\n"
    );
    assert_eq!(framing(get(Length::UntilClose)), "connection: close\r\n\r\n");
    assert_eq!(framing(to_head(Length::Known(5))), "content-length: 5\r\n\r\n");
    assert_eq!(
        framing(to_head(Length::Chunked)),
        "transfer-encoding: chunked\r\n\r\n"
    );
    assert_eq!(framing(to_head(Length::Empty)), "\r\n");
}

#[test]
fn statuses_without_body_have_no_framing() {
    for (status, reason) in [
        (204, "No Content"),
        (304, "Not Modified"),
        (101, "Switching Protocols"),
    ] {
        for body in [
            Length::Empty,
            Length::Known(0),
            Length::Known(5),
            Length::Chunked,
            Length::UntilClose,
        ] {
            let text = write(&head(status, &[("transfer-encoding", "chunked")]), get(body)).unwrap();
            assert_eq!(text, format!("HTTP/1.1 {status} {reason}\r\n\r\n"), "{body:?}");
        }
    }
    let lengthy = [("content-length", "5")];
    assert!(
        !write(&head(204, &lengthy), get(Length::Empty))
            .unwrap()
            .contains("content-length")
    );
    assert!(
        write(&head(304, &lengthy), get(Length::Empty))
            .unwrap()
            .contains("content-length: 5\r\n")
    );
}

#[test]
fn a_205_says_that_it_is_empty_whatever_the_application_says() {
    for body in [
        Length::Empty,
        Length::Known(4),
        Length::Chunked,
        Length::UntilClose,
    ] {
        let text = write(&head(205, &[("content-length", "4")]), get(body)).unwrap();
        assert_eq!(
            text, "HTTP/1.1 205 Reset Content\r\ncontent-length: 0\r\n\r\n",
            "{body:?}"
        );
    }
}

#[test]
fn the_applications_length_must_be_true() {
    let given = |length: &str, how| write(&head(200, &[("Content-Length", length)]), how);
    let once = |text: String| assert_eq!(text.to_lowercase().matches("content-length").count(), 1, "{text}");
    once(given("5", get(Length::Known(5))).unwrap());
    once(given("0", get(Length::Empty)).unwrap());
    once(given("5", to_head(Length::Empty)).unwrap());
    once(given("5", to_head(Length::Known(5))).unwrap());
    for (length, how) in [
        ("6", get(Length::Known(5))),
        ("5", get(Length::Empty)),
        ("6", to_head(Length::Known(5))),
        ("+5", get(Length::Known(5))),
        ("5, 5", get(Length::Known(5))),
        ("", get(Length::Chunked)),
    ] {
        assert!(given(length, how).is_err(), "{length} {how:?}");
    }
    assert!(
        !given("5", get(Length::Chunked))
            .unwrap()
            .to_lowercase()
            .contains("content-length")
    );
    let twice = head(200, &[("content-length", "5"), ("Content-Length", "5")]);
    once(write(&twice, get(Length::Known(5))).unwrap());
}

#[test]
fn connection_options_are_ours() {
    let closing = Delivery {
        keep_alive: false,
        ..get(Length::Empty)
    };
    let old = Delivery {
        minor: 0,
        ..get(Length::Empty)
    };
    let answer = head(
        200,
        &[("Connection", "keep-alive"), ("Transfer-Encoding", "gzip")],
    );
    let tail = |how| {
        write(&answer, how)
            .unwrap()
            .strip_prefix("HTTP/1.1 200 OK\r\n")
            .unwrap()
            .to_owned()
    };
    assert_eq!(tail(get(Length::Empty)), "content-length: 0\r\n\r\n");
    assert_eq!(tail(closing), "content-length: 0\r\nconnection: close\r\n\r\n");
    assert_eq!(tail(old), "content-length: 0\r\nconnection: keep-alive\r\n\r\n");
    let upgrade = head(101, &[("connection", "upgrade"), ("upgrade", "websocket")]);
    assert!(
        write(&upgrade, get(Length::Empty))
            .unwrap()
            .contains("connection: upgrade\r\n")
    );
}

#[test]
fn an_old_client_gets_no_chunks() {
    let old = Delivery {
        minor: 0,
        ..get(Length::Chunked)
    };
    assert!(write(&head(200, &[]), old).is_err());
    assert!(write(&head(204, &[]), old).is_ok());
}

#[test]
fn what_the_application_asked_for_can_be_read() {
    let answer = head(200, &[("Content-Length", "12"), ("connection", "x, Close")]);
    assert_eq!(answer.content_length(), Some(12));
    assert!(answer.wants_close());
    assert!(!head(200, &[("connection", "closed")]).wants_close());
    assert_eq!(answer.get(b"content-length").unwrap(), "12");
}

#[test]
fn a_refused_answer_leaves_nothing_behind() {
    let mut out = BytesMut::from(&b"before"[..]);
    let bad = head(200, &[("a", "b"), ("c", "d\r\nset-cookie: e")]);
    let error = response::write_head(&mut out, &bad, get(Length::Empty), &stamp()).unwrap_err();
    assert!(error.to_string().contains("control character"));
    let hint = [(Bytes::from_static(b"link"), Bytes::from_static(b"a\nb"))];
    assert!(response::write_informational(&mut out, 103, &hint).is_err());
    assert_eq!(out, "before");
}

#[test]
fn chunks_have_hexadecimal_sizes() {
    let mut out = BytesMut::new();
    response::write_chunk(&mut out, b"hello");
    response::write_chunk(&mut out, b"");
    response::write_chunk(&mut out, &[b'x'; 0x1ab]);
    response::write_last_chunk(&mut out);
    let text = format!("5\r\nhello\r\n1ab\r\n{}\r\n0\r\n\r\n", "x".repeat(0x1ab));
    assert_eq!(out, text.as_bytes());
}

#[test]
fn a_refusal_is_a_whole_answer() {
    let mut out = BytesMut::new();
    response::write_refusal(&mut out, &Refusal::BODY_SIZE, &stamp());
    assert_eq!(
        String::from_utf8(out.to_vec()).unwrap(),
        format!(
            "HTTP/1.1 413 Content Too Large\r\ncontent-type: text/plain; charset=utf-8\r\ndate: {DATE}\r\n\
             content-length: 50\r\nconnection: close\r\n\r\nthe request body is too large (setting: max_body)\n"
        )
    );
}

#[test]
fn informational_answers_have_no_date() {
    let mut out = BytesMut::new();
    response::write_informational(&mut out, 100, &[]).unwrap();
    let hint = [(Bytes::from_static(b"link"), Bytes::from_static(b"</a>"))];
    response::write_informational(&mut out, 103, &hint).unwrap();
    assert_eq!(
        out,
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"
    );
    assert!(response::write_informational(&mut out, 101, &[]).is_err());
    assert!(response::write_informational(&mut out, 200, &[]).is_err());
}

proptest! {
    /// Whatever an application puts into a header, it cannot add a line to the answer.
    #[test]
    fn no_header_splits_the_answer(name in prop::collection::vec(any::<u8>(), 0..6), value in prop::collection::vec(any::<u8>(), 0..12)) {
        let answer = ResponseHead { status: 200, headers: vec![(name.into(), value.into())] };
        let mut out = BytesMut::new();
        if response::write_head(&mut out, &answer, get(Length::Known(1)), &stamp()).is_ok() {
            prop_assert_eq!(out.iter().filter(|byte| matches!(byte, b'\r' | b'\n')).count() % 2, 0);
            prop_assert!(out.windows(4).filter(|part| part == b"\r\n\r\n").count() == 1);
            let lines = out.iter().filter(|byte| **byte == b'\n').count();
            prop_assert!(lines == 5 || lines == 4, "{}", lines);
        } else {
            prop_assert!(out.is_empty());
        }
    }
}
