//! The self-test at start-up, of what fails: keys, the provider, the mail server.

use std::time::Duration;

use tower_magic_link::{
    Builder, MagicLinkLayer,
    emulator::{Emulator, Endpoint, Fault},
    provider::{MailedLinks, TwoProviders},
    workos::WorkOs,
};

use super::mails::mailer;
use crate::{
    names::{ADA, ORIGIN},
    scripted::{Mood, Scripted},
    support::{KEY, client},
    walk::Walk,
};

async fn report(walk: &Walk, layer: &MagicLinkLayer) {
    let report = layer.check().await;
    walk.show(&report);
    walk.say(&report);
    for line in report.lines() {
        walk.show(line.outcome());
        walk.say(line);
    }
}

fn builder(walk: &Walk, provider: WorkOs) -> Builder {
    let both = TwoProviders::new(provider, MailedLinks::new());
    walk.show(&both);
    let builder = MagicLinkLayer::builder(both, walk.keys.clone());
    walk.hear(builder.public_url(ORIGIN))
}

pub(crate) async fn all(walk: &Walk) {
    let emulator = Emulator::new();
    let server = emulator.serve(0).await.unwrap();
    let told = format!(r#"{{"error":"{KEY}","message":"{KEY} {ADA}","code":"{KEY}"}}"#);
    let answer = Fault::Answer {
        status: http::StatusCode::BAD_REQUEST,
        content_type: "application/json".to_owned(),
        body: told,
    };
    for fault in [
        Fault::oauth_refusal("invalid_client"),
        Fault::Redirect(format!("https://evil.example/{KEY}")),
        Fault::Hang,
        Fault::Cut,
        answer,
    ] {
        emulator.order(Endpoint::Token, fault);
        let workos = client(&server).timeout(Duration::from_millis(500)).unwrap();
        let mailer = mailer(walk, &Scripted::start(Mood::Good).await, true);
        report(walk, &builder(walk, workos).mailer(mailer).build().unwrap()).await;
    }
    for mood in [Mood::Busy, Mood::Nonsense] {
        let mailer = mailer(walk, &Scripted::start(mood).await, true);
        let mailer = mailer.timeout(Duration::from_secs(1)).unwrap();
        let builder = builder(walk, client(&server)).mailer(mailer);
        report(walk, &builder.build().unwrap()).await;
    }
}
