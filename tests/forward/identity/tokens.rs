//! A session token in `Authorization` goes no further, whether it is a session or not.

use std::{slice, time::Duration};

use tower_magic_link::{
    Builder, Email, KeyRing, MagicLinkLayer, SigningKey,
    companion::SessionIssuer,
    provider::Identity,
    testing::{ManualClock, StubProvider},
};

use super::{handed_on, request};
use crate::{
    names::{ADA, ORIGIN},
    site::builder,
};

const HOUR: Duration = Duration::from_secs(60 * 60);

fn token(issuer: &SessionIssuer) -> String {
    let ada = Identity::new("user-1", Email::parse(ADA).unwrap());
    issuer.issue(&ada).unwrap().token().expose().to_owned()
}

struct Site {
    clock: ManualClock,
    layer: MagicLinkLayer,
    issuer: SessionIssuer,
}

impl Site {
    fn new() -> Self {
        let clock = ManualClock::new();
        let builder = builder(&clock);
        Self::of(clock, builder)
    }

    /// Makes a site whose tokens are signed by a key pair. A check of one takes many times as long.
    fn of_key_pair() -> Self {
        let clock = ManualClock::new();
        let keys = KeyRing::new(SigningKey::generate_ed25519().unwrap());
        let builder = MagicLinkLayer::builder(StubProvider::new(), keys);
        let builder = builder.public_url(ORIGIN).clock(clock.clone());
        Self::of(clock, builder)
    }

    fn of(clock: ManualClock, builder: Builder) -> Self {
        let layer = builder
            .forward_identity()
            .bearer_tokens()
            .public_path("/public")
            .optional_path("/optional")
            .build()
            .unwrap();
        let issuer = layer.issuer();
        Self {
            clock,
            layer,
            issuer,
        }
    }

    async fn seen(&self, path: &str, fields: &[(&str, &str)]) -> Vec<String> {
        let seen = handed_on(&self.layer, request(path, fields)).await;
        let seen = seen.get_all("authorization").iter();
        seen.map(|value| value.to_str().unwrap().to_owned())
            .collect()
    }
}

const PATHS: [&str; 2] = ["/public", "/optional"];

#[tokio::test]
async fn no_token_of_ours_reaches_the_service_behind_on_a_path_that_needs_no_session() {
    let site = Site::new();
    let dead = token(&site.issuer);
    site.clock.advance(24 * HOUR);
    let (revoked, token, other) = (
        site.issuer
            .issue(&Identity::new("user-2", Email::parse(ADA).unwrap()))
            .unwrap(),
        token(&site.issuer),
        token(&site.issuer),
    );
    site.issuer.sign_out(revoked.session()).await.unwrap();
    let revoked = revoked.token().expose();
    let cookie = format!("__Host-magic-link={other}");
    for path in PATHS {
        for (name, value) in [
            ("good", format!("Bearer {token}")),
            ("expired", format!("Bearer {dead}")),
            ("revoked", format!("Bearer {revoked}")),
            ("another case", format!("bEaReR {token}")),
            ("two spaces", format!("Bearer  {token}")),
            ("a tab", format!("Bearer\t{token}")),
            ("a scheme of its own", format!("Token token=\"{token}\"")),
            ("no scheme", token.clone()),
            ("a list", format!("Basic YTpi, Bearer {token}")),
        ] {
            let field = ("authorization", value.as_str());
            let seen = site.seen(path, &[field]).await;
            assert!(seen.is_empty(), "{name} at {path}: {seen:?}");
            let seen = site.seen(path, &[field, ("cookie", &cookie)]).await;
            assert!(seen.is_empty(), "{name}, a cookie, at {path}: {seen:?}");
            let basic = ("authorization", "Basic YTpi");
            for two in [[field, basic], [basic, field]] {
                let seen = site.seen(path, &two).await;
                assert_eq!(seen, ["Basic YTpi"], "{name}, two fields, at {path}");
            }
        }
    }
}

#[tokio::test]
async fn the_applications_own_authorization_stays_on_a_path_that_needs_no_session() {
    let site = Site::new();
    let theirs = token(&Site::new().issuer);
    let ours = token(&site.issuer);
    let shorter = &ours[..ours.len() - 1];
    for path in PATHS {
        for value in [
            "Basic YTpi".to_owned(),
            "Bearer sk_live_1".to_owned(),
            "Bearer".to_owned(),
            format!("Bearer {theirs}"),
            format!("Bearer {shorter}"),
        ] {
            let seen = site.seen(path, &[("authorization", &value)]).await;
            assert_eq!(seen, [value], "{path}");
        }
    }
}

/// Returns so many texts that only a signature check tells from tokens of the site.
fn forged(site: &Site, count: usize) -> Vec<String> {
    let good = token(&site.issuer);
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (header, _) = signed.split_once('.').unwrap();
    let rest = &signature[4..];
    // `e30` is `{}`.
    let one = |n: usize| format!("{header}.e30.{n:04}{rest}");
    (0..count).map(one).collect()
}

/// Pins a cost: each part that begins like a token of ours was verified, thousands in one request.
#[tokio::test]
async fn beyond_16_parts_that_may_be_ours_a_field_goes_unverified() {
    for site in [Site::new(), Site::of_key_pair()] {
        let (forged, ours) = (forged(&site, 3_000), token(&site.issuer));
        let theirs = Site::of_key_pair();
        let theirs: Vec<_> = (0..100).map(|_| token(&theirs.issuer)).collect();
        let basic = "Basic YTpi".to_owned();
        let many = |parts: &[String]| format!("Bearer {}", parts.join(", "));
        let (few, one_more) = (many(&forged[..16]), format!("Bearer {ours}"));
        let each = |parts: &[String]| -> Vec<_> {
            parts.iter().map(|p| many(slice::from_ref(p))).collect()
        };
        let cases = [
            ("16", vec![few.clone()], vec![few.clone()]),
            ("17", vec![many(&forged[..17])], vec![]),
            (
                "3,000",
                vec![basic.clone(), many(&forged)],
                vec![basic.clone()],
            ),
            ("17 fields", each(&forged[..17]), each(&forged[..16])),
            ("3,000 fields", each(&forged), each(&forged[..16])),
            (
                "ours, 17th",
                vec![few.clone(), one_more, basic.clone()],
                vec![few, basic],
            ),
            ("another's, 100", vec![many(&theirs)], vec![many(&theirs)]),
        ];
        for (name, fields, want) in cases {
            let fields: Vec<_> = fields
                .iter()
                .map(|f| ("authorization", f.as_str()))
                .collect();
            for path in PATHS {
                assert_eq!(site.seen(path, &fields).await, want, "{name} at {path}");
            }
        }
    }
}
