//! The API key and the client id, looked at before the first request.

use http::HeaderValue;

use crate::error::ConfigError;

/// The environment's API key, as it is and as a header.
#[derive(Clone)]
pub(super) struct ApiKey {
    pub(super) text: String,
    pub(super) bearer: HeaderValue,
}

/// Returns the API key and the client id, each given with the name of its setting.
pub(super) fn checked(
    (key_setting, api_key): (&'static str, String),
    (id_setting, client_id): (&'static str, String),
) -> Result<(ApiKey, String), ConfigError> {
    // Never show either value: if the two are swapped, one of them is the key.
    for (setting, text, other) in [
        (key_setting, &api_key, "client_"),
        (id_setting, &client_id, "sk_"),
    ] {
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_graphic()) {
            let problem = "is empty, or holds a character that is not visible ASCII: copy it from API Keys in WorkOS's dashboard";
            return Err(ConfigError::secret(setting, problem));
        }
        if text.starts_with(other) {
            let problem = format!("begins with {other}: the API key and the client id are swapped");
            return Err(ConfigError::secret(setting, problem));
        }
    }
    let bearer = bearer(&api_key)
        .ok_or_else(|| ConfigError::secret(key_setting, "is not a valid header value"))?;
    let api_key = ApiKey {
        text: api_key,
        bearer,
    };
    Ok((api_key, client_id))
}

/// Returns a token as the value of `Authorization`.
pub(super) fn bearer(token: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
    // Keeps the key out of the headers' `Debug`.
    value.set_sensitive(true);
    Some(value)
}
