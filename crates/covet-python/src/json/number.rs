//! Numbers as Python's `repr` writes them, which is how `json.dumps` does.

/// Append an integer.
pub(super) fn write_int(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Append a finite float: shortest digits, exponent form below 1e-4 and from 1e16 on.
pub(super) fn write_float(out: &mut Vec<u8>, value: f64) {
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value);
    let size = value.abs();
    if size == 0.0 || ((1e-4..1e16).contains(&size) && !text.contains('e')) {
        out.extend_from_slice(text.as_bytes());
    } else {
        write_parts(out, text, size);
    }
}

/// Append a float of a common size, which all writers of shortest floats write alike: no exponent, one digit after the
/// point at least. False, and nothing written, for any other.
pub(super) fn write_common(out: &mut Vec<u8>, value: f64) -> bool {
    let size = value.abs();
    let common = size == 0.0 || (1e-4..1e15).contains(&size);
    if common {
        write_float(out, value);
    }
    common
}

/// Rewrite what the formatter chose to write in another form.
fn write_parts(out: &mut Vec<u8>, text: &str, size: f64) {
    let (unsigned, negative) = match text.strip_prefix('-') {
        Some(unsigned) => (unsigned, true),
        None => (text, false),
    };
    let (mantissa, exponent) = unsigned.split_once('e').unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0');
    let skipped = all.len() - significant.len();
    let digits = significant.trim_end_matches('0');
    let digits = if digits.is_empty() { "0" } else { digits };
    // The power of ten of the first digit.
    let exponent = exponent.parse::<i64>().unwrap_or(0) + whole.len() as i64 - skipped as i64 - 1;
    if negative {
        out.push(b'-');
    }
    if (1e-4..1e16).contains(&size) {
        write_positional(out, digits, exponent);
        return;
    }
    let (first, rest) = digits.split_at_checked(1).unwrap_or((digits, ""));
    out.extend_from_slice(first.as_bytes());
    if !rest.is_empty() {
        out.push(b'.');
        out.extend_from_slice(rest.as_bytes());
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    out.extend_from_slice(format!("e{sign}{:02}", exponent.abs()).as_bytes());
}

fn write_positional(out: &mut Vec<u8>, digits: &str, exponent: i64) {
    let whole = usize::try_from(exponent + 1).unwrap_or(0);
    if whole == 0 {
        let zeros = usize::try_from(-exponent - 1).unwrap_or(0);
        out.extend_from_slice(format!("0.{}{digits}", "0".repeat(zeros)).as_bytes());
    } else if let Some((before, after)) = digits.split_at_checked(whole) {
        let after = if after.is_empty() { "0" } else { after };
        out.extend_from_slice(format!("{before}.{after}").as_bytes());
    } else {
        out.extend_from_slice(format!("{digits}{}.0", "0".repeat(whole - digits.len())).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn floats_are_written_as_python_writes_them() {
        let cases: &[(f64, &str)] = &[
            (0.1, "0.1"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (1e-4, "0.0001"),
            (1e-5, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (9007199254740993.0, "9007199254740992.0"),
            (-1.7976931348623157e308, "-1.7976931348623157e+308"),
            (5e-324, "5e-324"),
            (123456.789, "123456.789"),
        ];
        for (value, text) in cases {
            let mut out = Vec::new();
            super::write_float(&mut out, *value);
            assert_eq!(String::from_utf8_lossy(&out), *text);
        }
    }
}
