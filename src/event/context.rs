//! `Context`: in which request an event happened, of which sign-in, and whose it is.
//!
//! - It is a view: nothing is read of a request before a listener asks for it.
//! - What a client wrote is bounded before anybody sees it, and has visible ASCII alone.

use std::{borrow::Cow, fmt, net::IpAddr};

use http::{HeaderMap, HeaderName, header};

use super::{Event, Value};
use crate::{
    email::{Email, masked_subject},
    provider::AttemptId,
    request::{
        client::{ForwardedField, client_by},
        head::RequestHead,
        peer::Proxies,
    },
    session::{Session, SessionId},
};

/// The most characters of a path or a user agent.
const LONGEST: usize = 256;
/// The most characters of a request's id.
const LONGEST_ID: usize = 128;

/// In which request an [`Event`] happened, of which sign-in it is a part, and whose it is.
///
/// Everything is optional, because the layer states what it knows and nothing else:
///
/// - **The request** is known, unless the event happens between requests: all events of stores and
///   of the throttle, [`CookieDropped`](Event::CookieDropped),
///   [`ReauthorizeFailed`](Event::ReauthorizeFailed), [`SignedOut`](Event::SignedOut) after the
///   hook of [`reauthorize`](crate::Builder::reauthorize) has denied a session, and what the
///   application does itself by [`SessionIssuer`](crate::companion::SessionIssuer) or
///   [`end_sessions`](crate::MagicLinkLayer::end_sessions). If several requests share the work of
///   one sign-in, it is the first of them.
/// - **The sign-in** ([`attempt`](Self::attempt)) is known from the request for a mail to the new
///   session. By it, `link_sent` joins to `signed_in`, on whichever replica each happened.
/// - **The person** is known if the event is about a session or an address, if the refused request
///   has a valid session, or if the sign-in is known.
///
/// The default is a context of which nothing is known, for a test of a listener.
///
/// ```
/// use tower_magic_link::{Builder, event::{Context, Event}};
///
/// /// One line for each event, with what is known of it.
/// fn line(event: &Event<'_>, context: &Context<'_>) -> String {
///     let fields = event.fields().chain(context.fields());
///     // In quotes, because a client chooses its user agent: it may hold ` session=`.
///     let fields = fields.map(|(name, value)| format!(" {name}={:?}", value.to_string()));
///     [event.name().to_owned()].into_iter().chain(fields).collect()
/// }
///
/// fn audited(builder: Builder) -> Builder {
///     builder.on_event(|event, context| println!("{}", line(event, context)))
/// }
///
/// assert_eq!(line(&Event::StoreRecovered, &Context::default()), "store_recovered");
/// ```
#[derive(Clone, Copy, Default)]
pub struct Context<'a> {
    request: Option<Asked<'a>>,
    attempt: Option<AttemptId>,
    email: Option<&'a Email>,
    session: Option<&'a Session>,
}

/// A request, and how its client is found.
#[derive(Clone, Copy)]
struct Asked<'a> {
    head: RequestHead<'a>,
    proxies: &'a Proxies,
    field: ForwardedField,
}

impl<'a> Context<'a> {
    pub(crate) const fn of_request(
        head: RequestHead<'a>,
        proxies: &'a Proxies,
        field: ForwardedField,
    ) -> Self {
        Self {
            request: Some(Asked {
                head,
                proxies,
                field,
            }),
            attempt: None,
            email: None,
            session: None,
        }
    }

    /// Returns the same context, in a sign-in.
    pub(crate) const fn in_attempt(self, attempt: AttemptId, email: &'a Email) -> Self {
        Self {
            attempt: Some(attempt),
            email: Some(email),
            ..self
        }
    }

    /// Returns the same context, with the session that the request has.
    pub(crate) const fn with_session(self, session: Option<&'a Session>) -> Self {
        Self { session, ..self }
    }

    /// Returns the same context, with what the event itself says of whose it is.
    pub(super) const fn with_event(self, event: &'a Event<'_>) -> Self {
        match event {
            Event::ReauthorizeFailed { session }
            | Event::SignedIn { session }
            | Event::SignedOut { session, .. } => self.with_session(Some(session)),
            Event::LinkDeclined { email }
            | Event::LinkSent { email }
            | Event::LinkWithheld { email, .. }
            | Event::MailFailed { email, .. }
            | Event::Throttled {
                email: Some(email), ..
            } => Self {
                email: Some(email),
                ..self
            },
            _ => self,
        }
    }

    /// Returns the id of the sign-in. It is the same in all events of one request for a mail, and
    /// is no credential: nothing can be opened with it, and no link or code follows from it.
    #[must_use]
    pub const fn attempt(&self) -> Option<AttemptId> {
        self.attempt
    }

    /// Returns the client's address as the limits see it: behind
    /// [`Builder::trusted_proxies`](crate::Builder::trusted_proxies), by
    /// [`Builder::forwarded_field`](crate::Builder::forwarded_field).
    #[must_use]
    pub fn client(&self) -> Option<IpAddr> {
        let Asked {
            head,
            proxies,
            field,
        } = self.request.as_ref()?;
        client_by(head.headers(), head.extensions(), proxies, *field)
    }

    /// Returns the person's address, masked: `a***@example.com`.
    #[must_use]
    pub fn masked_email(&self) -> Option<String> {
        let own = self.session.map(Session::email).map(Email::parse);
        let own = own.and_then(Result::ok).map(|email| email.masked());
        own.or_else(|| self.email.map(Email::masked))
    }

    /// Returns the names and the values of what is known, in alphabetical order of the names. None
    /// is a name of [`Event::fields`], too. Where OpenTelemetry has a name, it is that.
    ///
    /// | name | value |
    /// | --- | --- |
    /// | `attempt.id` | [`attempt`](Self::attempt) |
    /// | `client.address` | [`client`](Self::client) |
    /// | `http.request.header.x-request-id` | [`request_id`](Self::request_id) |
    /// | `http.request.method` | [`method`](Self::method) |
    /// | `session.id` | [`session`](Self::session) |
    /// | `trace_id` | [`trace_id`](Self::trace_id) |
    /// | `url.path` | [`path`](Self::path) |
    /// | `user.email` | [`masked_email`](Self::masked_email) |
    /// | `user.id` | [`subject`](Self::subject), masked if it holds an `@` |
    /// | `user_agent.original` | [`user_agent`](Self::user_agent) |
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, Value<'a>)> {
        let owned = |text: String| Value::Text(Cow::Owned(text));
        let lent = |text: &'a str| Value::Text(Cow::Borrowed(text));
        let attempt = self.attempt().map(|id| owned(id.to_string()));
        let client = self.client().map(|client| owned(client.to_string()));
        let session = self.session().map(|id| owned(id.to_string()));
        let email = self.masked_email().map(owned);
        let subject = self.subject().map(masked_subject).map(Value::Text);
        let fields = [
            ("attempt.id", attempt),
            ("client.address", client),
            (
                "http.request.header.x-request-id",
                self.request_id().map(lent),
            ),
            ("http.request.method", self.method().map(lent)),
            ("session.id", session),
            ("trace_id", self.trace_id().map(lent)),
            ("url.path", self.path().map(lent)),
            ("user.email", email),
            ("user.id", subject),
            ("user_agent.original", self.user_agent().map(lent)),
        ];
        let known = |(name, value): (_, Option<_>)| Some((name, value?));
        fields.into_iter().filter_map(known)
    }

    /// Returns the request's method. A method that HTTP does not define is left out.
    #[must_use]
    pub fn method(&self) -> Option<&'a str> {
        let method = self.request.as_ref()?.head.method().as_str();
        // A client may invent some, without a limit (RFC 9110, section 9.1).
        let known = [
            "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE",
        ];
        known.contains(&method).then_some(method)
    }

    /// Returns the path that the client asked for, without the query: at most 256 characters of
    /// it, and none from the first that is not visible ASCII. No path of the layer's own holds a
    /// secret. Yours may.
    #[must_use]
    pub fn path(&self) -> Option<&'a str> {
        let path = self.request.as_ref()?.head.original_uri().path();
        let plain = path.bytes().take(LONGEST);
        path.get(..plain.take_while(u8::is_ascii_graphic).count())
    }

    /// Returns the `X-Request-Id` of the request. It is left out if there are two, or if it has
    /// more than 128 characters or others than visible ASCII. Unless a proxy of yours or a layer
    /// outside of this one writes it, a client may have.
    #[must_use]
    pub fn request_id(&self) -> Option<&'a str> {
        let id = self.field(HeaderName::from_static("x-request-id"))?;
        let is_plain = !id.is_empty() && id.len() <= LONGEST_ID;
        (is_plain && id.bytes().all(|b| b.is_ascii_graphic())).then_some(id)
    }

    /// Returns the id of the session.
    #[must_use]
    pub fn session(&self) -> Option<SessionId> {
        self.session.map(Session::id)
    }

    /// Returns the person's id, as [`Session::subject`] has it, and unmasked: mask an address that
    /// your application uses as the id.
    #[must_use]
    pub fn subject(&self) -> Option<&'a str> {
        self.session.map(Session::subject)
    }

    /// Returns the id of the trace that the request's `traceparent` names (W3C Trace Context): 32
    /// hexadecimal digits. It is left out if the field is not valid. A client may have written it.
    #[must_use]
    pub fn trace_id(&self) -> Option<&'a str> {
        trace_id(self.field(HeaderName::from_static("traceparent"))?)
    }

    /// Returns the user agent, and at most 256 characters of it. One that has others than visible
    /// ASCII and spaces is left out.
    #[must_use]
    pub fn user_agent(&self) -> Option<&'a str> {
        let agent = self.field(header::USER_AGENT)?;
        let agent = agent.get(..LONGEST).unwrap_or(agent);
        let is_plain = |b: u8| b == b' ' || b.is_ascii_graphic();
        (!agent.is_empty() && agent.bytes().all(is_plain)).then_some(agent)
    }

    /// Returns the only value of a field. Of two, readers differ on which counts.
    fn field(&self, name: HeaderName) -> Option<&'a str> {
        let headers: &'a HeaderMap = self.request.as_ref()?.head.headers();
        let mut values = headers.get_all(name).iter();
        let only = values.next().filter(|_| values.next().is_none());
        only?.to_str().ok()
    }
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = self.fields();
        f.debug_map()
            .entries(fields.map(|(name, value)| (name, value.to_string())))
            .finish()
    }
}

/// Reads `00-<trace id>-<parent id>-<flags>`, of a later version too, which may have more behind
/// the flags (W3C Trace Context, sections 2.2.2 and 4.3).
fn trace_id(text: &str) -> Option<&str> {
    let digits = |text: &str, length: usize| {
        let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        text.len() == length && text.bytes().all(is_digit)
    };
    let mut parts = text.split('-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let (parent, flags) = (parts.next()?, parts.next()?);
    let is_valid = digits(version, 2)
        && version != "ff"
        && digits(trace, 32)
        && digits(parent, 16)
        && digits(flags, 2)
        && trace.bytes().any(|b| b != b'0')
        && parent.bytes().any(|b| b != b'0')
        && (version != "00" || parts.next().is_none());
    is_valid.then_some(trace)
}
