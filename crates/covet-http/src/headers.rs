//! The header fields of a request: one piece of memory and a table of offsets into it.
//! Made by the decoder (or from pairs, for other doors); read everywhere; never changed afterwards.

use bytes::{Bytes, BytesMut};

/// Where one field lies in the block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    pub(crate) name: u32,
    pub(crate) name_len: u32,
    pub(crate) value: u32,
    pub(crate) value_len: u32,
}

/// Header fields in the order of arrival.
///
/// Invariant: every offset lies inside `block`, and names are lower case.
#[derive(Debug, Clone, Default)]
pub struct Headers {
    block: Bytes,
    fields: Vec<Field>,
}

impl Headers {
    pub(crate) fn new(block: Bytes, fields: Vec<Field>) -> Self {
        Self { block, fields }
    }

    /// Copies pairs that came through another door (HTTP/2, ASGI) into one block; names become lower case.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> Self {
        let mut block = BytesMut::new();
        let mut fields = Vec::new();
        for (name, value) in pairs {
            let start = block.len();
            block.extend_from_slice(name);
            if let Some(copied) = block.get_mut(start..) {
                copied.make_ascii_lowercase();
            }
            block.extend_from_slice(value);
            fields.push(Field {
                name: start as u32,
                name_len: name.len() as u32,
                value: (start + name.len()) as u32,
                value_len: value.len() as u32,
            });
        }
        Self::new(block.freeze(), fields)
    }

    /// How many fields there are; a repeated name counts each time.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// True without any field.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    fn part(&self, start: u32, len: u32) -> &[u8] {
        let start = start as usize;
        self.block.get(start..start + len as usize).unwrap_or_default()
    }

    fn name_of(&self, field: &Field) -> &[u8] {
        self.part(field.name, field.name_len)
    }

    fn value_of(&self, field: &Field) -> &[u8] {
        self.part(field.value, field.value_len)
    }

    /// All fields as (lower-case name, value), in the order of arrival.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], &[u8])> + '_ {
        self.fields
            .iter()
            .map(|field| (self.name_of(field), self.value_of(field)))
    }

    /// The first value under `name`, which must be lower case.
    pub fn get(&self, name: &[u8]) -> Option<&[u8]> {
        self.position(name)
            .and_then(|index| self.fields.get(index))
            .map(|field| self.value_of(field))
    }

    /// Every value under `name` (lower case), in the order of arrival.
    pub fn get_all<'a>(&'a self, name: &'a [u8]) -> impl Iterator<Item = &'a [u8]> + 'a {
        self.fields
            .iter()
            .filter(move |field| field.name_len as usize == name.len() && self.name_of(field) == name)
            .map(|field| self.value_of(field))
    }

    /// The index of the first field called `name` (lower case).
    pub fn position(&self, name: &[u8]) -> Option<usize> {
        self.fields
            .iter()
            .position(|field| field.name_len as usize == name.len() && self.name_of(field) == name)
    }

    /// The value of field `index` as shared bytes, without a copy.
    pub fn value_bytes(&self, index: usize) -> Option<Bytes> {
        self.fields
            .get(index)
            .map(|field| self.shared(field.value, field.value_len))
    }

    /// The name of field `index` as shared bytes, without a copy.
    pub fn name_bytes(&self, index: usize) -> Option<Bytes> {
        self.fields
            .get(index)
            .map(|field| self.shared(field.name, field.name_len))
    }

    // `Bytes::slice` panics out of bounds; the invariant rules that out, and an empty answer is safer anyway.
    fn shared(&self, start: u32, len: u32) -> Bytes {
        let (start, end) = (start as usize, start as usize + len as usize);
        if end <= self.block.len() {
            self.block.slice(start..end)
        } else {
            Bytes::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Headers {
        let pairs: [(&[u8], &[u8]); 3] = [(b"Accept", b"*/*"), (b"X-A", b"1"), (b"x-a", b"")];
        Headers::from_pairs(pairs)
    }

    #[test]
    fn names_are_lower_case_and_order_is_kept() {
        let all: Vec<_> = sample().iter().map(|(n, v)| (n.to_vec(), v.to_vec())).collect();
        assert_eq!(
            all,
            [
                (b"accept".to_vec(), b"*/*".to_vec()),
                (b"x-a".to_vec(), b"1".to_vec()),
                (b"x-a".to_vec(), vec![])
            ]
        );
    }

    #[test]
    fn lookups_find_the_first_and_all() {
        let headers = sample();
        assert_eq!(headers.get(b"x-a"), Some(&b"1"[..]));
        assert_eq!(headers.get(b"x-b"), None);
        assert_eq!(headers.get_all(b"x-a").collect::<Vec<_>>(), [&b"1"[..], b""]);
        assert_eq!(headers.value_bytes(0).unwrap(), "*/*");
        assert_eq!(headers.name_bytes(1).unwrap(), "x-a");
        assert!(headers.value_bytes(3).is_none());
    }
}
