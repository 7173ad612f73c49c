//! The mail as it goes over the wire: headers and MIME parts.
//!
//! - One `To`, without a display name: the address was parsed, and no header holds anything else
//!   from the person.
//! - `Date` comes from the layer's clock, not the machine's.
//! - `Auto-Submitted` (RFC 3834, section 5) prevents vacation replies; Exchange reads
//!   `X-Auto-Response-Suppress` instead. Its value does not suppress non-delivery reports, which
//!   are wanted.

use std::time::{Duration, UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use lettre::{
    Message,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{ContentType, HeaderName, HeaderValue},
    },
};

use super::{Letter, address};
use crate::mailer::{Mail, MailError, text::plain};

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
        .raw_header(fixed("Auto-Submitted", "auto-generated"))
        .raw_header(fixed("X-Auto-Response-Suppress", "OOF, AutoReply"));
    let text = SinglePart::builder()
        .header(ContentType::TEXT_PLAIN)
        .body(letter.text);
    let message = match letter.html {
        None => builder.singlepart(text),
        Some(html) => {
            let html = SinglePart::builder()
                .header(ContentType::TEXT_HTML)
                .body(html);
            // The last part is the one that a client prefers (RFC 2046, section 5.1.4).
            builder.multipart(MultiPart::alternative().singlepart(text).singlepart(html))
        }
    };
    message.map_err(|_| MailError::because("the mail cannot be composed"))
}

fn fixed(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}
