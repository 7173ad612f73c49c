//! `/user_management/…`: six-digit codes, and their redemption.
//!
//! - Making a code creates the user too. The code is mailed only if [`EmulatorBuilder::mail_codes`]
//!   was called, like the setting in WorkOS's dashboard, or if the client that started the emulator
//!   has it mailed (`development`). The answer holds it in any case.
//! - Bad credentials do not use up the code or a try. These endpoints answer 400, not 401.
//! - The grants are that of a code and that of a chosen organization. Any other is
//!   `unsupported_grant_type`.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use http::StatusCode;
use serde_json::{Map, Value, json};
use sha2::Sha256;

use super::{
    EmulatedUser, Emulator, EmulatorBuilder, Mail,
    answer::{self, Answer},
    call::{self, Call},
    code::{self, Code, LIFETIME, NotGood},
    id, lock, memberships,
    refusal::{refuse, refuse_fields, refuse_oauth},
};
use crate::{clock::Timestamp, email::Email};

const GRANT_TYPE: &str = "urn:workos:oauth:grant-type:magic-auth:code";
/// The optional fields beside the address, all texts.
const OPTIONAL: [&str; 5] = [
    "invitation_token",
    "ip_address",
    "radar_auth_attempt_id",
    "signals_id",
    "user_agent",
];
/// How long an access token is valid, in seconds: WorkOS's default.
const ACCESS_LIFETIME: u64 = 300;

impl EmulatorBuilder {
    /// Mails each six-digit code, as WorkOS does if its dashboard says so. By default only the
    /// answer holds the code.
    pub fn mail_codes(mut self) -> Self {
        self.codes.are_mailed = true;
        self
    }

    /// Sets after how many wrong tries a six-digit code is spent. Default: 10. WorkOS does not
    /// document its number.
    pub fn code_tries(mut self, most: u32) -> Self {
        self.codes.most_tries = most;
        self
    }
}

impl Emulator {
    /// Returns the newest six-digit code of an address, mailed or not, valid or not. ASCII case
    /// does not matter.
    #[must_use]
    pub fn last_code_to(&self, address: &str) -> Option<String> {
        let codes = lock(&self.shared.one_time_codes);
        Some(codes.newest(address)?.code.expose().to_owned())
    }

    pub(super) fn create_magic_auth(&self, call: &Call<'_>) -> Answer {
        if !call.bearer().is_some_and(call::is_api_key) {
            return answer::message(StatusCode::UNAUTHORIZED, "Unauthorized");
        }
        let fields = match call.fields() {
            Ok(fields) => fields,
            Err(bad) => return bad.answer(),
        };
        let email = match address(&fields) {
            Ok(email) => email,
            Err(wrong) => return refuse_fields(wrong),
        };
        // The emulator makes no invitations, so no token of one is valid.
        if fields.get("invitation_token").is_some_and(Value::is_string) {
            return refuse_oauth("invitation_invalid", "The invitation is not valid.");
        }
        let (id, code) = match (id::draw("magic_auth_"), code::draw()) {
            (Ok(id), Ok(code)) => (id, code),
            (Err(error), _) | (_, Err(error)) => return answer::no_randomness(error),
        };
        let now = self.now();
        let user = self.user_of(&email);
        lock(&self.shared.users).since(&email, now);
        let code = Code::new(id, email, code, now);
        lock(&self.shared.one_time_codes).put(code.clone(), now);
        if self.shared.code_settings.are_mailed {
            let (email, digits) = (code.email.clone(), code.code.clone());
            self.put_into_mail(&Mail::with_code(email, digits, LIFETIME));
        }
        answer::json(StatusCode::CREATED, &json_of(&code, &user))
    }

    pub(super) fn magic_auth(&self, call: &Call<'_>) -> Answer {
        if !call.bearer().is_some_and(call::is_api_key) {
            return answer::message(StatusCode::UNAUTHORIZED, "Unauthorized");
        }
        let found = lock(&self.shared.one_time_codes).find(call.id).cloned();
        match found {
            Some(code) => {
                let user = self.user_of(&code.email);
                answer::json(StatusCode::OK, &json_of(&code, &user))
            }
            None => {
                let message = format!("MagicAuth not found: '{}'.", call.id);
                let body =
                    json!({ "message": message, "code": "entity_not_found", "entity_id": call.id });
                answer::json(StatusCode::NOT_FOUND, &body)
            }
        }
    }

    pub(super) fn authenticate(&self, call: &Call<'_>) -> Answer {
        let fields = match call.fields() {
            Ok(fields) => fields,
            Err(bad) => return bad.answer(),
        };
        // Before the fields: another grant has other fields, and would look incomplete.
        let grant_type = fields.get("grant_type").and_then(Value::as_str);
        match grant_type {
            Some(memberships::GRANT_TYPE) => return self.select_organization(call),
            Some(GRANT_TYPE) | None => {}
            Some(_) => {
                return refuse_oauth("unsupported_grant_type", "The grant type is not supported.");
            }
        }
        let ([typed, email], granting) = match client_of(&fields, ["code", "email"]) {
            Ok(read) => read,
            Err(refused) => return *refused,
        };
        let now = self.now();
        let most_tries = self.shared.code_settings.most_tries;
        let redeemed = lock(&self.shared.one_time_codes).redeem(email, typed, most_tries, now);
        let code = match redeemed {
            Ok(code) => code,
            Err(why) => return why.answer(email),
        };
        let edit = lock(&self.shared.user_edits).take();
        let user = edit(EmulatedUser::of(&code.email));
        let made = lock(&self.shared.users).since(user.email(), now);
        self.in_organization(user, &granting, made)
    }

    /// Answers with a user and tokens.
    pub(super) fn signed_in(
        &self,
        user: &EmulatedUser,
        granting: &Granting<'_>,
        made: Timestamp,
    ) -> Answer {
        let now = self.now();
        let claims = self.claims(user, granting.client_id, &granting.session, now);
        let body = json!({
            "user": user.to_json(made, now),
            "organization_id": user.organization_id(),
            "access_token": token(&claims),
            "refresh_token": granting.refresh_token,
            "authentication_method": user.method(),
        });
        answer::json(StatusCode::OK, &body)
    }

    fn claims(&self, user: &EmulatedUser, client_id: &str, session: &str, now: Timestamp) -> Value {
        let seconds = now.as_secs();
        json!({
            "iss": format!("{}/user_management/{client_id}", self.base_url),
            "aud": client_id,
            "client_id": client_id,
            "sub": user.id(),
            "sid": session,
            "jti": id::stable("", session),
            "org_id": user.organization_id(),
            "auth_time": seconds,
            "iat": seconds,
            "exp": seconds + ACCESS_LIFETIME,
        })
    }
}

/// What an authentication is granted with.
pub(super) struct Granting<'f> {
    client_id: &'f str,
    session: String,
    pub(super) refresh_token: String,
}

/// Reads what identifies the client, and two more parameters of a grant.
///
/// # Errors
///
/// The answer to a request that lacks one of them, or is not the client's.
pub(super) fn client_of<'f>(
    fields: &'f Map<String, Value>,
    names: [&'static str; 2],
) -> Result<([&'f str; 2], Granting<'f>), Box<Answer>> {
    let [first, second] = names;
    let names = ["client_id", "client_secret", first, second, "grant_type"];
    let parameters = names.map(|name| fields.get(name).and_then(Value::as_str));
    let [
        Some(client_id),
        Some(secret),
        Some(first),
        Some(second),
        Some(_),
    ] = parameters
    else {
        let given = names.iter().copied().zip(parameters);
        let missing = given.filter(|(_, value)| value.is_none());
        return Err(Box::new(refuse_fields(missing.map(|(name, _)| {
            (
                name,
                "missing_required_parameter",
                format!("{name} is required"),
            )
        }))));
    };
    let refuse = |text| Box::new(refuse_oauth("invalid_client", text));
    if client_id.is_empty() {
        return Err(refuse("Invalid client ID."));
    }
    if !call::is_api_key(secret) {
        return Err(refuse("Invalid client ID or secret."));
    }
    // Drawn before anything is redeemed: a failure here must not use it up.
    let draw = |prefix| id::draw(prefix).map_err(|error| Box::new(answer::no_randomness(error)));
    let granting = Granting {
        client_id,
        session: draw("session_")?,
        refresh_token: draw("")?,
    };
    Ok(([first, second], granting))
}

impl NotGood {
    fn answer(self, email: &str) -> Answer {
        match self {
            Self::Expired => refuse("one_time_code_expired", "The one-time code has expired."),
            Self::TooManyTries => {
                let message =
                    format!("One-time code for '{email}' has had too many failed attempts.");
                refuse("one_time_code_too_many_attempts", &message)
            }
            Self::Used => refuse(
                "one_time_code_previously_used",
                "The one-time code has been used before.",
            ),
            Self::Wrong => refuse("invalid_one_time_code", "Invalid one-time code."),
        }
    }
}

/// Wrong fields, each with a code and a text.
type Wrong = Vec<(&'static str, &'static str, String)>;

/// Reads the address that a code is asked for.
///
/// # Errors
///
/// Each field that is wrong.
fn address(fields: &Map<String, Value>) -> Result<String, Wrong> {
    let field = |name: &str| fields.get(name).filter(|value| !value.is_null());
    let mut wrong = Vec::new();
    let email = field("email").and_then(Value::as_str).map(str::trim);
    match email {
        None => wrong.push((
            "email",
            "email_required",
            "email must be a string".to_owned(),
        )),
        Some(email) if Email::parse(email).is_err() => {
            wrong.push((
                "email",
                "invalid_email",
                "email must be an email".to_owned(),
            ));
        }
        Some(_) => {}
    }
    for name in OPTIONAL {
        if field(name).is_some_and(|value| !value.is_string()) {
            wrong.push((name, "invalid_type", format!("{name} must be a string")));
        }
    }
    match email {
        Some(email) if wrong.is_empty() => Ok(email.to_owned()),
        _ => Err(wrong),
    }
}

fn json_of(code: &Code, user: &EmulatedUser) -> Value {
    json!({
        "object": "magic_auth",
        "id": code.id,
        "user_id": user.id(),
        "email": code.email,
        "expires_at": id::iso8601(code.ends()),
        "created_at": id::iso8601(code.made),
        "updated_at": id::iso8601(code.made),
        "code": code.code.expose(),
    })
}

/// Writes a JWT. The key is public, because an emulator proves nothing.
fn token(claims: &Value) -> String {
    let header = json!({ "alg": "HS256", "typ": "JWT" }).to_string();
    let encode = |text: String| URL_SAFE_NO_PAD.encode(text);
    let signed = format!("{}.{}", encode(header), encode(claims.to_string()));
    let signature = Hmac::<Sha256>::new_from_slice(b"emulator").map(|mut hmac| {
        hmac.update(signed.as_bytes());
        hmac.finalize().into_bytes()
    });
    let signature = signature.unwrap_or_default();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}
