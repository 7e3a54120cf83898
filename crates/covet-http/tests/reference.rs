//! Query, cookie and percent decoding against slow, obvious implementations of Python's rules, and the
//! media type against known answers. The fast code borrows and searches; the slow code copies and splits.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use covet_http::{cookies, percent, query};
use proptest::prelude::*;

/// `urllib.parse.unquote` on Latin-1 text, one character at a time.
fn slow_unquote(input: &[u8]) -> String {
    let mut out = String::new();
    let mut run: Vec<u8> = Vec::new();
    let mut at = 0;
    while at < input.len() {
        let escape = input
            .get(at + 1..at + 3)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let escape = escape.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match (input[at], escape) {
            (b'%', Some(digits)) => {
                run.push(u8::from_str_radix(digits, 16).unwrap());
                at += 3;
                continue;
            }
            (byte, _) if byte.is_ascii() => run.push(byte),
            (byte, _) => {
                out.push_str(&String::from_utf8_lossy(&std::mem::take(&mut run)));
                out.push(char::from(byte));
            }
        }
        at += 1;
    }
    out + &String::from_utf8_lossy(&run)
}

fn slow_pairs(input: &[u8]) -> Vec<(String, String)> {
    let plus = |part: &[u8]| {
        slow_unquote(
            &part
                .iter()
                .map(|byte| if *byte == b'+' { b' ' } else { *byte })
                .collect::<Vec<_>>(),
        )
    };
    input
        .split(|byte| *byte == b'&')
        .filter(|piece| !piece.is_empty())
        .map(|piece| {
            let at = piece.iter().position(|byte| *byte == b'=');
            (
                plus(&piece[..at.unwrap_or(piece.len())]),
                at.map(|at| plus(&piece[at + 1..])).unwrap_or_default(),
            )
        })
        .collect()
}

fn slow_strip(text: &[char]) -> &[char] {
    let blank = |c: &char| c.is_whitespace() || ('\x1c'..='\x1f').contains(c);
    let start = text.iter().take_while(|c| blank(c)).count();
    let end = text[start..].iter().rev().take_while(|c| blank(c)).count();
    &text[start..text.len() - end]
}

fn slow_cookies(input: &[u8]) -> Vec<(String, String)> {
    let text: Vec<char> = input.iter().map(|byte| char::from(*byte)).collect();
    let mut found = Vec::new();
    for piece in text.split(|c| *c == ';') {
        let at = piece.iter().position(|c| *c == '=');
        let (name, value) = at.map_or((&[][..], piece), |at| (&piece[..at], &piece[at + 1..]));
        let (name, value) = (slow_strip(name), slow_strip(value));
        if !name.is_empty() || !value.is_empty() {
            found.push((name.iter().collect(), slow_cookie_value(value)));
        }
    }
    found
}

fn slow_cookie_value(value: &[char]) -> String {
    if value.len() < 2 || value[0] != '"' || value[value.len() - 1] != '"' {
        return value.iter().collect();
    }
    let inner = &value[1..value.len() - 1];
    let mut out = String::new();
    let mut at = 0;
    while at < inner.len() {
        let octal: String = inner.iter().skip(at + 1).take(3).collect();
        let is_octal =
            octal.len() == 3 && octal.chars().all(|c| ('0'..='7').contains(&c)) && octal.as_str() < "400";
        match (inner[at], inner.get(at + 1)) {
            ('\\', _) if is_octal => {
                out.push(char::from(u8::from_str_radix(&octal, 8).unwrap()));
                at += 4;
            }
            ('\\', Some(next)) if *next != '\n' => {
                out.push(*next);
                at += 2;
            }
            (other, _) => {
                out.push(other);
                at += 1;
            }
        }
    }
    out
}

/// Bytes that are often the ones these parsers care about.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        4 => prop::sample::select(&b"%%%&=+;\"\\ \t\n01237 abAFf9/\xc3\xa9\xf0\x9f\x98\x80\xa0\x85\x1c"[..]),
        1 => any::<u8>(),
    ];
    let escape = any::<u8>().prop_map(|byte| format!("%{byte:02X}").into_bytes());
    let octal = (0u8..8, 0u8..8, 0u8..8).prop_map(|(a, b, c)| format!("\\{a}{b}{c}").into_bytes());
    prop::collection::vec(
        prop_oneof![4 => byte.prop_map(|b| vec![b]), 1 => escape, 1 => octal],
        0..40,
    )
    .prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn percent_decoding(input in text()) {
        prop_assert_eq!(percent::unquote(&input), slow_unquote(&input));
    }

    #[test]
    fn query_pairs(input in text()) {
        let pairs: Vec<_> = query::pairs(&input).map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        prop_assert_eq!(pairs, slow_pairs(&input));
    }

    #[test]
    fn cookie_pairs(input in text(), quoted in any::<bool>()) {
        let input = if quoted { [b"a=\"", &input[..], b"\""].concat() } else { input };
        let pairs: Vec<_> = cookies::pairs(&input).map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        prop_assert_eq!(pairs, slow_cookies(&input));
    }
}
