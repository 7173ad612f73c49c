//! The passwordless sessions, each with its link.

use std::time::Duration;

use url::Url;

use super::{
    Mail,
    answer::{self, Answer},
    shelf::Shelf,
};
use crate::{clock::Timestamp, provider::Link};

const REMEMBERED: Duration = Duration::from_secs(86_400);

/// The sessions that were made.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    by_token: Shelf<Session>,
    tokens_by_id: Shelf<String>,
}

#[derive(Clone)]
pub(super) struct Session {
    pub(super) email: String,
    pub(super) link: Link,
    pub(super) redirect_uri: Url,
    pub(super) state: Option<String>,
    pub(super) expires_at: Timestamp,
    pub(super) is_used: bool,
}

impl Sessions {
    pub(super) fn put(&mut self, id: String, token: String, session: Session, now: Timestamp) {
        let until = session.expires_at + REMEMBERED;
        self.tokens_by_id.put(id, token.clone(), until, now);
        self.by_token.put(token, session, until, now);
    }

    /// Creates the mail of a session whose link is still valid.
    pub(super) fn mail(&self, id: &str, now: Timestamp) -> Option<Mail> {
        let token = self.tokens_by_id.find(id, now)?;
        let session = self.by_token.find(token, now)?;
        let is_good = !session.is_used && now < session.expires_at;
        is_good.then(|| {
            let lifetime = now.until(session.expires_at);
            Mail::with_link(session.email.clone(), session.link.clone(), lifetime)
        })
    }

    /// Uses up a link, and returns its session as it was before.
    pub(super) fn follow(&mut self, token: &str, now: Timestamp) -> Option<Session> {
        let session = self.by_token.find_mut(token, now)?;
        let before = session.clone();
        session.is_used = true;
        Some(before)
    }
}

impl Session {
    /// Redirects with a code, or with the reason why there is none.
    pub(super) fn redirect(mut self, code: Result<&str, &str>) -> Answer {
        let mut query = self.redirect_uri.query_pairs_mut();
        match code {
            Ok(code) => query.append_pair("code", code),
            Err(why) => query
                .append_pair("error", "access_denied")
                .append_pair("error_description", why),
        };
        if let Some(state) = &self.state {
            query.append_pair("state", state);
        }
        drop(query);
        answer::redirect(self.redirect_uri.as_str())
    }
}
