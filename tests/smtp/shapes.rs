//! Addresses to hand to mail systems: those of people, and those that some system reads as another
//! mailbox. Whether one is taken, and as what, is for the tests of `Email` to say.

use crate::corpora::{corpus, text_of};

/// What people and lists have before the `@`.
const PLAIN: &str = r#"
    ada Ada ada.lovelace ADA+News o'brien d'angelo.x jean-luc ada_l _ada madrat- r&d 1234 xn--ada
    ada+news ada+ ada+a+b ada+a.b +ada 62665768+TheBluuDot
    a/b nyt_scraping/scraping jernej|s-wget ##### a#b a^b a* * $HOME ${x} `id` {ada} ~root &amp
    owner-list list-request postmaster abuse+x mailer-daemon root include imc srs0 srs prvs
"#;

/// What some mail system routes elsewhere, decodes, unwraps or runs.
const HOSTILE: &str = r##"
    attacker%evil.example a%b%evil.example a%%evil.example ceo%corp.example %evil.example a% %
    a%evil.example%corp.example a+x%evil.example a%40evil.example %40 a%0d%0ab a%evil.example.
    evil.example!attacker evil.example!b!attacker corp.example!ceo !evil.example!a !attacker
    attacker! a!!b ! evil.example!a%b.example a%b.example!c +evil.example!a a.b!c.d
    =?utf-8?q?ceo?= =?UTF-8?Q?ceo?= =?utf-8?q?c=65o?= =?utf-8?b?Y2Vv?= =?utf-8?B?Y2V?=
    =?us-ascii?q?ceo?= =?utf-7?q?ceo?= =?x?q?ceo?= =?utf-8*en?q?ceo?= =?cp037?q?=83=85=96?=
    =?utf-8?q?ceo?=b =?utf-8?q?ceo?=.x x=?utf-8?q?ceo?=x x.=?utf-8?q?ceo?= =?utf-8?q?ceo_x?=
    =?utf-8?q?a?==?utf-8?q?b?= =?utf-8?q?a=40evil.example?= =?utf-8?q?a=40evil.example=3e=00?=
    =?utf-8?q??= =?utf-8?q?ceo =?utf-8?x?ceo?= =_?utf-8?q?ceo?= =? =?= ?= ceo?= a?b c=65o ceo=3D
    SRS0=Dm7G=JR=evil.example=attacker srs0=Dm7G=JR=evil.example=attacker
    SRS0+Dm7G=JR=evil.example=attacker SRS0-Dm7G=JR=evil.example=attacker
    SRS1=HHHH=x.example==HHHH=TT=evil.example=a prvs=1234567890=ceo btv1==0123==ceo
    bounces+ada=evil.example ada=evil.example C=US/ADMD=x/S=ceo /C=US/A=ATT/S=ceo
    IMCEASMTP-attacker+40evil+2Eexample IMCEAEX-_O=CORP_OU=X_cn=Recipients_cn=ceo imceaex-_cn
    attacker_evil.example#EXT# attacker_evil.example#ext#
    -ada --ada -f -oQ/tmp |cat | |/bin/cat /etc/passwd /ada //ada :include:/etc/passwd
    @evil.example:a @evil.example,@b.example:a a@evil.example "ada" "a@evil.example"
    "a%evil.example" "evil.example!a" "=?utf-8?q?ceo?=" "/C=US/S=ceo" "|cat"
    a(x) (x)a a:b a;b a,b a<b a>b a[b] a\b \a a..b .a a. &#64;
    aŀevil.example aľb aĥevil.example a@evil.example a%evil.example a!b adá ada аda
"##;

/// The characters beside letters and digits that RFC 5322 allows there.
const MARKS: &str = "!#$%&'*+-/=?^_`{|}~";

/// The mail servers' own domain, two that they take mail for, and one of others.
pub(crate) const DOMAINS: [&str; 4] = [
    "corp.example",
    "relayed.example",
    "virtual.example",
    "elsewhere.example",
];

/// Returns the addresses of people, and then all that are made of marks or mean harm.
pub(crate) fn all() -> Vec<String> {
    let plain = PLAIN.split_whitespace().map(str::to_owned);
    let hostile = HOSTILE.split_whitespace().map(str::to_owned);
    let marked = MARKS.chars().flat_map(|mark| {
        [
            format!("{mark}"),
            format!("{mark}{mark}"),
            format!("{mark}ada"),
            format!("ada{mark}"),
            format!("ada{mark}eve"),
            format!("ada{mark}{mark}eve"),
            format!("ada{mark}corp.example"),
        ]
    });
    let mut all: Vec<_> = everywhere(plain.chain(hostile).chain(marked)).collect();
    all.extend(
        [
            "ada@CORP.Example",
            "ada@bücher.example",
            "ada@corp。example",
        ]
        .map(str::to_owned),
    );
    all
}

/// Returns what the corpora have that could be an address, or the part before its `@`.
pub(crate) fn corpora() -> Vec<String> {
    let mut texts: Vec<String> =
        serde_json::from_str(&corpus("naughty-strings.json")).expect("strings");
    let xml = corpus("isemail-tests.xml");
    let cases = xml.split("<test id=").skip(1);
    texts.extend(cases.map(|case| text_of(case, "address")));
    for name in [
        "crawler-user-agents.txt",
        "open-redirects.txt",
        "wpt-urltestdata.json",
    ] {
        let text = corpus(name);
        let words = text.split(|c: char| c.is_whitespace() || "\"'(),;<>[]".contains(c));
        let words = words.filter(|word| word.contains('@'));
        texts.extend(words.map(|word| word.trim_matches('.').to_owned()));
    }
    let locals = texts.iter().map(|text| match text.rsplit_once('@') {
        Some((local, _)) => local.to_owned(),
        None => text.clone(),
    });
    let mut all: Vec<_> = everywhere(locals).collect();
    all.extend(texts.iter().map(|text| format!("a@{text}")));
    all.extend(texts);
    all
}

fn everywhere(locals: impl Iterator<Item = String>) -> impl Iterator<Item = String> {
    locals.flat_map(|local| DOMAINS.map(|domain| format!("{local}@{domain}")))
}
