//! WorkOS's client as a provider under test.

use tower_magic_link::{
    Email,
    emulator::{Emulator, EmulatorServer, Endpoint, Fault},
    provider::{Link, OneTimeCode, Organization},
    testing::suite::{
        World,
        provider::{Mailed, Trial},
    },
    workos::WorkOs,
};

/// The client, and the WorkOS that it talks to.
pub(crate) struct Emulated {
    workos: WorkOs,
    server: EmulatorServer,
}

impl Emulated {
    pub(crate) async fn new(world: &World, are_codes_mailed: bool) -> Self {
        let mut emulator = Emulator::builder().clock(world.clock());
        if are_codes_mailed {
            emulator = emulator.mail_codes();
        }
        let emulator = emulator.build();
        let server = emulator.serve(0).await.unwrap();
        let workos = WorkOs::new("sk_test_key", "client_test").unwrap();
        let workos = workos.base_url(server.base_url()).unwrap();
        Self { workos, server }
    }
}

impl Trial for Emulated {
    type Provider = WorkOs;

    fn provider(&self) -> &WorkOs {
        &self.workos
    }

    async fn follow(&self, link: &Link) -> String {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        let answer = http.get(link.expose()).send().await.unwrap();
        answer.headers()["location"].to_str().unwrap().to_owned()
    }

    async fn outbox(&self) -> Option<Vec<Mailed>> {
        let mails = self.server.emulator().outbox().into_iter();
        let mails = mails.map(|mail| match mail.code() {
            Some(code) => Mailed::code(mail.address(), OneTimeCode::new(code)),
            None => Mailed::link(mail.address(), Link::new(mail.link().unwrap())),
        });
        Some(mails.collect())
    }

    async fn lose_next_answer(&self) -> bool {
        for redemption in [Endpoint::Token, Endpoint::Authenticate] {
            let emulator = self.server.emulator();
            emulator.order(redemption, Fault::LostAnswer);
        }
        true
    }

    async fn join(&self, email: &Email, organization: Organization) -> Option<()> {
        let emulator = self.server.emulator();
        emulator.add_membership(email.as_str(), organization.id(), organization.name());
        Some(())
    }
}
