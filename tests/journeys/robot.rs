//! What visits a mailed link beside the person: scanners of mail, previews, sandboxes.

use futures_util::future::{BoxFuture, FutureExt, join_all};

use crate::{
    page::Page,
    site::Site,
    visitor::{Ask, From, Habits, Seen, Visitor},
};

/// How many presses and clicks deep the robot goes that presses everything.
const DEPTH: usize = 4;

/// A robot, by what it does with each link in a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Robot {
    None,
    Head,
    GetOnce,
    /// Five at once, and five more in a row.
    GetFiveTimes,
    FollowsRedirects,
    /// Keeps cookies, follows redirects and `refresh`, and sends what a script would send.
    RunsScripts,
    /// Runs scripts, presses every button of every form in the page's order with the fields as they
    /// are, and follows every link.
    PressesEverything,
}

impl Robot {
    pub(crate) const ALL: [Self; 7] = [
        Self::None,
        Self::Head,
        Self::GetOnce,
        Self::GetFiveTimes,
        Self::FollowsRedirects,
        Self::RunsScripts,
        Self::PressesEverything,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::FollowsRedirects => "follows redirects",
            Self::GetFiveTimes => "GET five times",
            Self::GetOnce => "GET once",
            Self::Head => "HEAD",
            Self::None => "none",
            Self::PressesEverything => "presses every button",
            Self::RunsScripts => "runs scripts",
        }
    }

    /// Visits a link, and returns the browsers that it did so with.
    pub(crate) async fn visit(self, site: &Site, link: &str) -> Vec<Visitor> {
        let stays = Habits {
            follows_redirects: false,
            is_modern: false,
            ..Habits::PERSON
        };
        let follows = Habits {
            is_modern: false,
            ..Habits::PERSON
        };
        let visitor = match self {
            Self::None => return Vec::new(),
            Self::Head | Self::GetOnce | Self::GetFiveTimes => site.visitor(stays),
            Self::FollowsRedirects => site.visitor(follows),
            Self::RunsScripts | Self::PressesEverything => site.visitor(Habits::PERSON),
        };
        let get = || Ask::get(link, From::Nowhere);
        match self {
            Self::None => {}
            Self::Head => {
                visitor.go(Ask::head(link)).await;
            }
            Self::GetOnce | Self::FollowsRedirects => {
                visitor.go(get()).await;
            }
            Self::GetFiveTimes => {
                let at_once = [(); 5].map(|()| site.visitor(stays));
                join_all(at_once.iter().map(|visitor| visitor.go(get()))).await;
                for _ in 0..5 {
                    visitor.go(get()).await;
                }
                return at_once.into_iter().chain([visitor]).collect();
            }
            Self::RunsScripts => {
                let seen = visitor.go(get()).await;
                run_scripts(&visitor, seen, DEPTH).await;
            }
            Self::PressesEverything => {
                let seen = visitor.go(get()).await;
                let seen = run_scripts(&visitor, seen, DEPTH).await;
                press_everything(&visitor, seen, DEPTH).await;
            }
        }
        vec![visitor]
    }
}

/// Does what the page does by itself, and returns where that leads.
async fn run_scripts(visitor: &Visitor, mut seen: Seen, depth: usize) -> Seen {
    for _ in 0..depth {
        let page = seen.page();
        if let Some(url) = page
            .refresh
            .as_deref()
            .and_then(|wait| wait.split_once('='))
        {
            seen = visitor.follow(&seen, url.1).await;
        } else if let Some(form) = page.forms.first().filter(|_| sends(&page)) {
            seen = visitor.press(&seen, form, &form.buttons[0], &[]).await;
        } else {
            return seen;
        }
    }
    seen
}

/// Says whether a script of the page may send a form. A real browser runs them in another suite.
fn sends(page: &Page) -> bool {
    let sends = |script: &String| {
        [".submit(", "requestSubmit(", ".click("]
            .iter()
            .any(|call| script.contains(call))
    };
    page.scripts.iter().any(sends)
}

fn press_everything(visitor: &Visitor, seen: Seen, depth: usize) -> BoxFuture<'_, ()> {
    async move {
        let page = seen.page();
        if depth == 0 {
            return;
        }
        for form in &page.forms {
            for button in &form.buttons {
                let next = visitor.press(&seen, form, button, &[]).await;
                press_everything(visitor, next, depth - 1).await;
            }
        }
        for link in &page.links {
            let next = visitor.follow(&seen, &link.href).await;
            press_everything(visitor, next, depth - 1).await;
        }
    }
    .boxed()
}
