//! `Plaintext`: a connection in the clear on which the server is to change to TLS.
//!
//! - An attacker on the way can add replies before TLS begins. A client that has read them ahead
//!   takes them for the server's own, sent under TLS (RFC 3207, section 5). lettre reads ahead.
//! - So this connection gives one byte at a time until TLS begins. lettre stops at the end of the
//!   reply that it waits for, and what was added comes to the handshake, which fails by it.

use std::{
    io::{self, IoSlice},
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, lookup_host},
    time::timeout,
};

/// The first byte of a TLS handshake (RFC 8446, section 5.1). No command begins with it.
const HANDSHAKE: u8 = 22;

/// A connection in the clear, until TLS begins on it.
#[derive(Debug)]
pub(super) struct Plaintext {
    stream: TcpStream,
    has_begun_tls: bool,
}

impl Plaintext {
    /// Connects to the first of the server's addresses that answers. Each has that long.
    pub(super) async fn connect(host: &str, port: u16, each: Duration) -> io::Result<Self> {
        let mut failure = io::Error::from(io::ErrorKind::NotFound);
        for address in lookup_host((host, port)).await? {
            match timeout(each, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    return Ok(Self {
                        stream,
                        has_begun_tls: false,
                    });
                }
                Ok(Err(error)) => failure = error,
                Err(_) => failure = io::ErrorKind::TimedOut.into(),
            }
        }
        Err(failure)
    }
}

impl AsyncTokioStream for Plaintext {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

impl AsyncRead for Plaintext {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let stream = Pin::new(&mut this.stream);
        if this.has_begun_tls || buf.remaining() == 0 {
            return stream.poll_read(cx, buf);
        }
        let mut byte = [0];
        let mut byte = ReadBuf::new(&mut byte);
        ready!(stream.poll_read(cx, &mut byte))?;
        buf.put_slice(byte.filled());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Plaintext {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.has_begun_tls |= buf.first() == Some(&HANDSHAKE);
        Pin::new(&mut this.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let first = bufs.iter().find_map(|buf| buf.first());
        this.has_begun_tls |= first == Some(&HANDSHAKE);
        Pin::new(&mut this.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
