//! To which methods a rule on paths applies.

use std::fmt;

use http::Method;

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
