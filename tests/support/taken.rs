//! A mail as a server was told it, byte for byte.

use base64::{Engine, engine::general_purpose::STANDARD};

/// A mail that was taken.
#[derive(Clone)]
pub(crate) struct Taken {
    /// The paths of the envelope, without their angle brackets.
    pub(crate) recipients: Vec<String>,
    /// Its head and body, with the line ends of the wire.
    pub(crate) raw: String,
    head: String,
    body: String,
}

impl Taken {
    /// Reads the lines of a conversation: those that name a recipient, and those of the mail.
    pub(crate) fn new(recipients: &[String], mail: &[String]) -> Self {
        let path = |line: &String| {
            let path = line.strip_prefix("RCPT TO:<").expect("a recipient");
            path.rsplit_once('>').unwrap().0.to_owned()
        };
        let lines = mail
            .iter()
            .map(|line| line.strip_prefix('.').unwrap_or(line));
        let mail = lines.collect::<Vec<_>>().join("\n");
        let (head, body) = mail.split_once("\n\n").unwrap();
        Self {
            recipients: recipients.iter().map(path).collect(),
            raw: mail.replace('\n', "\r\n"),
            // A folded field is one line again (RFC 5322, section 2.2.3).
            head: head.replace("\n ", " ").replace("\n\t", "\t"),
            body: body.to_owned(),
        }
    }

    /// Returns the value of its one header field of a name.
    pub(crate) fn field(&self, name: &str) -> &str {
        let fields = self.head.lines().filter_map(|line| line.split_once(':'));
        let mut fields = fields.filter(|(found, _)| found.eq_ignore_ascii_case(name));
        let (_, value) = fields.next().expect(name);
        assert!(fields.next().is_none(), "{name} twice");
        value.trim()
    }

    /// Returns its link, which stands alone on its line in the text.
    pub(crate) fn link(&self) -> String {
        let text = self.text();
        let mut lines = text.lines();
        lines
            .find(|line| line.starts_with("https://"))
            .expect("a link")
            .to_owned()
    }

    /// Returns its decoded parts, in turn.
    pub(crate) fn text(&self) -> String {
        let boundary = self.head.split("boundary=\"").nth(1);
        let boundary = boundary.and_then(|rest| rest.split('"').next());
        let boundary = format!("--{}", boundary.expect("a mail of parts"));
        let parts = self.body.split(&*boundary).skip(1);
        let parts = parts.filter_map(|part| part.split_once("\n\n"));
        let decoded = parts.map(|(head, body)| decoded(&head.to_ascii_lowercase(), body));
        decoded.collect::<Vec<_>>().join("\n")
    }
}

fn decoded(head: &str, body: &str) -> String {
    if head.contains("base64") {
        let bytes = STANDARD.decode(body.replace('\n', "")).unwrap();
        return String::from_utf8(bytes).unwrap();
    }
    if !head.contains("quoted-printable") {
        return body.to_owned();
    }
    let body = body.replace("=\n", "");
    let mut pieces = body.split('=');
    let mut bytes = pieces.next().unwrap().as_bytes().to_vec();
    for piece in pieces {
        bytes.push(u8::from_str_radix(&piece[..2], 16).unwrap());
        bytes.extend(&piece.as_bytes()[2..]);
    }
    String::from_utf8(bytes).unwrap()
}
