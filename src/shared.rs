//! `Shared`: what every service of a layer shares, and nothing else. The rooms above add what they
//! do with it.

mod reauthorize;
mod wiring;

use std::{fmt, time::Duration};

use bytes::Bytes;
use http::{Extensions, HeaderMap, Response, StatusCode};

use crate::{
    clock::{Reading, Steady, Timestamp},
    event::{Event, Listener},
    gate::Gate,
    page::{Page, Pages, Policy},
    provider::Identity,
    request::{
        client::{ForwardedField, client_by, network_text},
        peer::Proxies,
    },
    revocation::{BoundedRevocations, Revocation, Target},
    session::{Grant, IssueError, Issued, Session, SessionId, Term, cookie::CookieName},
    sessions::{Index, Seen},
    store::StoreError,
};

pub(crate) use self::{
    reauthorize::{Again, Hook, Reauthorize, Word},
    wiring::Wiring,
};

/// What every service of a layer shares.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clock: Steady,
    pub(crate) gate: Gate,
    /// The index of live sessions, and the field that names the client of a request.
    pub(crate) index: Option<(Index, ForwardedField)>,
    pub(crate) listener: Listener,
    /// For how long a sign-in in flight may yield its session again.
    pub(crate) longest_attempt: Duration,
    pub(crate) pages: PageSet,
    pub(crate) proxies: Proxies,
    pub(crate) reauthorize: Option<Hook>,
    /// The fields of a redirect to the form, which are the same each time.
    pub(crate) redirect_fields: HeaderMap,
    pub(crate) revocations: BoundedRevocations,
    pub(crate) streams: Streams,
    pub(crate) wiring: Wiring,
}

/// The pages, and the headers that they are served with.
pub(crate) struct PageSet {
    pub(crate) pages: Box<dyn Pages>,
    pub(crate) policy: Policy,
}

impl fmt::Debug for PageSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.policy.fmt(f)
    }
}

/// Whether live connections end with their session, and how often the store is asked about each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Streams {
    pub(crate) are_ended: bool,
    pub(crate) interval: Duration,
}

/// Which sessions of a person end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All of the subject, and all of the address.
    Everywhere,
    /// This session.
    This,
}

impl Shared {
    /// Renders a page, with the headers that every page has.
    pub(crate) fn page(&self, status: StatusCode, page: &Page<'_>) -> Response<Bytes> {
        let html = self.pages.pages.render(page);
        let mut response = Response::new(Bytes::from(html));
        *response.status_mut() = status;
        self.pages.policy.write_to(response.headers_mut());
        response
    }

    /// Renders a page that a frame of our own origin may show.
    pub(crate) fn page_in_frame(&self, status: StatusCode, page: &Page<'_>) -> Response<Bytes> {
        let mut response = self.page(status, page);
        let policy = self.pages.policy.in_own_frame();
        policy.write_to(response.headers_mut());
        response
    }

    /// Renders a page whose form may lead to one more origin.
    pub(crate) fn page_leading_to(
        &self,
        status: StatusCode,
        page: &Page<'_>,
        origin: Option<&str>,
    ) -> Response<Bytes> {
        let mut response = self.page(status, page);
        // An origin that no policy can name is left out: the browser then blocks the form's
        // redirect to it.
        if let Some(Ok(policy)) = origin.map(|origin| self.pages.policy.leading_to(origin)) {
            policy.write_to(response.headers_mut());
        }
        response
    }

    /// Ends a session, or all sessions of its subject and address, and reports it as an event.
    ///
    /// An error means that the store has not recorded all of it.
    pub(crate) async fn revoke(
        &self,
        session: &Session,
        extent: Extent,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let reading = self.clock.at(now);
        // After every revocation that the session comes after, too, which spares its person's other
        // sessions since.
        let at = last_begun(reading, session.revocable_from());
        // Stores forget by dates, and a token may be judged by a time that is behind.
        let behind = reading.most_ahead();
        let own = {
            // The replica that began or renewed it may judge it by a time that is further behind.
            let behind = behind.max(session.skew().ahead().max(session.auth_skew().ahead()));
            // An attempt that has one session yields it until its link ends.
            let last = self.gate.end_of_last_token(session) + self.longest_attempt;
            Revocation::new(Target::Session(session.id()), at, last + behind)
        };
        let taken = if extent == Extent::Everywhere {
            // WorkOS gives one person different subjects for a link and for a code. The proven
            // address is the same.
            let mut targets = vec![
                Target::Subject(session.subject().to_owned()),
                Target::Address(session.email().to_owned()),
            ];
            // Their sessions from before the application granted a subject of its own.
            if session.provider_subject() != session.subject() {
                targets.push(Target::Subject(session.provider_subject().to_owned()));
            }
            // By its id, too: a visit to its link is a sign-in that comes after the others.
            self.end_all(targets, Some(own), at, behind).await
        } else {
            if let Some((index, _)) = &self.index {
                index.forget(session);
            }
            self.revocations.revoke(&own).await
        };
        self.listener.tell(&Event::SignedOut {
            session,
            is_everywhere: extent == Extent::Everywhere,
            is_recorded: taken.is_ok(),
        });
        taken
    }

    /// Ends all sessions that a target names, for the application, and reports it as an event.
    pub(crate) async fn end_for_application(&self, target: Target) -> Result<(), StoreError> {
        let reading = self.clock.at(self.clock.now());
        let at = last_begun(reading, Timestamp::from_secs(0));
        let targets = vec![target.clone()];
        let taken = self.end_all(targets, None, at, reading.most_ahead()).await;
        self.listener.tell(&Event::SessionsEnded {
            kind: target.kind(),
            id: &target.id(),
            is_recorded: taken.is_ok(),
        });
        taken
    }

    /// Ends every session that one of the targets names and that has begun by a moment, and one
    /// more.
    async fn end_all(
        &self,
        targets: Vec<Target>,
        own: Option<Revocation>,
        at: Timestamp,
        behind: Duration,
    ) -> Result<(), StoreError> {
        // Another session of theirs may have begun just now.
        let until = at + self.gate.lifetimes.longest() + Revocation::LEEWAY + behind;
        let revocations = targets.into_iter();
        let revocations: Vec<_> = revocations
            .map(|target| Revocation::new(target, at, until))
            .chain(own)
            .collect();
        self.revocations.revoke_all(&revocations).await
    }

    /// Notes in the index that a request began or renewed a session, if there is an index.
    pub(crate) fn note(
        &self,
        session: &Session,
        headers: &HeaderMap,
        extensions: &Extensions,
        now: Timestamp,
    ) {
        if let Some((index, field)) = &self.index {
            let client = client_by(headers, extensions, &self.proxies, *field);
            index.note(session, Seen::new(headers, client.map(network_text)), now);
        }
    }

    /// Notes in the index that the application issued a session: no request is known.
    pub(crate) fn note_issued(&self, session: &Session, now: Timestamp) {
        if let Some((index, _)) = &self.index {
            index.note(session, Seen::default(), now);
        }
    }

    /// Makes a session of an identity that was proven at `now`, and reports it as an event. It
    /// comes after every revocation that the store knows without waiting.
    pub(crate) fn issue(
        &self,
        identity: &Identity,
        grant: Option<&Grant>,
        term: Term,
        now: Timestamp,
    ) -> Result<Issued, IssueError> {
        let new = self.begin((identity, grant), fresh_id(), term, now)?;
        let after = self.revocations.latest_before_at_once(&new);
        self.hand_out(new.with_after(after), now)
    }

    /// Does the same for a sign-in of which is known what it comes after.
    pub(crate) fn issue_after(
        &self,
        person: (&Identity, Option<&Grant>),
        id: SessionId,
        term: Term,
        now: Timestamp,
        after: Timestamp,
    ) -> Result<Issued, IssueError> {
        let new = self.begin(person, id, term, now)?;
        self.hand_out(new.with_after(after), now)
    }

    /// Says whether the session that such a sign-in would yield has ended before. If the store does
    /// not answer, it has not: the gate asks again.
    pub(crate) async fn has_ended(
        &self,
        person: (&Identity, Option<&Grant>),
        id: SessionId,
        term: Term,
        now: Timestamp,
        after: Timestamp,
    ) -> bool {
        let Ok(new) = self.begin(person, id, term, now) else {
            return false;
        };
        let is_active = self.revocations.is_active(&new.with_after(after)).await;
        matches!(is_active, Ok(false))
    }

    /// Returns the moment of the latest revocation that a sign-in comes after, which was proven at
    /// `now`.
    pub(crate) async fn latest_before(
        &self,
        identity: &Identity,
        grant: Option<&Grant>,
        now: Timestamp,
    ) -> Timestamp {
        match self.begin((identity, grant), fresh_id(), Term::Usual, now) {
            Ok(new) => self.revocations.latest_before(&new).await,
            Err(_) => Timestamp::from_secs(0),
        }
    }

    fn begin(
        &self,
        (identity, grant): (&Identity, Option<&Grant>),
        id: SessionId,
        term: Term,
        now: Timestamp,
    ) -> Result<Session, IssueError> {
        let own = grant.and_then(Grant::own_subject);
        if identity.subject().is_empty() || own.is_some_and(str::is_empty) {
            return Err(IssueError::NoSubject);
        }
        let reading = self.clock.at(now);
        let session = self.gate.begin_session(identity, id, term, reading);
        Ok(match grant {
            Some(grant) => session.granted(grant),
            None => session,
        })
    }

    /// Makes another session of the person who has one already, and reports it as an event.
    pub(crate) fn issue_from(
        &self,
        parent: &Session,
        now: Timestamp,
    ) -> Result<Issued, IssueError> {
        let session = self
            .gate
            .another_session(parent, fresh_id(), self.clock.at(now));
        self.hand_out(session.ok_or(IssueError::Ended)?, now)
    }

    fn hand_out(&self, session: Session, now: Timestamp) -> Result<Issued, IssueError> {
        let gate = &self.gate;
        // The gate would refuse the session at its first request.
        if !gate.allowed.has_session(&session) {
            return Err(IssueError::NotAllowed);
        }
        let token = gate.tokens.mint(&session).ok_or(IssueError::NotSigned)?;
        if !gate.cookies.fits(CookieName::Session, &token) {
            let size = gate.cookies.name(CookieName::Session).len() + token.len();
            return Err(IssueError::TooLarge { size });
        }
        let cookie = gate.session_cookie(&session, &token, now);
        self.listener.tell(&Event::SignedIn { session: &session });
        Ok(Issued::new(session, token, cookie))
    }
}

fn fresh_id() -> SessionId {
    SessionId::from_bytes(crate::random::bytes())
}

/// Returns up to when sessions have begun that end now, one of this beginning among them.
fn last_begun(reading: Reading, begun: Timestamp) -> Timestamp {
    // By the date: a later sign-in is dated by the wall clock, and must not be ended, too. The
    // replica that began the session may have a clock ahead of ours.
    reading.date().max(begun)
}
