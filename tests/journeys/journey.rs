//! The journeys.

use tower_magic_link::{Builder, SignIn, page::CrossDevice};

use self::{
    one_browser::{
        back_button, code_in_the_first_tab, double_click, reload_at_every_page, same_browser,
        two_tabs,
    },
    other_browser::{
        in_app_then_system_browser, other_browser_confirm, other_browser_match_code,
        other_browser_refuse,
    },
    trouble::{after_sign_out, cookies_off, expired, organization_wrong, used},
};
use crate::{
    names::ADA,
    site::PostOffice,
    visitor::{Clicks, Seen},
    walk::{Ending, Walk},
};

mod one_browser;
mod other_browser;
mod trouble;

/// What a person does to get in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Journey {
    SameBrowser,
    OtherBrowserMatchCode,
    OtherBrowserConfirm,
    OtherBrowserRefuse,
    CodeInTheFirstTab,
    TwoTabs,
    ReloadAtEveryPage,
    BackButton,
    DoubleClickInARow,
    DoubleClickAtOnce,
    Expired,
    Used,
    InAppThenSystemBrowser,
    CookiesOff,
    AfterSignOut,
    OrganizationWrong,
}

impl Journey {
    /// Every journey is here: the matrix has a row for each.
    pub(crate) const ALL: [Self; 16] = [
        Self::SameBrowser,
        Self::OtherBrowserMatchCode,
        Self::OtherBrowserConfirm,
        Self::OtherBrowserRefuse,
        Self::CodeInTheFirstTab,
        Self::TwoTabs,
        Self::ReloadAtEveryPage,
        Self::BackButton,
        Self::DoubleClickInARow,
        Self::DoubleClickAtOnce,
        Self::Expired,
        Self::Used,
        Self::InAppThenSystemBrowser,
        Self::CookiesOff,
        Self::AfterSignOut,
        Self::OrganizationWrong,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AfterSignOut => "opened after sign-out",
            Self::BackButton => "back button",
            Self::CodeInTheFirstTab => "code in the first tab",
            Self::CookiesOff => "cookies off",
            Self::DoubleClickAtOnce => "double click, at once",
            Self::DoubleClickInARow => "double click, in a row",
            Self::Expired => "link expired",
            Self::InAppThenSystemBrowser => "in-app, then system browser",
            Self::OrganizationWrong => "organization wrong",
            Self::OtherBrowserConfirm => "other browser, confirm",
            Self::OtherBrowserMatchCode => "other browser, match code",
            Self::OtherBrowserRefuse => "other browser, refuse",
            Self::ReloadAtEveryPage => "reload at every page",
            Self::SameBrowser => "same browser",
            Self::TwoTabs => "two tabs",
            Self::Used => "link used",
        }
    }

    pub(crate) fn configure(self, office: PostOffice, builder: Builder) -> Builder {
        match self {
            Self::CodeInTheFirstTab => builder.sign_in(match office {
                PostOffice::Alone | PostOffice::Ours => SignIn::LinkAndCode,
                // WorkOS would send two mails. Its own one has no link: there is nothing for a
                // robot to visit.
                PostOffice::WorkOs => SignIn::Code,
            }),
            Self::OtherBrowserConfirm => builder.cross_device(CrossDevice::Confirm),
            Self::OtherBrowserRefuse => builder.cross_device(CrossDevice::Refuse),
            Self::OrganizationWrong => builder.organization("org_1"),
            _ => builder,
        }
    }

    pub(crate) async fn take(self, walk: Walk) -> Ending {
        match self {
            Self::AfterSignOut => after_sign_out(walk).await,
            Self::BackButton => back_button(walk).await,
            Self::CodeInTheFirstTab => code_in_the_first_tab(walk).await,
            Self::CookiesOff => cookies_off(walk).await,
            Self::DoubleClickAtOnce => double_click(walk, Clicks::TwiceAtOnce).await,
            Self::DoubleClickInARow => double_click(walk, Clicks::TwiceInARow).await,
            Self::Expired => expired(walk).await,
            Self::InAppThenSystemBrowser => in_app_then_system_browser(walk).await,
            Self::OrganizationWrong => organization_wrong(walk).await,
            Self::OtherBrowserConfirm => other_browser_confirm(walk).await,
            Self::OtherBrowserMatchCode => other_browser_match_code(walk).await,
            Self::OtherBrowserRefuse => other_browser_refuse(walk).await,
            Self::ReloadAtEveryPage => reload_at_every_page(walk).await,
            Self::SameBrowser => same_browser(walk).await,
            Self::TwoTabs => two_tabs(walk).await,
            Self::Used => used(walk).await,
        }
    }
}

/// They arrive where they wanted to go.
fn arrives(seen: &Seen) {
    assert_eq!(
        (seen.path(), seen.status.as_u16()),
        ("/reports", 200),
        "{}",
        seen.html
    );
    assert_eq!(seen.page().text_of("who"), Some(ADA));
}
