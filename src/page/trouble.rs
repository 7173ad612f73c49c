//! What can go wrong, and how it is told.
//!
//! - A heading, one sentence on what happened, one on what to do now, one way on.
//! - Plain words for a tired person: no jargon, no blame, no codes.

mod page;

pub use self::page::TroublePage;

/// Something that did not work, as the person hears of it.
///
/// The texts may change from release to release; match on the variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Trouble {
    /// The request can be read in more than one way: the address of the page, most likely.
    AmbiguousRequest,
    /// The link was opened in another browser than the one that began the sign-in.
    AnotherBrowser,
    /// The clocks of the servers disagree.
    ClockWrong,
    /// The code from the mail is no longer good: its time is up.
    CodeExpired,
    /// The code from the mail was used before.
    CodeUsed,
    /// What was typed is not the code of the newest mail.
    CodeWrong,
    /// The layer's cookie has not come back: the browser does not keep it.
    CookiesBlocked,
    /// The request comes from another website.
    CrossSite,
    /// The sign-in was begun too long ago.
    Expired,
    /// The page was opened over `http`, and signing in is set up for `https`.
    InsecureConnection,
    /// Somebody said in another browser that it was not them: the link works only where the sign-in
    /// began.
    LinkDeclined,
    /// The link was good for its time, and that is over.
    LinkExpired,
    /// The link is used, has expired, or a newer one has taken its place.
    LinkUsed,
    /// The mail with the link could not be sent.
    MailNotSent,
    /// The request is not what the layer's pages send.
    Malformed,
    /// The endpoint does not know the method.
    MethodNotAllowed,
    /// The address has no access: its organization, its domain or the application's own rule says
    /// no.
    NotAllowed,
    /// The address that was proven is not the one that the sign-in was begun for.
    OtherAddress,
    /// The page was opened under another address than the one that signing in is set up for.
    OtherHost,
    /// The provider's answer could not be understood.
    ProviderFailed,
    /// The provider does not take the address.
    ProviderRefusedAddress,
    /// The provider cannot be reached or does not answer in time.
    ProviderUnavailable,
    /// There were too many requests.
    RateLimited,
    /// The session does not fit into a cookie.
    SessionTooLarge,
    /// The provider does not take the layer's key, client id or redirect URI.
    SignInMisconfigured,
    /// The cookie is gone, but the session could not be recorded as ended.
    SignOutNotRecorded,
    /// The provider asks for more than a link or code.
    StepUpRequired,
    /// Whether the session was ended could not be looked up.
    StoreUnavailable,
    /// The form is too long.
    TooLarge,
    /// A code was typed wrong so often that no more tries are left.
    TooManyTries,
    /// The form took too long to arrive.
    TooSlow,
    /// The form has a content type that is not a form's.
    UnsupportedMediaType,
    /// The address was proven by a kind of connection that is not accepted.
    WrongConnection,
}

struct Words {
    heading: &'static str,
    happened: &'static str,
    advice: &'static str,
    way_on: &'static str,
}

impl Trouble {
    /// Returns a few words that name it.
    #[must_use]
    pub const fn heading(self) -> &'static str {
        self.words().heading
    }

    /// Returns a sentence on what happened.
    #[must_use]
    pub const fn happened(self) -> &'static str {
        self.words().happened
    }

    /// Returns a sentence on what to do now.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        self.words().advice
    }

    /// Returns the label of the link that leads on.
    #[must_use]
    pub const fn way_on(self) -> &'static str {
        self.words().way_on
    }

    const fn words(self) -> Words {
        match self {
            Self::AmbiguousRequest => Words {
                heading: "This request can’t be passed on",
                happened: "It can be read in more than one way, as when an address has characters in it that don’t belong there, so nothing was opened.",
                advice: "Check the address for a typing mistake, or begin at the front page.",
                way_on: "Go to the front page",
            },
            Self::AnotherBrowser => Words {
                heading: "Open the link where you began",
                happened: "This is a different browser from the one where you asked for the link, so it can’t sign you in here.",
                advice: "Go back to the browser where you began and open the link there, or ask for a new link here.",
                way_on: "Sign in here instead",
            },
            Self::ClockWrong => Words {
                heading: "Our clocks don’t agree",
                happened: "The computers that run this application disagree about the time; it’s nothing that you did.",
                advice: "Please try again in a few minutes.",
                way_on: "Try again",
            },
            Self::CodeExpired => Words {
                heading: "This code has timed out",
                happened: "A code is good for a few minutes only, and those have passed.",
                advice: "Ask for a new code, and type the one from the newest email.",
                way_on: "Get a new code",
            },
            Self::CodeUsed => Words {
                heading: "This code has been used already",
                happened: "A code works once, and somebody has signed in with this one.",
                advice: "Ask for a new code, and type the one from the newest email.",
                way_on: "Get a new code",
            },
            Self::CodeWrong => Words {
                heading: "That isn’t the code we sent",
                happened: "What you typed is not the code from the newest email to your address.",
                advice: "Go back and type it once more, or ask for a new code.",
                way_on: "Get a new code",
            },
            Self::CookiesBlocked => Words {
                heading: "Your browser blocks our cookie",
                happened: "This site knows you again by a small cookie, and your browser hasn’t sent it back.",
                advice: "Allow cookies for this site in the settings of your browser, then try again.",
                way_on: "Try again",
            },
            Self::CrossSite => Words {
                heading: "That came from another website",
                happened: "To keep you safe, nothing was done: the request didn’t come from this site’s own page.",
                advice: "If you want to sign in or out, please do it from here.",
                way_on: "Go to the sign-in page",
            },
            Self::Expired => Words {
                heading: "This sign-in has timed out",
                happened: "It was started a while ago, and a sign-in is only kept open for a short time.",
                advice: "Just ask for a new link; it takes a moment.",
                way_on: "Get a new link",
            },
            Self::InsecureConnection => Words {
                heading: "This connection isn’t encrypted",
                happened: "The page was opened without encryption, and your browser keeps you signed in only over a secure connection.",
                advice: "Open it securely, at the address that begins with “https”.",
                way_on: "Open it securely",
            },
            Self::LinkDeclined => Words {
                heading: "This link was turned down",
                happened: "Somebody, or a program that checks email, answered “That wasn’t me” on another device, so it now works only where you began.",
                advice: "Open the link in the browser where you began, or ask for a new one here.",
                way_on: "Get a new link",
            },
            Self::LinkExpired => Words {
                heading: "This link is too old",
                happened: "For your safety a link works only for a short time, and sometimes an email takes longer than that.",
                advice: "Ask for a new link, and open it soon after it arrives.",
                way_on: "Get a new link",
            },
            Self::LinkUsed => Words {
                heading: "This link no longer works",
                happened: "A link works once and for a limited time, and some mail programs open links to check them before you do.",
                advice: "Ask for a new link, and open the one in the newest email.",
                way_on: "Get a new link",
            },
            Self::MailNotSent => Words {
                heading: "We couldn’t send your email",
                happened: "Something went wrong on our side, so no link is on its way to you.",
                advice: "Please try again in a few minutes.",
                way_on: "Try again",
            },
            Self::Malformed => Words {
                heading: "That didn’t arrive in one piece",
                happened: "Part of what your browser sent was missing or changed, as happens when a link is cut short.",
                advice: "Open the link from your email once more, or start again here.",
                way_on: "Start again",
            },
            Self::MethodNotAllowed => Words {
                heading: "This page works differently",
                happened: "It was opened in a way that it isn’t made for.",
                advice: "Please go on from the sign-in page.",
                way_on: "Go to the sign-in page",
            },
            Self::NotAllowed => Words {
                heading: "This address can’t sign in here",
                happened: "Your email address doesn’t have access to this application.",
                advice: "Use another address, or ask the people who run the application to let you in.",
                way_on: "Use another address",
            },
            Self::OtherAddress => Words {
                heading: "That was a different address",
                happened: "The link confirmed another email address than the one that was typed here, so nobody has been signed in.",
                advice: "Start again with the address that you want to use.",
                way_on: "Start again",
            },
            Self::OtherHost => Words {
                heading: "This site has another address",
                happened: "You opened it at a web address where signing in isn’t set up.",
                advice: "Go to the right address and sign in there.",
                way_on: "Go to the right address",
            },
            Self::ProviderFailed => Words {
                heading: "Signing in didn’t work this time",
                happened: "The sign-in service gave an answer that we couldn’t use; it’s nothing that you did.",
                advice: "Please try again, and tell the people who run this application if it keeps happening.",
                way_on: "Try again",
            },
            Self::ProviderRefusedAddress => Words {
                heading: "We can’t send email to that address",
                happened: "The service that sends our emails didn’t accept it, so no link is on its way.",
                advice: "Please check the address for a slip of the finger, or use another one.",
                way_on: "Change the address",
            },
            Self::ProviderUnavailable => Words {
                heading: "Signing in isn’t possible right now",
                happened: "The service that sends sign-in links isn’t answering; your address is fine.",
                advice: "Please try again in a few minutes.",
                way_on: "Try again",
            },
            Self::RateLimited => Words {
                heading: "Please wait a moment",
                happened: "There have been a lot of sign-in requests in a short time, so we’re taking a short break.",
                advice: "Please wait a few minutes before you try again.",
                way_on: "Try again",
            },
            Self::SessionTooLarge => Words {
                heading: "We couldn’t keep you signed in",
                happened: "Your account holds more details than your browser can store for us.",
                advice: "Please tell the people who run this application; they can put it right.",
                way_on: "Use another address",
            },
            Self::SignInMisconfigured => Words {
                heading: "Signing in isn’t set up properly",
                happened: "A setting of this application needs to be put right; it’s nothing that you did.",
                advice: "Please tell the people who run it, and try again later.",
                way_on: "Try again",
            },
            Self::SignOutNotRecorded => Words {
                heading: "You’re signed out of this browser",
                happened: "We couldn’t make sure, though, that your session has ended everywhere.",
                advice: "To be certain, sign in again in a few minutes and choose “Sign out everywhere”.",
                way_on: "Sign in again",
            },
            Self::StepUpRequired => Words {
                heading: "One more step is needed",
                happened: "For this address, your organization asks for more than a code or a link.",
                advice: "Please ask your administrator how to sign in.",
                way_on: "Use another address",
            },
            Self::StoreUnavailable => Words {
                heading: "One moment, please",
                happened: "Part of this application isn’t answering right now, but you haven’t been signed out.",
                advice: "Please try again in a moment.",
                way_on: "Try again",
            },
            Self::TooLarge => Words {
                heading: "That was more than fits here",
                happened: "Your browser sent much more than an email address.",
                advice: "Please go back to the sign-in page and type just your address.",
                way_on: "Go to the sign-in page",
            },
            Self::TooManyTries => Words {
                heading: "Too many wrong codes",
                happened: "To keep guessers out, a code can be typed wrong a few times only, and no try is left.",
                advice: "Ask for a new email, or open the link in the browser where you began.",
                way_on: "Start again",
            },
            Self::TooSlow => Words {
                heading: "That took too long to arrive",
                happened: "Your connection seems to be slow right now, and only part of the form got through.",
                advice: "Please try again when it is faster.",
                way_on: "Try again",
            },
            Self::UnsupportedMediaType => Words {
                heading: "We couldn’t read that form",
                happened: "It arrived in a format that this page doesn’t know.",
                advice: "Please send it from the sign-in page.",
                way_on: "Go to the sign-in page",
            },
            Self::WrongConnection => Words {
                heading: "Please use the link in your email",
                happened: "You came by another way of signing in, and this application only takes a link that it has sent.",
                advice: "Ask for a link, and open it from your email.",
                way_on: "Get a link",
            },
        }
    }
}

#[cfg(test)]
impl Trouble {
    pub(super) const ALL: [Self; 33] = [
        Self::AmbiguousRequest,
        Self::AnotherBrowser,
        Self::ClockWrong,
        Self::CodeExpired,
        Self::CodeUsed,
        Self::CodeWrong,
        Self::CookiesBlocked,
        Self::CrossSite,
        Self::Expired,
        Self::InsecureConnection,
        Self::LinkDeclined,
        Self::LinkExpired,
        Self::LinkUsed,
        Self::MailNotSent,
        Self::Malformed,
        Self::MethodNotAllowed,
        Self::NotAllowed,
        Self::OtherAddress,
        Self::OtherHost,
        Self::ProviderFailed,
        Self::ProviderRefusedAddress,
        Self::ProviderUnavailable,
        Self::RateLimited,
        Self::SessionTooLarge,
        Self::SignInMisconfigured,
        Self::SignOutNotRecorded,
        Self::StepUpRequired,
        Self::StoreUnavailable,
        Self::TooLarge,
        Self::TooManyTries,
        Self::TooSlow,
        Self::UnsupportedMediaType,
        Self::WrongConnection,
    ];
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, time::Duration};

    use super::*;

    #[test]
    #[expect(clippy::as_conversions, reason = "counts the variants")]
    fn the_list_of_troubles_is_whole() {
        assert_eq!(
            Trouble::ALL.map(|trouble| trouble as usize).to_vec(),
            (0..=Trouble::WrongConnection as usize).collect::<Vec<_>>()
        );
    }

    #[test]
    fn each_trouble_has_its_own_heading_and_story() {
        let headings: HashSet<_> = Trouble::ALL.map(Trouble::heading).into();
        let stories: HashSet<_> = Trouble::ALL.map(Trouble::happened).into();
        assert_eq!(headings.len(), Trouble::ALL.len());
        assert_eq!(stories.len(), Trouble::ALL.len());
    }

    #[test]
    fn each_trouble_is_told_in_plain_whole_sentences() {
        for trouble in Trouble::ALL {
            let name = format!("{trouble:?}");
            assert!(!trouble.heading().ends_with('.'), "{name}: heading");
            assert!(trouble.heading().len() <= 40, "{name}: heading is long");
            assert!(!trouble.way_on().is_empty(), "{name}: way on");
            for sentence in [trouble.happened(), trouble.advice()] {
                assert!(sentence.ends_with('.'), "{name}: {sentence}");
                assert_eq!(sentence.matches('.').count(), 1, "{name}: {sentence}");
                assert!(
                    sentence.starts_with(|c: char| c.is_uppercase()),
                    "{name}: {sentence}"
                );
            }
            let words = format!(
                "{} {} {}",
                trouble.heading(),
                trouble.happened(),
                trouble.advice()
            );
            for jargon in [
                "HTTP",
                "cookie",
                "token",
                "session id",
                "error",
                "invalid",
                "POST",
                "WorkOS",
                "you must",
                "illegal",
                "denied",
                "failed",
                "0",
                "4",
                "5",
            ] {
                // Who has to allow cookies must hear the word.
                let is_told = trouble == Trouble::CookiesBlocked && jargon == "cookie";
                assert!(
                    is_told || !words.contains(jargon),
                    "{name}: {jargon:?} in {words}"
                );
            }
        }
    }

    #[test]
    fn a_known_wait_takes_the_place_of_the_advice() {
        let page = TroublePage::new(Trouble::RateLimited);
        assert_eq!(page.advice(), Trouble::RateLimited.advice());
        let page = page.with_retry_after(Duration::from_secs(61));
        assert_eq!(page.advice(), "Please try again in 1 minute and 1 second.");
    }
}
