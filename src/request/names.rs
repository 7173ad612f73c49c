//! Names of fields that `http` has no constants for. A name that is a text is parsed at each
//! look-up.

use http::HeaderName;

pub(super) static SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
