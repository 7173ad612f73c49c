//! The logins at the mail server and at Redis: keys of their own, which become a part of the URL.
//!
//! - Half of a login is refused here, by its own key. In the URL it would be an error of `…_url`.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{error::SettingsError, whole::Settings};

impl Settings {
    /// Refuses a user name of Redis or of its Sentinels that has no password.
    #[cfg(feature = "redis")]
    pub(super) fn check_login_of_redis(&self) -> Result<(), SettingsError> {
        self.needs("redis_user", "redis_password")?;
        match self.word("redis_sentinel_user") {
            // The default, which may be written out where the Sentinels ask for no login.
            None | Some("default") => Ok(()),
            Some(_) => self.needs("redis_sentinel_user", "redis_sentinel_password"),
        }
    }

    /// Refuses half a login at the mail server, and one with a control character.
    #[cfg(feature = "smtp")]
    pub(super) fn check_login_of_smtp(&self) -> Result<(), SettingsError> {
        const USER: &str = "smtp_user";
        const PASSWORD: &str = "smtp_password";
        self.needs(USER, PASSWORD)?;
        self.needs(PASSWORD, USER)?;
        let (user, password) = (self.word(USER), self.secret(PASSWORD));
        for (name, text) in [(USER, user), (PASSWORD, password)] {
            // SASL PLAIN separates its fields by NUL (RFC 4616, section 2).
            if text.is_some_and(|text| text.contains(char::is_control)) {
                return Err(self.refused(name, "has a control character"));
            }
        }
        Ok(())
    }

    /// Refuses a key that is set without the other one.
    fn needs(&self, name: &'static str, other: &'static str) -> Result<(), SettingsError> {
        match self.is_set(name) && !self.is_set(other) {
            true => Err(Self::missing(other, name)),
            false => Ok(()),
        }
    }

    /// Adds the user name and the password to a URL. One that has a login was refused when it was
    /// read.
    pub(super) fn with_login(&self, url: &str, of: &'static str) -> String {
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let user = self.word(&format!("{of}_user")).map(encode);
        let password = self.secret(&format!("{of}_password")).map(encode);
        let Some((scheme, rest)) = url.split_once("://") else {
            return url.to_owned();
        };
        if user.is_none() && password.is_none() {
            return url.to_owned();
        }
        let (user, password) = (user.unwrap_or_default(), password.unwrap_or_default());
        if scheme.contains("unix") {
            // A socket has its login in the query.
            let first = if rest.contains('?') { '&' } else { '?' };
            let user = match user.is_empty() {
                true => String::new(),
                false => format!("user={user}&"),
            };
            return format!("{url}{first}{user}pass={password}");
        }
        format!("{scheme}://{user}:{password}@{rest}")
    }
}
