//! To which methods a rule on paths applies.

use std::fmt;

use http::Method;

/// The methods that browsers and programs send (RFC 9110, section 9.3; RFC 5789).
const USUAL: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT",
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Methods {
    Any,
    One(Method),
    Reading,
}

impl Methods {
    pub(super) fn take(&self, method: &Method) -> bool {
        match self {
            // A CONNECT asks for a tunnel, which no rule on paths may open.
            Self::Any => method != Method::CONNECT,
            Self::One(one) => one == method,
            Self::Reading => method == Method::GET || method == Method::HEAD,
        }
    }

    pub(super) fn overlap(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::One(one), methods) | (methods, Self::One(one)) => methods.take(one),
            (Self::Any | Self::Reading, Self::Any | Self::Reading) => true,
        }
    }

    /// Returns a method that no request has, and the usual one that was probably meant.
    ///
    /// Methods are compared with their case (RFC 9110, section 9.1), and the registered ones are in
    /// capitals. A method of an application's own stays, unless it is one slip from a usual one.
    pub(super) fn slip(&self) -> Option<(&Method, Option<&'static str>)> {
        let Self::One(method) = self else {
            return None;
        };
        let text = method.as_str();
        let capitals = text.to_ascii_uppercase();
        if USUAL.contains(&text) {
            return None;
        }
        let is_meant =
            |usual: &&str| *usual == capitals || is_slip_of(capitals.as_bytes(), usual.as_bytes());
        // No other text is repeated: it may be a secret in the wrong place.
        let meant = USUAL.into_iter().find(is_meant);
        (meant.is_some() || text != capitals).then_some((method, meant))
    }
}

impl fmt::Display for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any method"),
            Self::One(method) => f.write_str(method.as_str()),
            Self::Reading => f.write_str("GET, HEAD"),
        }
    }
}

/// Says whether one letter is missing, too many or another, or two have changed places.
fn is_slip_of(text: &[u8], meant: &[u8]) -> bool {
    match (text, meant) {
        ([a, text @ ..], [b, meant @ ..]) if a == b => is_slip_of(text, meant),
        ([_, text @ ..], [_, meant @ ..]) if text == meant => true,
        ([_, text @ ..], meant) if text == meant => true,
        (text, [_, meant @ ..]) if text == meant => true,
        ([a, b, text @ ..], [c, d, meant @ ..]) => a == d && b == c && text == meant,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The registered methods (RFC 9110, section 16.1, and their registry), and others in use.
    const OTHERS: &str = "ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT COPY LABEL LINK LOCK MERGE \
                          MKACTIVITY MKCALENDAR MKCOL MKREDIRECTREF MKWORKSPACE MOVE ORDERPATCH PRI \
                          PROPFIND PROPPATCH QUERY REBIND REPORT SEARCH UNBIND UNCHECKOUT UNLINK \
                          UNLOCK UPDATE UPDATEREDIRECTREF VERSION-CONTROL PURGE BAN NOTIFY \
                          SUBSCRIBE UNSUBSCRIBE M-SEARCH PULL PUSH";

    #[test]
    fn a_method_that_no_request_has_leads_to_the_one_that_is_meant() {
        let cases = [
            ("post", "POST"),
            ("Post", "POST"),
            ("gET", "GET"),
            ("psot", "POST"),
            ("PSOT", "POST"),
            ("POTS", "POST"),
            ("PST", "POST"),
            ("POSTT", "POST"),
            ("XPOST", "POST"),
            ("POSR", "POST"),
            ("GTE", "GET"),
            ("PUTT", "PUT"),
            ("DELTE", "DELETE"),
            ("DELET", "DELETE"),
            ("OPTION", "OPTIONS"),
        ];
        let slip = |text: &str| {
            let methods = Methods::One(text.parse().unwrap());
            methods.slip().map(|(_, meant)| meant)
        };
        for (text, want) in cases {
            assert_eq!(slip(text), Some(Some(want)), "{text}");
        }
        for text in USUAL.into_iter().chain(OTHERS.split_whitespace()) {
            assert_eq!(slip(text), None, "{text}");
        }
        assert_eq!(slip("purge"), Some(None));
        assert!(Methods::Any.slip().is_none() && Methods::Reading.slip().is_none());
    }
}
