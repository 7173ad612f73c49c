//! Mail servers whose TLS breaks, and an attacker who speaks before it begins.

use std::sync::Arc;

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};
use tower_magic_link::mailer::SmtpMailer;

use crate::{
    failure::send,
    names::ADA,
    postbox::{SENDER, certificates},
};

/// What goes wrong.
#[derive(Clone, Copy)]
enum Fault {
    /// These bytes come instead of a record, in answer to the recipient.
    Breaks(&'static [u8]),
    /// It hangs up on the recipient, without an end of TLS.
    HangsUp,
    /// An attacker adds these replies to the one before TLS.
    Injects(&'static str),
    Nothing,
}

/// Starts a server, and returns a mailer that trusts it.
async fn mailer(scheme: &str, fault: Fault) -> SmtpMailer {
    let (root, chain) = certificates("localhost");
    let certificate = CertificateDer::from_pem_slice(chain.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(chain.as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let is_wrapped = scheme == "smtps";
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(stream, acceptor.clone(), is_wrapped, fault));
        }
    });
    let mailer = SmtpMailer::new(format!("{scheme}://localhost:{port}"), SENDER).unwrap();
    mailer.root_certificate(root).unwrap()
}

/// Serves one connection. That the other side has gone is no failure.
async fn serve(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    is_wrapped: bool,
    fault: Fault,
) -> Option<()> {
    let mut stream = BufReader::new(stream);
    if !is_wrapped {
        say(&mut stream, "220 scripted").await?;
        converse(&mut stream, "STARTTLS").await?;
        let added = match fault {
            Fault::Injects(added) => added,
            _ => "",
        };
        say(&mut stream, &format!("220 go on{added}")).await?;
    }
    let mut stream = BufReader::new(acceptor.accept(stream).await.ok()?);
    if is_wrapped {
        say(&mut stream, "220 scripted").await?;
    }
    match fault {
        Fault::Breaks(bytes) => {
            converse(&mut stream, "RCPT").await?;
            let (raw, _) = stream.get_mut().get_mut();
            raw.write_all(bytes).await.ok()?;
            raw.flush().await.ok()?;
            // It stays open, so that the bytes are what fails.
            std::future::pending().await
        }
        Fault::HangsUp => converse(&mut stream, "RCPT").await,
        Fault::Injects(_) | Fault::Nothing => converse(&mut stream, "QUIT").await,
    }
}

async fn say(stream: &mut (impl AsyncWrite + Unpin), reply: &str) -> Option<()> {
    let reply = format!("{reply}\r\n");
    stream.write_all(reply.as_bytes()).await.ok()?;
    stream.flush().await.ok()
}

/// Takes all mail, until it is told a command that it leaves to the caller.
async fn converse<S>(stream: &mut BufReader<S>, until: &str) -> Option<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut is_mail = false;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if is_mail && line != "." {
            continue;
        }
        if line.starts_with(until) {
            return Some(());
        }
        is_mail = line == "DATA";
        let reply = match line.split(' ').next() {
            Some("EHLO") => "250-scripted\r\n250 STARTTLS",
            Some("DATA") => "354 go on",
            _ => "250 OK",
        };
        say(stream, reply).await?;
    }
}

#[tokio::test]
async fn mail_goes_out_over_both_kinds_of_tls() {
    for scheme in ["smtps", "smtp+starttls"] {
        let mailer = mailer(scheme, Fault::Nothing).await;
        for _ in 0..2 {
            let sent = send(&mailer, ADA).await;
            assert!(sent.is_ok(), "{scheme}: {sent:?}");
        }
    }
}

/// Pins: a broken record counted as a reply that is not UTF-8, and so as the recipient's refusal:
/// everybody was asked to check their address.
#[tokio::test]
async fn tls_that_breaks_behind_the_handshake_is_a_lost_connection() {
    let lost = "no connection to the mail server, or it was lost";
    let faults = [
        (
            "a broken record",
            Fault::Breaks(b"\x17\x03\x03\x00\x05hello"),
        ),
        ("no record", Fault::Breaks(b"250 in the clear\r\n")),
        ("no end of TLS", Fault::HangsUp),
    ];
    for scheme in ["smtps", "smtp+starttls"] {
        for (name, fault) in faults {
            let error = send(&mailer(scheme, fault).await, ADA).await.unwrap_err();
            assert_eq!(error.reason(), lost, "{name}, {scheme}");
            assert!(!error.is_of_recipient() && !error.may_have_left(), "{name}");
        }
    }
}

/// Pins: what an attacker on the way had added before TLS counted as the server's own replies, and
/// the mail as taken (RFC 3207, section 5).
#[tokio::test]
async fn replies_that_were_added_before_tls_fail_the_handshake() {
    for added in [
        "\r\n250 added",
        "\r\n250 added\r\n250 OK\r\n250 OK\r\n354 go on\r\n250 OK",
    ] {
        let mailer = mailer("smtp+starttls", Fault::Injects(added)).await;
        let error = send(&mailer, ADA).await.unwrap_err();
        let invalid = "the mail server's TLS or certificate is invalid";
        assert_eq!(error.reason(), invalid, "{added:?}");
        assert!(!error.may_have_left(), "{added:?}");
    }
}
