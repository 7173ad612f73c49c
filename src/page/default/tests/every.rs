//! Every page in every state.

use std::time::Duration;

use crate::{
    language::Words,
    page::{
        CheckPage, ChoosePage, CodeEntry, CodeProblem, ConfirmPage, Confirmation, CrossDevice,
        DefaultPages, LoginPage, LoginProblem, MatchPage, OfferedOrganization, OnwardPage, Page,
        Pages, Resend, Sent, SignedOutPage, TroublePage, WayBack,
    },
    rejection::RejectionKind,
};

pub(super) const SENT: [Sent; 3] = [Sent::Code, Sent::Link, Sent::LinkAndCode];
pub(super) const PROBLEMS: [CodeProblem; 5] = [
    CodeProblem::Expired,
    CodeProblem::Missing,
    CodeProblem::Replaced,
    CodeProblem::Used,
    CodeProblem::Wrong,
];

/// Renders every page in every state, with one text in each place that takes one from outside.
pub(super) fn every_page(text: &str) -> Vec<(String, String)> {
    every_page_of(&DefaultPages::new().application_name(text), text)
}

/// Renders every page in every state, as [`every_page`] does, with settings of the test's own.
pub(super) fn every_page_of(pages: &DefaultPages, text: &str) -> Vec<(String, String)> {
    every_page_in(&Words::english(), pages, text)
}

/// Renders every page in every state, in one language.
pub(super) fn every_page_in(
    words: &Words,
    pages: &DefaultPages,
    text: &str,
) -> Vec<(String, String)> {
    let mut all = Vec::new();
    login_pages(text, &mut all);
    check_pages(text, &mut all);
    other_browser_pages(text, &mut all);
    trouble_pages(text, &mut all);
    let offered = [("org_1", text), (text, text)];
    let offered = offered.map(|(id, name)| OfferedOrganization::new(id, name));
    let choose = ChoosePage::new(text, text, text, offered);
    let again = choose.clone().with_problem(text);
    let sign_out = Confirmation::SignOut { email: text };
    all.extend([
        ("choose".to_owned(), Page::Choose(choose)),
        ("choose again".to_owned(), Page::Choose(again)),
        ("onward".to_owned(), Page::Onward(OnwardPage::new(text))),
        (
            "sign out".to_owned(),
            Page::Confirm(ConfirmPage::new(text, sign_out)),
        ),
        (
            "signed out".to_owned(),
            Page::SignedOut(SignedOutPage::new(text)),
        ),
    ]);
    all.into_iter()
        .map(|(name, page)| (name, pages.render(&page.with_words(words))))
        .collect()
}

fn login_pages<'a>(text: &'a str, all: &mut Vec<(String, Page<'a>)>) {
    for sent in SENT {
        let page = LoginPage::new(text).with_sent(sent);
        let again = page.clone().with_email(text);
        let lost = page.clone().with_way_back(WayBack::TooLong);
        all.extend([
            (format!("login, {sent:?}, too long"), Page::Login(lost)),
            (format!("login, {sent:?}"), Page::Login(page.clone())),
            (
                format!("login, {sent:?}, named"),
                Page::Login(again.clone().with_application(text)),
            ),
        ]);
        for problem in [
            LoginProblem::InvalidAddress,
            LoginProblem::InvisibleCharacter,
            LoginProblem::MissingAddress,
        ] {
            let page = again.clone().with_problem(problem);
            all.push((format!("login, {sent:?}, {problem:?}"), Page::Login(page)));
        }
    }
}

pub(super) fn resends(text: &str) -> [(&'static str, Option<Resend<'_>>); 4] {
    let resend = Resend::new(text, text);
    [
        ("no resend", None),
        ("resend", Some(resend)),
        ("resend of an attempt", Some(resend.with_attempt(text))),
        (
            "resend in a while",
            Some(
                resend
                    .with_attempt(text)
                    .with_wait(Duration::from_millis(22_001)),
            ),
        ),
    ]
}

fn check_pages<'a>(text: &'a str, all: &mut Vec<(String, Page<'a>)>) {
    for sent in SENT {
        let page = CheckPage::new(text, Duration::from_secs(900)).with_sent(sent);
        let entry = Some(CodeEntry::new(text)).filter(|_| sent != Sent::Link);
        all.push((
            format!("check, {sent:?}, another browser"),
            Page::Check(page.clone()),
        ));
        let page = page.with_email(text).with_code_entry(entry);
        for (name, resend) in resends(text) {
            let page = page.clone().with_resend(resend);
            for others in [
                CrossDevice::Confirm,
                CrossDevice::MatchCode,
                CrossDevice::Refuse,
            ] {
                let code = Some(text).filter(|_| others == CrossDevice::MatchCode);
                let page = page.clone().with_cross_device(others).with_match_code(code);
                all.push((
                    format!("check, {sent:?}, {others:?}, {name}"),
                    Page::Check(page),
                ));
            }
        }
        for problem in PROBLEMS {
            let Some(entry) = entry else { continue };
            let page = page
                .clone()
                .with_code_entry(entry.with_problem(problem))
                .with_match_code(text)
                .with_resend(Resend::new(text, text));
            all.push((format!("check, {sent:?}, {problem:?}"), Page::Check(page)));
        }
    }
}

fn other_browser_pages<'a>(text: &'a str, all: &mut Vec<(String, Page<'a>)>) {
    let entry = CodeEntry::new(text);
    let page = MatchPage::new(entry, text, text);
    all.push(("match".to_owned(), Page::Match(page)));
    for problem in PROBLEMS {
        let page = MatchPage::new(entry.with_problem(problem), text, text);
        all.push((format!("match, {problem:?}"), Page::Match(page)));
    }
    let sign_in = Confirmation::SignIn { masked: text };
    let page = Page::Confirm(ConfirmPage::new(text, sign_in));
    all.push(("sign in here".to_owned(), page));
}

fn trouble_pages<'a>(text: &'a str, all: &mut Vec<(String, Page<'a>)>) {
    for trouble in RejectionKind::ALL {
        let page = TroublePage::new(trouble);
        all.extend([
            (format!("{trouble:?}, bare"), Page::Trouble(page.clone())),
            (
                format!("{trouble:?}, link"),
                Page::Trouble(page.clone().with_action(text).with_detail(text)),
            ),
        ]);
        for (name, resend) in resends(text) {
            let page = page
                .clone()
                .with_action(text)
                .with_resend(resend)
                .with_retry_after(resend.and_then(|resend| resend.wait()));
            all.push((format!("{trouble:?}, {name}"), Page::Trouble(page)));
        }
    }
}
