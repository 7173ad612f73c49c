use super::{super::address::LONGEST_ADDRESS, *};

const DRAWING: &str = "<svg viewBox=\"0 0 9 9\"><path d=\"M0 0h9v9z\"/></svg>";

#[test]
fn a_picture_has_one_address_in_the_form_that_the_policy_names() {
    let cases = [
        ("/logo.svg", "/logo.svg"),
        ("/static/Logo%20of%20us.png", "/static/Logo%20of%20us.png"),
        (
            "https://cdn.example.com/logo.svg",
            "https://cdn.example.com/logo.svg",
        ),
        (
            "HTTPS://CDN.example.com:443/Logo.svg",
            "https://cdn.example.com/Logo.svg",
        ),
        (
            "https://cdn.example.com:8443/a",
            "https://cdn.example.com:8443/a",
        ),
        (
            "https://bücher.example/é<\".svg",
            "https://xn--bcher-kva.example/%C3%A9%3C%22.svg",
        ),
    ];
    for (source, want) in cases {
        let logo = Logo::parse(source, "Acme").unwrap();
        assert_eq!(logo.address(), Some(want), "{source}");
        assert_eq!(logo.drawing(), None, "{source}");
    }
    let logo = Logo::parse(&format!("\n{DRAWING}\n"), "Acme").unwrap();
    assert_eq!(logo.address(), None);
    assert_eq!(logo.drawing(), DRAWING.strip_prefix("<svg"));
}

#[test]
fn any_other_source_is_refused_with_its_beginning_unless_that_may_be_a_password() {
    let long = format!("https://example.com/{}", "a".repeat(LONGEST_ADDRESS));
    let cases = [
        ("", "must be a URL of https"),
        ("logo.svg", "must be a URL of https"),
        ("http://cdn.example.com/logo.svg", "must be a URL of https"),
        ("data:image/svg+xml,%3Csvg/%3E", "must be a URL of https"),
        ("javascript:alert(1)", "must be a URL of https"),
        ("blob:https://example.com/a", "must be a URL of https"),
        ("'self'", "must be a URL of https"),
        ("https://", "must be a URL of https"),
        ("//cdn.example.com/logo.svg", "as browsers send it"),
        ("/\\cdn.example.com/logo.svg", "as browsers send it"),
        ("/a/../logo.svg", "as browsers send it"),
        ("/a/%2e%2E/logo.svg", "as browsers send it"),
        ("/lo go.svg", "as browsers send it"),
        ("/logo\".svg", "as browsers send it"),
        ("/lo\ngo.svg", "as browsers send it"),
        ("/é.svg", "as browsers send it"),
        ("/logo.svg?v=2", "no query"),
        ("/logo.svg#a", "no query and no fragment"),
        ("https://cdn.example.com/logo.svg?v=2", "no query"),
        ("https://cdn.example.com/logo.svg?", "no query"),
        ("https://cdn.example.com/#a", "no fragment"),
        // To a policy these are whole hosts and folders.
        ("/", "must name one file"),
        ("/logos/", "must name one file"),
        ("https://cdn.example.com", "must name one file"),
        ("https://*.example.com/logo.svg", "must name one file"),
        ("/a;script-src", "must name one file"),
        ("/a,default-src", "must name one file"),
        ("https://192.0.2.1/logo.svg", "a host with a name"),
        ("https://[2001:db8::1]/logo.svg", "a host with a name"),
        (&*long, "at most 500 characters"),
    ];
    for (source, want) in cases {
        let error = Logo::parse(source, "Acme").unwrap_err();
        let ConfigError::Invalid {
            setting: "logo",
            value,
            problem,
        } = error
        else {
            panic!("{source}: {error}");
        };
        assert!(problem.contains(want), "{source}: {problem}");
        let shown: String = source.chars().take(80).collect();
        assert_eq!(value.trim_end_matches('…'), shown);
    }
    for source in [
        "https://ada:secret@cdn.example.com/logo.svg",
        "https://secret@cdn.example.com/logo.svg",
        "ftp://ada:secret@cdn.example.com/logo.svg",
        "https://ada:secret@bad host/",
    ] {
        let error = Logo::parse(source, "Acme").unwrap_err();
        assert!(matches!(
            error,
            ConfigError::Secret {
                setting: "logo",
                ..
            }
        ));
        assert!(!error.to_string().contains("secret"), "{source}");
    }
}

#[test]
fn a_drawing_that_is_refused_is_shown_by_its_beginning_with_the_reason() {
    let svg = format!("<svg onload=\"{}\"/>", "x".repeat(200));
    let error = Logo::parse(&svg, "Acme").unwrap_err().to_string();
    assert!(error.len() < 250, "{error}");
    assert!(error.starts_with("logo \"<svg onload="), "{error}");
    let reason = "…\" must be an SVG without event attributes such as onload";
    assert!(error.ends_with(reason), "{error}");
}

#[test]
fn a_logo_has_an_alternative_text() {
    let long = "x".repeat(81);
    for alt in ["", " ", " Acme", "Acme\n", "Ac\u{7}me", &*long] {
        let error = Logo::parse("/logo.svg", alt).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("alternative text of 1 to 80"), "{text}");
        assert_eq!(error.setting(), "logo");
    }
    let longest = "ü".repeat(80);
    for alt in ["A", "R&D <Labs> \"Ltd\"", &*longest] {
        assert_eq!(Logo::parse("/logo.svg", alt).unwrap().alt, alt);
    }
}
