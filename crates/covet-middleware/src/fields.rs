//! Changes to the header fields of an answer, with the results of Python's `MutableHeaders`: names are lower case,
//! as ASGI demands, and compared byte for byte, so that both mounts of a middleware answer alike.

use bytes::Bytes;
use covet_http::ResponseHead;

/// The first value under `name`.
pub(crate) fn get<'a>(head: &'a ResponseHead, name: &[u8]) -> Option<&'a Bytes> {
    head.headers
        .iter()
        .find(|(given, _)| given == name)
        .map(|(_, value)| value)
}

/// Sets `name` at the place of its first field, removing the others, or at the end.
pub(crate) fn set(head: &mut ResponseHead, name: Bytes, value: Bytes) {
    let Some(first) = head.headers.iter().position(|(given, _)| *given == name) else {
        return head.headers.push((name, value));
    };
    let mut place = 0..;
    head.headers
        .retain(|(given, _)| place.next() <= Some(first) || *given != name);
    if let Some(field) = head.headers.get_mut(first) {
        field.1 = value;
    }
}

/// Adds a name to `vary`, which becomes one field.
pub(crate) fn add_vary(head: &mut ResponseHead, name: &'static str) {
    const VARY: Bytes = Bytes::from_static(b"vary");
    if get(head, &VARY).is_none() {
        return head.headers.push((VARY, Bytes::from_static(name.as_bytes())));
    }
    let mut all = Vec::new();
    for (_, value) in head.headers.iter().filter(|(given, _)| *given == VARY) {
        all.extend_from_slice(value);
        all.extend_from_slice(b", ");
    }
    all.extend_from_slice(name.as_bytes());
    set(head, VARY, all.into());
}

/// Makes an announced content-length true, in whatever case it was written; one that nobody knows is taken back.
pub(crate) fn correct_length(head: &mut ResponseHead, length: Option<u64>) {
    let announces = |name: &Bytes| name.eq_ignore_ascii_case(b"content-length");
    match length {
        None => head.headers.retain(|(name, _)| !announces(name)),
        Some(length) => {
            for (_, value) in head.headers.iter_mut().filter(|(name, _)| announces(name)) {
                *value = length.to_string().into();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(fields: &[(&'static str, &'static str)]) -> ResponseHead {
        let headers = fields
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()));
        ResponseHead {
            status: 200,
            headers: headers.collect(),
        }
    }

    #[test]
    fn a_new_field_goes_to_the_end() {
        let mut changed = head(&[("a", "1")]);
        set(&mut changed, "b".into(), "2".into());
        assert_eq!(changed, head(&[("a", "1"), ("b", "2")]));
    }

    #[test]
    fn a_field_takes_the_place_of_the_first_of_its_name() {
        let mut changed = head(&[("a", "1"), ("b", "2"), ("a", "3"), ("c", "4"), ("a", "5")]);
        set(&mut changed, "a".into(), "6".into());
        assert_eq!(changed, head(&[("a", "6"), ("b", "2"), ("c", "4")]));
        set(&mut changed, "c".into(), "7".into());
        assert_eq!(changed, head(&[("a", "6"), ("b", "2"), ("c", "7")]));
    }

    #[test]
    fn vary_becomes_one_field() {
        let mut changed = head(&[("vary", "Accept"), ("a", "1"), ("vary", "Cookie")]);
        add_vary(&mut changed, "Origin");
        assert_eq!(changed, head(&[("vary", "Accept, Cookie, Origin"), ("a", "1")]));
        let mut bare = head(&[]);
        add_vary(&mut bare, "Origin");
        assert_eq!(bare, head(&[("vary", "Origin")]));
    }

    #[test]
    fn a_length_is_corrected_in_any_case_or_taken_back() {
        let mut changed = head(&[("Content-Length", "1"), ("a", "b")]);
        correct_length(&mut changed, Some(20));
        assert_eq!(changed, head(&[("Content-Length", "20"), ("a", "b")]));
        correct_length(&mut changed, None);
        assert_eq!(changed, head(&[("a", "b")]));
    }
}
