//! What a stranger, an attacker, a scanner or a hasty browser gets out of a link: nothing.

use tower_magic_link::page::CrossDevice;

use crate::{
    names::ADA,
    site::{PostOffice, Site},
    visitor::{Ask, From, Habits, Seen, Visitor},
};

mod other_site;
mod repetition;
mod robots;
mod strangers;

const OFFICES: [PostOffice; 3] = [PostOffice::Alone, PostOffice::Ours, PostOffice::WorkOs];
const MODES: [CrossDevice; 3] = [
    CrossDevice::MatchCode,
    CrossDevice::Confirm,
    CrossDevice::Refuse,
];

/// A browser that has asked for a link.
struct Asker {
    browser: Visitor,
    check: Seen,
    link: String,
}

impl Asker {
    async fn new(site: &Site, email: &str) -> Self {
        let browser = site.visitor(Habits::PERSON);
        let form = browser.go_to("/auth/login?return_to=/reports").await;
        let check = browser.type_into(&form, "email", email).await;
        let link = site.mails().pop().unwrap();
        Self {
            browser,
            check,
            link,
        }
    }

    /// Returns where the other-browser page is: our link, or WorkOS's followed as far as our
    /// callback.
    async fn landing(&self, site: &Site) -> String {
        match site.post_office {
            PostOffice::Alone | PostOffice::Ours => self.link.clone(),
            PostOffice::WorkOs => self.callback(site).await,
        }
    }

    /// Follows the link up to the callback, which is not visited.
    async fn callback(&self, site: &Site) -> String {
        let mut ask = Ask::get(&self.link, From::Elsewhere);
        while ask.url.path() != "/auth/callback" {
            let seen = self.browser.hop(&ask).await;
            ask = Ask::get(seen.location().unwrap(), From::Elsewhere);
        }
        assert_eq!(site.sign_ins(), 0);
        ask.url.to_string()
    }

    fn match_code(&self) -> String {
        self.check.page().text_of("match-code").unwrap().to_owned()
    }
}

async fn site(office: PostOffice, mode: CrossDevice) -> Site {
    Site::new(office, |builder| builder.cross_device(mode)).await
}

async fn gets_in(person: &Visitor, way: &str) {
    let seen = person.click(way).await;
    assert_eq!(
        person.is_known_as().await.as_deref(),
        Some(ADA),
        "{}",
        seen.html
    );
}

impl Asker {
    fn match_code_or_none(&self, mode: CrossDevice) -> String {
        match mode {
            CrossDevice::MatchCode => self.match_code(),
            _ => "BBB-BBB".to_owned(),
        }
    }
}
