//! What a person reads of a refusal.
//!
//! - A heading, one sentence on what happened, one on what to do now, one way on.
//! - Plain words for a tired person: no jargon, no blame, no codes.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) heading: &'static str,
    pub(super) happened: &'static str,
    pub(super) advice: &'static str,
    pub(super) way_on: &'static str,
}

pub(super) const AMBIGUOUS_REQUEST: &Words = &Words {
    heading: "This request can’t be passed on",
    happened: "It can be understood in more than one way, for example because of characters in its address that don’t belong there, so nothing was opened.",
    advice: "Check the address for a typing mistake, or begin at the front page.",
    way_on: "Go to the front page",
};

pub(super) const ANOTHER_BROWSER: &Words = &Words {
    heading: "Open the link where you began",
    happened: "This is a different browser from the one where you asked for the link, so it can’t sign you in here.",
    advice: "Go back to the browser where you began and open the link there, or ask for a new link here.",
    way_on: "Sign in here instead",
};

pub(super) const ATTEMPT_EXPIRED: &Words = &Words {
    heading: "This sign-in has timed out",
    happened: "It was started a while ago, and a sign-in is only kept open for a short time.",
    advice: "Just ask for a new link; it takes a moment.",
    way_on: "Get a new link",
};

pub(super) const CHOICE_CANCELLED: &Words = &Words {
    heading: "You haven’t signed in",
    happened: "You didn’t choose an organization, and that email can’t be used again.",
    advice: "Whenever you want to try again, ask for a new email.",
    way_on: "Start again",
};

pub(super) const CHOICE_EXPIRED: &Words = &Words {
    heading: "This choice is no longer open",
    happened: "An organization can be chosen once, within a few minutes of using the email.",
    advice: "Ask for a new email, and choose again.",
    way_on: "Start again",
};

pub(super) const CLOCK_WRONG: &Words = &Words {
    heading: "Our clocks don’t agree",
    happened: "The computers that run this application disagree about the time; it’s nothing that you did.",
    advice: "Please try again in a few minutes.",
    way_on: "Try again",
};

pub(super) const CODE_EXPIRED: &Words = &Words {
    heading: "This code has timed out",
    happened: "A code is good for a few minutes only, and those have passed.",
    advice: "Ask for a new code, and type the one from the newest email.",
    way_on: "Get a new code",
};

pub(super) const CODE_USED: &Words = &Words {
    heading: "This code has been used already",
    happened: "A code works once, and somebody has signed in with this one.",
    advice: "Ask for a new code, and type the one from the newest email.",
    way_on: "Get a new code",
};

pub(super) const CODE_WRONG: &Words = &Words {
    heading: "That isn’t the code we sent",
    happened: "What you typed is not the code from the newest email to your address.",
    advice: "Go back and type it again, or ask for a new code.",
    way_on: "Get a new code",
};

pub(super) const COOKIES_BLOCKED: &Words = &Words {
    heading: "Your browser blocks our cookie",
    happened: "This site recognises you by a small cookie, and your browser hasn’t sent it back.",
    advice: "Allow cookies for this site in the settings of your browser, then try again.",
    way_on: "Try again",
};

pub(super) const CROSS_SITE: &Words = &Words {
    heading: "That came from another website",
    happened: "To keep you safe, nothing was done: the request didn’t come from this site’s own page.",
    advice: "If you want to sign in or out, please do it from here.",
    way_on: "Go to the sign-in page",
};

pub(super) const INSECURE_CONNECTION: &Words = &Words {
    heading: "This connection isn’t encrypted",
    happened: "The page was opened without encryption, and your browser keeps you signed in only over a secure connection.",
    advice: "Open it securely, at the address that begins with “https”.",
    way_on: "Open it securely",
};

pub(super) const LINK_DECLINED: &Words = &Words {
    heading: "This link was turned down",
    happened: "Somebody, or a program that checks email, answered “That wasn’t me” on another device, so it now works only where you began.",
    advice: "Open the link in the browser where you began, or ask for a new one here.",
    way_on: "Get a new link",
};

pub(super) const LINK_EXPIRED: &Words = &Words {
    heading: "This link is too old",
    happened: "For your safety a link works only for a short time, and sometimes an email takes longer than that.",
    advice: "Ask for a new link, and open it soon after it arrives.",
    way_on: "Get a new link",
};

pub(super) const LINK_USED: &Words = &Words {
    heading: "This link no longer works",
    happened: "A link works once and for a limited time, and some mail programs open links to check them before you do.",
    advice: "Ask for a new link, and open the one in the newest email.",
    way_on: "Get a new link",
};

pub(super) const MAIL_NOT_SENT: &Words = &Words {
    heading: "We couldn’t send your email",
    happened: "Something went wrong on our side, so no link is on its way to you.",
    advice: "Please try again in a few minutes.",
    way_on: "Try again",
};

pub(super) const MALFORMED: &Words = &Words {
    heading: "That didn’t arrive in one piece",
    happened: "Part of what your browser sent was missing or changed, as happens when a link is cut short.",
    advice: "Open the link from your email again, or start over here.",
    way_on: "Start again",
};

pub(super) const METHOD_NOT_ALLOWED: &Words = &Words {
    heading: "This page works differently",
    happened: "It was opened in a way that it isn’t made for.",
    advice: "Please go on from the sign-in page.",
    way_on: "Go to the sign-in page",
};

pub(super) const NO_SESSION: &Words = &Words {
    heading: "You’re not signed in",
    happened: "Your session has ended, or another website led here without it, so nothing that was sent has been saved.",
    advice: "Sign in, then send it once more.",
    way_on: "Sign in",
};

pub(super) const NOT_ALLOWED: &Words = &Words {
    heading: "This address can’t sign in here",
    happened: "Your email address doesn’t have access to this application.",
    advice: "Use another address, or ask the people who run the application to let you in.",
    way_on: "Use another address",
};

pub(super) const ORGANIZATION_NOT_ALLOWED: &Words = &Words {
    heading: "You can’t sign in to this organization",
    happened: "Your address doesn’t have access here to the organization that you chose.",
    advice: "Ask for a new email and choose another organization, or ask the people who run this one to let you in.",
    way_on: "Start again",
};

pub(super) const ORGANIZATION_REQUIRED: &Words = &Words {
    heading: "Choose an organization",
    happened: "This address belongs to more than one organization, so you have to choose which one to sign in to.",
    advice: "Please sign in on the page of this application, which lets you choose.",
    way_on: "Go to the sign-in page",
};

pub(super) const OTHER_ADDRESS: &Words = &Words {
    heading: "That was a different address",
    happened: "The link confirmed another email address than the one that was typed here, so nobody has been signed in.",
    advice: "Start again with the address that you want to use.",
    way_on: "Start again",
};

pub(super) const OTHER_HOST: &Words = &Words {
    heading: "This site has another address",
    happened: "You opened it at a web address where signing in isn’t set up.",
    advice: "Go to the right address and sign in there.",
    way_on: "Go to the right address",
};

pub(super) const PROVIDER_ANSWER_LOST: &Words = &Words {
    heading: "Signing in stopped halfway",
    happened: "The sign-in service hasn’t told us how it went, so your link or code may be used up already; it’s nothing that you did.",
    advice: "Ask for a new email and use the one that arrives, and tell the people who run this application if it keeps happening.",
    way_on: "Get a new email",
};

pub(super) const PROVIDER_FAILED: &Words = &Words {
    heading: "Signing in didn’t work this time",
    happened: "The sign-in service gave an answer that we couldn’t use; it’s nothing that you did.",
    advice: "Please try again, and tell the people who run this application if it keeps happening.",
    way_on: "Try again",
};

pub(super) const PROVIDER_MISCONFIGURED: &Words = &Words {
    heading: "Signing in isn’t set up properly",
    happened: "A setting of this application needs to be put right; it’s nothing that you did.",
    advice: "Please tell the people who run it, and try again later.",
    way_on: "Try again",
};

pub(super) const PROVIDER_REFUSED_ADDRESS: &Words = &Words {
    heading: "We can’t send email to that address",
    happened: "The service that sends our emails didn’t accept it, so no link is on its way.",
    advice: "Please check the address for a typing mistake, or use another one.",
    way_on: "Change the address",
};

pub(super) const PROVIDER_UNAVAILABLE: &Words = &Words {
    heading: "Signing in isn’t possible right now",
    happened: "The service that sends sign-in links isn’t answering; your address is fine.",
    advice: "Please try again in a few minutes.",
    way_on: "Try again",
};

pub(super) const RATE_LIMITED: &Words = &Words {
    heading: "Please wait a moment",
    happened: "There have been a lot of sign-in requests in a short time, so we’re taking a short break.",
    advice: "Please wait a few minutes before you try again.",
    way_on: "Try again",
};

pub(super) const RECENT_SIGN_IN_REQUIRED: &Words = &Words {
    heading: "Please sign in once more",
    happened: "This step needs a recent sign-in, so nothing that you sent has been saved.",
    advice: "Sign in again, then send it once more.",
    way_on: "Sign in again",
};

pub(super) const SESSION_TOO_LARGE: &Words = &Words {
    heading: "We couldn’t keep you signed in",
    happened: "Your account holds more details than your browser can store for us.",
    advice: "Please tell the people who run this application; they can put it right.",
    way_on: "Use another address",
};

pub(super) const SIGN_OUT_NOT_RECORDED: &Words = &Words {
    heading: "You’re signed out of this browser",
    happened: "We couldn’t make sure, though, that your session has ended everywhere.",
    advice: "To be certain, sign in again in a few minutes and choose “Sign out everywhere”.",
    way_on: "Sign in again",
};

pub(super) const STEP_UP_REQUIRED: &Words = &Words {
    heading: "One more step is needed",
    happened: "For this address, your organization asks for more than a code or a link.",
    advice: "Please ask your administrator how to sign in.",
    way_on: "Use another address",
};

pub(super) const STORE_UNAVAILABLE: &Words = &Words {
    heading: "One moment, please",
    happened: "Part of this application isn’t answering right now, but you haven’t been signed out.",
    advice: "Please try again in a moment.",
    way_on: "Try again",
};

pub(super) const TOO_LARGE: &Words = &Words {
    heading: "That was more than fits here",
    happened: "Your browser sent much more than an email address.",
    advice: "Please go back to the sign-in page and type just your address.",
    way_on: "Go to the sign-in page",
};

pub(super) const TOO_MANY_TRIES: &Words = &Words {
    heading: "Too many wrong codes",
    happened: "To keep guessers out, a code can be typed wrong a few times only, and no try is left.",
    advice: "Ask for a new email, or open the link in the browser where you began.",
    way_on: "Start again",
};

pub(super) const TOO_SLOW: &Words = &Words {
    heading: "That took too long to arrive",
    happened: "Your connection seems to be slow right now, and only part of the form got through.",
    advice: "Please try again when it is faster.",
    way_on: "Try again",
};

pub(super) const UNSUPPORTED_MEDIA_TYPE: &Words = &Words {
    heading: "We couldn’t read that form",
    happened: "It arrived in a format that this page doesn’t know.",
    advice: "Please send it from the sign-in page.",
    way_on: "Go to the sign-in page",
};

pub(super) const WRONG_CONNECTION: &Words = &Words {
    heading: "Please use the link in your email",
    happened: "You came by another way of signing in, and this application only takes a link that it has sent.",
    advice: "Ask for a link, and open it from your email.",
    way_on: "Get a link",
};
