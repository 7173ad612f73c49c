//! The pages in every state, each with the name that its address ends with.

use std::{collections::HashSet, time::Duration};

use tower_magic_link::{
    RejectionKind,
    language::Words,
    page::{
        CheckPage, ChoosePage, CodeEntry, CodeProblem, ConfirmPage, Confirmation, CrossDevice,
        LoginPage, LoginProblem, MatchPage, OfferedOrganization, OnwardPage, Page, RememberMe,
        Resend, Sent, SignedOutPage, TroublePage, WayBack,
    },
};

use crate::choice::Choice;

const ADA: &str = "ada@example.com";
const LONG_ADDRESS: &str =
    "wilhelmina.featherstonehaugh-cholmondeley@correspondence.department.example.com";
const LONG_NAME: &str =
    "Featherstonehaugh-Cholmondeley Correspondence and Sons, Department of Letters";
const MASKED: &str = "a***@example.com";
const LETTERS: &str = "KWDRTM";
const LIFETIME: Duration = Duration::from_secs(15 * 60);

const SENT: [(&str, Sent); 3] = [
    ("link", Sent::Link),
    ("code", Sent::Code),
    ("link-and-code", Sent::LinkAndCode),
];
const CODE_PROBLEMS: [(&str, CodeProblem); 5] = [
    ("expired", CodeProblem::Expired),
    ("missing", CodeProblem::Missing),
    ("replaced", CodeProblem::Replaced),
    ("used", CodeProblem::Used),
    ("wrong", CodeProblem::Wrong),
];
const ADDRESS_PROBLEMS: [(&str, LoginProblem); 3] = [
    ("invalid", LoginProblem::InvalidAddress),
    ("invisible", LoginProblem::InvisibleCharacter),
    ("missing", LoginProblem::MissingAddress),
];

/// Where the forms and links of the pages lead.
pub(crate) struct Links {
    check: String,
    declined: String,
    login: String,
    onward: String,
    signed_out: String,
}

impl Links {
    pub(crate) fn of(choice: &Choice<'_>) -> Self {
        Self {
            check: choice.to("check-link"),
            declined: choice.to("trouble-link_declined"),
            login: choice.to("login"),
            onward: choice.to("onward"),
            signed_out: choice.to("signed-out"),
        }
    }
}

/// Returns every page, in one language.
pub(crate) fn states<'a>(links: &'a Links, words: &'a Words) -> Vec<(String, Page<'a>)> {
    let mut all = Vec::new();
    logins(links, &mut all);
    checks(links, &mut all);
    elsewhere(links, &mut all);
    chosen(links, words, &mut all);
    troubles(links, &mut all);
    all.into_iter()
        .map(|(name, page)| (name, page.with_words(words)))
        .collect()
}

fn logins<'a>(links: &'a Links, all: &mut Vec<(String, Page<'a>)>) {
    let login = LoginPage::new(&links.check);
    let filled = login.clone().with_email(ADA);
    let mut add = |name: &str, page| all.push((name.to_owned(), Page::Login(page)));
    add("login", login.clone());
    add("login-code", login.clone().with_sent(Sent::Code));
    add(
        "login-link-and-code",
        login.clone().with_sent(Sent::LinkAndCode),
    );
    add("login-filled", filled.clone());
    add(
        "login-way-back-lost",
        filled.clone().with_way_back(WayBack::TooLong),
    );
    add(
        "login-remember-me",
        login.clone().with_remember_me(RememberMe::Offered),
    );
    add(
        "login-remember-me-ticked",
        filled.with_remember_me(RememberMe::Ticked),
    );
    for (name, problem) in ADDRESS_PROBLEMS {
        let page = login.clone().with_email(LONG_ADDRESS).with_problem(problem);
        add(&format!("login-address-{name}"), page);
    }
}

fn checks<'a>(links: &'a Links, all: &mut Vec<(String, Page<'a>)>) {
    let entry = CodeEntry::new(&links.onward);
    let check = |email, sent| {
        let code = (sent != Sent::Link).then_some(entry);
        let letters = (sent != Sent::Code).then_some(LETTERS);
        CheckPage::new(&links.login, LIFETIME)
            .with_email(email)
            .with_sent(sent)
            .with_code_entry(code)
            .with_match_code(letters)
            .with_resend(Resend::new(&links.check, email).with_sent(sent))
    };
    let mut add = |name: String, page| all.push((name, Page::Check(page)));
    for (name, sent) in SENT {
        add(format!("check-{name}"), check(ADA, sent));
        let wait = Resend::new(&links.check, ADA).with_sent(sent);
        let wait = wait.with_wait(Duration::from_secs(90));
        add(
            format!("check-{name}-wait"),
            check(ADA, sent).with_resend(wait),
        );
        add(
            format!("check-{name}-long-address"),
            check(LONG_ADDRESS, sent),
        );
        let nobody = CheckPage::new(&links.login, LIFETIME).with_sent(sent);
        add(format!("check-{name}-another-browser"), nobody);
    }
    for (name, rule) in [
        ("confirm", CrossDevice::Confirm),
        ("refuse", CrossDevice::Refuse),
    ] {
        let page = check(ADA, Sent::LinkAndCode).with_match_code(None);
        add(format!("check-{name}"), page.with_cross_device(rule));
    }
    for (name, problem) in CODE_PROBLEMS {
        let page = check(ADA, Sent::Code).with_code_entry(entry.with_problem(problem));
        add(format!("check-code-{name}"), page);
    }
}

/// The pages of a browser that opens the link and did not begin.
fn elsewhere<'a>(links: &'a Links, all: &mut Vec<(String, Page<'a>)>) {
    let entry = CodeEntry::new(&links.onward);
    let asked = |entry| Page::Match(MatchPage::new(entry, MASKED, &links.login));
    all.push(("match".to_owned(), asked(entry)));
    for (name, problem) in CODE_PROBLEMS {
        all.push((format!("match-{name}"), asked(entry.with_problem(problem))));
    }
    let sign_in = Confirmation::SignIn { masked: MASKED };
    let open = Page::Confirm(ConfirmPage::new(&links.declined, sign_in));
    all.push(("open".to_owned(), open));
}

fn chosen<'a>(links: &'a Links, words: &'a Words, all: &mut Vec<(String, Page<'a>)>) {
    let names = ["Acme & Sons <Ltd>", LONG_NAME, "\u{5d0}\u{5d1}\u{5d2} Ltd"];
    let offered = names.map(|name| OfferedOrganization::new("org_1", name));
    let choose = ChoosePage::new(&links.onward, "sealed", ADA, offered);
    let trouble = Page::Trouble(TroublePage::new(RejectionKind::ProviderUnavailable));
    let again = match trouble.with_words(words) {
        Page::Trouble(trouble) => choose.clone().with_problem(trouble.happened()),
        _ => choose.clone(),
    };
    let sign_out = |email| ConfirmPage::new(&links.signed_out, Confirmation::SignOut { email });
    let pages = [
        ("choose", Page::Choose(choose)),
        ("choose-again", Page::Choose(again)),
        // Its script would lead on to a page of the same site.
        (
            "onward",
            Page::Onward(OnwardPage::new("https://app.example.com/reports")),
        ),
        ("sign-out", Page::Confirm(sign_out(ADA))),
        (
            "sign-out-long-address",
            Page::Confirm(sign_out(LONG_ADDRESS)),
        ),
        (
            "signed-out",
            Page::SignedOut(SignedOutPage::new(&links.login)),
        ),
    ];
    all.extend(pages.map(|(name, page)| (name.to_owned(), page)));
}

fn troubles<'a>(links: &'a Links, all: &mut Vec<(String, Page<'a>)>) {
    let mut add = |name: String, page| all.push((format!("trouble-{name}"), Page::Trouble(page)));
    let trouble = |kind| TroublePage::new(kind).with_action(&*links.login);
    let resend = Resend::new(&links.check, ADA);
    let used = trouble(RejectionKind::LinkUsed);
    let limited = trouble(RejectionKind::RateLimited).with_retry_after(Duration::from_secs(90));
    let wait = resend.with_wait(Duration::from_secs(90));
    let blocked = trouble(RejectionKind::CookiesBlocked);
    add(
        "with-a-new-link".to_owned(),
        used.clone().with_resend(resend),
    );
    add(
        "with-a-new-link-in-a-while".to_owned(),
        used.with_resend(wait),
    );
    add("with-a-wait".to_owned(), limited);
    add(
        "with-a-detail".to_owned(),
        blocked.clone().with_detail("__Host-magic-link-browser"),
    );
    add("in-a-frame".to_owned(), blocked.in_frame());
    let ended = trouble(RejectionKind::NoSession).in_frame();
    add("in-a-frame-at-the-end".to_owned(), ended);
    // Several kinds say the same to people: each story is shown once.
    let mut told = HashSet::new();
    for kind in RejectionKind::all() {
        if told.insert((kind.heading(), kind.happened())) {
            add(kind.code().to_owned(), trouble(*kind));
        }
    }
}
