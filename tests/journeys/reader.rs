//! The reader of pages, by which the other tests judge.

use crate::page::Page;

const PAGE: &str = r#"<!doctype html>
<html lang="en"><head><title>a < b</title><style>p > a { color: red }</style><!-- <h1>no</h1> -->
<meta charset="utf-8"></head>
<body><svg viewBox="0 0 1 1"><path d="m0 0"/></svg><h1 tabindex="-1" autofocus>Ada &amp; <b>Eve</b></h1>
<p id="where">Go
  <strong id="match-code">BKQ-TMR</strong></p>
<form method="post" action="/a?b=1&#38;c=2">
<input type="hidden" name="t" value="&quot;x&quot;"><input type="text" name="code" required>
<button type="submit" name="answer" value="no">No</button><button type="submit">Yes</button><button type="submit" disabled>Wait</button>
</form>
<a class="button" href="/on?x=1&#38;y=2">On</a><script>go("<form>")</script></body></html>"#;

#[test]
fn a_page_is_read_as_a_browser_would() {
    let page = Page::of(PAGE);
    assert_eq!(page.heading, "Ada & Eve");
    assert_eq!(page.text_of("match-code"), Some("BKQ-TMR"));
    assert_eq!(page.text_of("where"), Some("Go BKQ-TMR"));
    assert_eq!(page.links[0].href, "/on?x=1&y=2");
    assert_eq!(page.links[0].label, "On");
    assert_eq!((page.scripts.len(), page.forms.len()), (1, 1));
    assert!(page.form_to_type("code").is_some() && page.form_to_type("t").is_none());
    assert!(page.form_to_resend().is_none());
    let form = &page.forms[0];
    assert_eq!((&*form.method, &*form.action), ("post", "/a?b=1&c=2"));
    let labels: Vec<_> = form.buttons.iter().map(|button| &*button.label).collect();
    assert_eq!(labels, ["No", "Yes"], "a disabled button cannot be pressed");
    let typed = [("code", "a b")];
    assert_eq!(
        form.sent_by(form.plain_button(), &typed),
        "t=%22x%22&code=a+b"
    );
    assert_eq!(
        form.sent_by(&form.buttons[0], &[]),
        "t=%22x%22&code=&answer=no"
    );
}

#[test]
fn a_page_that_refreshes_itself_is_noticed() {
    let page = Page::of(r#"<meta http-equiv="refresh" content="0; url=/on">"#);
    assert_eq!(page.refresh.as_deref(), Some("0; url=/on"));
}

#[test]
fn markup_that_is_none_of_ours_is_not_read() {
    let cases = [
        ("not closed", "<p>"),
        ("closed alone", "</p>"),
        ("crossed", "<p><b></p></b>"),
        ("without quotes", "<a href=x>x</a>"),
        ("twice", r#"<p id="a"></p><p id="a"></p>"#),
        (
            "an unknown field",
            r#"<form method="post" action="/"><input type="file" name="f"></form>"#,
        ),
        ("a field in no form", r#"<input type="text" name="f">"#),
        ("a frame", "<iframe></iframe>"),
        ("a form that gets", r#"<form action="/"></form>"#),
    ];
    for (name, html) in cases {
        let read = std::panic::catch_unwind(|| Page::of(html));
        assert!(read.is_err(), "{name}: {read:?}");
    }
}
