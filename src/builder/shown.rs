//! Every setting of a builder as text, for the tests that compare two.

use super::Builder;
use crate::{
    page::{LoginPage, Page, TroublePage},
    rejection::RejectionKind,
};

impl Builder {
    /// Returns every setting, each as a line. A new field must be added here, too.
    pub(crate) fn in_full(&self) -> Vec<String> {
        let Self {
            provider,
            keys,
            public_url,
            mount,
            cookie_name,
            cookie_domain,
            lifetimes,
            link_lifetime,
            rules,
            allows_preflight,
            caching,
            credentials,
            organizations,
            email_domains,
            authorize,
            reauthorize,
            revocations,
            revocation_timeout,
            session_index,
            on_outage,
            pages,
            mail,
            proxies,
            listener: _,
            clock,
            sign_in,
            streams,
            throttle,
            verifying,
            webhook,
            names,
            language,
        } = self;
        let pages = pages.as_ref().map(|pages| {
            let trouble = Page::Trouble(TroublePage::new(RejectionKind::LinkUsed));
            let login = Page::Login(LoginPage::new("/auth/login"));
            [pages.render(&trouble), pages.render(&login)].concat()
        });
        vec![
            format!("{:?}", provider.abilities()),
            format!("{keys:?}"),
            format!("{public_url:?} {mount:?} {cookie_name:?} {cookie_domain:?}"),
            format!("{lifetimes:?} {link_lifetime:?}"),
            format!("{rules:?} {allows_preflight}"),
            format!("{caching:?} {credentials:?}"),
            format!("{organizations:?} {email_domains:?}"),
            format!("{} {}", authorize.is_some(), reauthorize.is_some()),
            format!("{revocations:?} {revocation_timeout:?} {session_index:?} {on_outage:?}"),
            format!("{pages:?}"),
            format!("{mail:?}"),
            format!("{proxies:?}"),
            format!("{clock:?}"),
            format!("{sign_in:?} {streams:?}"),
            format!("{throttle:?}"),
            format!("{verifying:?}"),
            format!("{language:?}"),
            format!("{webhook:?}"),
            format!("{} {:?}", names.provider, names.mailer),
            format!("{} {}", names.revocations, names.throttle),
        ]
    }
}
