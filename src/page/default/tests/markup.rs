//! The markup of every page: text from outside never becomes any, and the policy allows exactly
//! what is there.

use std::collections::HashSet;

use super::*;

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
