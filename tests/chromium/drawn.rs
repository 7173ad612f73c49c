//! The pages that are drawn as the layer would draw them: long texts, and troubles that nobody can
//! walk into.

use std::time::Duration;

use tower_magic_link::{
    RejectionKind,
    page::{
        CheckPage, ChoosePage, CodeEntry, CodeProblem, ConfirmPage, Confirmation, LoginPage,
        LoginProblem, MatchPage, OfferedOrganization, OnwardPage, Page, Resend, Sent, TroublePage,
    },
};

use crate::{
    gallery::{LOGIN, Screen, Way},
    names::ADA,
};

const LINK_LIFETIME: Duration = Duration::from_secs(15 * 60);
const MASKED: &str = "a***@example.com";
const LONG_ADDRESS: &str =
    "wilhelmina.featherstonehaugh-cholmondeley@correspondence.department.example.com";

/// Returns the pages that are drawn.
pub(crate) fn screens() -> Vec<Screen> {
    let mut screens = vec![
        drawn(
            "login-named",
            Page::Login(LoginPage::new(LOGIN).with_application("Acme Reports")),
        ),
        drawn(
            "login-long-address",
            Page::Login(
                LoginPage::new(LOGIN)
                    .with_email(LONG_ADDRESS)
                    .with_problem(LoginProblem::InvalidAddress),
            ),
        ),
        drawn("check-long-address", Page::Check(check(LONG_ADDRESS))),
        drawn(
            "sign-out-long-address",
            Page::Confirm(ConfirmPage::new(
                "/auth/logout",
                Confirmation::SignOut {
                    email: LONG_ADDRESS,
                },
            )),
        ),
        drawn(
            "trouble-with-a-wait",
            Page::Trouble(
                TroublePage::new(RejectionKind::RateLimited)
                    .with_action(LOGIN)
                    .with_retry_after(Duration::from_secs(90)),
            ),
        ),
        drawn(
            "trouble-with-a-new-link",
            Page::Trouble(
                TroublePage::new(RejectionKind::LinkUsed)
                    .with_action(LOGIN)
                    .with_resend(Resend::new(LOGIN, ADA)),
            ),
        ),
    ];
    let organizations = [
        (
            "org_1",
            "Featherstonehaugh-Cholmondeley Correspondence and Sons, Department of Letters",
        ),
        ("org_2", "Acme & Sons <Ltd>"),
        ("org_3", "\u{5d0}\u{5d1}\u{5d2} Ltd"),
    ];
    let offered = organizations.map(|(id, name)| OfferedOrganization::new(id, name));
    let choose = ChoosePage::new("/auth/choose?t=x", "x", LONG_ADDRESS, offered);
    let problem = "The service isn’t answering right now. Please try again in 5 seconds.";
    screens.push(drawn("choose-long-names", Page::Choose(choose.clone())));
    screens.push(drawn(
        "choose-again",
        Page::Choose(choose.with_problem(problem)),
    ));
    screens.extend(codes());
    screens.extend(TROUBLES.map(|trouble| {
        let page = TroublePage::new(trouble).with_action(LOGIN);
        drawn(&format!("trouble-{trouble:?}"), Page::Trouble(page))
    }));
    screens
}

/// Returns the pages on which a code is shown or typed, and those of a link that was opened
/// elsewhere.
fn codes() -> Vec<Screen> {
    let entry = CodeEntry::new("/auth/code?t=x");
    let answer = CodeEntry::new("/auth/open?t=x");
    let asked = |entry| Page::Match(MatchPage::new(entry, MASKED, LOGIN));
    let mut screens = vec![
        // To another site its script does not lead.
        drawn(
            "onward",
            Page::Onward(OnwardPage::new("https://mail.example.org/")),
        ),
    ];
    let problems = [
        CodeProblem::Expired,
        CodeProblem::Replaced,
        CodeProblem::Used,
    ];
    for problem in problems {
        let page = check(ADA)
            .with_sent(Sent::Code)
            .with_code_entry(entry.with_problem(problem));
        screens.push(drawn(&format!("check-code-{problem:?}"), Page::Check(page)));
        let page = asked(answer.with_problem(problem));
        screens.push(drawn(&format!("match-{problem:?}"), page));
    }
    screens
}

const TROUBLES: [RejectionKind; 40] = [
    RejectionKind::AmbiguousRequest,
    RejectionKind::AnotherBrowser,
    RejectionKind::ChoiceCancelled,
    RejectionKind::ChoiceExpired,
    RejectionKind::ClockWrong,
    RejectionKind::CodeExpired,
    RejectionKind::CodeUsed,
    RejectionKind::CodeWrong,
    RejectionKind::CookiesBlocked,
    RejectionKind::CrossSite,
    RejectionKind::AttemptExpired,
    RejectionKind::InsecureConnection,
    RejectionKind::LinkDeclined,
    RejectionKind::LinkExpired,
    RejectionKind::LinkUsed,
    RejectionKind::MailNotSent,
    RejectionKind::Malformed,
    RejectionKind::MethodNotAllowed,
    RejectionKind::NoSession,
    RejectionKind::NotAllowed,
    RejectionKind::OrganizationNotAllowed,
    RejectionKind::OrganizationRequired,
    RejectionKind::OtherAddress,
    RejectionKind::OtherHost,
    RejectionKind::ProviderAnswerLost,
    RejectionKind::ProviderFailed,
    RejectionKind::ProviderRefusedAddress,
    RejectionKind::ProviderUnavailable,
    RejectionKind::RateLimited,
    RejectionKind::RecentSignInRequired,
    RejectionKind::SessionTooLarge,
    RejectionKind::ProviderMisconfigured,
    RejectionKind::SignOutNotRecorded,
    RejectionKind::StepUpRequired,
    RejectionKind::StoreUnavailable,
    RejectionKind::TooLarge,
    RejectionKind::TooManyTries,
    RejectionKind::TooSlow,
    RejectionKind::UnsupportedMediaType,
    RejectionKind::WrongConnection,
];

fn drawn(name: &str, page: Page<'static>) -> Screen {
    Screen {
        name: name.to_owned(),
        way: Way::Drawn(page),
    }
}

fn check(email: &'static str) -> CheckPage<'static> {
    CheckPage::new(LOGIN, LINK_LIFETIME)
        .with_email(email)
        .with_resend(Resend::new(LOGIN, email))
}

/// A kind has words of its own, or those of a kind that has its picture.
#[test]
fn every_trouble_has_its_picture() {
    let source = include_str!("../../src/rejection/kind.rs");
    let kinds: Vec<_> = source
        .lines()
        .filter_map(|line| {
            let (kind, row) = line.trim().strip_prefix("Self::")?.split_once("=> row(")?;
            let (_, words) = row.split_once("words::")?;
            Some((kind.trim(), words.trim_end_matches("),").replace('_', "")))
        })
        .collect();
    assert!(kinds.len() > 40, "{kinds:?}");
    let known = TROUBLES.map(|trouble| format!("{trouble:?}"));
    for (kind, words) in kinds {
        let drawn = known.iter().any(|known| known.to_uppercase() == words);
        assert!(drawn, "{kind}: {words}");
        assert!(
            kind.to_uppercase() != words || known.contains(&kind.to_owned()),
            "{kind}"
        );
    }
}
