use super::*;

/// Returns an SVG with this inside.
fn svg(inside: &str) -> String {
    format!("<svg viewBox=\"0 0 9 9\">{inside}</svg>")
}

#[test]
fn a_drawing_is_taken_as_it_is() {
    let gradient = "<defs><linearGradient id=\"logo-a\"><stop offset='0' stop-color=\"#fff\"/>\
                    <stop offset=\"100%\" stop-color=\"rgb(1, 2, 3)\"/></linearGradient>\
                    <radialGradient id=\"logo-b\" href=\"#logo-a\"/><clipPath id=\"logo_c\"><rect \
                    width=\"9\" height=\"9\" rx=\"1\"/></clipPath></defs>";
    let cases = [
        "<svg viewBox='0 0 9 9'/>".to_owned(),
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\" fill=\"none\" \
         viewBox=\"0 0 9 9\"></svg>"
            .to_owned(),
        svg("\n  <g fill=\"currentColor\">\r\n\t<path d=\"M1-.5e-3 2,3z\" /></g >\n"),
        svg("<g transform=\"translate(1 2) rotate(-45)\"><line x2=\"9\"></line></g>"),
        svg(&format!(
            "{gradient}<circle r=\"4\" fill=\"url(#logo-a)\" clip-path=\"url(#logo_c)\"/>"
        )),
    ];
    for case in &cases {
        assert_eq!(
            checked(case).map(|rest| format!("<svg{rest}")).as_ref(),
            Ok(case)
        );
    }
}

#[test]
fn what_is_more_than_a_drawing_is_refused_with_the_reason() {
    let inside = [
        ("<script>alert(1)</script>", "without <script>"),
        ("<SCRIPT/>", "without <script>"),
        ("<script href=\"//evil.example/a.js\"/>", "without <script>"),
        ("<style>*{display:none}</style>", "without <style>"),
        ("<style/>", "without <style>"),
        ("<g style=\"fill:red\"/>", "without a style attribute"),
        ("<g STYLE=\"fill:red\"/>", "without a style attribute"),
        (
            "<g onclick=\"alert(1)\"/>",
            "event attributes such as onclick",
        ),
        ("<g OnLoad='alert(1)'/>", "event attributes such as OnLoad"),
        ("<g\nonload=\"alert(1)\"/>", "event attributes"),
        (
            "<g/onload=\"alert(1)\"/>",
            "shapes alone, without <g/onload=",
        ),
        ("<g id=\"logo\"onload=\"alert(1)\"/>", "written as name="),
        ("<g onload=alert(1)/>", "written as name="),
        ("<g onload/>", "written as name="),
        (
            "<g fill='a' \"\"onload=\"x\"/>",
            "without the attribute \"\"onload",
        ),
        ("<animate attributeName=\"href\"/>", "shapes alone"),
        (
            "<set attributeName=\"onload\" to=\"alert(1)\"/>",
            "shapes alone",
        ),
        ("<foreignObject/>", "shapes alone"),
        (
            "<image href=\"https://evil.example/a.png\"/>",
            "shapes alone",
        ),
        ("<a href=\"https://evil.example/\"/>", "shapes alone"),
        ("<iframe/>", "shapes alone"),
        // Each level would be drawn as often as the one above says, times its own number.
        ("<use href=\"#logo-a\"/>", "shapes alone"),
        ("<pattern id=\"logo-a\"/>", "shapes alone"),
        ("<mask mask=\"url(#logo-a)\"/>", "none of their own"),
        (
            "<mask><g><path clip-path=\"url(#logo-a)\"/></g></mask>",
            "none of their own",
        ),
        (
            "<clipPath><g mask=\"url(#logo-a)\"/></clipPath>",
            "none of their own",
        ),
        (
            "<clipPath clip-path=\"url(#logo-a)\"/>",
            "none of their own",
        ),
        ("<feImage href=\"https://evil.example/\"/>", "shapes alone"),
        ("<p/>", "shapes alone"),
        ("<svg viewBox=\"0 0 1 1\"/>", "with none in it"),
        ("<title>Acme</title>", "without <title>"),
        ("<text>Acme</text>", "without <text>"),
        ("<lineargradient/>", "shapes alone"),
        ("Acme", "without text"),
        ("&lt;", "without text"),
        ("<g>a</g>", "without text"),
        ("<!-- a -->", "without comments"),
        ("<![CDATA[<script>]]>", "without comments"),
        ("<!DOCTYPE svg>", "without comments"),
        ("<?xml-stylesheet href=\"a\"?>", "without comments"),
        (
            "<linearGradient href=\"https://evil.example/a.svg#logo\"/>",
            "its own ids alone",
        ),
        (
            "<linearGradient href=\"//evil.example/a.svg#logo\"/>",
            "its own ids alone",
        ),
        (
            "<linearGradient href=\"/a.svg#logo\"/>",
            "its own ids alone",
        ),
        (
            "<linearGradient href=\"javascript:alert(1)\"/>",
            "its own ids alone",
        ),
        (
            "<linearGradient href=\"data:image/svg+xml,a#logo\"/>",
            "its own ids alone",
        ),
        ("<linearGradient xlink:href=\"#logo\"/>", "use href"),
        (
            "<g fill=\"url(https://evil.example/a#b)\"/>",
            "letters, digits",
        ),
        ("<g fill=\"url(a.svg#logo)\"/>", "its own ids alone"),
        ("<g fill=\"URL(a.svg)\"/>", "its own ids alone"),
        ("<g fill=\"url( #logo)\"/>", "its own ids alone"),
        ("<g fill=\"url(#logo) url(a.svg)\"/>", "its own ids alone"),
        ("<g fill='url(\"a\")'/>", "letters, digits"),
        ("<g mask=\"image-set('a' 1x)\"/>", "letters, digits"),
        ("<g fill=\"u\\72l(a.svg)\"/>", "letters, digits"),
        ("<g fill=\"&#117;rl(a.svg)\"/>", "letters, digits"),
        ("<g fill=\"red;x:y\"/>", "letters, digits"),
        ("<g fill=\"<script>\"/>", "letters, digits"),
        ("<g id=\"code\"/>", "ids begin with logo"),
        ("<g id=\"logo a\"/>", "ids begin with logo"),
        ("<g class=\"button\"/>", "without class"),
        ("<g role=\"button\"/>", "without the attribute role"),
        ("<g tabindex=\"0\"/>", "without the attribute tabindex"),
        (
            "<g xmlns=\"http://www.w3.org/1999/xhtml\"/>",
            "SVG namespace",
        ),
        (
            "<g xmlns:x=\"http://www.w3.org/1999/xhtml\"/>",
            "without the attribute xmlns:x",
        ),
        ("<g fill=\"red\" fill=\"blue\"/>", "second fill"),
        ("<g>", "closes each element"),
        ("</g>", "closes each element"),
        ("<g></G>", "closes each element"),
        ("<g><path></g></path>", "closes each element"),
    ];
    for (inside, want) in inside {
        let problem = checked(&svg(inside)).unwrap_err();
        assert!(problem.contains(want), "{inside}: {problem}");
        assert!(problem.starts_with("must be "), "{inside}: {problem}");
    }
}

#[test]
fn what_is_not_one_svg_is_refused_with_the_reason() {
    let long = svg(&"<g/>".repeat(4_096));
    let cases = [
        ("<svg/>", "with a viewBox"),
        (
            "<svg viewBox=\"0 0 1 1\" transform=\"scale(99)\"/>",
            "no transform",
        ),
        ("<svg width=\"1\"></svg>", "with a viewBox"),
        (
            "<svg viewBox=\"0 0 1 1\" onload=\"alert(1)\"/>",
            "event attributes",
        ),
        ("<svg viewBox=\"0 0 1 1\" class=\"logo\"/>", "without class"),
        (
            "<svg viewBox=\"0 0 1 1\" aria-label=\"x\"/>",
            "the attribute aria-label",
        ),
        ("<svg viewBox=\"0 0 1 1\">", "each element is closed"),
        ("<svg viewBox=\"0 0 1 1\"", "whose tags end"),
        (
            "<svg viewBox=\"0 0 1 1\"/><script>1</script>",
            "nothing behind it",
        ),
        ("<svg viewBox=\"0 0 1 1\"/>text", "nothing behind it"),
        (
            "<svg viewBox=\"0 0 1 1\"></svg></main>",
            "nothing behind it",
        ),
        ("<svg\u{c}viewBox=\"0 0 1 1\"/>", "one <svg> element"),
        ("<svg\0 viewBox=\"0 0 1 1\"/>", "one <svg> element"),
        ("<SVG viewBox=\"0 0 1 1\"/>", "one <svg> element"),
        ("<img src=\"x\">", "one <svg> element"),
        ("<g/>", "one <svg> element"),
        ("</svg>", "closes each element"),
        (
            "<?xml version=\"1.0\"?><svg viewBox=\"0 0 1 1\"/>",
            "without comments",
        ),
        ("<", "whose tags end"),
        ("<>", "one <svg> element"),
        (&*long, "at most 16 KiB"),
    ];
    for (text, want) in cases {
        let problem = checked(text).unwrap_err();
        assert!(problem.contains(want), "{text}: {problem}");
    }
}

#[test]
fn the_lists_are_in_order_and_name_nothing_that_runs_or_loads() {
    assert!(ELEMENTS.is_sorted() && ATTRIBUTES.is_sorted());
    for name in ATTRIBUTES {
        let lower = name.to_ascii_lowercase();
        assert!(
            !lower.starts_with("on") && lower != "style" && lower != "src",
            "{name}"
        );
    }
}
