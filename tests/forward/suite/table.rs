//! The table of proxies and cases is that of the cases.

use std::collections::BTreeSet;

use super::CASES;

const TABLE: &str = include_str!("table.md");

/// The proxies in the order of the table's columns, as the cases name them.
const FRONTS: [&str; 6] = ["Nginx", "Caddy", "NewCaddy", "Traefik", "Haproxy", "Envoy"];

const FILES: [(&str, &str); 11] = [
    ("crowd", include_str!("crowd.rs")),
    ("failures", include_str!("failures.rs")),
    ("forgeries", include_str!("forgeries.rs")),
    ("grpc", include_str!("grpc.rs")),
    ("logs", include_str!("logs.rs")),
    ("permits", include_str!("permits.rs")),
    ("redirects", include_str!("redirects.rs")),
    ("refusals", include_str!("refusals.rs")),
    ("renewals", include_str!("renewals.rs")),
    ("streams", include_str!("streams.rs")),
    ("wrong_party", include_str!("wrong_party.rs")),
];

/// Cases with tests of their own.
const OTHERS: [&str; 8] = [
    "grpc_refuses_a_stranger",
    "grpc_serves_who_is_signed_in",
    "grpc_takes_no_name_from_trailers",
    "grpc_keeps_to_the_session",
    "gives_each_its_own_answer",
    "lets_nobody_in",
    "fails_closed",
    "serves_what_was_asked_about",
];

/// Returns the text of a function.
fn body(file: &str, name: &str) -> String {
    let mut files = FILES.into_iter();
    let (_, text) = files.find(|(known, _)| *known == file).unwrap();
    let (_, body) = text.split_once(&format!("fn {name}(")).expect(name);
    body.split("\n}\n").next().unwrap().to_owned()
}

/// Returns the proxies that a text names.
fn named(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != ':');
    words
        .filter_map(|word| word.strip_prefix("Front::"))
        .collect()
}

#[test]
fn the_table_of_proxies_and_cases_names_each_case_and_each_proxy_that_does_less() {
    let rows = TABLE.lines().skip(2).map(|row| {
        let cells: Vec<_> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let (file, name) = cells[0].trim_matches('`').split_once("::").unwrap();
        assert_eq!(cells.len(), 1 + FRONTS.len(), "{name}");
        (file, name, cells[1..].to_vec())
    });
    let mut names = Vec::new();
    for (file, name, cells) in rows {
        let less = FRONTS
            .into_iter()
            .zip(cells)
            .filter(|(_, cell)| *cell != "yes");
        let less: BTreeSet<_> = less.map(|(front, _)| front).collect();
        assert_eq!(less, named(&body(file, name)), "{name}");
        names.push(name);
    }
    let cases: Vec<_> = CASES
        .into_iter()
        .map(|(name, _)| name)
        .chain(OTHERS)
        .collect();
    assert_eq!(names, cases);
}
