//! `MagicLinkLayer::check`: the self-test at start-up.

use std::time::Duration;

use futures_util::future::join5;

use crate::{
    check::{self, Line, Report},
    layer::MagicLinkLayer,
};

/// How long the provider's check may take. WorkOS's own limit is shorter, unless it is set.
const PROVIDER: Duration = Duration::from_secs(30);

impl MagicLinkLayer {
    /// Checks what the layer needs, before the first person does: the keys, the provider, the
    /// mailer and the stores. It sends no mail, begins no sign-in, ends no session and reports no
    /// event.
    ///
    /// | line | what is checked |
    /// | --- | --- |
    /// | `keys` | each key of the ring verifies what it signs, and a retired one does not end before the sessions that it has signed |
    /// | `provider` | `WorkOs`: how WorkOS refuses a made-up code, which tells whether it takes the API key and the client id; and its `Date`, which may differ from the layer's time by a minute |
    /// | `mailer` | `SmtpMailer`: a connection with TLS and sign-in, without a mail |
    /// | `revocation store`, `throttle`, `session index` | in Redis: whether the primary answers, lets the user write, and has the layer's time to within a minute. For revocations also the `maxmemory-policy`, and whether this process has them all |
    ///
    /// A port of your own is checked by the `check` of its trait, if it has one. All run at once.
    /// The provider has 30 seconds, the mailer
    /// [its timeout](crate::Builder::mailer_timeout), the revocation store
    /// [its own](crate::Builder::revocation_timeout), and the others 2 seconds. A port that takes
    /// longer has one line, which has failed; so has one whose check panics. The check needs a
    /// tokio runtime with its IO and its timer enabled.
    ///
    /// Call it when the application starts, and in a deployment's dry run. Do not call it from a
    /// readiness check: WorkOS limits requests, and while it is away signed-in people notice
    /// nothing.
    ///
    /// ```
    /// # use tower_magic_link::{KeyRing, MagicLinkLayer, SigningKey, testing::StubProvider};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let keys = KeyRing::new(SigningKey::generate()?.with_id("2026")?);
    /// let layer = MagicLinkLayer::builder(StubProvider::new(), keys)
    ///     .public_url("https://app.example.com")
    ///     .build()?;
    ///
    /// let report = layer.check().await;
    /// println!("{report}");
    /// assert!(report.is_ok());
    /// # let want = "passed       keys: 2026 (HS256) signs and verifies\n\
    /// #             not checked  provider: it has no check of its own\n";
    /// # assert!(report.to_string().starts_with(want), "{report}");
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub async fn check(&self) -> Report {
        let (flow, shared) = (self.flow(), self.shared());
        let now = shared.clock.now();
        let longest = shared.gate.lifetimes.longest().max(shared.longest_attempt);
        let reading = shared.clock.at(now);
        let keys = shared.gate.tokens.keys().check(longest, reading);
        let provider = check::caught("provider", async {
            check::bounded("provider", PROVIDER, flow.provider.check(now)).await
        });
        let mailer = check::caught("mailer", async {
            match &flow.mailer {
                Some(mailer) => mailer.check(now).await,
                None => vec![Line::not_checked(
                    "mailer",
                    "none is set: the provider mails",
                )],
            }
        });
        let index = check::caught("session index", async {
            match &shared.index {
                Some(index) => index.check(now).await,
                None => Vec::new(),
            }
        });
        let revocations = check::caught("revocation store", shared.revocations.check(now));
        let throttle = check::caught("throttle", flow.throttling.check(now));
        let (provider, mailer, revocations, throttle, index) =
            join5(provider, mailer, revocations, throttle, index).await;
        let keys = check::of("keys", keys);
        Report::new([keys, provider, mailer, revocations, throttle, index].concat())
    }
}
