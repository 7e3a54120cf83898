//! Which bytes may stand where (RFC 9110, 5.6.2 and 5.5). Shared by the decoder and the encoder.

/// True for a token character.
pub(crate) fn is_token(byte: u8) -> bool {
    TOKENS.get(usize::from(byte)).copied().unwrap_or_default()
}

/// True when every byte is a token character.
pub(crate) fn are_tokens(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |all, byte| all & is_token(*byte))
}

/// True when every byte may stand in a field value. Without an early end, so that it compiles to vector instructions.
pub(crate) fn are_values(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |all, byte| all & is_value(*byte))
}

const TOKENS: [bool; 256] = tokens();

const fn tokens() -> [bool; 256] {
    let mut table = [false; 256];
    let mut rest: &mut [bool] = &mut table;
    let mut byte = 0u8;
    while let Some((first, tail)) = rest.split_first_mut() {
        *first = is_token_character(byte);
        byte = byte.wrapping_add(1);
        rest = tail;
    }
    table
}

const fn is_token_character(byte: u8) -> bool {
    matches!(byte,
        b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z')
}

/// True for a byte that may stand in a field value: visible ASCII, space, tab and everything from 0x80.
pub(crate) const fn is_value(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=0x7e | 0x80..)
}

/// The members of a comma-separated list, trimmed, empty ones left out (RFC 9110, 5.6.1.2).
pub(crate) fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|byte| *byte == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|member| !member.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_skips_empty_members() {
        let members: Vec<_> = list(b" a ,, b,").collect();
        assert_eq!(members, [&b"a"[..], b"b"]);
    }
}
