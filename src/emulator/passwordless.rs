//! `/passwordless/…`: sessions, their mail and their link.
//!
//! - The first request that follows a link uses it up, even if its code is never redeemed.
//! - A session is remembered for a day after it expires, so that its link can still redirect with
//!   the error.
//! - WorkOS does not document its answers to a used link or a bad address. These are the likeliest.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Map, Value, json};
use url::Url;

use super::{
    EmulatedProfile, Emulator,
    answer::{self, Answer},
    call::{self, Call},
    id, lock,
    sessions::Session,
};
use crate::{email::Email, provider::Link};

/// The redirect URI if neither the session nor the builder names one: the quickstart's callback.
const DEFAULT_REDIRECT_URI: &str = "http://127.0.0.1:3000/auth/callback";
const SHORTEST_LIFETIME: u64 = 900;
const LONGEST_LIFETIME: u64 = 86_400;
const CODE_LIFETIME: Duration = Duration::from_secs(600);

/// A valid request for a session.
struct Asked {
    email: String,
    redirect_uri: Url,
    state: Option<String>,
    lifetime: Duration,
}

impl Emulator {
    pub(super) fn create(&self, call: &Call<'_>) -> Answer {
        if !call.bearer().is_some_and(call::is_api_key) {
            return answer::message(StatusCode::UNAUTHORIZED, "Unauthorized");
        }
        let fields = match call.fields() {
            Ok(fields) => fields,
            Err(bad) => return bad.answer(),
        };
        let asked = match Asked::parse(&fields, &self.shared.redirect_uris) {
            Ok(asked) => asked,
            Err(errors) => {
                let body = json!({ "message": "Validation failed", "errors": errors });
                return answer::json(StatusCode::UNPROCESSABLE_ENTITY, &body);
            }
        };
        let (id, token) = match (id::draw("passwordless_session_"), id::draw("")) {
            (Ok(id), Ok(token)) => (id, token),
            (Err(error), _) | (_, Err(error)) => return answer::no_randomness(error),
        };
        let now = self.now();
        let link = format!("{}/passwordless/{token}/confirm", self.base_url);
        let expires_at = now + asked.lifetime;
        let body = json!({
            "object": "passwordless_session",
            "id": id,
            "email": asked.email,
            "expires_at": id::iso8601(expires_at),
            "link": link,
        });
        let session = Session {
            email: asked.email,
            link: Link::new(link),
            redirect_uri: asked.redirect_uri,
            state: asked.state,
            expires_at,
            is_used: false,
        };
        lock(&self.shared.sessions).put(id, token, session, now);
        answer::json(StatusCode::CREATED, &body)
    }

    pub(super) fn send(&self, call: &Call<'_>) -> Answer {
        if !call.bearer().is_some_and(call::is_api_key) {
            return answer::message(StatusCode::UNAUTHORIZED, "Unauthorized");
        }
        let now = self.now();
        let mail = lock(&self.shared.sessions).mail(call.id, now);
        let Some(mail) = mail else {
            let text = format!(
                "The passwordless session '{}' has expired or is invalid.",
                call.id
            );
            return answer::message(StatusCode::UNPROCESSABLE_ENTITY, &text);
        };
        self.put_into_mail(&mail);
        answer::json(StatusCode::CREATED, &json!({ "success": true }))
    }

    pub(super) fn confirm(&self, call: &Call<'_>) -> Answer {
        // Drawn first: a failure here must not use the link up.
        let code = match id::draw("") {
            Ok(code) => code,
            Err(error) => return answer::no_randomness(error),
        };
        let now = self.now();
        // Used up before anything is checked: a mail scanner's GET counts like a person's click.
        let found = lock(&self.shared.sessions).follow(call.id, now);
        let Some(session) = found else {
            let page = "<!doctype html><title>Not found</title><p>There is no such link.";
            return answer::new(
                StatusCode::NOT_FOUND,
                "text/html; charset=utf-8",
                page.to_owned(),
            );
        };
        if session.is_used {
            return session.redirect(Err("The link has already been used."));
        }
        if session.expires_at <= now {
            return session.redirect(Err("The link has expired."));
        }
        let edit = lock(&self.shared.edits).take();
        let profile = edit(EmulatedProfile::of(&session.email));
        lock(&self.shared.codes).put(code.clone(), profile, now + CODE_LIFETIME, now);
        session.redirect(Ok(&code))
    }
}

impl Asked {
    /// Parses a request for a session. `registered` lists the accepted redirect URIs; if it is
    /// empty, all are.
    ///
    /// # Errors
    ///
    /// One entry per wrong field, in WorkOS's shape.
    fn parse(fields: &Map<String, Value>, registered: &[String]) -> Result<Self, Vec<Value>> {
        let field = |name: &str| fields.get(name).filter(|value| !value.is_null());
        let mut errors = Vec::new();
        let mut refuse =
            |field: &str, code: &str| errors.push(json!({ "field": field, "code": code }));

        let email = field("email").and_then(Value::as_str);
        match email {
            None => refuse("email", "email must be a string"),
            Some(email) if Email::parse(email).is_err() => {
                refuse("email", "email must be an email")
            }
            Some(_) => {}
        }
        if field("type").and_then(Value::as_str) != Some("MagicLink") {
            refuse("type", "type must be a valid enum value");
        }
        let default = registered
            .first()
            .map_or(DEFAULT_REDIRECT_URI, String::as_str);
        let redirect_uri = field("redirect_uri").map_or(Some(default), Value::as_str);
        let url = redirect_uri.and_then(|uri| Url::parse(uri).ok());
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
        if url.is_none() {
            refuse("redirect_uri", "redirect_uri must be a URL address");
        } else if !registered.is_empty()
            && !registered
                .iter()
                .any(|uri| Some(uri.as_str()) == redirect_uri)
        {
            refuse("redirect_uri", "redirect_uri must be registered");
        }
        let state = field("state").map(Value::as_str);
        if state == Some(None) {
            refuse("state", "state must be a string");
        }
        let lifetime = field("expires_in").map_or(Some(SHORTEST_LIFETIME), Value::as_u64);
        match lifetime {
            None => refuse("expires_in", "expires_in must be an integer number"),
            Some(..SHORTEST_LIFETIME) => {
                refuse("expires_in", "expires_in must not be less than 900")
            }
            Some(SHORTEST_LIFETIME..=LONGEST_LIFETIME) => {}
            Some(_) => refuse("expires_in", "expires_in must not be greater than 86400"),
        }
        match (email, url, lifetime) {
            (Some(email), Some(redirect_uri), Some(lifetime)) if errors.is_empty() => Ok(Self {
                email: email.trim().to_owned(),
                redirect_uri,
                state: state.flatten().map(str::to_owned),
                lifetime: Duration::from_secs(lifetime),
            }),
            _ => Err(errors),
        }
    }
}
