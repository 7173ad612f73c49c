//! The mailbox that an address is counted as.

use std::borrow::Cow;

use crate::email::Email;

/// Returns the mailbox that an address is counted as. The large providers deliver mail for `ada+x`
/// to `ada` (RFC 5233), so a tag must not give a second allowance. A local part that begins with
/// `+` has no tag. Gmail ignores dots before the `@`, and has two domain names.
pub(super) fn mailbox_of(email: &Email) -> Cow<'_, str> {
    let address = email.as_str();
    let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    let name = match local.split_once('+') {
        Some((name, _)) if !name.is_empty() => name,
        _ => local,
    };
    match domain {
        "gmail.com" | "googlemail.com" => format!("{}@gmail.com", name.replace('.', "")).into(),
        _ if name.len() == local.len() => address.into(),
        _ => [name, "@", domain].concat().into(),
    }
}
