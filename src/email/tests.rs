use super::*;

#[test]
fn one_plain_address_is_taken_and_everything_else_refused() {
    let long_local = format!("{}@example.com", "a".repeat(65));
    let long_domain = format!("a@{}.com", "b".repeat(64));
    let cases = [
        ("plain", "ada@example.com", Some("ada@example.com")),
        (
            "spaces around",
            "  ada@example.com\t",
            Some("ada@example.com"),
        ),
        ("tag", "ada+news@example.com", Some("ada+news@example.com")),
        ("capitals", "Ada@EXAMPLE.com", Some("ada@example.com")),
        (
            "idn domain",
            "ada@bücher.example",
            Some("ada@xn--bcher-kva.example"),
        ),
        ("empty", "", None),
        ("no at", "ada.example.com", None),
        ("two ats", "ada@evil.example@example.com", None),
        ("no local part", "@example.com", None),
        ("no domain", "ada@", None),
        ("one label", "ada@localhost", None),
        ("comma", "ada@example.com,eve@example.com", None),
        ("semicolon", "ada@example.com;eve@example.com", None),
        (
            "line break",
            "ada@example.com\r\nBcc: eve@example.com",
            None,
        ),
        ("trailing line break", "ada@example.com\n", None),
        ("quoted", "\"ada eve\"@example.com", None),
        ("angle brackets", "<ada@example.com>", None),
        ("comment", "ada(eve)@example.com", None),
        ("address literal", "ada@[127.0.0.1]", None),
        ("ip address", "ada@127.0.0.1", None),
        ("fullwidth at", "ada\u{ff20}example.com", None),
        ("small at", "ada\u{fe6b}example.com", None),
        ("dotless i", "m\u{131}ke@example.com", None),
        ("kelvin sign", "\u{212a}ate@example.com", None),
        ("nul", "ada\0@example.com", None),
        ("leading dot", ".ada@example.com", None),
        ("double dot", "ada..l@example.com", None),
        ("domain dots", "ada@example..com", None),
        ("trailing dot", "ada@example.com.", None),
        ("leading dash", "ada@-example.com", None),
        ("long local part", &long_local, None),
        ("long label", &long_domain, None),
        ("two words", "=?utf-8?q?ada?=@example.com x", None),
    ];
    for (name, text, want) in cases {
        let got = Email::parse(text).ok();
        assert_eq!(got.as_ref().map(Email::as_str), want, "{name}");
    }
}

/// Each was handed to mail servers and to parsers of headers. Those that are taken reached their
/// own mailbox at every one: `tests/smtp/mailboxes.rs`.
#[test]
fn what_some_mail_system_reads_as_another_mailbox_is_refused() {
    let cases = [
        // Refused: percent hack: Postfix and Sendmail mail it to the host behind the last %.
        ("attacker%evil.example@corp.example", None),
        ("a%b%evil.example@corp.example", None),
        ("a%%evil.example@corp.example", None),
        ("ceo%corp.example@corp.example", None),
        ("a%evil.example%corp.example@corp.example", None),
        ("%evil.example@corp.example", None),
        ("a%@corp.example", None),
        ("%@corp.example", None),
        ("a+x%evil.example@corp.example", None),
        ("a%40evil.example@corp.example", None),
        ("%40@corp.example", None),
        ("a%0d%0ab@corp.example", None),
        ("a%evil.example.@corp.example", None),
        // Refused: bang path (UUCP): Postfix and Sendmail mail it to the host before the first !.
        ("evil.example!attacker@corp.example", None),
        ("evil.example!b!attacker@corp.example", None),
        ("corp.example!ceo@corp.example", None),
        ("!evil.example!a@corp.example", None),
        ("!attacker@corp.example", None),
        ("attacker!@corp.example", None),
        ("a!!b@corp.example", None),
        ("!@corp.example", None),
        ("evil.example!a%b.example@corp.example", None),
        ("a%b.example!c@corp.example", None),
        ("+evil.example!a@corp.example", None),
        // Refused: encoded word: aiosmtpd, Python, Ruby mail and mailparser read ceo@.
        ("=?utf-8?q?ceo?=@corp.example", None),
        ("=?UTF-8?Q?ceo?=@corp.example", None),
        ("=?utf-8?q?c=65o?=@corp.example", None),
        ("=?utf-8?b?Y2Vv?=@corp.example", None),
        ("=?utf-8?B?Y2V?=@corp.example", None),
        ("=?x?q?ceo?=@corp.example", None),
        ("=?utf-8*en?q?ceo?=@corp.example", None),
        ("=?cp037?q?=83=85=96?=@corp.example", None),
        ("=?utf-8?q?ceo?=b@corp.example", None),
        ("=?utf-8?q?ceo?=.x@corp.example", None),
        ("x=?utf-8?q?ceo?=x@corp.example", None),
        ("x.=?utf-8?q?ceo?=@corp.example", None),
        ("=?utf-8?q?a?==?utf-8?q?b?=@corp.example", None),
        ("=?utf-8?q?ceo_x?=@corp.example", None),
        // Refused: encoded word that becomes a@evil.example@corp.example.
        ("=?utf-8?q?a=40evil.example?=@corp.example", None),
        ("=?utf-8?q?a=40evil.example=3e=00?=@corp.example", None),
        // Refused: encoded word on which aiosmtpd and Python fail.
        ("=?utf-8?q??=@corp.example", None),
        // Refused: encoded word without an end, or its pieces.
        ("=?utf-8?q?ceo@corp.example", None),
        ("=?@corp.example", None),
        ("=_?utf-8?q?ceo?=@corp.example", None),
        ("ceo?=@corp.example", None),
        ("a?b@corp.example", None),
        ("?@corp.example", None),
        // Refused: SRS: a forwarder mails it to the address inside.
        ("SRS0=Dm7G=JR=evil.example=attacker@corp.example", None),
        ("srs0=Dm7G=JR=evil.example=attacker@corp.example", None),
        ("SRS0+Dm7G=JR=evil.example=attacker@corp.example", None),
        ("SRS0-Dm7G=JR=evil.example=attacker@corp.example", None),
        (
            "SRS1=HHHH=x.example==HHHH=TT=evil.example=a@corp.example",
            None,
        ),
        // Refused: BATV, VERP, X.400 pairs: an address inside the address.
        ("prvs=1234567890=ceo@corp.example", None),
        ("btv1==0123==ceo@corp.example", None),
        ("bounces+ada=evil.example@corp.example", None),
        ("ada=evil.example@corp.example", None),
        ("C=US/ADMD=x/S=ceo@corp.example", None),
        // Refused: IMCEA: Exchange unwraps it.
        ("IMCEASMTP-attacker+40evil+2Eexample@corp.example", None),
        (
            "IMCEAEX-_O=CORP_OU=X_cn=Recipients_cn=ceo@corp.example",
            None,
        ),
        ("imceaex-_cn@corp.example", None),
        // Refused: Entra guest: another tenant's mailbox.
        ("attacker_evil.example#EXT#@corp.onmicrosoft.com", None),
        ("attacker_evil.example#ext#@corp.onmicrosoft.com", None),
        // Refused: read as an option; Postfix refuses it.
        ("-ada@corp.example", None),
        ("--ada@corp.example", None),
        ("-f@corp.example", None),
        ("-oQ/tmp@corp.example", None),
        // Refused: read as a program by Sendmail.
        ("|cat@corp.example", None),
        ("|@corp.example", None),
        // Refused: read as a file by Sendmail, as X.400 by its gateways.
        ("/etc/passwd@corp.example", None),
        ("/C=US/A=ATT/S=ceo@corp.example", None),
        ("/ada@corp.example", None),
        // Refused: source routes, quotes, comments, groups: refused before, stay refused.
        ("@evil.example:a@corp.example", None),
        ("@evil.example,@b.example:a@corp.example", None),
        ("a@evil.example@corp.example", None),
        ("\"ada\"@corp.example", None),
        ("\"a@evil.example\"@corp.example", None),
        ("\"a%evil.example\"@corp.example", None),
        ("\"=?utf-8?q?ceo?=\"@corp.example", None),
        ("\"/C=US/S=ceo\"@corp.example", None),
        ("a(x)@corp.example", None),
        ("(x)a@corp.example", None),
        ("a:b@corp.example", None),
        ("a;b@corp.example", None),
        ("a,b@corp.example", None),
        ("a<b@corp.example", None),
        ("a>b@corp.example", None),
        ("a[b]@corp.example", None),
        ("a\\b@corp.example", None),
        ("\\a@corp.example", None),
        ("a..b@corp.example", None),
        (".a@corp.example", None),
        ("a.@corp.example", None),
        ("&#64;@corp.example", None),
        (":include:/etc/passwd@corp.example", None),
        ("a\u{0}b@corp.example", None),
        ("a\u{7f}b@corp.example", None),
        ("a\u{d}b@corp.example", None),
        // Refused: not ASCII: overflow to @ (U+0140), > (U+013E), % (U+0125); full-width; NFD;
        // invisible.
        ("a\u{140}evil.example@corp.example", None),
        ("a\u{13e}b@corp.example", None),
        ("a\u{125}evil.example@corp.example", None),
        ("a\u{ff20}evil.example@corp.example", None),
        ("a\u{ff05}evil.example@corp.example", None),
        ("a\u{ff01}b@corp.example", None),
        ("ad\u{e1}@corp.example", None),
        ("ada\u{301}@corp.example", None),
        ("\u{ff41}da@corp.example", None),
        ("a\u{200b}da@corp.example", None),
        ("ada\u{202e}@corp.example", None),
        ("\u{430}da@corp.example", None),
        // Refused: domain.
        ("ada@corp.example.", None),
        ("ada@corp%evil.example", None),
        ("ada@corp!evil.example", None),
        ("ada@corp.example#", None),
        ("ada@a_b.example", None),
        ("ada@xn--a-.example", None),
        ("ada@xn--corp-.example", None),
        ("ada@[127.0.0.1]", None),
        ("ada@[IPv6:::1]", None),
        ("ada@2.2250738585072011e-308", None),
        ("ada@0x7f.0x1", None),
        // Accepted: people.
        ("ada@corp.example", Some("ada@corp.example")),
        (
            "ada.lovelace@corp.example",
            Some("ada.lovelace@corp.example"),
        ),
        ("o'brien@corp.example", Some("o'brien@corp.example")),
        ("d'angelo.x@corp.example", Some("d'angelo.x@corp.example")),
        ("jean-luc@corp.example", Some("jean-luc@corp.example")),
        ("ada_l@corp.example", Some("ada_l@corp.example")),
        ("_ada@corp.example", Some("_ada@corp.example")),
        (
            "madrat-@users.noreply.example",
            Some("madrat-@users.noreply.example"),
        ),
        ("r&d@corp.example", Some("r&d@corp.example")),
        ("1234@corp.example", Some("1234@corp.example")),
        ("xn--ada@corp.example", Some("xn--ada@corp.example")),
        // Accepted: tags.
        ("ada+news@corp.example", Some("ada+news@corp.example")),
        ("ada+@corp.example", Some("ada+@corp.example")),
        ("ada+a+b@corp.example", Some("ada+a+b@corp.example")),
        ("ada+a.b@corp.example", Some("ada+a.b@corp.example")),
        ("+ada@corp.example", Some("+ada@corp.example")),
        (
            "62665768+TheBluuDot@users.noreply.example",
            Some("62665768+thebluudot@users.noreply.example"),
        ),
        // Accepted: legal, and the same to every system that was tried.
        ("a/b@corp.example", Some("a/b@corp.example")),
        (
            "nyt_scraping/scraping@nytimes.example",
            Some("nyt_scraping/scraping@nytimes.example"),
        ),
        (
            "jernej|s-wget@eternallybored.example",
            Some("jernej|s-wget@eternallybored.example"),
        ),
        ("#####@juerd.example", Some("#####@juerd.example")),
        ("a#b@corp.example", Some("a#b@corp.example")),
        ("$HOME@corp.example", Some("$home@corp.example")),
        ("${x}@corp.example", Some("${x}@corp.example")),
        ("a*@corp.example", Some("a*@corp.example")),
        ("*@corp.example", Some("*@corp.example")),
        ("a^b@corp.example", Some("a^b@corp.example")),
        ("`id`@corp.example", Some("`id`@corp.example")),
        ("{ada}@corp.example", Some("{ada}@corp.example")),
        ("~root@corp.example", Some("~root@corp.example")),
        ("&amp@corp.example", Some("&amp@corp.example")),
        ("owner-list@corp.example", Some("owner-list@corp.example")),
        (
            "list-request@corp.example",
            Some("list-request@corp.example"),
        ),
        ("postmaster@corp.example", Some("postmaster@corp.example")),
        ("imc@corp.example", Some("imc@corp.example")),
        ("srs0@corp.example", Some("srs0@corp.example")),
        ("srs@corp.example", Some("srs@corp.example")),
        ("prvs@corp.example", Some("prvs@corp.example")),
        // Accepted: domain in lower case.
        ("ada@CORP.Example", Some("ada@corp.example")),
        // Accepted: domain in punycode.
        ("ada@b\u{fc}cher.example", Some("ada@xn--bcher-kva.example")),
        // Accepted: full-width letters of a domain are mapped (UTS 46).
        (
            "ada@\u{ff43}\u{ff4f}\u{ff52}\u{ff50}.example",
            Some("ada@corp.example"),
        ),
        // Accepted: ideographic full stop is a dot (UTS 46).
        ("ada@corp\u{3002}example", Some("ada@corp.example")),
    ];
    for (text, want) in cases {
        let got = Email::parse(text).ok();
        assert_eq!(got.as_ref().map(Email::as_str), want, "{text:?}");
    }
}

#[test]
fn what_nobody_sees_is_taken_off_around_an_address_and_named_inside() {
    let marks = [
        "\u{feff}", "\u{200b}", "\u{200e}", "\u{202a}", "\u{2068}", "\u{2060}", "\u{ad}",
        "\u{200d}", "\u{a0}", "\u{3000}", "\u{2003}",
    ];
    for mark in marks {
        let around = format!("{mark} {mark}ada@example.com{mark}");
        let got = Email::parse(&around);
        assert_eq!(
            got.as_ref().map(Email::as_str),
            Ok("ada@example.com"),
            "{mark:?}"
        );
    }
    for text in [
        "a\u{200b}da@example.com",
        "ada\u{202c}@example.com",
        "ada@exam\u{ad}ple.com",
    ] {
        let error = Email::parse(text).unwrap_err();
        assert!(error.is_invisible(), "{text:?}");
        assert_eq!(
            error.to_string(),
            "e-mail address has an invisible character in it"
        );
        assert_eq!(Email::visible(text), "ada@example.com");
    }
    let plain = Email::parse("ada").unwrap_err();
    assert!(!plain.is_invisible());
    assert_eq!(plain.to_string(), "not an e-mail address");
}

#[test]
fn one_mailbox_has_one_spelling_and_prints_masked() {
    let ada = Email::parse("Ada@Example.com").unwrap();
    assert_eq!(ada, Email::parse("aDA@example.COM").unwrap());
    assert_eq!(ada.as_str(), "ada@example.com");
    assert_ne!(ada, Email::parse("adb@example.com").unwrap());
    assert_eq!(format!("{ada:?}"), "a***@example.com");
    assert_eq!(ada.domain(), "example.com");
}

#[test]
fn a_subject_is_masked_if_it_may_hold_an_address() {
    let cases = [
        ("user_1", "user_1"),
        ("", ""),
        ("Ada@Example.com", "a***@example.com"),
        ("auth0|ada@example.com", "a***@example.com"),
        ("user:ada@example.com", "u***@example.com"),
        ("ada@home@example.com", "a***@example.com"),
        ("\"ada l\"@example.com", "\"***@example.com"),
        ("élan@example.com", "é***@example.com"),
        ("ada@localhost", "a***@localhost"),
        ("@example.com", "***@example.com"),
    ];
    for (subject, want) in cases {
        assert_eq!(masked_subject(subject), want, "{subject}");
    }
}
