//! The English texts of refusals, read when the crate is compiled: `RejectionKind` returns them as
//! constants.

/// The texts in English.
pub(super) const TABLE: &str = include_str!("tables/en.txt");

const LINES: usize = count(TABLE.as_bytes());
/// Where each line begins. One pass over the table makes every look-up short.
const STARTS: [usize; LINES] = starts(TABLE.as_bytes());

const fn count(table: &[u8]) -> usize {
    let (mut lines, mut rest) = (1, table);
    while let [byte, behind @ ..] = rest {
        if *byte == b'\n' {
            lines += 1;
        }
        rest = behind;
    }
    lines
}

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated when the crate is compiled"
)]
const fn starts(table: &[u8]) -> [usize; LINES] {
    let mut starts = [0; LINES];
    let (mut line, mut at) = (1, 0);
    while at < table.len() {
        if table[at] == b'\n' && line < LINES {
            starts[line] = at + 1;
            line += 1;
        }
        at += 1;
    }
    starts
}

/// Returns the text whose name is these words, with dots between them. Without such a text, the
/// crate does not compile.
#[expect(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "evaluated when the crate is compiled"
)]
pub(crate) const fn english(name: &[&str; 3]) -> &'static str {
    let table = TABLE.as_bytes();
    let mut line = 0;
    while line < LINES {
        let mut at = STARTS[line];
        let mut word = 0;
        while word < name.len() {
            let end: &[u8] = if word + 1 < name.len() { b"." } else { b" = " };
            match behind(table, at, name[word].as_bytes()) {
                Some(next) => match behind(table, next, end) {
                    Some(next) => at = next,
                    None => break,
                },
                None => break,
            }
            word += 1;
        }
        if word == name.len() {
            let mut end = at;
            while end < table.len() && table[end] != b'\n' && table[end] != b'\r' {
                end += 1;
            }
            let (text, _) = TABLE.split_at(end);
            let (_, text) = text.split_at(at);
            return text;
        }
        line += 1;
    }
    panic!("the English table has no such text")
}

/// Returns the place behind these bytes, if they stand here.
#[expect(
    clippy::indexing_slicing,
    reason = "evaluated when the crate is compiled"
)]
const fn behind(table: &[u8], at: usize, bytes: &[u8]) -> Option<usize> {
    let mut matched = 0;
    while matched < bytes.len() {
        if at + matched >= table.len() || table[at + matched] != bytes[matched] {
            return None;
        }
        matched += 1;
    }
    Some(at + matched)
}
