//! JSON strings as `json.dumps(ensure_ascii=False)` writes them: quote, backslash and control characters escaped,
//! everything else as it is.

/// Append `text` in quotes.
pub(super) fn write(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    out.reserve(rest.len() + 2);
    out.push(b'"');
    loop {
        let plain = plain_prefix(rest);
        let (before, after) = rest.split_at_checked(plain).unwrap_or((rest, &[]));
        out.extend_from_slice(before);
        let [special, tail @ ..] = after else {
            break;
        };
        escape(out, *special);
        rest = tail;
    }
    out.push(b'"');
}

fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// How many bytes from the start need no escape. The blocks compile to vector instructions.
fn plain_prefix(bytes: &[u8]) -> usize {
    const BLOCK: usize = 16;
    let clean = |block: &&[u8]| !block.iter().fold(false, |any, byte| any | is_special(*byte));
    let at = bytes.chunks_exact(BLOCK).take_while(clean).count() * BLOCK;
    let rest = bytes.get(at..).unwrap_or_default();
    // A short end fills up a block of its own.
    let mut block = [b' '; BLOCK];
    if let Some(start) = block.get_mut(..rest.len()) {
        start.copy_from_slice(rest);
        if clean(&block.as_slice()) {
            return bytes.len();
        }
    }
    at + rest.iter().take_while(|byte| !is_special(**byte)).count()
}

fn escape(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        0x08 => b'b',
        0x0c => b'f',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        _ => {
            let digit = |nibble: u8| {
                if nibble < 10 {
                    b'0' + nibble
                } else {
                    b'a' + (nibble - 10)
                }
            };
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

#[cfg(test)]
mod tests {
    fn written(text: &str) -> String {
        let mut out = Vec::new();
        super::write(&mut out, text);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn specials_are_escaped_wherever_they_stand() {
        for at in 0..40 {
            let text = format!("{}\"{}", "x".repeat(at), "\u{e9}".repeat(at));
            assert_eq!(
                written(&text),
                format!("\"{}\\\"{}\"", "x".repeat(at), "\u{e9}".repeat(at))
            );
        }
        assert_eq!(
            written("\u{0}\u{1f}\u{7f}\n\t\r\u{8}\u{c}\\/"),
            "\"\\u0000\\u001f\u{7f}\\n\\t\\r\\b\\f\\\\/\""
        );
    }
}
