//! What stands in for a secret that is not set: keys of this process, and an emulator of WorkOS.
//!
//! - A secret that is set and cannot work ends the start. Only one that is not set is made up.
//! - The emulator shows every link and code, so the layer takes a public URL of this machine alone
//!   with it. If none is set, it is the guard's own origin. With a provider of production, a public
//!   URL that was made up would stand in every mail, so none is.

use std::error::Error;

use tower_magic_link::{
    Builder, KeyRing, MagicLinkLayer, SigningKey,
    check::{Line, Report},
    provider::MailedLinks,
    settings::Settings,
    workos::WorkOs,
};

/// Returns the keys that are set, or one of this process.
pub(super) fn keys(settings: &Settings) -> Result<KeyRing, Box<dyn Error>> {
    match has_keys(settings) {
        true => Ok(settings.keys()?),
        false => Ok(KeyRing::new(SigningKey::generate()?)),
    }
}

/// Makes the layer's builder. What production needs and is not set is made up for development.
pub(super) async fn builder(
    settings: &Settings,
    keys: KeyRing,
    origin: &str,
) -> Result<Builder, Box<dyn Error>> {
    let builder = if mails_itself(settings) {
        MagicLinkLayer::builder(MailedLinks::new(), keys)
    } else if has_workos(settings) {
        MagicLinkLayer::builder(settings.workos()?, keys)
    } else {
        MagicLinkLayer::builder(WorkOs::from_env_or_emulator().await?, keys).public_url(origin)
    };
    Ok(settings.apply(builder)?)
}

/// As [`builder`], without a secret and without a server: a key of this moment signs, and what is
/// not set of WorkOS's account is made up.
pub(super) fn rehearsal(settings: &Settings, origin: &str) -> Result<Builder, Box<dyn Error>> {
    let keys = KeyRing::new(SigningKey::generate()?);
    let mut builder = if mails_itself(settings) {
        MagicLinkLayer::builder(MailedLinks::new(), keys)
    } else {
        // The account may stand where the guard starts alone, as in its unit's credentials.
        let workos = settings.workos_or("sk_rehearsal", "client_rehearsal")?;
        MagicLinkLayer::builder(workos, keys)
    };
    if is_emulated(settings) {
        builder = builder.public_url(origin);
    }
    Ok(settings.apply(builder)?)
}

/// Takes what stands in for something out of the self-test's lines, and says that it was made up.
/// A stand-in works always, which says nothing about production.
pub(super) fn without_stand_ins(settings: &Settings, report: &Report) -> (Vec<Line>, Vec<Line>) {
    let keys = (!has_keys(settings)).then_some((
        "keys",
        "made up, because neither key nor key_file is set: sessions end with this program",
    ));
    let provider = is_emulated(settings)
        .then_some(("provider", "emulated, because workos_api_key is not set"));
    let made_up: Vec<_> = [keys, provider].into_iter().flatten().collect();
    let stands_in = |line: &&Line| {
        let port = line.what().split(':').next();
        made_up.iter().any(|(name, _)| Some(*name) == port)
    };
    let found = report.lines().iter().filter(|line| !stands_in(line));
    let found = found.cloned().collect();
    let made_up = made_up.iter();
    let made_up = made_up.map(|(port, why)| Line::not_checked(*port, *why));
    (made_up.collect(), found)
}

fn mails_itself(settings: &Settings) -> bool {
    settings.text("provider") == Some("mailed-links")
}

fn has_keys(settings: &Settings) -> bool {
    ["key", "key_file", "retired_keys"]
        .iter()
        .any(|name| settings.is_set(name))
}

fn is_emulated(settings: &Settings) -> bool {
    !mails_itself(settings) && !has_workos(settings)
}

/// Half an account counts: what is missing is an error, and no reason for an emulator.
fn has_workos(settings: &Settings) -> bool {
    ["workos_api_key", "workos_client_id", "workos_base_url"]
        .iter()
        .any(|name| settings.is_set(name))
}
