//! `--check` and `--print-config`: what they find out, and what they leave alone.

use std::net::TcpListener;

use tower_magic_link::emulator::Emulator;

use super::{Scratch, guard, output};

#[tokio::test(flavor = "multi_thread")]
async fn the_check_prints_a_report_and_ends_by_it() {
    let workos = Emulator::builder().build().serve(0).await.unwrap();
    let flags = [
        "--upstream=http://127.0.0.1:1",
        "--port=0",
        "--check",
        "--public-url=http://127.0.0.1:3000",
        "--workos-client-id=client_emulator",
        &format!("--workos-base-url={}", workos.base_url()),
    ];
    let checked = |more: &[&str]| {
        let mut command = guard(&[&flags[..], more].concat());
        output(command.env("WORKOS_API_KEY", "sk_emulator"))
    };
    let (good, out, err) = checked(&[]);
    assert!(good.status.success(), "{out} {err}");
    assert!(
        out.contains("passed       provider: WorkOS takes the API key"),
        "{out}"
    );
    // Nobody listens at port 1, and a service may start later.
    assert!(
        out.contains("not checked  upstream: the service takes no connection"),
        "{out}"
    );
    let mail = [
        "--mailer=smtp",
        "--smtp-url=smtp://127.0.0.1:1",
        "--smtp-from=a@example.com",
    ];
    let (bad, out, err) = checked(&mail);
    assert_eq!(bad.status.code(), Some(1), "{out} {err}");
    assert!(
        out.contains("failed       mailer: the SMTP greeting"),
        "{out}"
    );
}

#[test]
fn the_check_tries_a_connection_to_the_service() {
    let service = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let upstream = format!("--upstream=http://{}", service.local_addr().unwrap());
    let (good, out, err) = output(&mut guard(&[&upstream, "--port=0", "--check"]));
    assert!(good.status.success(), "{out} {err}");
    assert!(
        out.contains("passed       upstream: the service takes connections"),
        "{out}"
    );
}

/// Pinned: an emulated provider and a made-up key had passed.
#[test]
fn what_is_made_up_for_development_is_not_checked() {
    let flags = ["--upstream=http://127.0.0.1:1", "--port=0", "--check"];
    let (good, out, err) = output(&mut guard(&flags));
    assert!(good.status.success(), "{out} {err}");
    for port in ["keys: made up", "provider: emulated"] {
        assert!(
            out.contains(&format!("not checked  {port}")),
            "{port}: {out}"
        );
    }
    for port in ["keys", "provider"] {
        assert!(
            !out.contains(&format!("passed       {port}")),
            "{port}: {out}"
        );
    }
}

/// Pinned: `--check` took the port, which the guard that runs has.
#[test]
fn the_check_takes_no_port_and_the_start_names_the_one_that_is_taken() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap();
    let listen = format!("--listen={address}");
    let flags = ["--upstream=http://127.0.0.1:1", &listen];
    let (good, out, err) = output(&mut guard(&[&flags[..], &["--check"]].concat()));
    assert!(good.status.success(), "{out} {err}");
    let (bad, _, err) = output(&mut guard(&flags));
    assert!(!bad.status.success());
    assert!(
        err.contains(&format!("listen \"{address}\" cannot")),
        "{err}"
    );
    let admin = format!("--admin-listen={address}");
    let flags = ["--upstream=http://127.0.0.1:1", "--port=0", &admin];
    let (bad, _, err) = output(&mut guard(&flags));
    assert!(!bad.status.success());
    assert!(
        err.contains(&format!("admin_listen \"{address}\" cannot")),
        "{err}"
    );
}

/// Pinned: `--print-config` only read them.
#[test]
fn settings_that_cannot_work_are_not_printed_as_if_they_could() {
    let cases = [
        ("--public-url=nonsense", "public_url \"nonsense\""),
        ("--mount=x", "mount \"x\""),
        ("--session-lifetime=10s", "session_lifetime \"10s\""),
        ("--mailer=smtp", "smtp_url is not set"),
        (
            "--limit-mails-per-address=0/1s",
            "flag --limit-mails-per-address: limit_mails_per_address",
        ),
    ];
    for (flag, want) in cases {
        let flags = ["--upstream=http://127.0.0.1:1", flag, "--print-config"];
        let (bad, out, err) = output(&mut guard(&flags));
        assert!(
            !bad.status.success() && err.contains(want),
            "{flag}: {out} {err}"
        );
    }
}

/// Pinned: the unit of the guide has the API key in a credential. Where it was not, as in the
/// operator's shell, none of WorkOS's keys was checked, and the restart failed.
#[test]
fn the_keys_of_workos_are_checked_where_its_account_is_not_known() {
    let cases = [
        ("workos_timeout = \"10m\"", "workos_timeout \"600s\" is not"),
        (
            "workos_connect_timeout = \"0s\"",
            "workos_connect_timeout \"0ns\" is not",
        ),
        (
            "workos_exchange_timeout = \"1d\"",
            "workos_exchange_timeout \"86400s\" is not",
        ),
        (
            "workos_base_url = \"http://w.example\"",
            "workos_base_url \"http://w.example\" must",
        ),
        ("workos_client_id = \"client 1\"", "workos_client_id "),
    ];
    for (line, want) in cases {
        let id = match line.contains("client_id") {
            true => "",
            false => "workos_client_id = \"client_1\"\n",
        };
        for id in [id, ""] {
            let usual = "upstream = \"http://127.0.0.1:1\"\n\
                         public_url = \"https://app.example.com\"\n";
            let file = Scratch::new("workos.toml", &format!("{usual}{id}{line}\n"));
            let flags = ["--config", file.path(), "--print-config"];
            let (bad, out, err) = output(&mut guard(&flags));
            assert!(!bad.status.success(), "{line}: {out}");
            let want = format!("{}: {want}", file.path());
            assert!(err.starts_with(&want), "{line}: {err}");
        }
    }
}

/// Pins: an invalid port of the service counted as none. The check connected to port 80, and
/// passed.
#[test]
fn an_invalid_port_is_refused_by_the_check_and_before_settings_are_printed() {
    let port = "must have a port from 1 to 65535, or none";
    let end = "must end with a port from 0 to 65535";
    let cases = [
        ("upstream", "http://127.0.0.1:80800", true, port),
        ("upstream", "http://127.0.0.1:0", true, port),
        ("upstream", "http://127.0.0.1:", true, port),
        ("upstream", "http://[::1]:80800/", true, port),
        ("upstream", "http://backend:", true, port),
        ("upstream", "http://backend:80800", true, port),
        ("upstream", "h2c://backend:65536", true, port),
        ("upstream", "http://backend:808o", false, port),
        ("upstream", "http://app:hunter2", false, port),
        ("listen", "127.0.0.1:80800", true, end),
        ("listen", "127.0.0.1", true, end),
        ("listen", "0.0.0.0:808o", false, end),
        ("admin_listen", "localhost", true, end),
        ("admin_listen", "app:hunter2", false, end),
    ];
    for (name, value, is_shown, want) in cases {
        let set = format!("--{}={value}", name.replace('_', "-"));
        let usual: &[&str] = match name {
            "upstream" => &[],
            _ => &["--upstream=http://127.0.0.1:1"],
        };
        let shown = match is_shown {
            true => format!("{value:?}"),
            false => "(not shown)".to_owned(),
        };
        for order in ["--check", "--print-config"] {
            let (bad, out, err) = output(&mut guard(&[usual, &[&set, order]].concat()));
            assert_eq!(bad.status.code(), Some(1), "{set}: {out}");
            let want = format!("{name} {shown} {want}");
            assert!(err.starts_with(&want), "{set}: {err}");
        }
    }
    let (bad, _, err) = output(&mut guard(&["--upstream=http://:8080", "--check"]));
    assert_eq!(bad.status.code(), Some(1));
    assert!(err.starts_with("upstream must be an origin"), "{err}");
    for upstream in [
        "http://backend",
        "http://[::1]/",
        "http://[::1]:1",
        "h2c://127.0.0.1:65535",
    ] {
        let set = format!("--upstream={upstream}");
        let flags = [set.as_str(), "--listen=localhost:0", "--print-config"];
        let (good, _, err) = output(&mut guard(&flags));
        assert!(good.status.success(), "{upstream}: {err}");
    }
}

/// Pins: numbers, capitals, `trace` and an empty text were taken, beyond the documented words.
#[test]
fn a_level_of_the_log_is_one_of_the_documented_words() {
    let upstream = "--upstream=http://127.0.0.1:1";
    for level in ["", "0", "3", "5", "INFO", "trace", "warning"] {
        let set = format!("--log-level={level}");
        let (bad, out, err) = output(&mut guard(&[upstream, &set, "--print-config"]));
        assert_eq!(bad.status.code(), Some(1), "{set}: {out}");
        let want = "must be one of error, warn, info, debug, off\n";
        assert_eq!(err, format!("flag --log-level {level:?} {want}"));
    }
    for level in ["error", "warn", "info", "debug", "off"] {
        let set = format!("--log-level={level}");
        let (good, _, err) = output(&mut guard(&[upstream, &set, "--print-config"]));
        assert!(good.status.success(), "{set}: {err}");
    }
}
