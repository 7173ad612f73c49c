//! How servers on the way write a mail's text anew.
//!
//! Lines of quoted-printable and base64 have at most 76 characters (RFC 2045, sections 6.7 and
//! 6.8), those of format=flowed at most 78 (RFC 3676, section 4.2).

use base64::{Engine, engine::general_purpose::STANDARD};

/// A text part: what its type says beside `text/plain`, its encoding, and its lines.
pub(crate) struct Part(&'static str, &'static str, String);

/// Writes a text anew, with lines of at most so many characters.
pub(crate) type Way = fn(&str, usize) -> Part;

/// How a server on the way may write a text anew without a loss, and how wide.
pub(crate) const WAYS: [(&str, Way, &[usize]); 6] = [
    (
        "base64",
        |text, width| Part("", "base64", base64(text, width)),
        &[60, 72, 76],
    ),
    (
        "quoted-printable",
        |text, width| Part("", "quoted-printable", quoted_printable(text, width)),
        &[60, 72, 76],
    ),
    (
        "wrapped between words",
        |text, width| Part("", "7bit", flowed(text, width).replace(" \r\n", "\r\n")),
        &[60, 72, 76, 78],
    ),
    (
        "format=flowed",
        |text, width| Part("; format=flowed", "7bit", flowed(text, width)),
        &[60, 72, 76, 78],
    ),
    (
        "format=flowed with DelSp",
        |text, width| Part(DELSP, "7bit", flowed_anywhere(text, width)),
        &[60, 72, 76, 78],
    ),
    (
        "format=flowed with DelSp in quoted-printable",
        |text, width| {
            let text = flowed_anywhere(text, 78);
            Part(DELSP, "quoted-printable", quoted_printable(&text, width))
        },
        &[60, 72, 76],
    ),
];

const DELSP: &str = "; format=flowed; delsp=yes";

/// Breaks a text after so many characters, as no standard says.
pub(crate) const BROKEN: Way = |text, width| {
    let lines = text
        .split("\r\n")
        .map(|line| pieces(line, width).join("\r\n"));
    Part("", "7bit", lines.collect::<Vec<_>>().join("\r\n"))
};

pub(crate) fn pieces(text: &str, width: usize) -> Vec<&str> {
    let pieces = text.as_bytes().chunks(width);
    pieces
        .map(|piece| std::str::from_utf8(piece).unwrap())
        .collect()
}

fn base64(text: &str, width: usize) -> String {
    pieces(&STANDARD.encode(text), width).join("\r\n")
}

fn quoted_printable(text: &str, width: usize) -> String {
    let mut lines = Vec::new();
    for line in text.split("\r\n") {
        let mut piece = String::new();
        for (place, c) in line.char_indices() {
            let quoted = match c {
                '=' => "=3D".to_owned(),
                ' ' if place + 1 == line.len() => "=20".to_owned(),
                _ => c.to_string(),
            };
            if piece.len() + quoted.len() >= width {
                lines.push(std::mem::take(&mut piece) + "=");
            }
            piece.push_str(&quoted);
        }
        lines.push(piece);
    }
    lines.join("\r\n")
}

/// Breaks a text behind blanks: a word is whole, whatever its length.
fn flowed(text: &str, width: usize) -> String {
    broken(text, |line| {
        let room = line.len().min(width - 1);
        let blank = line[..room].rfind(' ').or_else(|| line.find(' '));
        blank
            .filter(|_| line.len() >= width)
            .map(|blank| (blank + 1, ""))
    })
}

/// Breaks a text anywhere, by blanks that the reader deletes.
fn flowed_anywhere(text: &str, width: usize) -> String {
    broken(text, |line| {
        (line.len() >= width).then_some((width - 2, " "))
    })
}

/// Breaks each line where `next` says, and adds to the piece what it says.
fn broken(text: &str, next: impl Fn(&str) -> Option<(usize, &'static str)>) -> String {
    let mut lines = Vec::new();
    for mut line in text.split("\r\n") {
        while let Some((place, end)) = next(line) {
            lines.push(stuffed(&line[..place]) + end);
            line = &line[place..];
        }
        lines.push(stuffed(line));
    }
    lines.join("\r\n")
}

/// Stuffs a line with a blank where it needs one (RFC 3676, section 4.4).
fn stuffed(line: &str) -> String {
    let is_stuffed = [" ", ">", "From "]
        .iter()
        .any(|start| line.starts_with(start));
    format!("{}{line}", if is_stuffed { " " } else { "" })
}

/// Returns a mail with its text part, which was sent as it is, written anew.
pub(crate) fn anew(mail: &str, way: Way, width: usize) -> String {
    const HEAD: &str = "Content-Type: text/plain; charset=utf-8";
    const SENT: &str = "\r\nContent-Transfer-Encoding: 7bit\r\n\r\n";
    let (before, rest) = mail.split_once(&format!("{HEAD}{SENT}")).expect("a text");
    let (sent, after) = rest.split_once("\r\n--").expect("an end");
    let Part(kind, encoding, text) = way(sent, width);
    // What keeps words whole has a line of its own for one that is longer.
    let is_word = |line: &str| !line.contains(' ') && sent.lines().any(|sent| sent == line);
    let mut lines = text.lines();
    assert!(
        lines.all(|line| line.len() <= width || is_word(line)),
        "{text}"
    );
    let head = format!("{HEAD}{kind}\r\nContent-Transfer-Encoding: {encoding}");
    format!("{before}{head}\r\n\r\n{text}\r\n--{after}")
}
