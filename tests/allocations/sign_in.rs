//! What the steps of signing in allocate, beside a provider that answers at once.

use std::net::SocketAddr;

use tower_magic_link::{
    PeerAddr,
    throttle::{Limits, Rate},
};

use super::*;

/// The bound for a posted address.
const MOST_FOR_BEGIN: u64 = 40;

/// How many are counted. One text in 96 is sealed once more, and now and then a table grows: the
/// least of so many is what a step costs without that.
const COUNTED: usize = 48;

#[test]
fn the_steps_of_signing_in_cost_few_allocations() {
    let provider = StubProvider::new();
    // Counted as everywhere, and as wide as they may be.
    let wide = Rate::new(1_000_000, Duration::from_millis(1));
    let limits = Limits::default()
        .mails_per_address(wide)
        .mails_per_address_and_network(wide)
        .mails_per_network(wide)
        .mails(wide)
        .exchanges_per_network(wide);
    let keys = KeyRing::new(SigningKey::generate().unwrap());
    let layer = MagicLinkLayer::builder(provider.clone(), keys)
        .public_url(ORIGIN)
        .clock(ManualClock::new())
        .limits(limits)
        .insecure_answer_when_sent()
        .build()
        .unwrap();
    let mut service = layer.layer(service(bare_answer));
    let mut count = |request: Request<String>, want: StatusCode| {
        let mut response = None;
        let counted = allocation_counter::measure(|| {
            let ready = service.poll_ready(&mut Context::from_waker(Waker::noop()));
            assert!(ready.is_ready());
            response = Some(at_once(service.call(request)).unwrap().map(drop));
        });
        let response = response.unwrap();
        assert_eq!(response.status(), want);
        (counted.count_total, response)
    };
    let path = "/auth/login?return_to=/reports/2026%3Fmonth%3D11";
    let (mut form, mut begin, mut callback) = (u64::MAX, u64::MAX, u64::MAX);
    for _ in 0..COUNTED {
        let (added, _) = count(by_browser(path), StatusCode::OK);
        form = form.min(added);
        let (added, response) = count(posted(path), StatusCode::SEE_OTHER);
        begin = begin.min(added);
        let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
        let (cookie, _attributes) = cookie.split_once(';').unwrap();
        let link = provider.last_link().unwrap();
        let mut back = by_browser(link.expose().strip_prefix(ORIGIN).unwrap());
        let cookie = HeaderValue::try_from(cookie).unwrap();
        back.headers_mut().insert(header::COOKIE, cookie);
        let (added, _) = count(back, StatusCode::SEE_OTHER);
        callback = callback.min(added);
    }
    println!("form page: {form}, begin: {begin}, callback: {callback}");
    assert_eq!((form, begin, callback), (15, 34, 40));
    assert!(begin <= MOST_FOR_BEGIN);
}

/// A navigation of a browser, as a host hands it on that knows its peers.
fn by_browser(path: &str) -> Request<String> {
    let mut request = Request::builder()
        .uri(path)
        .header("host", "app.example.com")
        .header(
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        )
        .header("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
        .header("accept-language", "en-GB,en;q=0.5")
        .header("sec-fetch-dest", "document")
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-site", "same-origin")
        .body(String::new())
        .unwrap();
    let peer = PeerAddr::from(SocketAddr::from(([203, 0, 113, 9], 50_000)));
    request.extensions_mut().insert(peer);
    request
}

/// A person posts an address.
fn posted(path: &str) -> Request<String> {
    let mut request = by_browser(path);
    *request.method_mut() = http::Method::POST;
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(header::CONTENT_TYPE, form);
    "email=ada%40example.com".clone_into(request.body_mut());
    request
}
