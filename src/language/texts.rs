//! `Text`: every text of the pages and the mail by its name, with the places that are filled in.
//!
//! - The texts on why something did not work are named by their story: `trouble.link_used.advice`.
//! - A table has all of them, which [`Words`](super::Words) checks.

/// Names a text, and the placeholders that it must have.
macro_rules! texts {
    ($($text:ident = $name:literal [$($place:ident)*],)+) => {
        /// A text of a page or the mail.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Text { $($text,)+ }

        impl Text {
            pub(super) const ALL: &[Self] = &[$(Self::$text,)+];

            /// Returns the name that it has in a table.
            pub(super) const fn name(self) -> &'static str {
                match self { $(Self::$text => $name,)+ }
            }

            /// Returns the names of what is filled in.
            pub(super) const fn places(self) -> &'static [&'static str] {
                match self { $(Self::$text => &[$(stringify!($place),)*],)+ }
            }
        }
    };
}

texts! {
    AgainBoth = "again.both" [],
    AgainCode = "again.code" [],
    AgainLink = "again.link" [],
    AgainReady = "again.ready" [],
    AgainWait = "again.wait" [time],
    BegunAdvice = "begun.advice" [],
    BegunHappened = "begun.happened" [],
    CheckCode = "check.code" [],
    CheckCodeExpired = "check.code_expired" [],
    CheckCodeHint = "check.code_hint" [],
    CheckCodeMissing = "check.code_missing" [],
    CheckCodeReplaced = "check.code_replaced" [],
    CheckCodeUsed = "check.code_used" [],
    CheckCodeWrong = "check.code_wrong" [],
    CheckElsewhereBoth = "check.elsewhere_both" [],
    CheckElsewhereCode = "check.elsewhere_code" [],
    CheckElsewhereLink = "check.elsewhere_link" [],
    CheckHeading = "check.heading" [],
    CheckNothingYet = "check.nothing_yet" [],
    CheckNothingYetAdvice = "check.nothing_yet_advice" [],
    CheckOpenAsks = "check.open_asks" [],
    CheckOpenHere = "check.open_here" [],
    CheckOpenLetters = "check.open_letters" [],
    CheckOrOpenAsks = "check.or_open_asks" [],
    CheckOrOpenHere = "check.or_open_here" [],
    CheckOrOpenLetters = "check.or_open_letters" [],
    CheckOtherAddress = "check.other_address" [],
    CheckSentBoth = "check.sent_both" [email time],
    CheckSentBothApart = "check.sent_both_apart" [email link_time code_time],
    CheckSentCode = "check.sent_code" [email time],
    CheckSentLink = "check.sent_link" [email time],
    CheckSignIn = "check.sign_in" [],
    CheckStartAgain = "check.start_again" [],
    CheckTitle = "check.title" [],
    CheckTitleProblem = "check.title_problem" [],
    ChooseCancel = "choose.cancel" [],
    ChooseHeading = "choose.heading" [],
    ChooseNone = "choose.none" [],
    ChooseProblem = "choose.problem" [happened advice],
    ChooseRefused = "choose.refused" [organization],
    ChooseRefusedAdvice = "choose.refused_advice" [],
    ChooseRefusedLast = "choose.refused_last" [organization],
    ChooseRefusedSpent = "choose.refused_spent" [organization],
    ChooseTitle = "choose.title" [],
    ChooseTitleProblem = "choose.title_problem" [],
    ChooseWho = "choose.who" [email],
    FrameAdvice = "frame.advice" [],
    FrameHappened = "frame.happened" [],
    FrameRecent = "frame.recent" [],
    LoginEmail = "login.email" [],
    LoginHeading = "login.heading" [],
    LoginInvalid = "login.invalid" [],
    LoginInvisible = "login.invisible" [],
    LoginMissing = "login.missing" [],
    LoginPromiseBoth = "login.promise_both" [],
    LoginPromiseCode = "login.promise_code" [],
    LoginPromiseLink = "login.promise_link" [],
    LoginRemember = "login.remember" [],
    LoginSendBoth = "login.send_both" [],
    LoginSendCode = "login.send_code" [],
    LoginSendLink = "login.send_link" [],
    LoginTitle = "login.title" [],
    LoginTitleProblem = "login.title_problem" [],
    LoginWayBack = "login.way_back" [],
    MailAsked = "mail.asked" [email],
    MailAskedOf = "mail.asked_of" [application email],
    MailButton = "mail.button" [],
    MailClosing = "mail.closing" [],
    MailCode = "mail.code" [],
    MailCodeToo = "mail.code_too" [],
    MailCodeWorks = "mail.code_works" [time],
    MailHeading = "mail.heading" [],
    MailHeadingOf = "mail.heading_of" [application],
    MailOpen = "mail.open" [time],
    MailSubject = "mail.subject" [application],
    MailSubjectCode = "mail.subject_code" [],
    MailSubjectLink = "mail.subject_link" [],
    MailWorks = "mail.works" [time],
    MatchExpired = "match.expired" [],
    MatchHeading = "match.heading" [],
    MatchLetters = "match.letters" [],
    MatchMissing = "match.missing" [],
    MatchNewLink = "match.new_link" [],
    MatchSignIn = "match.sign_in" [],
    MatchTitle = "match.title" [],
    MatchTitleProblem = "match.title_problem" [],
    MatchUsed = "match.used" [],
    MatchWhere = "match.where" [email],
    MatchWrong = "match.wrong" [],
    OnwardContinue = "onward.continue" [],
    OnwardHeading = "onward.heading" [],
    OnwardLeadsOn = "onward.leads_on" [],
    OnwardTitle = "onward.title" [],
    OpenHeading = "open.heading" [],
    OpenNo = "open.no" [],
    OpenWho = "open.who" [email],
    OpenYes = "open.yes" [],
    SignOutEverywhere = "sign_out.everywhere" [],
    SignOutEverywhereNote = "sign_out.everywhere_note" [],
    SignOutHeading = "sign_out.heading" [],
    SignOutHere = "sign_out.here" [],
    SignOutWho = "sign_out.who" [email],
    SignedOutHeading = "signed_out.heading" [],
    SignedOutSignIn = "signed_out.sign_in" [],
    SignedOutGoodbye = "signed_out.goodbye" [],
    SignedOutTitle = "signed_out.title" [],
    SupportAddress = "support.address" [contact],
    SupportPage = "support.page" [contact],
    TimeHours = "time.hours" [count],
    TimeHoursAndMinutes = "time.hours_and_minutes" [hours minutes],
    TimeMinutes = "time.minutes" [count],
    TimeMinutesAndSeconds = "time.minutes_and_seconds" [minutes seconds],
    TimeSeconds = "time.seconds" [count],
    TroubleCookie = "trouble.cookie" [cookie origin],
    TroubleWait = "trouble.wait" [time],
}

impl Text {
    /// Says whether it has plural forms.
    pub(super) const fn is_counted(self) -> bool {
        matches!(
            self,
            Self::TimeHours | Self::TimeMinutes | Self::TimeSeconds
        )
    }
}

/// The stories of refusals. Each has the four parts below.
pub(super) const STORIES: [&str; 40] = [
    "ambiguous_request",
    "another_browser",
    "attempt_expired",
    "choice_cancelled",
    "choice_expired",
    "clock_wrong",
    "code_expired",
    "code_used",
    "code_wrong",
    "cookies_blocked",
    "cross_site",
    "insecure_connection",
    "link_declined",
    "link_expired",
    "link_used",
    "mail_not_sent",
    "malformed",
    "method_not_allowed",
    "no_session",
    "not_allowed",
    "organization_not_allowed",
    "organization_required",
    "other_address",
    "other_host",
    "provider_answer_lost",
    "provider_failed",
    "provider_misconfigured",
    "provider_refused_address",
    "provider_unavailable",
    "rate_limited",
    "recent_sign_in_required",
    "session_too_large",
    "sign_out_not_recorded",
    "step_up_required",
    "store_unavailable",
    "too_large",
    "too_many_tries",
    "too_slow",
    "unsupported_media_type",
    "wrong_connection",
];

pub(super) const STORY_PARTS: [&str; 4] = ["heading", "happened", "advice", "way_on"];

/// The steps that a sign-in service asks for beside the proof.
pub(super) const STEPS: [&str; 11] = [
    "account",
    "consent",
    "email_completion",
    "email_verification",
    "method",
    "organization",
    "passkey",
    "phone",
    "risk",
    "second_factor",
    "single_sign_on",
];

pub(super) const STEP_PARTS: [&str; 2] = ["happened", "advice"];
