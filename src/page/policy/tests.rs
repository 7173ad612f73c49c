use super::*;

fn policy(sources: &PageSources, form_origin: Option<&str>) -> String {
    let mut headers = HeaderMap::new();
    let mut policy = Policy::new(sources).unwrap();
    if let Some(origin) = form_origin {
        policy = policy.leading_to(origin).unwrap();
    }
    policy.write_to(&mut headers);
    headers[CONTENT_SECURITY_POLICY]
        .to_str()
        .unwrap()
        .to_owned()
}

#[test]
fn pages_without_sources_load_nothing_and_post_to_their_own_origin() {
    assert_eq!(
        policy(&PageSources::new(), None),
        "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    );
}

#[test]
fn a_form_whose_answer_redirects_to_the_provider_names_its_origin() {
    assert_eq!(
        policy(&PageSources::new(), Some("https://api.workos.com")),
        "default-src 'none'; form-action 'self' https://api.workos.com; \
         frame-ancestors 'none'; base-uri 'none'"
    );
}

#[test]
fn a_page_for_a_frame_can_be_framed_by_our_own_origin_and_nobody_else() {
    let mut headers = HeaderMap::new();
    let policy = Policy::new(&PageSources::new()).unwrap().in_own_frame();
    policy.write_to(&mut headers);
    assert_eq!(
        headers[CONTENT_SECURITY_POLICY],
        "default-src 'none'; form-action 'self'; frame-ancestors 'self'; base-uri 'none'"
    );
}

#[test]
fn forms_may_lead_on_to_where_the_application_redirects() {
    let sources = PageSources::new().form_target("https://www.example.com");
    assert_eq!(
        policy(&sources, Some("https://api.workos.com")),
        "default-src 'none'; form-action 'self' https://api.workos.com https://www.example.com; \
         frame-ancestors 'none'; base-uri 'none'"
    );
    let broken = PageSources::new().form_target("https://x.example; script-src *");
    assert!(Policy::new(&broken).is_err());
}

#[test]
fn each_kind_of_source_has_its_own_directive() {
    let sources = PageSources::new()
        .font("'self'")
        .script("https://cdn.example.com/a.js")
        .image("data:")
        .image("'self'")
        .style("'self'");
    assert_eq!(
        policy(&sources, None),
        "default-src 'none'; style-src 'self'; img-src data: 'self'; \
         script-src https://cdn.example.com/a.js; font-src 'self'; \
         form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    );
}

#[test]
fn a_source_that_would_weaken_or_break_the_policy_is_refused() {
    let cases = [
        ("empty", ""),
        ("inline text", "'unsafe-inline'"),
        ("inline text in capitals", "'UNSAFE-INLINE'"),
        ("eval", "'unsafe-eval'"),
        ("handlers by hash", "'unsafe-hashes'"),
        ("eval of wasm", "'wasm-unsafe-eval'"),
        ("a fixed nonce", "'nonce-abc'"),
        ("another directive", "'self'; script-src *"),
        ("another directive without a space", "a;script-src"),
        ("another policy", "a,default-src"),
        ("two sources", "'self' https://a.example"),
        ("a tab", "a\tb"),
        ("a line break", "a\r\nSet-Cookie:x"),
        ("a nul", "a\0"),
        ("not ascii", "https://bücher.example"),
        ("a bare keyword", "self"),
        ("a bare unsafe keyword", "unsafe-inline"),
        (
            "a bare hash",
            "sha256-xZtXACqK34OKRiapy+xOenho9OPxF5QbKH3J88mIjqg=",
        ),
        ("a bare nonce", "nonce-abc"),
    ];
    type Add = fn(PageSources, &str) -> PageSources;
    let kinds: [(&str, Add); 4] = [
        ("style", |all, source| all.style(source)),
        ("image", |all, source| all.image(source)),
        ("script", |all, source| all.script(source)),
        ("font", |all, source| all.font(source)),
    ];
    for (name, source) in cases {
        for (kind, add) in kinds {
            let error = Policy::new(&add(PageSources::new(), source)).unwrap_err();
            let ConfigError::Invalid { setting, value, .. } = error else {
                panic!("{name} as {kind}: {error:?}");
            };
            assert_eq!(
                (setting, value.as_str()),
                ("pages", source),
                "{name}, {kind}"
            );
        }
        let policy = Policy::new(&PageSources::new()).unwrap();
        let error = policy.leading_to(source).unwrap_err();
        assert_eq!(error.setting(), "form_origin", "{name}");
    }
}

#[test]
fn a_hash_is_of_the_text_as_a_browser_parses_it() {
    // RFC 6234's test vector "abc", in base64.
    let abc = "'sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0='";
    assert_eq!(PageSources::new().inline_style("abc").styles, [abc]);
    assert_eq!(PageSources::new().inline_script("abc").scripts, [abc]);
    let unix = hash_source("a {\n}\n\n");
    assert_eq!(hash_source("a {\r\n}\r\n\r\n"), unix);
    assert_eq!(hash_source("a {\r}\r\r"), unix);
}

#[test]
fn a_page_is_not_cached_sniffed_framed_or_named_as_referrer() {
    let mut headers = HeaderMap::new();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("max-age=600"));
    Policy::new(&PageSources::new())
        .unwrap()
        .write_to(&mut headers);
    let mut all: Vec<_> = headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    all.sort();
    assert_eq!(
        all,
        [
            "cache-control: no-store",
            "content-security-policy: default-src 'none'; form-action 'self'; \
             frame-ancestors 'none'; base-uri 'none'",
            "content-type: text/html; charset=utf-8",
            "cross-origin-opener-policy: same-origin",
            "referrer-policy: no-referrer",
            "x-content-type-options: nosniff",
        ]
    );
}

#[test]
fn a_path_is_that_of_the_public_url_and_no_other_source_is_changed() {
    let sources = PageSources::new()
        .style("/app.css")
        .script("/a/")
        .font("/f.woff2")
        .image("/logo.svg")
        .image("//cdn.example.com/logo.svg")
        .image("https://cdn.example.com/logo.svg")
        .image("'self'")
        .inline_style("abc");
    assert_eq!(
        policy(&sources.at("http://localhost:3000"), None),
        "default-src 'none'; \
         style-src http://localhost:3000/app.css \
         'sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0='; \
         img-src http://localhost:3000/logo.svg //cdn.example.com/logo.svg \
         https://cdn.example.com/logo.svg 'self'; \
         script-src http://localhost:3000/a/; font-src http://localhost:3000/f.woff2; \
         form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    );
}
