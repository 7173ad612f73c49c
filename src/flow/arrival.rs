//! Whether a browser has dropped the session that it was given. Signing in again would go round in
//! circles, so the form says it instead.
//!
//! - The cookie `Arrived` names the session. It lives a minute, and no longer than the session's:
//!   a browser that was closed and opened again has neither. It is dated by the wall clock, because
//!   another replica may read it.
//! - A session that was ended, such as at a sibling host, was not dropped. The store knows.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, header};

use super::{browser, refusal, step::Step};
use crate::{
    ascii::decimal,
    clock::Timestamp,
    email::Email,
    provider::Identity,
    request::head::Found,
    session::{Grant, Session, SessionId, Times, cookie::CookieName, seal::Purpose},
};

/// How long a missing session cookie after a sign-in means that the browser dropped it.
const ARRIVAL: Duration = Duration::from_secs(60);

/// The bytes of most records: few addresses and subjects are long.
const USUAL_RECORD: usize = 192;

/// Records that the browser is given a session.
pub(super) fn record(step: &Step, session: &Session, response: &mut Response<Bytes>) {
    let gate = &step.flow.shared.gate;
    let mut record = String::with_capacity(USUAL_RECORD);
    let times = [step.reading().date(), session.auth_time(), session.after()];
    for time in times {
        record.push_str(decimal(time.as_secs(), &mut [0; 20]));
        record.push('\n');
    }
    record.push_str(session.id().text(&mut [0; 22]));
    for text in [
        session.email(),
        session.provider_subject(),
        session.subject(),
    ] {
        record.push('\n');
        record.push_str(text);
    }
    let keys = gate.tokens.keys();
    // The callers of one exchange set the same cookies, so nothing here is drawn anew.
    let sealed = keys.seal_alike(session, Purpose::Arrived, record.as_bytes());
    let Some(sealed) = sealed else { return };
    let lifetime = gate.cookie_lifetime(session, step.now);
    let lifetime = lifetime.map(|lifetime| lifetime.min(ARRIVAL));
    let cookie = gate.cookies.set(CookieName::Arrived, &sealed, lifetime);
    response.headers_mut().append(header::SET_COOKIE, cookie);
}

/// Refuses, if this browser was given a session within the last minute and has dropped it.
pub(super) async fn dropped(step: &Step) -> Option<Response<Bytes>> {
    let session = recent(step)?;
    // If the store is out, nothing is known, and the person may try.
    let is_active = step.flow.shared.revocations.is_active(&session).await;
    if !is_active.unwrap_or(false) {
        return None;
    }
    let lost = browser::cookie_lost(step, CookieName::Session);
    let mut response = refusal::answer(step, lost, None);
    // The next visit to the form starts afresh.
    let cookies = &step.flow.shared.gate.cookies;
    let removal = cookies.removal_of(CookieName::Arrived);
    response.headers_mut().append(header::SET_COOKIE, removal);
    Some(response)
}

/// Returns the session that this browser was given within the last minute, if it sends none now.
fn recent(step: &Step) -> Option<Session> {
    let gate = &step.flow.shared.gate;
    let head = step.head();
    if head.cookie(gate.cookies.name(CookieName::Session)) != Found::Nothing {
        return None;
    }
    let sealed = head.cookie(gate.cookies.name(CookieName::Arrived)).one()?;
    let keys = gate.tokens.keys();
    let record = String::from_utf8(keys.open(Purpose::Arrived, sealed, step.reading())?).ok()?;
    let mut fields = record.splitn(7, '\n');
    let mut time = || Some(Timestamp::from_secs(fields.next()?.parse().ok()?));
    let (arrived, auth_time, after) = (time()?, time()?, time()?);
    let id: SessionId = fields.next()?.parse().ok()?;
    let email = Email::parse(fields.next()?).ok()?;
    let identity = Identity::new(fields.next()?, email);
    let times = Times {
        issued_at: arrived,
        expires_at: arrived + ARRIVAL,
        auth_time,
    };
    let grant = Grant::new().subject(fields.next()?);
    (step.reading().date() < times.expires_at).then(|| {
        Session::new(&identity, id, times)
            .granted(&grant)
            .with_after(after)
    })
}
