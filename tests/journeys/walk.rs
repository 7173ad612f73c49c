//! A walk: one journey of a person, with one robot in their mail.

use std::{collections::BTreeSet, time::Duration};

use http::header;
use tower_magic_link::RejectionKind;

use crate::{
    names::ADA,
    robot::Robot,
    site::{PostOffice, Site},
    visitor::{Habits, Seen, Visitor},
};

const BROWSER: &str = "__Host-magic-link-browser";

/// A journey under way.
pub(crate) struct Walk {
    pub(crate) site: Site,
    pub(crate) robot: Robot,
    /// The links that a robot has used up before a person came.
    burnt: BTreeSet<String>,
    persons: Vec<Visitor>,
    robots: Vec<Visitor>,
    told: Vec<RejectionKind>,
    /// The page after the last press for a new link.
    asked: Option<Seen>,
    /// What the browser that began shows, if it asked for a new link to open elsewhere: the letters
    /// from before a sign-in that was finished do not fit a later mail.
    shown: Option<Seen>,
}

/// How a journey ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    /// What the person was told on the way.
    pub(crate) told: Vec<RejectionKind>,
    pub(crate) is_in: bool,
    /// How many links a robot used up before a person came.
    pub(crate) burnt: usize,
}

impl Walk {
    pub(crate) const fn new(site: Site, robot: Robot) -> Self {
        Self {
            site,
            robot,
            burnt: BTreeSet::new(),
            persons: Vec::new(),
            robots: Vec::new(),
            told: Vec::new(),
            asked: None,
            shown: None,
        }
    }

    /// Returns a browser of the person's.
    pub(crate) fn browser(&mut self, habits: Habits) -> Visitor {
        let person = self.site.visitor(habits);
        self.persons.push(person.clone());
        person
    }

    /// Asks for a link: from the application to the form, and on to the check page.
    pub(crate) async fn ask(&self, person: &Visitor) -> Seen {
        let form = person.go_to("/reports").await;
        assert_eq!(form.path(), "/auth/login");
        person.type_into(&form, "email", ADA).await
    }

    /// Waits for the mails: the robot gets them first. Returns their links, oldest first.
    pub(crate) async fn mails(&mut self) -> Vec<String> {
        let mails = self.site.mails();
        self.scan(&mails).await;
        mails
    }

    /// Waits for the mail: the robot gets it first. Returns its link.
    pub(crate) async fn mail(&mut self) -> String {
        self.mails().await.pop().expect("a mail")
    }

    /// Says whether a robot has used the link up.
    pub(crate) fn is_burnt(&self, link: &str) -> bool {
        self.burnt.contains(link)
    }

    /// The person reads why it did not work, and that there is one way on, which leads somewhere.
    pub(crate) async fn hears(&mut self, person: &Visitor, seen: &Seen, trouble: RejectionKind) {
        assert!(seen.is(trouble), "{trouble:?}, not {}", seen.html);
        let page = seen.page();
        assert!(page.forms.len() <= 1, "{}", seen.html);
        let is_in_vain = matches!(
            trouble,
            RejectionKind::NotAllowed | RejectionKind::OtherAddress
        );
        assert!(
            !is_in_vain || page.form_to_resend().is_none(),
            "{}",
            seen.html
        );
        if page.form_to_resend().is_none() {
            let link = page.links.first().expect("a way on");
            assert_eq!((page.links.len(), &*link.label), (1, trouble.way_on()));
            let on = person.apart().follow(seen, &link.href).await;
            assert_eq!(on.path(), "/auth/login");
            assert!(on.page().form_to_type("email").is_some(), "{}", on.html);
        }
        self.told.push(trouble);
    }

    /// Presses "Send a new link" and returns the link, which no robot visits before the person.
    pub(crate) async fn new_link(&mut self, person: &Visitor, seen: &Seen) -> String {
        let before = self.site.mails().len();
        let page = seen.page();
        let form = page.form_to_resend();
        let form = form.unwrap_or_else(|| panic!("no way to a new link: {}", seen.html));
        let mut check = person.press(seen, form, form.plain_button(), &[]).await;
        if check.is(RejectionKind::RateLimited) {
            self.hears(person, &check, RejectionKind::RateLimited).await;
        }
        if self.site.mails().len() == before {
            // It says for how long, and then the same press does it.
            let wait = check.headers[header::RETRY_AFTER].to_str().unwrap();
            self.pass(wait.parse().unwrap());
            check = person.reload(&check).await;
            assert_eq!(check.path(), "/auth/check", "{}", check.html);
        }
        let mut mails = self.site.mails();
        assert!(mails.len() > before, "no mail: {}", check.html);
        self.asked = Some(check);
        mails.pop().unwrap()
    }

    /// Time passes.
    pub(crate) fn pass(&self, seconds: u64) {
        self.site.clock.advance(Duration::from_secs(seconds));
    }

    /// Opens a link in the browser that began; where a robot was there first, asks for a new one by
    /// one press.
    pub(crate) async fn open_here(&mut self, person: &Visitor, link: &str) -> Seen {
        let seen = person.click(link).await;
        if !self.is_burnt(link) {
            return seen;
        }
        self.hears(person, &seen, RejectionKind::LinkUsed).await;
        let link = self.new_link(person, &seen).await;
        person.click(&link).await
    }

    /// Opens a link in another browser; where a robot was there first, asks for a new one in the
    /// browser that began, by one press.
    pub(crate) async fn open_elsewhere(
        &mut self,
        began: &Visitor,
        check: &Seen,
        other: &Visitor,
        link: &str,
    ) -> Seen {
        self.shown = None;
        let seen = other.click(link).await;
        if !self.is_burnt(link) {
            return seen;
        }
        self.hears(other, &seen, RejectionKind::LinkUsed).await;
        assert!(!seen.html.contains(ADA), "a stranger may see this");
        self.pass(30);
        let check = began.reload(check).await;
        let link = self.new_link(began, &check).await;
        self.shown = self.asked.take();
        other.click(&link).await
    }

    /// Types the match code that the browser shows which began.
    pub(crate) async fn answer(&self, check: &Seen, other: &Visitor, asked: &Seen) -> Seen {
        assert!(asked.asks_for_match_code(), "{}", asked.html);
        assert!(!asked.html.contains(ADA), "a stranger may see this");
        let page = self.shown.as_ref().unwrap_or(check).page();
        let code = page.text_of("match-code").expect("a match code");
        other.type_into(asked, "code", code).await
    }

    /// Ends the journey: the robot comes once more, and then who is in is in, and nobody else.
    pub(crate) async fn end(mut self, insiders: &[&Visitor]) -> Ending {
        let burnt = self.burnt.len();
        for insider in insiders {
            let who = insider.is_known_as().await;
            assert_eq!(who.as_deref(), Some(ADA), "before the robot came again");
        }
        let mails = self.site.mails();
        self.scan(&mails).await;
        for robot in &self.robots {
            assert_eq!(robot.is_known_as().await, None, "a robot is signed in");
            assert_eq!(robot.sessions(), BTreeSet::new(), "a robot was in");
            let strange = robot.cookies().into_iter().find(|name| name != BROWSER);
            assert_eq!(strange, None, "in a robot's hands");
        }
        let mut known = 0;
        for person in &self.persons {
            known += usize::from(person.is_known_as().await.is_some());
        }
        for insider in insiders {
            let who = insider.is_known_as().await;
            assert_eq!(who.as_deref(), Some(ADA), "after the robot came again");
        }
        assert_eq!(known, insiders.len(), "who is in is known");
        let sessions = self.persons.iter().flat_map(Visitor::sessions);
        let sessions: BTreeSet<_> = sessions.collect();
        assert_eq!(
            self.site.sign_ins(),
            sessions.len(),
            "a session is nobody's"
        );
        Ending {
            told: self.told,
            is_in: !insiders.is_empty(),
            burnt,
        }
    }

    /// The robot visits links.
    async fn scan(&mut self, links: &[String]) {
        let before = self.site.used_links();
        let sign_ins = self.site.sign_ins();
        for link in links {
            let visitors = self.robot.visit(&self.site, link).await;
            self.robots.extend(visitors);
        }
        let after = self.site.used_links();
        let used: BTreeSet<_> = after.difference(&before).cloned().collect();
        if self.site.post_office != PostOffice::WorkOs {
            assert_eq!(used, BTreeSet::new(), "a robot has burnt a link");
        }
        assert_eq!(self.site.sign_ins(), sign_ins, "a robot has signed in");
        self.burnt.extend(used);
    }
}
