//! What every page holds, in every state.

mod every;

use std::{collections::HashSet, time::Duration};

use self::every::{PROBLEMS, SENT, every_page, resends};
use super::super::{CodeEntry, LoginProblem};
use super::*;
use crate::rejection::RejectionKind;

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

fn assert_texts_stay_text<'t>(texts: impl IntoIterator<Item = &'t str>) {
    let tame: Vec<_> = every_page("text")
        .iter()
        .map(|(_, html)| markup(html))
        .collect();
    for text in texts {
        for (tame, (name, wild)) in tame.iter().zip(every_page(text)) {
            assert_eq!(*tame, markup(&wild), "{name} with {text:?}");
        }
    }
}

#[test]
fn text_from_outside_never_becomes_markup() {
    assert_texts_stay_text([
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
    ]);
    let html = &every_page("a\"b'c<d>e&f")[0].1;
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
    assert_texts_stay_text(texts.iter().map(String::as_str));
}

#[test]
fn the_policy_allows_exactly_the_style_and_the_scripts_that_the_pages_have() {
    let mut scripts = Vec::new();
    let pages = [every_page("text"), every_page("</script><script>")].concat();
    for (name, html) in &pages {
        assert_eq!(html.matches("<style").count(), 1, "{name}");
        assert_eq!(between(html, "<style>", "</style>"), STYLE, "{name}");
        match html.matches("<script").count() {
            0 => {}
            1 => scripts.push(between(html, "<script>", "</script>")),
            many => panic!("{many} scripts in {name}"),
        }
    }
    scripts
        .sort_unstable_by_key(|script| [KEEP, ONCE, ONWARD, WAIT].iter().position(|s| s == script));
    scripts.dedup();
    let named = scripts
        .iter()
        .fold(PageSources::new().inline_style(STYLE), |sources, script| {
            sources.inline_script(script)
        });
    assert_eq!(named, DefaultPages::new().sources());
}

#[test]
fn no_page_needs_more_than_the_policy_allows() {
    for (name, html) in every_page("text") {
        let tags = markup(&html);
        for refused in [
            "<link", "<img", "<iframe", "<base", "<object", " style=", " src=", " on", "<!--",
        ] {
            assert!(!tags.contains(refused), "{refused} in {name}");
        }
        let style = between(&html, "<style>", "</style>");
        for refused in ["url(", "@import", "<"] {
            assert!(!style.contains(refused), "{refused} in the style of {name}");
        }
    }
    for script in [KEEP, ONCE, ONWARD, WAIT] {
        for refused in [
            "<",
            "innerHTML",
            "eval",
            "fetch",
            "Function",
            "cookie",
            "document.write",
            "import",
        ] {
            assert!(!script.contains(refused), "{refused} in {script}");
        }
    }
}

#[test]
fn a_script_stands_where_it_has_something_to_do() {
    for (name, html) in every_page("text") {
        let script = match name.as_str() {
            "onward" => Some(ONWARD),
            name if name.starts_with("login") => Some(KEEP),
            name if name.ends_with("in a while") => Some(WAIT),
            _ if html.contains("<form") => Some(ONCE),
            _ => None,
        };
        let has = html
            .contains("<script>")
            .then(|| between(&html, "<script>", "</script>"));
        assert_eq!(has, script, "{name}");
        let ids: &[&str] = match script {
            Some(ONWARD) => &["onward"],
            Some(WAIT) => &["again", "wait", "ready"],
            _ => &[],
        };
        for id in ids {
            assert!(html.contains(&format!(" id=\"{id}\"")), "{id} in {name}");
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
            let named = html.split(reference).skip(1).map(until_quote);
            for id in named.flat_map(str::split_whitespace) {
                assert!(unique.contains(id), "{id} in {name}");
            }
        }
        for input in html
            .split("<input ")
            .skip(1)
            .map(|rest| between(rest, "", ">"))
        {
            assert!(
                input.contains("type=\"hidden\"")
                    || html.contains(&format!(
                        "<label for=\"{}\">",
                        between(input, "id=\"", "\"")
                    )),
                "{name}: an input without a label: {input}"
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
    assert!(html.contains("<form method=\"post\" action=\"/auth/login?return_to=%2Fa&#38;b=c\">"));
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
        assert_eq!(
            between(&html, "role=\"alert\">", "</p>"),
            told::address_problem(problem)
        );
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
        .with_match_code("BKQ-TMR")
        .with_resend(Resend::new("/auth/login?x", "ada@example.com"));
    let html = DefaultPages::new().render(&Page::Check(page));
    assert_eq!(between(&html, " id=\"match-code\">", "<"), "BKQ-TMR");
    assert!(html.contains("within 1 hour and 30 minutes"));
    let form = between(
        &html,
        "<form method=\"post\" action=\"/auth/login?x\" autocomplete=\"off\">",
        "</form>",
    );
    assert!(form.contains("<input type=\"hidden\" name=\"email\" value=\"ada@example.com\">"));
    assert!(form.contains(">Send a new link</button>"));
    assert!(html.contains("<a href=\"/auth/login\">Use another address</a>"));
}

#[test]
fn a_browser_that_did_not_begin_the_sign_in_is_told_no_address_and_no_code() {
    let page = CheckPage::new("/auth/login", Duration::from_secs(900)).with_match_code("BKQ-TMR");
    let html = DefaultPages::new().render(&Page::Check(page));
    assert!(html.contains("began in another browser"));
    assert!(!html.contains("BKQ-TMR") && !html.contains("<form"));
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
    let bare = TroublePage::new(RejectionKind::LinkUsed);
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
            RejectionKind::LinkUsed.heading(),
            RejectionKind::LinkUsed.happened(),
            RejectionKind::LinkUsed.advice(),
        ] {
            assert!(html.contains(words), "{name}: {words}");
        }
    }
}

#[test]
fn the_forms_promise_what_will_be_mailed() {
    let cases = [
        (
            Sent::Code,
            "a code to sign in with",
            ">Email me a code<",
            ">Send a new code<",
        ),
        (
            Sent::Link,
            "a link that signs you in",
            ">Email me a link<",
            ">Send a new link<",
        ),
        (
            Sent::LinkAndCode,
            "a link and a code",
            ">Email me<",
            ">Send a new email<",
        ),
    ];
    let pages = DefaultPages::new();
    for (sent, promise, begin, again) in cases {
        let html = pages.render(&Page::Login(LoginPage::new("/").with_sent(sent)));
        assert!(
            html.contains(promise) && html.contains(begin),
            "{sent:?}: {html}"
        );
        let resend = Resend::new("/", "ada@example.com").with_sent(sent);
        let check = CheckPage::new("/", Duration::from_secs(900))
            .with_email("ada@example.com")
            .with_sent(sent)
            .with_resend(resend);
        let trouble = TroublePage::new(RejectionKind::AttemptExpired).with_resend(resend);
        for page in [Page::Check(check), Page::Trouble(trouble)] {
            assert!(pages.render(&page).contains(again), "{sent:?}");
        }
    }
}

#[test]
fn a_mailed_code_has_the_first_field_and_keyboards_know_it() {
    let page = CheckPage::new("/auth/login", Duration::from_secs(900))
        .with_email("ada@example.com")
        .with_match_code("BKQ-TMR")
        .with_sent(Sent::LinkAndCode)
        .with_resend(Resend::new("/auth/login", "ada@example.com"));
    let minutes = |minutes: u64| {
        CodeEntry::new("/auth/code?t=x").with_lifetime(Duration::from_secs(60 * minutes))
    };
    let html = DefaultPages::new().render(&Page::Check(page.clone().with_code_entry(minutes(10))));
    let form = between(&html, "<form method=\"post\" ", "</form>");
    assert!(form.starts_with("action=\"/auth/code?t=x\">"), "{form}");
    let field = between(form, "<input ", ">");
    for attribute in [
        "name=\"code\"",
        "inputmode=\"numeric\"",
        "autocomplete=\"one-time-code\"",
        "pattern=\"[0-9\\s]*\"",
        "required",
        "autofocus",
    ] {
        assert!(field.contains(attribute), "{attribute} in {field}");
    }
    assert!(html.find("id=\"code\"") < html.find("id=\"match-code\""));
    assert!(html.contains("the link works for 15 minutes, the code for 10 minutes."));
    let html = DefaultPages::new().render(&Page::Check(page.with_code_entry(minutes(15))));
    assert!(html.contains("Use either one, within 15 minutes."));
}

#[test]
fn a_problem_with_a_code_is_told_beside_its_field() {
    for problem in PROBLEMS {
        let entry = CodeEntry::new("/auth/code").with_problem(problem);
        let check = CheckPage::new("/", Duration::from_secs(900))
            .with_email("ada@example.com")
            .with_code_entry(entry);
        let cases = [
            (
                Page::Check(check),
                "Check the code",
                told::code_problem(problem),
            ),
            (
                Page::Match(MatchPage::new(entry, "a•••@example.com", "/")),
                "Check the letters",
                told::letters_problem(problem),
            ),
        ];
        for (page, title, sentence) in cases {
            let html = DefaultPages::new().render(&page);
            assert!(
                between(&html, "<title>", "</title>").starts_with(title),
                "{problem:?}"
            );
            assert_eq!(between(&html, "role=\"alert\">", "</p>"), sentence);
            let field = between(&html, "<input id=\"code\"", ">");
            assert!(
                field.contains("aria-invalid=\"true\" aria-describedby=\"problem"),
                "{field}"
            );
        }
    }
}

#[test]
fn each_way_of_cross_device_is_told_in_a_sentence_of_its_own() {
    let page = CheckPage::new("/", Duration::from_secs(900)).with_email("ada@example.com");
    let cases = [
        (
            CrossDevice::Confirm,
            "it asks whether to sign you in there.",
        ),
        (CrossDevice::MatchCode, "it asks for these letters:"),
        (CrossDevice::Refuse, "it won’t sign you in anywhere else."),
    ];
    for (others, sentence) in cases {
        for sent in SENT {
            let code = Some("BKQ-TMR").filter(|_| others == CrossDevice::MatchCode);
            let page = page
                .clone()
                .with_sent(sent)
                .with_cross_device(others)
                .with_match_code(code);
            let html = DefaultPages::new().render(&Page::Check(page));
            for (_, other) in cases {
                let is_told = other == sentence && sent != Sent::Code;
                assert_eq!(
                    html.contains(other),
                    is_told,
                    "{others:?}, {sent:?}: {other}"
                );
            }
        }
    }
}

#[test]
fn a_new_mail_is_asked_for_with_its_attempt_and_after_its_wait() {
    for (name, resend) in resends("x\"y") {
        let check = CheckPage::new("/", Duration::from_secs(900))
            .with_email("ada@example.com")
            .with_resend(resend);
        let trouble = TroublePage::new(RejectionKind::LinkExpired).with_resend(resend);
        for page in [Page::Check(check), Page::Trouble(trouble)] {
            let html = DefaultPages::new().render(&page);
            let has_attempt = resend.is_some_and(|resend| resend.attempt().is_some());
            let attempt = "<input type=\"hidden\" name=\"t\" value=\"x&#34;y\">";
            assert_eq!(html.contains(attempt), has_attempt, "{name}");
            let has_wait = resend.is_some_and(|resend| resend.wait().is_some());
            let wait = "data-seconds=\"23\">You can ask for a new one in <span>23 seconds</span>.";
            assert_eq!(html.contains(wait), has_wait, "{name}");
            assert!(
                !html.contains(" disabled"),
                "{name}: without a script it can be pressed"
            );
        }
    }
    let over = Resend::new("/", "ada@example.com").with_wait(Duration::ZERO);
    let page = TroublePage::new(RejectionKind::LinkExpired).with_resend(over);
    let html = DefaultPages::new().render(&Page::Trouble(page));
    assert!(!html.contains("You can ask") && !html.contains(WAIT));
}

/// A robot that presses the first button, or every one in turn, must begin with the one that gives
/// nothing away.
#[test]
fn saying_no_is_the_first_button_and_signing_in_sends_no_field() {
    let sign_in = Confirmation::SignIn {
        masked: "a•••@example.com",
    };
    let page = ConfirmPage::new("/auth/open?t=x", sign_in);
    let html = DefaultPages::new().render(&Page::Confirm(page));
    let (no, yes) = between(&html, "<form ", "</form>")
        .split_once("</button>")
        .unwrap();
    assert!(no.contains("action=\"/auth/open?t=x\""), "{no}");
    assert!(
        no.contains("type=\"submit\" name=\"answer\" value=\"no\""),
        "{no}"
    );
    assert!(
        yes.contains("<button type=\"submit\"") && !yes.contains(" name="),
        "{yes}"
    );
    assert!(html.contains("a•••@example.com") && !html.contains("<input"));
}

#[test]
fn the_page_that_leads_on_does_so_with_and_without_a_script() {
    let page = OnwardPage::new("/reports?a=1&b=\"2");
    let html = DefaultPages::new().render(&Page::Onward(page));
    let to = "/reports?a=1&#38;b=&#34;2";
    let refresh =
        format!("<noscript><meta http-equiv=\"refresh\" content=\"0;url={to}\"></noscript>");
    assert!(html.contains(&refresh), "{html}");
    assert!(html.contains(&format!(
        "id=\"onward\" href=\"{to}\" autofocus>Continue</a>"
    )));
    assert!(html.find("<script>") > html.find("id=\"onward\""));
}

#[test]
fn a_trouble_names_what_it_is_about() {
    let page =
        TroublePage::new(RejectionKind::CookiesBlocked).with_detail("Cookie: __Host-magic-link");
    let html = DefaultPages::new().render(&Page::Trouble(page));
    assert_eq!(
        between(&html, "class=\"detail\"><bdi>", "</bdi>"),
        "Cookie: __Host-magic-link"
    );
}

#[test]
fn the_one_button_of_each_trouble_says_what_it_does() {
    for trouble in RejectionKind::ALL {
        let page = TroublePage::new(trouble).with_action("/auth/login");
        let link = DefaultPages::new().render(&Page::Trouble(page.clone()));
        let label = between(&link, "<a class=\"button\"", "</a>");
        assert!(
            label.ends_with(&format!(">{}", trouble.way_on())),
            "{trouble:?}: {label}"
        );
        let resend = Resend::new("/auth/login", "ada@example.com");
        let form = DefaultPages::new().render(&Page::Trouble(page.with_resend(resend)));
        assert!(form.contains(">Send a new link</button>"), "{trouble:?}");
        assert!(!form.contains("class=\"button\""), "{trouble:?}");
    }
}
