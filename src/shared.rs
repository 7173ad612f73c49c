//! `Shared`: what every service of a layer shares, and nothing else. The rooms above add what they
//! do with it.

pub(crate) mod apart;
mod ending;
mod reauthorize;
mod wiring;

use std::{fmt, time::Duration};

use bytes::Bytes;
use http::{Extensions, HeaderMap, HeaderValue, Response, StatusCode, header};

use crate::{
    clock::{Steady, Timestamp},
    event::{Context, Event, Listener},
    gate::Gate,
    language::Languages,
    page::{Page, Pages, Policy},
    provider::Identity,
    request::{
        client::{ForwardedField, client_by, network_text},
        head::RequestHead,
        peer::Proxies,
    },
    revocation::BoundedRevocations,
    session::{
        Grant, IssueError, Issued, Session, SessionId, Term, cookie::CookieName, issued::Of,
    },
    sessions::{Index, Seen},
    trace::Meters,
};

pub(crate) use self::{
    ending::Extent,
    reauthorize::{Again, Hook, Reauthorize, Word},
    wiring::Wiring,
};

/// What every service of a layer shares.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clock: Steady,
    pub(crate) gate: Gate,
    /// The field in which trusted proxies name the client of a request.
    pub(crate) forwarded: ForwardedField,
    /// The index of live sessions.
    pub(crate) index: Option<Index>,
    pub(crate) languages: Languages,
    pub(crate) listener: Listener,
    pub(crate) meters: Meters,
    /// The id of no session, which nobody outside knows: no revocation is of it.
    pub(crate) nobody: SessionId,
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

impl Shared {
    /// Renders a page, with the headers that every page has.
    pub(crate) fn page(&self, status: StatusCode, page: &Page<'_>) -> Response<Bytes> {
        let html = self.pages.pages.render(page);
        let mut response = Response::new(Bytes::from(html));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        self.pages.policy.write_to(headers);
        // No `Vary`: no page is stored, because it is `no-store`.
        if let Some(Ok(tag)) = self
            .languages
            .stated(page.words())
            .map(HeaderValue::from_str)
        {
            headers.insert(header::CONTENT_LANGUAGE, tag);
        }
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

    /// Returns the context of an event of a request.
    pub(crate) const fn context<'a>(&'a self, head: RequestHead<'a>) -> Context<'a> {
        Context::of_request(head, &self.proxies, self.forwarded)
    }

    /// Notes in the index that a request began or renewed a session, if there is an index.
    pub(crate) fn note(
        &self,
        session: &Session,
        headers: &HeaderMap,
        extensions: &Extensions,
        now: Timestamp,
    ) {
        if let Some(index) = &self.index {
            let client = client_by(headers, extensions, &self.proxies, self.forwarded);
            let seen = Seen::new(headers, client.map(network_text));
            // By the date, as the session's end is.
            index.note(session, seen, self.clock.at(now).date());
        }
    }

    /// Notes in the index that the application issued a session: no request is known.
    pub(crate) fn note_issued(&self, session: &Session, now: Timestamp) {
        if let Some(index) = &self.index {
            index.note(session, Seen::default(), self.clock.at(now).date());
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
        let after = match without_provider_session(identity) {
            None => self.revocations.latest_before_at_once(&new),
            Some(without) => {
                let new = self.begin((&without, grant), self.nobody, term, now)?;
                self.revocations.latest_before_at_once(&new)
            }
        };
        self.hand_out(
            new.with_after(after),
            Of::Application,
            Context::default(),
            now,
        )
    }

    /// Does the same for a sign-in of which is known what it comes after.
    pub(crate) fn issue_after(
        &self,
        person: (&Identity, Option<&Grant>),
        (id, term): (SessionId, Term),
        (of, context): (Of<'_>, Context<'_>),
        now: Timestamp,
        after: Timestamp,
    ) -> Result<Issued, IssueError> {
        let new = self.begin(person, id, term, now)?;
        self.hand_out(new.with_after(after), of, context, now)
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
    /// `now`. One for its own session at the provider is none: that did not exist before.
    pub(crate) async fn latest_before(
        &self,
        identity: &Identity,
        grant: Option<&Grant>,
        now: Timestamp,
    ) -> Timestamp {
        let without = without_provider_session(identity);
        let identity = without.as_ref().unwrap_or(identity);
        match self.begin((identity, grant), self.nobody, Term::Usual, now) {
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
        let session = session.ok_or(IssueError::Ended)?;
        self.hand_out(session, Of::Session(parent), Context::default(), now)
    }

    /// Hands a session out.
    fn hand_out(
        &self,
        session: Session,
        of: Of<'_>,
        context: Context<'_>,
        now: Timestamp,
    ) -> Result<Issued, IssueError> {
        let gate = &self.gate;
        // The gate would refuse the session at its first request.
        if !gate.allowed.has_session(&session) {
            return Err(IssueError::NotAllowed);
        }
        let (token, session) = gate.tokens.hand_out(session, of, self.clock.at(now))?;
        if !gate.cookies.fits(CookieName::Session, &token) {
            let size = gate.cookies.name(CookieName::Session).len() + token.len();
            return Err(IssueError::TooLarge { size });
        }
        let cookie = gate.session_cookie(&session, &token, now);
        let event = Event::SignedIn { session: &session };
        self.listener.tell_in(context, &event);
        Ok(Issued::new(session, token, cookie))
    }
}

pub(crate) fn fresh_id() -> SessionId {
    SessionId::from_bytes(crate::random::bytes())
}

/// Returns an identity without the session that the provider keeps, if it has one: what revocations
/// a sign-in comes after does not depend on that.
fn without_provider_session(identity: &Identity) -> Option<Identity> {
    let has_one = identity.provider_session().is_some();
    has_one.then(|| identity.clone().with_provider_session(None))
}
