//! Writes claims as `mint` signs them, and as `plain` reads them: in their order, without blanks.
//!
//! It writes byte for byte what serde would, which looks at each byte of a text by itself.

use serde_json::value::RawValue;

use super::claims::{Claims, Text};
use crate::session::SessionId;

/// Few sessions state more: one with an organization and a name has 350 bytes.
const USUAL: usize = 512;

/// Writes claims as JSON.
pub(super) fn json(claims: &Claims<'_>) -> Vec<u8> {
    let mut json = Json(Vec::with_capacity(USUAL));
    json.text("{\"iss\":", &claims.iss);
    json.text(",\"aud\":", &claims.aud);
    json.text(",\"sub\":", &claims.sub);
    json.id(",\"sid\":", claims.sid.0);
    json.number(",\"iat\":", claims.iat.as_secs());
    json.number(",\"exp\":", claims.exp.as_secs());
    json.number(",\"auth_time\":", claims.auth_time.as_secs());
    json.text(",\"email\":", &claims.email);
    json.optional(",\"org\":", claims.org.as_ref());
    json.optional(",\"conn\":", claims.conn.as_ref());
    json.optional(",\"given_name\":", claims.given_name.as_ref());
    json.optional(",\"family_name\":", claims.family_name.as_ref());
    json.optional(",\"psid\":", claims.psid.as_ref());
    json.optional(",\"psub\":", claims.psub.as_ref());
    json.optional(",\"porg\":", claims.porg.as_ref());
    json.optional(",\"via\":", claims.via.as_ref());
    if claims.rem {
        json.raw(",\"rem\":true");
    }
    json.unless_zero(",\"skew\":", claims.skew);
    json.unless_zero(",\"by\":", claims.by.into());
    json.unless_zero(",\"askew\":", claims.askew);
    json.unless_zero(",\"aby\":", claims.aby.into());
    json.unless_zero(",\"after\":", claims.after);
    if let Some(app) = claims.app.map(RawValue::get) {
        json.raw(",\"app\":");
        json.raw(app);
    }
    json.raw("}");
    json.0
}

struct Json(Vec<u8>);

impl Json {
    fn raw(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    fn text(&mut self, name: &str, text: &Text<'_>) {
        self.raw(name);
        let text = text.as_str();
        let is_plain = |byte: u8| (byte >= b' ') & (byte != b'"') & (byte != b'\\');
        // Without an early exit: a processor then looks at many bytes at a time.
        if text.bytes().fold(true, |is, byte| is & is_plain(byte)) {
            self.raw("\"");
            self.raw(text);
            self.raw("\"");
        } else {
            self.raw(&serde_json::Value::from(text).to_string());
        }
    }

    fn optional(&mut self, name: &str, text: Option<&Text<'_>>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    fn id(&mut self, name: &str, id: SessionId) {
        self.raw(name);
        self.raw("\"");
        self.raw(id.text(&mut [0; 22]));
        self.raw("\"");
    }

    fn number(&mut self, name: &str, mut number: u64) {
        self.raw(name);
        // By hand: to format three times of a token takes as long as to write its texts.
        let (mut digits, mut length) = ([b'0'; 20], 0);
        for digit in digits.iter_mut().rev() {
            *digit += u8::try_from(number % 10).unwrap_or_default();
            (number, length) = (number / 10, length + 1);
            if number == 0 {
                break;
            }
        }
        let start = digits.len() - length;
        self.0
            .extend_from_slice(digits.get(start..).unwrap_or_default());
    }

    fn unless_zero(&mut self, name: &str, number: u64) {
        if number != 0 {
            self.number(name, number);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::{
        clock::Timestamp,
        session::token::{claims::Id, stated::always},
    };

    proptest! {
        #[test]
        fn claims_are_written_as_serde_writes_them(
            texts in vec(any::<String>(), 12),
            has in vec(any::<bool>(), 10),
            numbers in vec(prop_oneof![Just(0), any::<u64>()], 6),
            marks in any::<[u32; 2]>(),
            id in any::<[u8; 16]>(),
        ) {
            let text = |at: usize| Text::from(texts[at].as_str());
            let optional = |at: usize| has[at].then(|| text(at + 4));
            let app: &RawValue = serde_json::from_str("{\"role\": [\"admin\"]}").unwrap();
            let claims = Claims {
                iss: text(0),
                aud: text(1),
                sub: text(2),
                sid: Id(SessionId::from_bytes(id)),
                iat: Timestamp::from_secs(numbers[0]),
                nbf: always(),
                exp: Timestamp::from_secs(numbers[1]),
                auth_time: Timestamp::from_secs(numbers[2]),
                email: text(3),
                org: optional(0),
                conn: optional(1),
                given_name: optional(2),
                family_name: optional(3),
                psid: optional(4),
                psub: optional(5),
                porg: optional(6),
                via: optional(7),
                rem: has[8],
                skew: numbers[3],
                by: marks[0],
                askew: numbers[4],
                aby: marks[1],
                after: numbers[5],
                app: has[9].then_some(app),
            };
            let want = serde_json::to_string(&claims).unwrap();
            prop_assert_eq!(String::from_utf8(json(&claims)).unwrap(), want);
        }
    }
}
