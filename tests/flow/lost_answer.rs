//! WorkOS redeems a link or a code and its answer is late, breaks off or is lost, and perhaps the
//! application's rule fails after that. The person is signed in by one press more for each of the
//! two, and no page asks for what cannot work.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::StatusCode;
use tower_magic_link::{
    Authorization, RejectionKind, SignIn,
    emulator::{Endpoint, Fault, Hold},
    provider::Identity,
    workos::WorkOs,
};

use crate::{
    names::ADA,
    page::Page,
    support::{Answer, Browser, Post, World, callback_behind},
};

/// How the person signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Code,
    Link,
}

/// Whether the application's rule fails the first time that it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    FailsOnce,
    Holds,
}

const WAYS: [Way; 2] = [Way::Code, Way::Link];
const RULES: [Rule; 2] = [Rule::FailsOnce, Rule::Holds];

/// A person who has a mail and has not used it.
struct Person {
    world: World,
    post: Post,
    browser: Browser,
    way: Way,
    /// Where the link leads back to, or where the code is typed.
    at: String,
    /// How often the application's rule was asked.
    asked: Arc<AtomicUsize>,
}

impl Person {
    async fn new(way: Way, rule: Rule, tune: impl FnOnce(WorkOs) -> WorkOs) -> Self {
        let (post, asked) = (Post::default(), Arc::new(AtomicUsize::new(0)));
        let hook = {
            let asked = asked.clone();
            move |_: Identity| {
                let is_first = asked.fetch_add(1, Ordering::SeqCst) == 0;
                async move {
                    match is_first && rule == Rule::FailsOnce {
                        true => Err("the directory is out"),
                        false => Ok(Authorization::Allowed),
                    }
                }
            }
        };
        let sign_in = match way {
            Way::Code => SignIn::Code,
            Way::Link => SignIn::Link,
        };
        let mailer = post.clone();
        let configure = |builder: tower_magic_link::Builder| {
            let builder = builder.mailer(mailer).sign_in(sign_in);
            builder.authorize(hook)
        };
        let world = World::by(tune, configure).await;
        let mut browser = world.browser();
        let check = browser.ask_for_link(ADA, "/reports").await;
        let mut person = Self {
            world,
            post,
            browser,
            way,
            at: String::new(),
            asked,
        };
        person.read_mail(&check).await;
        person
    }

    fn redemption(&self) -> Endpoint {
        match self.way {
            Way::Code => Endpoint::Authenticate,
            Way::Link => Endpoint::Token,
        }
    }

    /// Opens the newest mail, and for a link goes as far as WorkOS.
    async fn read_mail(&mut self, check: &Answer) {
        self.at = match self.way {
            Way::Code => field_of(check),
            Way::Link => {
                let redirect = self.browser.get(&self.post.link()).await;
                callback_behind(redirect.location()).await
            }
        };
    }

    /// Brings the proof: comes back by the link, or types the code.
    async fn bring(&mut self) -> Answer {
        match self.way {
            Way::Code => {
                let form = format!("code={}", self.post.code());
                self.browser.post(&self.at, &form).await
            }
            Way::Link => self.browser.get(&self.at).await,
        }
    }

    /// Presses the one button of a page that offers to try again. For a code, its field comes back.
    async fn try_again(&mut self, answer: &Answer) -> Answer {
        let (status, kind) = (503, RejectionKind::ProviderUnavailable);
        let page = page_of(answer, status, kind);
        assert!(page.forms.is_empty(), "{page:?}");
        let again = page.links.iter().find(|link| link.label == kind.way_on());
        let again = again.unwrap_or_else(|| panic!("{page:?}")).href.clone();
        let answer = self.browser.get(&again).await;
        if self.way == Way::Link {
            return answer;
        }
        self.at = field_of(&answer);
        self.bring().await
    }

    /// Presses the one button of a page that offers a new mail, and brings what that holds.
    async fn by_new_mail(&mut self, answer: &Answer) -> Answer {
        let page = page_of(answer, 502, RejectionKind::ProviderAnswerLost);
        let again = page.links.iter().find(|link| link.label == "Try again");
        assert!(again.is_none(), "it cannot work: {page:?}");
        let form = page.form_to_resend().expect("a form");
        let sent = form.sent_by(form.plain_button(), &[]);
        let mails = self.post.letters().len();
        let answer = self.browser.post(&form.action, &sent).await;
        let check = self.browser.follow(answer).await;
        assert_eq!(check.status(), 200, "{}", check.text());
        assert_eq!(self.post.letters().len(), mails + 1);
        self.read_mail(&check).await;
        self.bring().await
    }

    /// Gets in, by one press more if the application's rule fails once.
    async fn is_in(&mut self, rule: Rule, mut answer: Answer) {
        let redeemed = self.world.emulator().count(self.redemption());
        if rule == Rule::FailsOnce {
            answer = self.try_again(&answer).await;
        }
        assert_eq!(answer.location(), "/reports");
        let landed = self.browser.follow(answer).await;
        assert!(landed.text().contains("/reports for ada@"));
        let again = self.world.emulator().count(self.redemption());
        assert_eq!(again, redeemed, "what was proven is kept");
    }
}

fn field_of(check: &Answer) -> String {
    let page = Page::of(&check.text());
    page.form_to_type("code").expect("a field").action.clone()
}

fn page_of(answer: &Answer, status: u16, kind: RejectionKind) -> Page {
    assert_eq!(answer.status(), status, "{}", answer.text());
    let page = Page::of(&answer.text());
    assert_eq!(page.heading, kind.heading());
    page
}

#[tokio::test]
async fn an_answer_that_is_lost_after_redeeming_costs_one_new_mail() {
    let faults = [
        Fault::LostAnswer,
        Fault::CutBody,
        Fault::InvalidJson,
        Fault::StatusAfterWork(StatusCode::BAD_GATEWAY),
    ];
    for fault in faults {
        for (way, rule) in WAYS
            .into_iter()
            .flat_map(|way| RULES.map(|rule| (way, rule)))
        {
            let mut person = Person::new(way, rule, |client| client).await;
            let redemption = person.redemption();
            let emulator = person.world.emulator();
            emulator.order(redemption, fault.clone());
            let answer = person.bring().await;
            assert_eq!(person.asked.load(Ordering::SeqCst), 0);
            let answer = person.by_new_mail(&answer).await;
            person.is_in(rule, answer).await;
        }
    }
}

/// The client has given up by the time that WorkOS redeems.
#[tokio::test]
async fn an_answer_that_comes_too_late_costs_one_new_mail() {
    for (way, rule) in WAYS
        .into_iter()
        .flat_map(|way| RULES.map(|rule| (way, rule)))
    {
        let limit = Duration::from_millis(300);
        let tune = |client: WorkOs| client.exchange_timeout(limit).unwrap();
        let mut person = Person::new(way, rule, tune).await;
        let hold = Hold::new();
        let redemption = person.redemption();
        let emulator = person.world.emulator();
        emulator.order(redemption, Fault::Hold(hold.clone()));
        let answer = person.bring().await;
        hold.release();
        let answer = person.by_new_mail(&answer).await;
        person.is_in(rule, answer).await;
    }
}

/// The person has closed the page by the time that WorkOS answers. The exchange ends without them,
/// and the same link or code signs in.
#[tokio::test]
async fn an_answer_that_comes_after_the_person_has_left_costs_no_new_mail() {
    for (way, rule) in WAYS
        .into_iter()
        .flat_map(|way| RULES.map(|rule| (way, rule)))
    {
        let mut person = Person::new(way, rule, |client| client).await;
        let hold = Hold::new();
        let redemption = person.redemption();
        let emulator = person.world.emulator();
        emulator.order(redemption, Fault::Hold(hold.clone()));
        let stays = person.browser.clone();
        tokio::select! {
            answer = person.bring() => panic!("{}", answer.text()),
            () = hold.wait_for(1) => {}
        }
        person.browser = stays;
        hold.release();
        let asked = person.asked.clone();
        let ended = async move {
            while asked.load(Ordering::SeqCst) == 0 {
                tokio::task::yield_now().await;
            }
        };
        let ended = tokio::time::timeout(Duration::from_secs(10), ended).await;
        ended.expect("an end of the exchange");
        // The one press more is this one, whether the rule has failed by now or not.
        let answer = person.bring().await;
        let answer = match answer.status() {
            // It has joined the exchange before that failed.
            StatusCode::SERVICE_UNAVAILABLE => person.try_again(&answer).await,
            _ => answer,
        };
        person.is_in(Rule::Holds, answer).await;
        assert_eq!(person.world.emulator().count(redemption), 1);
        assert_eq!(person.post.letters().len(), 1);
    }
}

/// The other side of the rule: where nothing was sent, the same link or code works, and no mail is
/// offered.
#[tokio::test]
async fn what_was_certainly_not_redeemed_is_tried_again_and_works() {
    for way in WAYS {
        let mut person = Person::new(way, Rule::Holds, |client| client).await;
        let (emulator, port) = (person.world.emulator().clone(), person.world.workos.port());
        let elsewhere = emulator.serve(0).await.unwrap();
        drop(std::mem::replace(&mut person.world.workos, elsewhere));
        // The client keeps a connection, and notices that it is closed.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let answer = person.bring().await;
        person.world.workos = emulator.serve(port).await.unwrap();
        let answer = person.try_again(&answer).await;
        assert_eq!(answer.location(), "/reports", "{way:?}");
        assert_eq!(person.post.letters().len(), 1, "{way:?}");

        let mut person = Person::new(way, Rule::Holds, |client| client).await;
        let (emulator, redemption) = (person.world.emulator(), person.redemption());
        let many = Fault::RateLimited(Duration::from_secs(3));
        emulator.order(redemption, many);
        let answer = person.bring().await;
        page_of(&answer, 429, RejectionKind::RateLimited);
        assert_eq!(person.bring().await.location(), "/reports", "{way:?}");
    }
}

/// A program that brings a proof reads a problem.
#[tokio::test]
async fn a_program_reads_that_the_answer_is_lost() {
    let mut person = Person::new(Way::Link, Rule::Holds, |client| client).await;
    let emulator = person.world.emulator();
    emulator.order(Endpoint::Token, Fault::LostAnswer);
    let request = http::Request::get(&person.at).header("accept", "application/json");
    let request = request.body(http_body_util::Full::default()).unwrap();
    let answer = person.browser.send(request).await;
    assert_eq!(answer.status(), 502);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.code(), "provider_answer_lost");
    assert_eq!(answer.header("retry-after"), "", "waiting does not help");
}
