//! What a layer says of itself when it is built: a few lines at the level `info`.
//!
//! - An operator reads here what is in force, and a developer what was forgotten. No line holds a
//!   secret: keys are named by their ids.

use std::any::type_name;

use crate::{
    gate::Gate, language::Words, revocation::OnOutage, session::KeyRing, throttle::MemoryThrottle,
};

const DAY: u64 = 86_400;

/// The ports of a layer, by the names of their types.
#[derive(Clone, Copy)]
pub(super) struct Names {
    pub(super) provider: &'static str,
    pub(super) mailer: Option<&'static str>,
    pub(super) revocations: &'static str,
    pub(super) throttle: &'static str,
}

/// Whether mails, codes and links are counted.
#[derive(Clone, Copy)]
pub(super) enum Counting {
    On,
    Off,
}

/// What of the settings a layer says, collected before they are used up.
pub(super) struct Greeting {
    names: Names,
    keys: String,
    outage: &'static str,
    counting: String,
}

impl Greeting {
    pub(super) fn new(names: Names, keys: &KeyRing, outage: OnOutage, counting: Counting) -> Self {
        let throttle = names.throttle;
        Self {
            names,
            keys: keys.in_words(),
            outage: match outage {
                OnOutage::Refuse => "refused",
                OnOutage::Admit => "admitted",
            },
            counting: match counting {
                Counting::On if throttle == name_of::<MemoryThrottle>() => {
                    format!("counted by {throttle}, in this process alone")
                }
                Counting::On => format!("counted by {throttle}"),
                Counting::Off => "not counted: insecure_no_throttle".to_owned(),
            },
        }
    }

    pub(super) fn say(&self, gate: &Gate) {
        for line in self.lines(gate) {
            tracing::info!(target: "tower_magic_link", "{line}");
        }
    }

    fn lines(&self, gate: &Gate) -> [String; 6] {
        let Names {
            provider,
            mailer,
            revocations,
            ..
        } = self.names;
        let (origin, mount) = (gate.public_url.origin(), &gate.mount);
        let usual = gate.lifetimes.usual;
        let words = Words::english();
        let length = words.lifetime(usual.absolute);
        let idle = match usual.idle < usual.absolute {
            true => format!(", or {} without a request", words.lifetime(usual.idle)),
            false => String::new(),
        };
        let remembered = gate
            .lifetimes
            .remembered
            .map(|span| match span.absolute.as_secs() {
                whole if whole % DAY == 0 && whole > DAY => format!("{} days", whole / DAY),
                _ => words.lifetime(span.absolute),
            });
        let remembered = remembered.map_or_else(String::new, |length| {
            format!(", or {length} for people who ask to stay signed in")
        });
        let rules: Vec<String> = gate
            .rules
            .as_slice()
            .iter()
            .map(ToString::to_string)
            .collect();
        [
            format!("people sign in at {origin}{mount}/login"),
            match mailer {
                Some(mailer) => {
                    format!("{provider} proves addresses, and {mailer} sends the mails")
                }
                None => format!("{provider} proves addresses, and sends the mails"),
            },
            format!(
                "sessions last {length}{idle}{remembered}, and are {}",
                self.keys
            ),
            format!(
                "{revocations} remembers ended sessions; while it is away, requests are {}",
                self.outage
            ),
            format!("mails, codes and links are {}", self.counting),
            match rules.as_slice() {
                [] => "every path is protected".to_owned(),
                rules => format!(
                    "every path is protected, with these rules: {}",
                    rules.join(", ")
                ),
            },
        ]
    }
}

pub(super) fn name_of_val<T>(_: &T) -> &'static str {
    name_of::<T>()
}

/// Returns a type's name without its path: `WorkOs`.
pub(super) fn name_of<T: ?Sized>() -> &'static str {
    let name = type_name::<T>();
    // A closure's path is all of its name, and a parameter's path stands behind its `<`.
    let end = name.find(['<', '{']).unwrap_or(name.len());
    let start = name.get(..end).and_then(|path| path.rfind("::"));
    start
        .and_then(|start| name.get(start + 2..))
        .unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        layer::MagicLinkLayer,
        mailer::ConsoleMailer,
        provider::{
            Finish, Identity, IdentityProvider, ProviderError, ProviderErrorKind, Start, Started,
        },
        session::SigningKey,
    };

    struct Stub;

    impl IdentityProvider for Stub {
        async fn start(&self, _: &Start<'_>) -> Result<Started, ProviderError> {
            Ok(Started::mailed())
        }

        async fn finish(&self, _: &Finish<'_>) -> Result<Identity, ProviderError> {
            Err(ProviderErrorKind::Refused.into())
        }
    }

    #[test]
    fn a_layer_says_what_is_in_force() {
        let key = SigningKey::generate().unwrap().with_id("k1").unwrap();
        let builder = MagicLinkLayer::builder(Stub, KeyRing::new(key));
        let builder = builder.public_url("https://app.example.com");
        let greeting = builder.greeting();
        let layer = builder.build().unwrap();
        let said = greeting.lines(&layer.flow().shared.gate);
        let usual = [
            "people sign in at https://app.example.com/auth/login",
            "Stub proves addresses, and sends the mails",
            "sessions last 12 hours, and are signed by the key k1",
            "MemoryRevocations remembers ended sessions; while it is away, requests are refused",
            "mails, codes and links are counted by MemoryThrottle, in this process alone",
            "every path is protected",
        ];
        assert_eq!(said, usual);
    }

    #[test]
    fn a_layer_says_what_is_set() {
        let (one, two) = (
            SigningKey::generate().unwrap(),
            SigningKey::generate().unwrap(),
        );
        let keys = KeyRing::new(one.with_id("k1").unwrap());
        let keys = keys.retire(two.with_id("k2").unwrap()).unwrap();
        let builder = MagicLinkLayer::builder(Stub, keys)
            .public_url("http://127.0.0.1:3000")
            .mount("/account")
            .mailer(ConsoleMailer::new())
            .session_lifetime(Duration::from_secs(8 * 3_600))
            .idle_timeout(Duration::from_secs(1_800))
            .remember_me(Duration::from_secs(30 * 86_400))
            .insecure_admit_on_outage()
            .insecure_no_throttle()
            .public_path("/healthz");
        let greeting = builder.greeting();
        let layer = builder.build().unwrap();
        let said = greeting.lines(&layer.flow().shared.gate);
        let changed = [
            "people sign in at http://127.0.0.1:3000/account/login",
            "Stub proves addresses, and ConsoleMailer sends the mails",
            "sessions last 8 hours, or 30 minutes without a request, or 30 days for people who \
             ask to stay signed in, and are signed by the key k1, and verified by k2 too",
            "MemoryRevocations remembers ended sessions; while it is away, requests are admitted",
            "mails, codes and links are not counted: insecure_no_throttle",
            "every path is protected, with these rules: public_path /healthz (GET, HEAD)",
        ];
        assert_eq!(said, changed);
    }

    #[test]
    fn a_types_name_has_no_path() {
        struct Of<T>(std::marker::PhantomData<T>);
        assert_eq!(name_of::<Of<String>>(), "Of<alloc::string::String>");
        assert_eq!(name_of::<KeyRing>(), "KeyRing");
    }
}
