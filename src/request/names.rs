//! Names of fields that `http` has no constants for. A name that is a text is parsed at each
//! look-up, and a refusal makes a dozen of them.

use http::HeaderName;

pub(crate) static HX_CURRENT_URL: HeaderName = HeaderName::from_static("hx-current-url");
pub(crate) static HX_REQUEST: HeaderName = HeaderName::from_static("hx-request");
pub(super) static PURPOSE: HeaderName = HeaderName::from_static("purpose");
pub(super) static SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
pub(super) static SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
pub(super) static SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
pub(super) static SEC_PURPOSE: HeaderName = HeaderName::from_static("sec-purpose");
