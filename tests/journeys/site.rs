//! The application that people sign in to, the WorkOS behind it, and the post.

use std::{
    collections::BTreeSet,
    convert::Infallible,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, service_fn, util::BoxCloneSyncService};
use tower_magic_link::{
    Builder, KeyRing, MagicLinkLayer, ResponseBody, Session, SigningKey,
    emulator::{Emulator, EmulatorServer, Endpoint},
    mailer::{Mail, MailError, Mailer},
    provider::MailedLinks,
    revocation::MemoryRevocations,
    testing::ManualClock,
    workos::WorkOs,
};

use crate::{
    names::ORIGIN,
    visitor::{Habits, Visitor},
};

pub(crate) type App =
    BoxCloneSyncService<Request<Full<Bytes>>, Response<ResponseBody<Full<Bytes>>>, Infallible>;

/// Who mails the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PostOffice {
    /// We do, and prove the address by that alone.
    Alone,
    /// We do, and WorkOS proves the address by its link within ours.
    Ours,
    WorkOs,
}

/// An application behind the layer, and everything around it. A clone is the same one.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) app: App,
    pub(crate) clock: ManualClock,
    pub(crate) http: reqwest::Client,
    pub(crate) post_office: PostOffice,
    events: Arc<Mutex<Vec<String>>>,
    letters: Letters,
    workos: Arc<EmulatorServer>,
}

/// What we mailed ourselves.
#[derive(Clone, Default)]
struct Letters(Arc<Mutex<Vec<Letter>>>);

#[derive(Clone)]
struct Letter {
    link: Option<String>,
    code: Option<String>,
}

impl Mailer for Letters {
    async fn send(&self, mail: &Mail<'_>) -> Result<(), MailError> {
        self.0.lock().unwrap().push(Letter {
            link: mail.link().map(|link| link.expose().to_owned()),
            code: mail.code().map(|code| code.expose().to_owned()),
        });
        Ok(())
    }
}

impl Site {
    pub(crate) async fn new(
        post_office: PostOffice,
        configure: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let clock = ManualClock::new();
        let mut emulator = Emulator::builder().clock(clock.clone());
        if post_office == PostOffice::WorkOs {
            emulator = emulator.mail_codes();
        }
        let emulator = emulator.build();
        let workos = emulator.serve(0).await.unwrap();
        let client = WorkOs::new("sk_test_journeys", "client_test")
            .and_then(|client| client.base_url(workos.base_url()))
            .unwrap();
        let (events, letters): (Arc<Mutex<Vec<String>>>, _) = (Arc::default(), Letters::default());
        let heard = events.clone();
        let keys = KeyRing::new(SigningKey::generate().unwrap());
        let builder = match post_office {
            PostOffice::Alone => MagicLinkLayer::builder(MailedLinks::new(), keys),
            PostOffice::Ours | PostOffice::WorkOs => MagicLinkLayer::builder(client, keys),
        };
        let mut builder = builder
            .public_url(ORIGIN)
            .revocations(MemoryRevocations::default())
            .clock(clock.clone())
            .insecure_answer_when_sent()
            .on_event(move |event, _| heard.lock().unwrap().push(format!("{event:?}")));
        if post_office != PostOffice::WorkOs {
            builder = builder.mailer(letters.clone());
        }
        let layer = configure(builder).build().unwrap();
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        Self {
            app: application(&layer),
            clock,
            http: http.build().unwrap(),
            post_office,
            events,
            letters,
            workos: Arc::new(workos),
        }
    }

    /// Returns a browser that has never been here.
    pub(crate) fn visitor(&self, habits: Habits) -> Visitor {
        Visitor::new(self.clone(), habits)
    }

    /// Returns the links of all mails, oldest first.
    pub(crate) fn mails(&self) -> Vec<String> {
        let links = self.letters().into_iter().filter_map(|letter| letter.link);
        links.collect()
    }

    /// Returns the code of the last mail that has one.
    pub(crate) fn code(&self) -> String {
        let mut codes = self.letters().into_iter().filter_map(|letter| letter.code);
        codes.next_back().expect("a code")
    }

    fn letters(&self) -> Vec<Letter> {
        let outbox = self.emulator().outbox();
        match self.post_office {
            PostOffice::Alone | PostOffice::Ours => {
                assert!(outbox.is_empty(), "WorkOS mails nothing");
                self.letters.0.lock().unwrap().clone()
            }
            PostOffice::WorkOs => outbox
                .iter()
                .map(|mail| Letter {
                    link: mail.link().map(str::to_owned),
                    code: mail.code().map(str::to_owned),
                })
                .collect(),
        }
    }

    /// Returns WorkOS's links that somebody or something has followed, and so used up.
    pub(crate) fn used_links(&self) -> BTreeSet<String> {
        let requests = self.emulator().requests();
        let followed = requests
            .iter()
            .filter(|request| request.endpoint() == Some(Endpoint::Confirm));
        followed
            .map(|request| format!("{}{}", self.workos.base_url(), request.uri()))
            .collect()
    }

    /// Returns how many sessions have begun.
    pub(crate) fn sign_ins(&self) -> usize {
        self.heard("SignedIn {")
    }

    /// Returns how many events of a kind there were.
    pub(crate) fn heard(&self, kind: &str) -> usize {
        let events = self.events.lock().unwrap();
        events
            .iter()
            .filter(|event| event.starts_with(kind))
            .count()
    }

    pub(crate) fn emulator(&self) -> &Emulator {
        self.workos.emulator()
    }
}

/// Says who is signed in.
fn application(layer: &MagicLinkLayer) -> App {
    BoxCloneSyncService::new(layer.layer(service_fn(|request: Request<Full<Bytes>>| {
        let session = request.extensions().get::<Session>();
        let who = session.map_or("nobody", Session::email);
        let page = format!("<h1>Welcome</h1><p id=\"who\">{who}</p>");
        async move { Ok::<_, Infallible>(Response::new(Full::from(page))) }
    })))
}
