//! Which bytes may stand where (RFC 9110, 5.6.2 and 5.5). Shared by the decoder and the encoder.

/// True for a token character.
pub(crate) const fn is_token(byte: u8) -> bool {
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
