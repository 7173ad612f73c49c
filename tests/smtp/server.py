"""A mail server on a free port of 127.0.0.1, for tests/smtp. It prints where it listens, and each mail, as a line of JSON:
what SMTP said of it, and what Python's own parser makes of it."""

import argparse
import asyncio
import email
import email.policy
import json
import ssl

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


def say(line):
    print(line, flush=True)


class Postbox:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody"):
            return f"550 5.1.1 <{address}>: no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        parts = [part for part in mail.walk() if not part.is_multipart()]
        say("mail " + json.dumps({
            "is_encrypted": server.transport.get_extra_info("ssl_object") is not None,
            "login": session.auth_data,
            "sender": envelope.mail_from,
            "recipients": envelope.rcpt_tos,
            "kind": mail.get_content_type(),
            "fields": [[name, str(value)] for name, value in mail.items()],
            "defects": [str(defect) for part in mail.walk() for defect in part.defects]
            + [str(defect) for value in mail.values() for defect in value.defects],
            "parts": [[part.get_content_type(), part.get_content_charset(), part.get_content()] for part in parts],
        }))
        return "250 OK"


async def main():
    options = argparse.ArgumentParser()
    options.add_argument("--tls", choices=["none", "starttls", "wrapped"], default="none")
    options.add_argument("--chain")
    options.add_argument("--login")
    options = options.parse_args()

    settings, wrap = {"auth_require_tls": options.tls == "starttls"}, None
    if options.tls != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.chain)
        if options.tls == "starttls":
            settings |= {"tls_context": context, "require_starttls": True}
        else:
            wrap = context
    if options.login:
        def check(server, session, envelope, mechanism, data):
            if isinstance(data, LoginPassword):
                name, password = data.login.decode(), data.password.decode()
                if f"{name}:{password}" == options.login:
                    return AuthResult(success=True, auth_data=name)
            return AuthResult(success=False, handled=False)

        settings |= {"authenticator": check, "auth_required": True}

    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Postbox(), loop=loop, **settings), "127.0.0.1", 0, ssl=wrap)
    say("listening on 127.0.0.1:%d" % server.sockets[0].getsockname()[1])
    await server.serve_forever()


asyncio.run(main())
