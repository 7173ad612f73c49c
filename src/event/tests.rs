use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex},
};

use tracing::{
    Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use super::*;
use crate::{
    clock::Timestamp,
    provider::Identity,
    session::{SessionId, Times},
};

const ADA: &str = "ada-whole@example.com";

/// Every event, with every field that it may have.
fn every<'a>(email: &'a Email, session: &'a Session) -> Vec<Event<'a>> {
    let kind = StoreErrorKind::TimedOut;
    let store = StoreName::Throttle;
    vec![
        Event::CookieDropped { name: "c" },
        Event::CookieLost {
            name: "c",
            likely: RejectionKind::CookiesBlocked,
        },
        Event::LinkDeclined { email },
        Event::LinkSent { email },
        Event::LinkWithheld {
            email,
            reason: "domain",
        },
        Event::MailFailed {
            email,
            is_of_recipient: true,
            reason: "refused",
            status: Some(550),
        },
        Event::ProviderFailed {
            kind: ProviderErrorKind::TimedOut,
            code: Some("c"),
            status: Some(500),
            request_id: Some("r"),
        },
        Event::ReauthorizeFailed { session },
        Event::Refused {
            kind: RejectionKind::NoSession,
        },
        Event::ServerLost { store },
        Event::ServerMayEvict { store, policy: "p" },
        Event::ServerRecovered { store },
        Event::SessionsEnded {
            kind: "subject",
            id: "user_1",
            is_recorded: true,
        },
        Event::SignedIn { session },
        Event::SignedOut {
            session,
            by: EndedBy::Owner,
            is_everywhere: false,
            is_recorded: true,
        },
        Event::StoreFailed { kind },
        Event::StoreLost {
            kind,
            is_admitting: false,
        },
        Event::StoreRecovered,
        Event::ThrottleFailed { kind },
        Event::Throttled {
            scope: LimitScope::Address,
            email: Some(email),
            hint: Some("h"),
        },
        Event::WebhookReceived {
            id: "event_1",
            name: "user.deleted",
            effect: WebhookEffect::NotRecorded,
        },
    ]
}

pub(crate) fn with_every(look: impl FnOnce(&[Event<'_>])) {
    let email = ADA.parse().unwrap();
    let noon = Timestamp::from_secs(43_200);
    let times = Times {
        issued_at: noon,
        expires_at: noon,
        auth_time: noon,
    };
    // An application may use the address as the person's id.
    let identity = Identity::new(ADA, ADA.parse().unwrap());
    let session = Session::new(&identity, SessionId::from_bytes([7; 16]), times);
    look(&every(&email, &session));
}

/// A name as the variant's own, which `Debug` prints, would be written.
fn snake_case(event: &Event<'_>) -> String {
    let printed = format!("{event:?}");
    let variant = printed.split(' ').next().unwrap();
    let mut name = String::new();
    for c in variant.chars() {
        if c.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}

/// Reads the table of the documentation: the words in code of the second column that stand before
/// a colon, if there is one.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let rows = include_str!("fields.md").lines().skip(2);
    rows.map(|row| {
        let cells: Vec<_> = row.trim_matches('|').split('|').collect();
        let name = cells[0].trim().trim_matches('`').to_owned();
        let fields = cells[1].split(';').flat_map(|part| {
            let names = part.split(':').next().unwrap();
            let quoted = names.split('`').skip(1).step_by(2);
            quoted.map(str::to_owned).collect::<Vec<_>>()
        });
        (name, fields.collect())
    })
    .collect()
}

#[test]
fn names_and_fields_are_those_of_the_documentation() {
    let mut documented = documented();
    with_every(|events| {
        for event in events {
            let name = event.name();
            assert_eq!(name, snake_case(event));
            let fields: Vec<_> = event.fields().map(|(name, _)| name).collect();
            assert!(fields.is_sorted(), "{name}: {fields:?}");
            let fields: BTreeSet<_> = fields.into_iter().map(str::to_owned).collect();
            assert_eq!(documented.remove(name), Some(fields), "{name}");
        }
    });
    assert_eq!(documented, BTreeMap::new(), "no event has these names");
}

/// So the metrics and the log cannot differ.
#[test]
fn the_reason_that_metrics_count_by_is_one_of_the_fields() {
    with_every(|events| {
        for event in events {
            let reason = event.reason();
            let mut fields = event.fields();
            let is_field = fields.any(|(_, value)| value.to_string() == reason);
            assert!(is_field || reason.is_empty(), "{event:?}: {reason}");
        }
    });
}

#[test]
fn no_field_has_a_whole_address() {
    with_every(|events| {
        let texts = events.iter().flat_map(Event::fields);
        let texts: Vec<_> = texts.map(|(_, value)| value.to_string()).collect();
        assert!(!texts.iter().any(|text| text.contains("ada-whole")));
        let masked = texts.iter().filter(|text| *text == "a***@example.com");
        assert_eq!(masked.count(), 8, "{texts:?}");
        let printed = format!("{events:?}");
        assert!(!printed.contains("ada-whole"), "{printed}");
    });
}

/// Pins: the fields, the log and `Debug` had the whole address of a person whose id it is.
#[test]
fn a_context_masks_an_address_that_is_a_persons_id_and_its_accessor_does_not() {
    with_every(|events| {
        let session = events.iter().find_map(|event| match event {
            Event::SignedIn { session } => Some(*session),
            _ => None,
        });
        let context = Context::default().with_session(session);
        assert_eq!(context.subject(), Some(ADA));
        let fields: Vec<_> = context.fields().collect();
        let masked = Value::Text("a***@example.com".into());
        assert!(fields.contains(&("user.id", masked)), "{fields:?}");
        let printed = format!("{context:?} {fields:?}");
        assert!(!printed.contains("ada-whole"), "{printed}");
    });
}

#[test]
fn a_line_of_the_log_has_the_same_fields() {
    with_every(|events| {
        for event in events {
            let lines = Lines::default();
            tracing::subscriber::with_default(lines.clone(), || event.log());
            let mut lines = lines.0.lock().unwrap();
            let line = lines.pop().unwrap();
            assert!(lines.is_empty(), "{event:?}");
            let fields = event.fields();
            let fields = fields.map(|(name, value)| (name, value.to_string()));
            let want: BTreeMap<_, _> = fields
                .chain([
                    ("event", event.name().to_owned()),
                    ("message", line["message"].clone()),
                ])
                .collect();
            assert_eq!(line, want);
        }
    });
}

/// The fields of each line.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<Line>>>);

type Line = BTreeMap<&'static str, String>;

struct Reader<'l>(&'l mut Line);

impl Visit for Reader<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

impl Subscriber for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = Line::new();
        event.record(&mut Reader(&mut line));
        self.0.lock().unwrap().push(line);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}
