//! The secrets of a walk, in every form that a text may have them in.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex},
};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use url::{Url, form_urlencoded};

/// What a secret opens, or whom it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// The whole address of a person.
    Address,
    ApiKey,
    /// A choice of an organization, sealed into the form.
    Choice,
    /// The digits of a mail.
    Code,
    /// A cookie that holds no session.
    Cookie,
    /// The letters of the check page.
    Letters,
    /// A link that was mailed, whole.
    Link,
    /// What makes the link good.
    LinkToken,
    /// The authorization code of a callback.
    OAuthCode,
    /// A token of the provider's.
    ProviderToken,
    RedisPassword,
    SessionToken,
    /// The part of a session token that nobody else can make.
    Signature,
    SigningKey,
    SmtpPassword,
    /// A sealed attempt: the `state` of a callback, or the `t` of a page.
    State,
    WebhookSecret,
}

impl Kind {
    pub(crate) const ALL: [Self; 17] = [
        Self::Address,
        Self::ApiKey,
        Self::Choice,
        Self::Code,
        Self::Cookie,
        Self::Letters,
        Self::Link,
        Self::LinkToken,
        Self::OAuthCode,
        Self::ProviderToken,
        Self::RedisPassword,
        Self::SessionToken,
        Self::Signature,
        Self::SigningKey,
        Self::SmtpPassword,
        Self::State,
        Self::WebhookSecret,
    ];

    /// Says whether it is so short that it must stand alone: a longer number or a random id may
    /// have any six characters in it.
    const fn is_short(self) -> bool {
        matches!(self, Self::Code | Self::Letters)
    }
}

/// The secrets of a walk. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Arc<Mutex<BTreeMap<Kind, BTreeSet<Vec<u8>>>>>);

impl Secrets {
    /// Adds a secret. Nobody can guess it: it has six characters at least.
    pub(crate) fn add(&self, kind: Kind, secret: impl AsRef<[u8]>) {
        let secret = secret.as_ref();
        assert!(secret.len() >= SHORTEST, "no secret: {kind:?}");
        let mut all = self.0.lock().unwrap();
        all.entry(kind).or_default().insert(secret.to_vec());
    }

    /// Adds a session token, and its signature.
    pub(crate) fn add_token(&self, token: &str) {
        self.add(Kind::SessionToken, token);
        self.add(Kind::Signature, token.rsplit('.').next().unwrap());
    }

    /// Adds a mailed link and what it holds: the layer's own, or the provider's.
    pub(crate) fn add_link(&self, link: &str) {
        self.add(Kind::Link, link);
        let url = Url::parse(link).unwrap();
        let own = url.query_pairs().find(|(name, _)| name == "t");
        let token = match own {
            Some((_, token)) => token.into_owned(),
            None => url.path().split('/').nth(2).unwrap().to_owned(),
        };
        self.add(Kind::LinkToken, token);
    }

    /// Adds what the target of a request, or a `Location`, holds.
    pub(crate) fn add_target(&self, target: &str) {
        let Some((path, query)) = target.split_once('?') else {
            return;
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            // What a test makes up is shorter.
            if value.len() < 12 {
                continue;
            }
            match &*name {
                "t" if path.ends_with("/open") => self.add(Kind::LinkToken, &*value),
                "state" | "t" => self.add(Kind::State, &*value),
                "code" => self.add(Kind::OAuthCode, &*value),
                _ => {}
            }
        }
    }

    pub(crate) fn of(&self, kind: Kind) -> Vec<Vec<u8>> {
        let all = self.0.lock().unwrap();
        all.get(&kind).into_iter().flatten().cloned().collect()
    }

    pub(crate) fn needles(&self) -> Needles {
        let mut needles = Needles::default();
        for (kind, secrets) in &*self.0.lock().unwrap() {
            for form in secrets.iter().flat_map(|secret| forms(*kind, secret)) {
                let start = *form.as_bytes().first_chunk().unwrap();
                needles.0.entry(start).or_default().push((*kind, form));
            }
        }
        needles
    }
}

const SHORTEST: usize = 6;

/// All forms of all secrets, by how they begin.
#[derive(Default)]
pub(crate) struct Needles(HashMap<[u8; SHORTEST], Vec<(Kind, String)>>);

impl Needles {
    /// Returns the secrets in a text, each with what stands before it.
    pub(crate) fn within<'t>(&'t self, text: &'t str) -> impl Iterator<Item = (Kind, &'t str)> {
        let starts = text.as_bytes().windows(SHORTEST).enumerate();
        starts.flat_map(move |(at, start)| {
            let start = <[u8; SHORTEST]>::try_from(start).unwrap();
            let needles = self.0.get(&start).into_iter().flatten();
            let found = needles.filter(move |(kind, form)| {
                let has = text.as_bytes()[at..].starts_with(form.as_bytes());
                has && (!kind.is_short() || stands_alone(text, at, form.len()))
            });
            found.map(move |(kind, form)| {
                let is_whole = |from: &usize| text.is_char_boundary(*from);
                let from = (at.saturating_sub(80)..=at).find(is_whole).unwrap();
                (*kind, &text[from..at + form.len()])
            })
        })
    }
}

fn stands_alone(text: &str, at: usize, length: usize) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    let (before, after) = (&text[..at], &text[at + length..]);
    // The digits behind the point of a number are none.
    let is_fraction = before
        .strip_suffix('.')
        .is_some_and(|before| before.ends_with(|c: char| c.is_ascii_digit()));
    !before.ends_with(is_word) && !after.starts_with(is_word) && !is_fraction
}

/// Returns what a secret looks like in a text.
fn forms(kind: Kind, secret: &[u8]) -> BTreeSet<String> {
    let mut forms = BTreeSet::new();
    if let Ok(text) = std::str::from_utf8(secret) {
        forms.insert(text.to_owned());
        forms.insert(text.to_lowercase());
        forms.insert(text.to_uppercase());
        if kind == Kind::Letters {
            let letters = text.replace('-', "");
            forms.insert(letters.to_lowercase());
            forms.insert(letters);
        }
        forms.insert(text.escape_debug().to_string());
        forms.insert(
            serde_json::Value::from(text)
                .to_string()
                .trim_matches('"')
                .to_owned(),
        );
        let encoded: String = form_urlencoded::byte_serialize(secret).collect();
        forms.insert(encoded.replace('%', "%25"));
        forms.insert(encoded);
    }
    if kind.is_short() {
        return forms;
    }
    let list: Vec<_> = secret.iter().map(u8::to_string).collect();
    forms.insert(list.join(", "));
    let hexadecimal: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    forms.insert(hexadecimal.to_uppercase());
    forms.insert(hexadecimal);
    // Behind none, one or two other bytes: as in the login of SASL PLAIN, or in a token's claims.
    for (before, skipped) in [(0, 0), (1, 2), (2, 3)] {
        let bytes = [&[0; 2][..before], secret].concat();
        let whole = bytes.len() * 8 / 6;
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            forms.insert(engine.encode(&bytes)[skipped..whole].to_owned());
        }
    }
    forms
}
