//! tower-http's layers around and behind the layer: real preflights, refusals and forged posts, and
//! what is logged.

use std::{
    env,
    fs::{self, File},
    path::Path,
    process::{self, Command},
};

use reqwest::{Client, Method, Response};

use crate::{
    person::{Person, location},
    program::Program,
};

/// The sibling host that the example trusts.
const SIBLING: &str = "https://www.example.com";
const STRANGER: &str = "https://evil.example.com";

async fn ask(method: Method, url: &str, fields: &[(&str, &str)]) -> Response {
    let request = Client::new().request(method, url);
    let add = |request: reqwest::RequestBuilder, (name, value): &(&str, &str)| {
        request.header(*name, *value)
    };
    fields.iter().fold(request, add).send().await.unwrap()
}

fn field<'a>(answer: &'a Response, name: &str) -> Option<&'a str> {
    answer
        .headers()
        .get(name)
        .map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_siblings_script_gets_past_the_preflight_and_reads_the_refusal() {
    let mut program = Program::example("stack", &[]);
    let url = format!("{}/note", program.says("listening on "));
    for origin in [SIBLING, STRANGER] {
        let preflight = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type"),
            ("sec-fetch-mode", "cors"),
            ("sec-fetch-site", "same-site"),
        ];
        let answer = ask(Method::OPTIONS, &url, &preflight).await;
        assert_eq!(answer.status(), 200, "{origin}");
        // Always the one origin that is allowed. A browser compares it with the page's.
        assert_eq!(field(&answer, "access-control-allow-origin"), Some(SIBLING));
        assert_eq!(
            field(&answer, "access-control-allow-methods"),
            Some("GET,POST")
        );
        assert_eq!(
            field(&answer, "access-control-allow-headers"),
            Some("content-type")
        );
        assert_eq!(
            field(&answer, "access-control-allow-credentials"),
            Some("true")
        );
    }

    let post = [
        ("origin", SIBLING),
        ("sec-fetch-mode", "cors"),
        ("sec-fetch-site", "same-site"),
    ];
    let refused = ask(Method::POST, &url, &post).await;
    assert_eq!(refused.status(), 401);
    assert_eq!(
        field(&refused, "access-control-allow-origin"),
        Some(SIBLING)
    );
    assert_eq!(
        field(&refused, "access-control-allow-credentials"),
        Some("true")
    );
    let exposed = field(&refused, "access-control-expose-headers");
    assert_eq!(exposed, Some("www-authenticate"));
    let challenge = field(&refused, "www-authenticate").unwrap();
    assert!(challenge.starts_with("MagicLink login_url="), "{challenge}");
    let problem = refused.text().await.unwrap();
    assert!(problem.contains("no_session"), "{problem}");
}

/// The session cookie comes with what a sibling host posts, `SameSite=Lax` or not.
#[tokio::test]
async fn a_siblings_post_is_refused_unless_the_sibling_is_trusted() {
    let mut program = Program::example("stack", &[]);
    let origin = program.says("listening on ");
    let mut person = Person::at(&origin);
    let login = location(&person.get("/").await);
    person.sign_in(&mut program, &login).await;
    let cookie = person.cookie();
    let cases = [
        ("its own page", origin.as_str(), "same-origin", 200),
        ("the trusted sibling", SIBLING, "same-site", 200),
        ("another sibling", STRANGER, "same-site", 403),
        ("another site", "https://evil.example", "cross-site", 403),
        ("a frame in a sandbox", "null", "cross-site", 403),
    ];
    for (name, from, site, status) in cases {
        let url = format!("{origin}/note");
        let fields = [
            ("origin", from),
            ("sec-fetch-site", site),
            ("cookie", &cookie),
        ];
        let answer = ask(Method::POST, &url, &fields).await;
        assert_eq!(answer.status(), status, "{name}");
        // A GET is never refused, so a GET must change nothing.
        let answer = ask(Method::GET, &origin, &fields).await;
        assert_eq!(answer.status(), 200, "{name}");
    }
    // The layer's own endpoints guard themselves, from the trusted sibling too.
    let url = format!("{origin}/auth/logout");
    let fields = [
        ("origin", SIBLING),
        ("sec-fetch-site", "same-site"),
        ("cookie", &cookie),
    ];
    assert_eq!(ask(Method::POST, &url, &fields).await.status(), 403);
}

#[tokio::test]
async fn a_log_of_every_request_has_no_link_and_no_code() {
    let name = format!("stack-{}.log", process::id());
    let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let mut program = env::current_exe().unwrap();
    program.pop();
    program.pop();
    program.push(format!("examples/stack{}", env::consts::EXE_SUFFIX));
    let mut command = Command::new(program);
    command.env("PORT", "0").stderr(File::create(&log).unwrap());
    let mut program = Program::start(&mut command);
    let origin = program.says("listening on ");

    let mut person = Person::at(&origin);
    let login = location(&person.get("/").await);
    person.ask_for_link(&login).await;
    let link = program.says("sign-in link for ada@example.com: ");
    person.follow(&link).await;
    assert_eq!(person.get("/").await.status(), 200);
    drop(program);

    let text = fs::read_to_string(&log).unwrap();
    fs::remove_file(&log).unwrap();
    for path in ["/auth/login", "/auth/check", "/auth/callback"] {
        assert!(text.contains(&format!("path=\"{path}\"")), "{path}: {text}");
    }
    // On plain http the cookie's name has the port.
    let port = origin.rsplit(':').next().unwrap();
    let session = &person.cookies[&format!("magic-link-{port}")];
    let secrets = [
        "login?",
        "check?",
        "callback?",
        "code=",
        "state=",
        "ada@",
        "ada%40",
        session,
    ];
    for secret in secrets {
        let line = text.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret}");
    }
}
