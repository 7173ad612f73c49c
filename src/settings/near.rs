//! The name that was probably meant.

/// Returns the name that a misspelt one is nearest to, if one is near enough.
pub(super) fn nearest<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // A typo or two, or a word too many in a long name.
    let most = 2.max(wrong.len() / 3);
    let scored = names.map(|name| (distance(wrong, name), name));
    let best = scored.min_by_key(|(distance, _)| *distance);
    best.filter(|(distance, _)| *distance <= most)
        .map(|(_, name)| name)
}

/// Counts the characters to insert, remove or replace (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (above, a) in one.chars().enumerate() {
        let mut before = above + 1;
        let mut next = vec![before];
        for (pair, b) in row.windows(2).zip(other.chars()) {
            let [diagonal, up] = pair else { break };
            before = (diagonal + usize::from(a != b)).min(up + 1).min(before + 1);
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_leads_to_the_name_and_another_word_to_none() {
        let names = ["session_lifetime", "idle_timeout", "mount"];
        let cases = [
            ("session_lifetme", Some("session_lifetime")),
            ("sesion_lifetimes", Some("session_lifetime")),
            ("lifetime", None),
            ("idle-timeout", Some("idle_timeout")),
            ("mont", Some("mount")),
            ("m", None),
            ("something_else", None),
        ];
        for (wrong, want) in cases {
            assert_eq!(nearest(wrong, names.into_iter()), want, "{wrong}");
        }
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
    }
}
