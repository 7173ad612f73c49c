use std::collections::HashSet;

use super::*;

#[test]
fn each_row_of_the_table_has_a_status_that_is_one_and_a_code_like_its_name() {
    for kind in RejectionKind::ALL {
        let status = StatusCode::from_u16(kind.row().status).unwrap();
        assert!(
            status.is_client_error() || status.is_server_error(),
            "{kind}"
        );
        let name = format!("{kind:?}");
        assert_eq!(kind.code().replace('_', ""), name.to_lowercase());
    }
}

#[test]
#[expect(clippy::as_conversions, reason = "counts the variants")]
fn the_list_of_kinds_is_whole() {
    assert_eq!(
        RejectionKind::ALL.map(|kind| kind as usize).to_vec(),
        (0..=RejectionKind::WrongConnection as usize).collect::<Vec<_>>()
    );
}

#[test]
fn no_two_stories_share_a_heading_or_what_happened() {
    let headings: HashSet<_> = RejectionKind::ALL.map(RejectionKind::heading).into();
    let stories: HashSet<_> = RejectionKind::ALL.map(RejectionKind::happened).into();
    let told: HashSet<_> = RejectionKind::ALL
        .map(|kind| std::ptr::from_ref(kind.row().words))
        .into();
    assert_eq!(headings.len(), 40);
    assert_eq!(stories.len(), 40);
    assert_eq!(told.len(), 40);
}

#[test]
fn each_kind_is_told_in_plain_whole_sentences() {
    for kind in RejectionKind::ALL {
        let name = format!("{kind:?}");
        assert!(!kind.heading().ends_with('.'), "{name}: heading");
        assert!(kind.heading().len() <= 40, "{name}: heading is long");
        assert!(!kind.way_on().is_empty(), "{name}: way on");
        for sentence in [kind.happened(), kind.advice()] {
            assert!(sentence.ends_with('.'), "{name}: {sentence}");
            assert_eq!(sentence.matches('.').count(), 1, "{name}: {sentence}");
            assert!(
                sentence.starts_with(|c: char| c.is_uppercase()),
                "{name}: {sentence}"
            );
        }
        let words = format!("{} {} {}", kind.heading(), kind.happened(), kind.advice());
        for jargon in [
            "HTTP",
            "cookie",
            "token",
            "session id",
            "error",
            "invalid",
            "POST",
            "WorkOS",
            "you must",
            "illegal",
            "denied",
            "failed",
            "0",
            "4",
            "5",
        ] {
            // The page that asks a person to allow cookies has to say "cookie".
            let is_told = kind == RejectionKind::CookiesBlocked && jargon == "cookie";
            assert!(
                is_told || !words.contains(jargon),
                "{name}: {jargon:?} in {words}"
            );
        }
    }
}
