//! The names that a client may not send on: the layer's own, and those of an upgrade.

use http::{HeaderName, header};

/// The layer's own. Texts, because every field of every request is compared with them: a text's
/// length is known beforehand.
pub(super) const NAMES: [&str; 4] = [SUBJECT_TEXT, EMAIL_TEXT, ORGANIZATION_TEXT, SESSION_TEXT];
pub(super) const SUBJECT_TEXT: &str = "x-auth-subject";
pub(super) const EMAIL_TEXT: &str = "x-auth-email";
pub(super) const ORGANIZATION_TEXT: &str = "x-auth-organization";
pub(super) const SESSION_TEXT: &str = "x-auth-session";

pub(super) const HTTP2_SETTINGS: &str = "http2-settings";
pub(super) const UPGRADE: &str = "upgrade";

/// The fields whose members name other fields.
pub(super) static NAMING: [HeaderName; 2] = [header::CONNECTION, header::TRAILER];

/// Says whether some reader could take a name for one of the layer's.
pub(super) fn is_ours(name: &[u8]) -> bool {
    NAMES.iter().any(|ours| is_spelling_of(ours, name))
}

/// Says whether some reader could take a name for one of an upgrade's.
pub(super) fn is_upgrade(name: &[u8]) -> bool {
    is_spelling_of(HTTP2_SETTINGS, name) || is_spelling_of(UPGRADE, name)
}

/// Says whether some reader could take a name for this field's.
///
/// Case does not matter, and any punctuation may stand for a dash: CGI writes `-`, `_` and `.`
/// alike (RFC 3875, section 4.1.18).
pub(super) fn is_spelling_of(field: &str, name: &[u8]) -> bool {
    let folded = |b: u8| {
        if b.is_ascii_alphanumeric() {
            b.to_ascii_lowercase()
        } else {
            b'-'
        }
    };
    // Compared in place: this runs over every field of every request.
    name.len() == field.len() && name.iter().copied().map(folded).eq(field.bytes())
}

/// Splits a list into its tokens (RFC 9110, section 5.6.2). Any other byte ends one, because
/// readers split and trim differently.
pub(super) fn tokens(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_token = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b);
    list.split(move |b| !is_token(b))
}
