//! Texts that cannot work are refused, with the value in the error.

use tower_magic_link::{
    Builder, MagicLinkLayer, PathRule,
    page::PageSources,
    provider::{
        Abilities, Finish, Identity, IdentityProvider, ProviderError, ProviderErrorKind, Start,
        Started,
    },
};

use super::{Loading, is_refused};
use crate::names::ADA;

#[test]
fn a_text_that_cannot_work_is_refused_with_its_value() {
    type Set = fn(Builder, &'static str) -> Builder;
    type Cases = &'static [(&'static str, &'static str)];
    let settings: [(&str, Set, Cases); 11] = [
        (
            "public_url",
            |builder, url| builder.public_url(url),
            &[
                ("http://app.example.com", "must be https"),
                ("http://127.0.0.1.example.com", "must be https"),
                ("http://0.0.0.0:3000", "must be https"),
                ("http://192.168.0.1", "must be https"),
                ("ws://app.example.com", "must be https"),
                ("https://app.example.com/app", "without a path"),
                ("https://app.example.com?a=b", "without a path"),
                ("https://app.example.com/?", "without a path"),
                ("https://app.example.com/#top", "without a path"),
                ("https://*.example.com", "wildcard"),
                ("app.example.com", "is not a URL"),
                ("https://", "is not a URL"),
                ("", "is not a URL"),
            ],
        ),
        (
            "mount",
            |builder, mount| builder.mount(mount),
            &[
                ("auth", "must be a path"),
                ("/auth/", "no slash at its end"),
                ("/", "must be a path"),
                ("", "must be a path"),
                ("/auth?tenant=1", "no redirect URI with one"),
                ("/auth#top", "must be a path"),
                ("/a/../auth", "dot segment"),
                ("/./auth", "dot segment"),
                ("//evil.example", "'//'"),
                ("/%61uth", "'%'"),
                ("/auth;a", "';'"),
                ("/(S(auth))", "such as '(S(x))'"),
                ("/é", "must be a path"),
                ("https://app.example.com/auth", "must be a path"),
            ],
        ),
        (
            "cookie_name",
            |builder, name| builder.cookie_name(name),
            &[
                ("", "1 to 64 letters"),
                ("my app", "1 to 64 letters"),
                ("a=b", "1 to 64 letters"),
                ("a;b", "1 to 64 letters"),
                ("é", "1 to 64 letters"),
                ("%5f%5fHost-a", "1 to 64 letters"),
                ("__Host-app", "adds the prefix itself"),
                ("__SECURE-app", "adds the prefix itself"),
            ],
        ),
        (
            "public_path",
            |builder, path| builder.public_path(path),
            &[
                ("about", "must begin with '/'"),
                ("/about?x", "no query"),
                ("/a%2fb", "'%'"),
                ("/é", "must begin with '/'"),
                ("/auth", "collides with the mount \"/auth\""),
                ("/auth/login", "collides with the mount \"/auth\""),
            ],
        ),
        (
            "optional_path",
            |builder, path| builder.optional_path(path),
            &[
                ("/about?x", "no query"),
                ("/a%2fb", "'%'"),
                ("/auth/login", "collides with the mount \"/auth\""),
            ],
        ),
        (
            "optional_prefix",
            |builder, path| builder.public_prefix("/docs").optional_prefix(path),
            &[
                ("/", "collides with the mount \"/auth\""),
                ("/docs/../x", "dot segment"),
                ("/docs", "contradicts public_prefix /docs (GET, HEAD)"),
            ],
        ),
        (
            "protected_prefix",
            |builder, path| builder.public_prefix("/docs").protected_prefix(path),
            &[
                ("docs", "must begin with '/'"),
                ("/docs/%2e", "'%'"),
                ("/docs/(A(x)F(y))", "such as '(S(x))'"),
                ("/Docs", "contradicts public_prefix /docs (GET, HEAD)"),
            ],
        ),
        (
            "public_prefix",
            |builder, path| builder.public_prefix(PathRule::any_method(path)),
            &[
                ("/", "collides with the mount \"/auth\""),
                ("/auth", "collides with the mount \"/auth\""),
                ("/auth/login", "collides with the mount \"/auth\""),
                ("/docs/..", "dot segment"),
                ("/docs//", "'//'"),
            ],
        ),
        (
            "organization",
            |builder, id| builder.organization("org_1").organization(id),
            &[
                ("", "is not an organization id"),
                ("Example Corp", "is not an organization id"),
                ("örg_1", "is not an organization id"),
            ],
        ),
        (
            "email_domains",
            |builder, domain| builder.email_domains(["example.com", domain]),
            &[
                ("", "is not a domain"),
                ("localhost", "is not a domain"),
                ("*.example.com", "is not a domain"),
                (".example.com", "is not a domain"),
                ("@example.com", "is not a domain"),
                (ADA, "is not a domain"),
                ("https://example.com", "is not a domain"),
                ("example.com,example.org", "is not a domain"),
                ("example.com ", "is not a domain"),
            ],
        ),
        (
            "pages",
            |builder, source| builder.pages(Loading(PageSources::new().style(source))),
            &[
                ("'unsafe-inline'", "'unsafe-"),
                ("'unsafe-hashes'", "'unsafe-"),
                ("'self'; script-src *", ""),
            ],
        ),
    ];
    for (setting, set, cases) in settings {
        for &(value, problem) in cases {
            is_refused(setting, value, problem, |builder| set(builder, value));
        }
    }
}

/// Proves nothing, and says so.
struct ForDevelopment;

impl IdentityProvider for ForDevelopment {
    fn abilities(&self) -> Abilities {
        Abilities::new().for_development()
    }

    async fn start(&self, _: &Start<'_>) -> Result<Started, ProviderError> {
        Ok(Started::mailed())
    }

    async fn finish(&self, _: &Finish<'_>) -> Result<Identity, ProviderError> {
        Err(ProviderErrorKind::Refused.into())
    }
}

#[test]
fn a_provider_that_proves_nothing_serves_this_machine_alone() {
    let at = |url| {
        let builder = MagicLinkLayer::builder(ForDevelopment, super::keys());
        builder.public_url(url).build().map(drop)
    };
    for url in [
        "http://127.0.0.1:3000",
        "http://[::1]:3000",
        "https://app.localhost",
    ] {
        assert_eq!(at(url), Ok(()), "{url}");
    }
    for url in [
        "https://app.example.com",
        "https://10.0.0.7",
        "https://localhost.example.com",
    ] {
        let error = at(url).unwrap_err().to_string();
        let wanted = format!("public_url \"{url}\" is not of this machine");
        assert!(error.starts_with(&wanted), "{error}");
    }
}
