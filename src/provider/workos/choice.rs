//! The answer of WorkOS that asks for the choice of an organization.
//!
//! - It is a 403 `organization_selection_required`, with a pending token and the organizations of
//!   the person. Without both it is a step that nobody here can take.

use serde::Deserialize;

use super::complaint::is_word;
use crate::provider::{Organization, OrganizationChoice, PendingToken};

const REQUIRED: &str = "organization_selection_required";
/// WorkOS documents no length. Its tokens have 26 characters and a prefix.
const LONGEST_TOKEN: usize = 2_048;
/// A longer name is cut.
const LONGEST_NAME: usize = 100;

/// The answer that asks for a choice.
#[derive(Deserialize)]
struct RequiredAnswer {
    code: Option<String>,
    error: Option<String>,
    pending_authentication_token: String,
    organizations: Vec<OrganizationAnswer>,
}

#[derive(Deserialize)]
struct OrganizationAnswer {
    id: String,
    name: Option<String>,
}

/// Reads the choice that a refusal asks for, if it asks for one that can be made.
pub(super) fn choice_in(body: &[u8]) -> Option<OrganizationChoice> {
    let answer: RequiredAnswer = serde_json::from_slice(body).ok()?;
    let is_asked = answer.code.or(answer.error).as_deref() == Some(REQUIRED);
    let organizations = answer.organizations.into_iter();
    let organizations: Vec<_> = organizations
        .filter(|organization| is_id(&organization.id))
        .map(|organization| {
            let name = plain(&organization.name.unwrap_or_default());
            Organization::new(organization.id, name)
        })
        .collect();
    let is_possible = !organizations.is_empty() && is_token(&answer.pending_authentication_token);
    let pending = PendingToken::new(answer.pending_authentication_token);
    (is_asked && is_possible).then(|| OrganizationChoice::new(pending, organizations))
}

pub(super) fn is_token(token: &str) -> bool {
    matches!(token.len(), 1..=LONGEST_TOKEN) && token.bytes().all(|b| b.is_ascii_graphic())
}

pub(super) fn is_id(id: &str) -> bool {
    is_word(id, |b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Returns a name on one line. Somebody at another organization may have written it.
fn plain(name: &str) -> String {
    let is_break = |c: char| c.is_whitespace() || c.is_control();
    let words: Vec<_> = name
        .split(is_break)
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ").chars().take(LONGEST_NAME).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_choice_needs_its_code_a_token_and_an_organization() {
        let good = json!({
            "code": REQUIRED, "message": "x", "pending_authentication_token": "pending_1",
            "organizations": [{ "id": "org_1", "name": " Acme\n&  Sons " }, { "id": "org_2" }],
        });
        let with = |field: &str, value: Value| {
            let mut body = good.clone();
            body[field] = value;
            choice_in(body.to_string().as_bytes())
        };
        let choice = with("message", "x".into()).unwrap();
        assert_eq!(choice.pending().expose(), "pending_1");
        let names = choice.organizations().iter().map(Organization::name);
        assert_eq!(names.collect::<Vec<_>>(), ["Acme & Sons", "org_2"]);

        let one = with("organizations", json!([{ "id": "a/b" }, { "id": "org_2" }])).unwrap();
        assert_eq!(
            one.organizations().len(),
            1,
            "an id that is none is left out"
        );
        let cases = [
            ("another code", "code", json!("mfa_challenge")),
            ("no token", "pending_authentication_token", Value::Null),
            ("an empty token", "pending_authentication_token", json!("")),
            (
                "a line break",
                "pending_authentication_token",
                json!("a\nb"),
            ),
            (
                "a long token",
                "pending_authentication_token",
                json!("x".repeat(2_049)),
            ),
            ("no organization", "organizations", json!([])),
            ("no list", "organizations", Value::Null),
            ("no id", "organizations", json!([{ "id": "" }])),
        ];
        for (name, field, value) in cases {
            assert_eq!(with(field, value), None, "{name}");
        }
        assert_eq!(choice_in(b"<html>"), None);
    }
}
