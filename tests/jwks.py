"""A sibling service in Python: verifies the sessions of a running application with PyJWT, by its public keys alone.

    cargo build --examples
    pip install -r tests/requirements.txt
    python3 tests/jwks.py target/debug/examples/jwks

Starts the example once for every kind of key, signs in at it as a person would, and ends it. Prints a line per check and `N passed, M failed`; the
exit status is 1 if any failed.
"""

import base64
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from urllib.parse import urljoin

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

ADDRESS = "ada@example.com"
PATH = "/.well-known/jwks.json"


class Checks:
    def __init__(self):
        self.passed = self.failed = 0

    def check(self, name, good, got=""):
        self.passed, self.failed = self.passed + bool(good), self.failed + (not good)
        print(f"{'ok  ' if good else 'FAIL'} {name}" + ("" if good else f": {got!r}"))

    def equal(self, name, got, want):
        self.check(name, got == want, (got, want))

    def refused(self, name, kind, call):
        try:
            answer = call()
        except kind:
            self.check(name, True)
        except Exception as error:
            self.check(name, False, error)
        else:
            self.check(name, False, answer)


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Application:
    """The running example, and a browser at it that keeps cookies."""

    def __init__(self, program, **variables):
        self.cookies = {}
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAGIC_LINK", "WORKOS"))}
        environment |= {"PORT": "0"} | variables
        self.process = subprocess.Popen([program], env=environment, stdout=subprocess.PIPE, text=True)
        self.origin = self.says("listening on ")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def says(self, start):
        line = self.process.stdout.readline().strip()
        assert line.startswith(start), line
        return line.removeprefix(start)

    def ask(self, path, form=None):
        headers = {"Accept": "text/html", "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if form:
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.origin}
        request = urllib.request.Request(urljoin(self.origin, path), form and form.encode(), headers)
        try:
            answer = urllib.request.build_opener(NoRedirect, urllib.request.ProxyHandler({})).open(request, timeout=10)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            for cookie in answer.headers.get_all("Set-Cookie", []):
                name, value = cookie.split(";")[0].split("=", 1)
                self.cookies[name] = value
            return answer.status, answer.headers, answer.read().decode()

    def sign_in(self):
        """Signs in by the mailed link, and returns the session's token."""
        self.ask("/auth/login", form="email=ada%40example.com")
        link = self.says(f"sign-in link for {ADDRESS}: ")
        callback = self.ask(link)[1]["Location"]
        home = self.ask(callback)[1]["Location"]
        status, _, body = self.ask(home)
        assert (status, body) == (200, f"hello {ADDRESS}\n"), (status, body)
        return next(value for value in self.cookies.values() if value.count(".") == 2)


def pem(key):
    kinds = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(*kinds).decode()


def spell(part):
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def verify(application, token, algorithm, **expected):
    """What a sibling does, as the documentation of `Jwks` says."""
    key = jwt.PyJWKClient(application.origin + PATH).get_signing_key_from_jwt(token)
    expected = {"audience": application.origin, "issuer": application.origin} | expected
    require = ["iss", "aud", "exp", "iat", "sub", "sid", "auth_time"]
    # PyJWT has one leeway for `exp` and `iat`, and these two have a minute where `exp` has none.
    options = {"require": require, "verify_iat": False}
    read = jwt.decode_complete(token, key, algorithms=[algorithm], options=options, **expected)
    if read["header"]["typ"] != "session+jwt":
        raise jwt.InvalidTokenError("another typ")
    if any(read["payload"][claim] > time.time() + 60 for claim in ["iat", "auth_time"]):
        raise jwt.ImmatureSignatureError("made or proven in the future")
    return read["payload"]


def check_pair(checks, program, algorithm, draw):
    key = draw()
    shared = base64.b64encode(os.urandom(32)).decode()
    say = lambda text: f"{algorithm}: {text}"
    with Application(program, MAGIC_LINK_KEY=pem(key), MAGIC_LINK_RETIRED_KEYS=f"{shared},{pem(draw())}") as application:
        token = application.sign_in()
        application.cookies.clear()
        status, headers, body = application.ask(PATH)
        checks.equal(say("the set needs no session"), status, 200)
        checks.equal(say("has its own type"), headers["Content-Type"], "application/jwk-set+json")
        checks.check(say("may be kept for minutes"), re.fullmatch(r"public, max-age=\d{2,3}", headers["Cache-Control"]), headers["Cache-Control"])
        keys = json.loads(body)["keys"]
        checks.equal(say("has the two key pairs"), [key["alg"] for key in keys], [algorithm] * 2)
        members = {"kty", "crv", "x", "kid", "alg", "use"} | ({"y"} if algorithm == "ES256" else set())
        checks.check(say("and of them the public halves alone"), all(set(key) == members for key in keys), keys)
        header = jwt.get_unverified_header(token)
        checks.equal(say("the token names its key and algorithm"), (header["kid"], header["alg"]), (keys[0]["kid"], algorithm))

        claims = verify(application, token, algorithm)
        checks.equal(say("the token verifies"), claims["email"], ADDRESS)
        other = "https://other.example"
        checks.refused(say("not for another audience"), jwt.InvalidAudienceError, lambda: verify(application, token, algorithm, audience=other))
        checks.refused(say("not from another issuer"), jwt.InvalidIssuerError, lambda: verify(application, token, algorithm, issuer=other))
        hour = lambda ago: {"iat": claims["iat"] - 3600 * ago, "exp": claims["iat"] - 3600 * (ago - 1)}
        over = jwt.encode(claims | hour(2), pem(key), algorithm, headers=header)
        checks.refused(say("not after its end"), jwt.ExpiredSignatureError, lambda: verify(application, over, algorithm))
        ahead = jwt.encode(claims | hour(-2), pem(key), algorithm, headers=header)
        checks.refused(say("not before its time"), jwt.ImmatureSignatureError, lambda: verify(application, ahead, algorithm))
        dated = lambda **times: jwt.encode(claims | {claim: int(time.time()) + by for claim, by in times.items()}, pem(key), algorithm, headers=header)
        checks.equal(say("by a clock that is behind"), verify(application, dated(iat=30, auth_time=30), algorithm)["sid"], claims["sid"])
        for claim in ["iat", "auth_time"]:
            late = dated(**{claim: 120})
            checks.refused(say(f"not with its {claim} two minutes ahead"), jwt.ImmatureSignatureError, lambda: verify(application, late, algorithm))
        over = dated(exp=-30)
        checks.refused(say("not half a minute after its end"), jwt.ExpiredSignatureError, lambda: verify(application, over, algorithm))
        checks.refused(say("not by another algorithm"), jwt.InvalidAlgorithmError, lambda: verify(application, token, "RS256"))

        first, payload, signature = token.split(".")
        altered = spell(json.dumps(claims | {"email": "eve@example.com"}).encode())
        checks.refused(say("not altered"), jwt.InvalidSignatureError, lambda: verify(application, f"{first}.{altered}.{signature}", algorithm))
        foreign = jwt.encode(claims, pem(draw()), algorithm, headers=header)
        checks.refused(say("not by a foreign key of its kid"), jwt.InvalidSignatureError, lambda: verify(application, foreign, algorithm))
        strange = jwt.encode(claims, pem(draw()), algorithm, headers=header | {"kid": "strange"})
        checks.refused(say("not by a key that is not in the set"), jwt.PyJWKClientError, lambda: verify(application, strange, algorithm))
        bare = spell(json.dumps(header | {"alg": "none"}).encode())
        checks.refused(say("not without a signature"), jwt.InvalidTokenError, lambda: verify(application, f"{bare}.{payload}.", algorithm))
        ours = jwt.encode(claims, pem(key), algorithm, headers=header)
        checks.equal(say("our own key's is taken"), verify(application, ours, algorithm)["sid"], claims["sid"])


def main(program):
    checks = Checks()
    check_pair(checks, program, "EdDSA", ed25519.Ed25519PrivateKey.generate)
    check_pair(checks, program, "ES256", lambda: ec.generate_private_key(ec.SECP256R1()))
    with Application(program, MAGIC_LINK_KEY=base64.b64encode(os.urandom(32)).decode()) as application:
        token = application.sign_in()
        checks.equal("HS256: the set is empty", json.loads(application.ask(PATH)[2]), {"keys": []})
        checks.refused("HS256: no sibling reads it", jwt.PyJWKSetError, lambda: verify(application, token, "HS256"))
    print(f"{checks.passed} passed, {checks.failed} failed")
    return checks.failed > 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} PROGRAM")
    sys.exit(main(sys.argv[1]))
