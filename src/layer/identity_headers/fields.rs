//! Several fields of one name, rewritten one by one.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};

/// Rewrites the fields of one name, and drops a field that becomes empty.
pub(super) fn rewrite_fields(
    headers: &mut HeaderMap,
    name: &HeaderName,
    rewrite: impl Fn(&[u8]) -> Option<Vec<u8>>,
) {
    // Asked first, because an entry makes room for a field.
    if !headers.contains_key(name) {
        return;
    }
    let header::Entry::Occupied(mut entry) = headers.entry(name) else {
        return;
    };
    let mut emptied = Vec::new();
    for (at, field) in entry.iter_mut().enumerate() {
        let Some(rewritten) = rewrite(field.as_bytes()) else {
            continue;
        };
        // Trims the separator that stood between the rest and what was removed.
        let trimmed = rewritten.trim_ascii();
        let is_empty = trimmed.is_empty();
        let value = match trimmed.len() == rewritten.len() {
            true => HeaderValue::from_maybe_shared(Bytes::from(rewritten)),
            false => HeaderValue::from_bytes(trimmed),
        };
        match value {
            Ok(mut value) if !is_empty => {
                value.set_sensitive(field.is_sensitive());
                *field = value;
            }
            _ => emptied.push(at),
        }
    }
    if emptied.is_empty() {
        return;
    }
    // All are taken out and the others put back, because a `HeaderMap` cannot remove one value of
    // several.
    let (_, fields) = entry.remove_entry_mult();
    let fields: Vec<_> = fields.collect();
    for (at, field) in fields.into_iter().enumerate() {
        if !emptied.contains(&at) {
            headers.append(name, field);
        }
    }
}
