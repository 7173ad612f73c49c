//! The mail as it goes over the wire: headers and MIME parts.
//!
//! - One `To`, without a display name: the address was parsed, and no header holds anything else
//!   from the person.
//! - `Date` comes from the layer's clock, not the machine's.
//! - `Auto-Submitted` (RFC 3834, section 5) prevents vacation replies; Exchange reads
//!   `X-Auto-Response-Suppress` instead. Its value does not suppress non-delivery reports, which
//!   are wanted.
//! - Two mails to one person are two conversations. Gmail may put mails with the same subject and
//!   sender into one, and fold away what the later ones repeat, which hides the newest link. Each
//!   mail has a `References` value that no other mail has: a mail with that field joins only mails
//!   that share a reference. The subject stays as it is, for people and their filters. A time in it
//!   would need the recipient's time zone, which the layer does not know.
//! - A text of ASCII is sent as it is (`7bit`), so that a link copied from the raw mail is whole.
//!   Any other text is quoted-printable or base64, and not `8bit`: a server on the way may encode
//!   that anew, which breaks the DKIM signature (RFC 6376, section 5.3). A link that is copied with
//!   the soft breaks of quoted-printable opens too.

use std::time::{Duration, UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use lettre::{
    Message,
    message::{
        Body, Mailbox, MultiPart, SinglePart,
        header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue},
    },
};

use super::{Letter, address};
use crate::mailer::{Mail, MailError, text::plain};

/// A line must have at most 998 characters (RFC 5322, section 2.1.1). Sendmail breaks one of more
/// than 990, whose `!` and line break would be in the middle of a link.
const LONGEST_LINE: usize = 990;

pub(super) fn message(
    from: &Mailbox,
    mail: &Mail<'_>,
    letter: Letter,
    id: [u8; 16],
) -> Result<Message, MailError> {
    let to = address(mail.to()).ok_or(MailError::because("the address is not valid in a mail"))?;
    let id = URL_SAFE_NO_PAD.encode(id);
    let builder = Message::builder()
        .date(UNIX_EPOCH + Duration::from_secs(mail.sent_at().as_secs()))
        .from(from.clone())
        .to(Mailbox::new(None, to))
        // A line break in a subject would begin another header field.
        .subject(plain(&letter.subject))
        // Of the sender's domain: lettre's default names the machine.
        .message_id(Some(format!("<{id}@{}>", from.email.domain())))
        .references(format!("<{id}.thread@{}>", from.email.domain()))
        .raw_header(fixed("Auto-Submitted", "auto-generated"))
        .raw_header(fixed("X-Auto-Response-Suppress", "OOF, AutoReply"));
    let text = SinglePart::builder()
        .header(ContentType::TEXT_PLAIN)
        .body(body(&letter.text));
    let message = match letter.html {
        None => builder.singlepart(text),
        Some(html) => {
            let html = SinglePart::builder()
                .header(ContentType::TEXT_HTML)
                .body(body(&html));
            // The last part is the one that a client prefers (RFC 2046, section 5.1.4).
            builder.multipart(MultiPart::alternative().singlepart(text).singlepart(html))
        }
    };
    message.map_err(|_| MailError::because("the mail cannot be composed"))
}

/// Encodes a text only if it cannot go over the wire as it is (RFC 2045, section 2.7).
fn body(text: &str) -> Body {
    let text = text.replace("\r\n", "\n");
    // lettre sends these as they are. A server may take a lone CR for the end of a line.
    if text.contains(['\0', '\r']) {
        return Body::new_with_encoding(text, ContentTransferEncoding::Base64)
            .unwrap_or_else(Body::new);
    }
    // lettre encodes every text with a line of more than 76 characters.
    if text.is_ascii() && text.lines().all(|line| line.len() < LONGEST_LINE) {
        let wire = text.replace('\n', "\r\n").into_bytes();
        return Body::dangerous_pre_encoded(wire, ContentTransferEncoding::SevenBit);
    }
    Body::new(text)
}

fn fixed(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}
