//! `DefaultPages`: the pages that the layer has when the application brings none.
//!
//! - One document each, from the templates beside this file: no JavaScript, nothing loaded from anywhere.
//! - One inline style sheet, allowed by its hash. It follows the reader's choice of light or dark.
//! - Every text from outside passes through askama's HTML escaper, inside an element or a quoted attribute.

use std::sync::LazyLock;

use askama::Template;

use super::{
    CheckPage, CodeProblem, ConfirmPage, Confirmation, CrossDevice, LoginPage, LoginProblem,
    MatchPage, OnwardPage, Page, PageSources, Pages, Sent, SignedOutPage, TroublePage, words,
};

const STYLE: &str = include_str!("templates/style.css");

static SOURCES: LazyLock<PageSources> = LazyLock::new(|| PageSources::new().inline_style(STYLE));

/// The crate's own pages: plain, accessible, light or dark as the reader prefers.
///
/// ```
/// use tower_magic_link::{DefaultPages, LoginPage, Page, Pages};
///
/// let pages = DefaultPages::new().application_name("Acme <Labs>");
/// let html = pages.render(&Page::Login(LoginPage::new("/auth/login?return_to=%2Freports")));
/// assert!(html.contains("<title>Sign in · Acme &#60;Labs&#62;</title>"));
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct DefaultPages {
    application_name: Option<String>,
}

impl DefaultPages {
    /// Makes pages that name no application.
    pub const fn new() -> Self {
        Self {
            application_name: None,
        }
    }

    /// Sets the name that stands on every page and in its title. Default: none.
    pub fn application_name(mut self, name: impl Into<String>) -> Self {
        self.application_name = Some(name.into());
        self
    }

    fn frame(&self) -> Frame<'_> {
        Frame {
            application: self.application_name.as_deref(),
            style: STYLE,
        }
    }
}

impl Pages for DefaultPages {
    fn render(&self, page: &Page<'_>) -> String {
        let frame = self.frame();
        match page {
            Page::Check(page) => html(&Check {
                frame,
                page,
                problem: page
                    .code_entry()
                    .and_then(|entry| entry.problem())
                    .map(told_of_code),
                lifetime: words::lifetime(page.link_lifetime()),
                sent: match page.sent() {
                    Sent::Code => "a code",
                    Sent::Link => "a link",
                    Sent::LinkAndCode => "a link and a code",
                },
                sent_again: match page.sent() {
                    Sent::Code => "code",
                    Sent::Link | Sent::LinkAndCode => "link",
                },
                has_link: page.sent() != Sent::Code,
                is_confirmed_elsewhere: page.cross_device() == CrossDevice::Confirm,
                wait: page
                    .resend()
                    .and_then(|resend| resend.wait())
                    .map(words::wait),
            }),
            Page::Confirm(page) => match page.confirmation() {
                Confirmation::SignIn { masked } => html(&Open {
                    frame,
                    page,
                    masked,
                }),
                Confirmation::SignOut { email } => html(&SignOut { frame, page, email }),
            },
            Page::Login(page) => html(&Login {
                frame: Frame {
                    application: page.application().or(frame.application),
                    ..frame
                },
                page,
                problem: page.problem().map(told),
            }),
            Page::Match(page) => html(&Match {
                frame,
                page,
                problem: page.problem().map(told_of_code),
            }),
            Page::Onward(page) => html(&Onward { frame, page }),
            Page::SignedOut(page) => html(&SignedOut { frame, page }),
            Page::Trouble(page) => html(&TroubleTold { frame, page }),
        }
    }

    fn sources(&self) -> PageSources {
        SOURCES.clone()
    }
}

/// What stands around every page.
struct Frame<'a> {
    application: Option<&'a str>,
    style: &'static str,
}

#[derive(Template)]
#[template(path = "check.html", config = "src/page/askama.toml")]
struct Check<'a> {
    frame: Frame<'a>,
    page: &'a CheckPage<'a>,
    problem: Option<&'static str>,
    lifetime: String,
    sent: &'static str,
    sent_again: &'static str,
    has_link: bool,
    is_confirmed_elsewhere: bool,
    wait: Option<String>,
}

#[derive(Template)]
#[template(path = "match.html", config = "src/page/askama.toml")]
struct Match<'a> {
    frame: Frame<'a>,
    page: &'a MatchPage<'a>,
    problem: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "onward.html", config = "src/page/askama.toml")]
struct Onward<'a> {
    frame: Frame<'a>,
    page: &'a OnwardPage<'a>,
}

#[derive(Template)]
#[template(path = "open.html", config = "src/page/askama.toml")]
struct Open<'a> {
    frame: Frame<'a>,
    page: &'a ConfirmPage<'a>,
    masked: &'a str,
}

#[derive(Template)]
#[template(path = "login.html", config = "src/page/askama.toml")]
struct Login<'a> {
    frame: Frame<'a>,
    page: &'a LoginPage<'a>,
    problem: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "sign_out.html", config = "src/page/askama.toml")]
struct SignOut<'a> {
    frame: Frame<'a>,
    page: &'a ConfirmPage<'a>,
    email: &'a str,
}

#[derive(Template)]
#[template(path = "signed_out.html", config = "src/page/askama.toml")]
struct SignedOut<'a> {
    frame: Frame<'a>,
    page: &'a SignedOutPage<'a>,
}

#[derive(Template)]
#[template(path = "trouble.html", config = "src/page/askama.toml")]
struct TroubleTold<'a> {
    frame: Frame<'a>,
    page: &'a TroublePage<'a>,
}

#[expect(
    clippy::expect_used,
    reason = "neither a String nor the texts shown in it can fail to format"
)]
fn html(template: &impl Template) -> String {
    template.render().expect("texts format into a String")
}

const fn told(problem: LoginProblem) -> &'static str {
    match problem {
        LoginProblem::InvalidAddress => {
            "That doesn’t look like an email address. It should read like name@example.com."
        }
        LoginProblem::MissingAddress => "Please type your email address.",
    }
}

const fn told_of_code(problem: CodeProblem) -> &'static str {
    match problem {
        CodeProblem::Expired => "That code is too old. Ask for a new one below.",
        CodeProblem::Missing => "Please type the code.",
        CodeProblem::Used => "That code has been used already, or a newer one has been sent.",
        CodeProblem::Wrong => "That isn’t the code. Please check it and try again.",
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, time::Duration};

    use super::super::{Resend, Trouble};
    use super::*;

    /// Every page in every state, with one text in each place that takes one from outside.
    fn every_page(text: &str) -> Vec<(String, String)> {
        let pages = DefaultPages::new().application_name(text);
        let resend = Resend::new(text, text);
        let login = LoginPage::new(text).with_email(text);
        let check = CheckPage::new(text, Duration::from_secs(900));
        let mut all = vec![
            ("login".to_owned(), Page::Login(LoginPage::new(text))),
            (
                "login, named".to_owned(),
                Page::Login(login.clone().with_application(text)),
            ),
            (
                "login, not an address".to_owned(),
                Page::Login(login.clone().with_problem(LoginProblem::InvalidAddress)),
            ),
            (
                "login, nothing typed".to_owned(),
                Page::Login(login.with_problem(LoginProblem::MissingAddress)),
            ),
            (
                "check, another browser".to_owned(),
                Page::Check(check.clone()),
            ),
            (
                "check".to_owned(),
                Page::Check(check.clone().with_email(text).with_resend(resend)),
            ),
            (
                "check, match code".to_owned(),
                Page::Check(
                    check
                        .with_email(text)
                        .with_match_code(text)
                        .with_resend(resend),
                ),
            ),
            (
                "sign out".to_owned(),
                Page::Confirm(ConfirmPage::new(
                    text,
                    Confirmation::SignOut { email: text },
                )),
            ),
            (
                "signed out".to_owned(),
                Page::SignedOut(SignedOutPage::new(text)),
            ),
        ];
        for trouble in Trouble::ALL {
            let page = TroublePage::new(trouble);
            all.extend([
                (format!("{trouble:?}, bare"), Page::Trouble(page.clone())),
                (
                    format!("{trouble:?}, link"),
                    Page::Trouble(page.clone().with_action(text).with_reference(text)),
                ),
                (
                    format!("{trouble:?}, form"),
                    Page::Trouble(page.with_action(text).with_resend(resend)),
                ),
            ]);
        }
        all.into_iter()
            .map(|(name, page)| (name, pages.render(&page)))
            .collect()
    }

    /// What a parser takes for markup: the tags, with their attributes' values left out.
    fn markup(html: &str) -> String {
        let mut tags = String::new();
        let (mut in_tag, mut in_value) = (false, false);
        for c in html.chars() {
            match c {
                '"' if in_tag => in_value = !in_value,
                _ if in_value => {}
                '<' => in_tag = true,
                '>' => {
                    in_tag = false;
                    tags.push(c);
                }
                _ => {}
            }
            if in_tag && !in_value {
                tags.push(c);
            }
        }
        tags
    }

    fn between<'a>(html: &'a str, start: &str, end: &str) -> &'a str {
        let (_, rest) = html.split_once(start).unwrap();
        rest.split_once(end).unwrap().0
    }

    fn assert_text_stays_text(text: &str) {
        for ((name, tame), (_, wild)) in every_page("text").into_iter().zip(every_page(text)) {
            assert_eq!(markup(&tame), markup(&wild), "{name} with {text:?}");
        }
    }

    #[test]
    fn text_from_outside_never_becomes_markup() {
        for text in [
            "\"><script>alert(1)</script>",
            "' onfocus='alert(1)",
            "\" onfocus=\"alert(1)",
            "</title><script>alert(1)</script>",
            "</style><img src=x onerror=alert(1)>",
            "<!--",
            "&lt;script&gt;",
            "{{ 7 * 7 }}",
            "\0",
            "",
        ] {
            assert_text_stays_text(text);
        }
        let html = &every_page("a\"b'c<d>e&f")[1].1;
        assert!(
            html.contains("action=\"a&#34;b&#39;c&#60;d&#62;e&#38;f\""),
            "{html}"
        );
    }

    #[test]
    fn no_naughty_string_becomes_markup() {
        let Some(corpora) = std::env::var_os("CORPORA") else {
            return;
        };
        let path = std::path::Path::new(&corpora).join("naughty-strings.json");
        let texts: Vec<String> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        assert!(texts.len() > 400, "{} strings", texts.len());
        for text in texts {
            assert_text_stays_text(&text);
        }
    }

    #[test]
    fn the_policy_allows_exactly_the_style_that_each_page_has() {
        let sources = DefaultPages::new().sources();
        for (name, html) in every_page("text") {
            assert_eq!(html.matches("<style").count(), 1, "{name}");
            let style = between(&html, "<style>", "</style>");
            assert_eq!(PageSources::new().inline_style(style), sources, "{name}");
        }
    }

    #[test]
    fn no_page_needs_more_than_the_policy_allows() {
        for (name, html) in every_page("text") {
            let tags = markup(&html);
            for refused in [
                "<script", "<link", "<img", "<iframe", "<base", " style=", " src=", " on", "<!--",
            ] {
                assert!(!tags.contains(refused), "{refused} in {name}");
            }
            let style = between(&html, "<style>", "</style>");
            for refused in ["url(", "@import", "<"] {
                assert!(!style.contains(refused), "{refused} in the style of {name}");
            }
        }
    }

    #[test]
    fn each_page_says_its_language_title_and_heading() {
        for (name, html) in every_page("Acme") {
            assert!(
                html.starts_with("<!doctype html>") && html.contains("<html lang=\"en\">"),
                "{name}"
            );
            assert!(html.ends_with("</html>"), "{name}");
            for once in ["<title>", "<main>", "<h1", "<meta name=\"viewport\""] {
                assert_eq!(html.matches(once).count(), 1, "{once} in {name}");
            }
            let title = between(&html, "<title>", "</title>");
            assert!(
                title.ends_with(" · Acme") && title.len() > 12,
                "{name}: {title}"
            );
            assert!(
                html.contains("<meta name=\"robots\" content=\"noindex\">"),
                "{name}"
            );
            assert!(html.matches(" autofocus").count() <= 1, "{name}");
        }
    }

    #[test]
    fn ids_are_unique_and_what_refers_to_one_finds_it() {
        for (name, html) in every_page("text") {
            let ids: Vec<_> = html.split(" id=\"").skip(1).map(until_quote).collect();
            let unique: HashSet<_> = ids.iter().copied().collect();
            assert_eq!(ids.len(), unique.len(), "{name}: {ids:?}");
            for reference in [" for=\"", " aria-describedby=\""] {
                for id in html.split(reference).skip(1).map(until_quote) {
                    assert!(unique.contains(id), "{id} in {name}");
                }
            }
            for input in html
                .split("<input ")
                .skip(1)
                .map(|rest| between(rest, "", ">"))
            {
                assert!(
                    input.contains("type=\"hidden\"") || html.contains("<label for=\"email\">"),
                    "{name}: an input without a label"
                );
            }
        }
    }

    fn until_quote(text: &str) -> &str {
        text.split_once('"').unwrap().0
    }

    #[test]
    fn the_login_form_posts_one_address_field() {
        let page = LoginPage::new("/auth/login?return_to=%2Fa&b=c").with_email("ada@example.com");
        let html = DefaultPages::new().render(&Page::Login(page));
        assert!(html.contains("<title>Sign in</title>"));
        assert!(
            html.contains("<form method=\"post\" action=\"/auth/login?return_to=%2Fa&#38;b=c\">")
        );
        assert_eq!(html.matches(" name=\"email\"").count(), 1);
        let field = between(&html, "<input ", ">");
        for attribute in [
            "type=\"email\"",
            "autocomplete=\"email\"",
            "autocapitalize=\"none\"",
            "spellcheck=\"false\"",
            "maxlength=\"254\"",
            "required",
            "autofocus",
            "value=\"ada@example.com\"",
        ] {
            assert!(field.contains(attribute), "{attribute} in {field}");
        }
        assert!(!field.contains("aria-invalid"), "{field}");
    }

    #[test]
    fn a_problem_is_told_beside_the_field_and_in_the_title() {
        for problem in [LoginProblem::InvalidAddress, LoginProblem::MissingAddress] {
            let page = LoginPage::new("/auth/login").with_problem(problem);
            let html = DefaultPages::new().render(&Page::Login(page));
            assert!(html.contains("<title>Check the address – sign in</title>"));
            assert_eq!(between(&html, "role=\"alert\">", "</p>"), told(problem));
            let field = between(&html, "<input ", ">");
            assert!(
                field.contains("aria-invalid=\"true\" aria-describedby=\"problem\""),
                "{field}"
            );
        }
    }

    #[test]
    fn the_pages_own_application_name_goes_before_the_general_one() {
        let pages = DefaultPages::new().application_name("General");
        let page = LoginPage::new("/auth/login");
        let html = pages.render(&Page::Login(page.clone().with_application("Own")));
        assert!(html.contains("· Own</title>") && !html.contains("General"));
        assert!(
            pages
                .render(&Page::Login(page))
                .contains("· General</title>")
        );
    }

    #[test]
    fn the_check_page_shows_the_code_and_resends_without_typing() {
        let page = CheckPage::new("/auth/login", Duration::from_secs(5_400))
            .with_email("ada@example.com")
            .with_match_code("K7-42")
            .with_resend(Resend::new("/auth/login?x", "ada@example.com"));
        let html = DefaultPages::new().render(&Page::Check(page));
        assert_eq!(between(&html, " id=\"match-code\">", "<"), "K7-42");
        assert!(html.contains("within 1 hour and 30 minutes"));
        let form = between(
            &html,
            "<form method=\"post\" action=\"/auth/login?x\">",
            "</form>",
        );
        assert!(form.contains("<input type=\"hidden\" name=\"email\" value=\"ada@example.com\">"));
        assert!(form.contains(">Send a new link</button>"));
        assert!(html.contains("<a href=\"/auth/login\">Use another address</a>"));
    }

    #[test]
    fn a_browser_that_did_not_begin_the_sign_in_is_told_no_address_and_no_code() {
        let page = CheckPage::new("/auth/login", Duration::from_secs(900)).with_match_code("K7-42");
        let html = DefaultPages::new().render(&Page::Check(page));
        assert!(html.contains("began in another browser"));
        assert!(!html.contains("K7-42") && !html.contains("<form"));
        assert!(html.contains("href=\"/auth/login\""));
    }

    #[test]
    fn signing_out_everywhere_is_the_same_form_with_one_field() {
        let email = "ada@example.com";
        let page = ConfirmPage::new("/auth/logout", Confirmation::SignOut { email });
        let html = DefaultPages::new().render(&Page::Confirm(page));
        let form = between(
            &html,
            "<form method=\"post\" action=\"/auth/logout\">",
            "</form>",
        );
        assert_eq!(form.matches("<button ").count(), 2);
        assert_eq!(form.matches(" name=").count(), 1);
        assert!(form.contains(" name=\"everywhere\" value=\"true\""));
        assert!(html.contains(email));
    }

    #[test]
    fn a_trouble_has_one_button() {
        let resend = Resend::new("/auth/login?x", "ada@example.com");
        let bare = TroublePage::new(Trouble::LinkUsed);
        let cases = [
            ("bare", bare.clone(), 0, 0),
            ("link", bare.clone().with_action("/auth/login"), 1, 0),
            ("form", bare.clone().with_resend(resend), 0, 1),
            (
                "both",
                bare.with_action("/auth/login").with_resend(resend),
                0,
                1,
            ),
        ];
        for (name, page, links, buttons) in cases {
            let html = DefaultPages::new().render(&Page::Trouble(page));
            assert_eq!(html.matches("<a class=\"button\"").count(), links, "{name}");
            assert_eq!(html.matches("<button ").count(), buttons, "{name}");
            for words in [
                Trouble::LinkUsed.heading(),
                Trouble::LinkUsed.happened(),
                Trouble::LinkUsed.advice(),
            ] {
                assert!(html.contains(words), "{name}: {words}");
            }
        }
    }
}
