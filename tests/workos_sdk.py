"""Drives a running emulator with WorkOS's official Python SDK: an independent reading of the protocol.

    cargo run --example emulator &
    pip install -r tests/requirements.txt
    python3 tests/workos_sdk.py http://127.0.0.1:4200

Prints a line per check and `N passed, M failed`; the exit status is 1 if any failed.
"""

import sys
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

from workos import (
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    UnprocessableEntityError,
    WorkOSClient,
    WorkOSError,
)
from workos._errors import OrganizationSelectionRequiredError
from workos.common.models import OrganizationSelectionRequiredErrorBodyWithOrganizations

REDIRECT_URI = "http://localhost:3000/auth/callback?keep=1"
STATE = "s t/+=&é"


class Checks:
    def __init__(self):
        self.passed = self.failed = 0

    def check(self, name, good, got=""):
        self.passed, self.failed = self.passed + bool(good), self.failed + (not good)
        print(f"{'ok  ' if good else 'FAIL'} {name}" + ("" if good else f": {got!r}"))

    def equal(self, name, got, want):
        self.check(name, got == want, (got, want))

    def refused(self, name, kind, call, **attributes):
        """Checks that the SDK raises exactly this kind of error, with these attributes and a request id."""
        try:
            answer = call()
        except WorkOSError as error:
            got = {name: getattr(error, name) for name in attributes}
            good = type(error) is kind and got == attributes and bool(error.request_id)
            self.check(name, good, (error, got))
        else:
            self.check(name, False, answer)


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def open_link(link):
    """Follows a link as a browser would, but stays where it redirects from: (status, location)."""
    try:
        answer = urllib.request.build_opener(NoRedirect, urllib.request.ProxyHandler({})).open(link, timeout=10)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.headers.get("Location")


def query_of(location):
    return {name: values[0] for name, values in parse_qs(urlsplit(location or "").query).items()}


def main(base_url):
    checks = Checks()

    def client(api_key):
        return WorkOSClient(api_key=api_key, client_id="client_123", base_url=base_url, max_retries=0)

    def create(**fields):
        fields = {"email": "ada@example.com", "type": "MagicLink", "redirect_uri": REDIRECT_URI} | fields
        return workos.passwordless.create_session(**fields)

    def code_of(session):
        return query_of(open_link(session.link)[1])["code"]

    workos, stranger = client("sk_test_123"), client("wrong")

    session = create(state=STATE, expires_in=1800)
    checks.equal("create echoes the address", session.email, "ada@example.com")
    checks.check("create names a session", session.id.startswith("passwordless_session_01"), session.id)
    checks.check("create returns a link on this server", session.link.startswith(base_url), session.link)
    left = datetime.fromisoformat(session.expires_at) - datetime.now(timezone.utc)
    checks.check("create honours expires_in", timedelta(minutes=29) < left <= timedelta(minutes=30), left)
    checks.equal("send succeeds", workos.passwordless.send_session(session.id), True)

    status, location = open_link(session.link)
    query = query_of(location)
    checks.equal("the link redirects", status, 302)
    checks.check("to the redirect URI", location.startswith(REDIRECT_URI + "&"), location)
    checks.equal("with the state unchanged", query.get("state"), STATE)

    answer = workos.sso.get_profile_and_token(code=query["code"])
    profile = answer.profile
    checks.equal("the code yields a bearer token", (answer.token_type, answer.expires_in), ("Bearer", 600))
    checks.equal("the profile is of the address", profile.email, "ada@example.com")
    checks.equal("from a magic link", profile.connection_type.value, "MagicLink")
    checks.equal("of no organization", profile.organization_id, None)
    checks.equal("without names", (profile.first_name, profile.last_name, profile.name), (None, None, None))
    checks.equal("the access token yields the same", workos.sso.get_profile(access_token=answer.access_token), profile)
    again = workos.sso.get_profile_and_token(code=code_of(create(email="ADA@example.com"))).profile
    checks.equal("an address keeps its profile id", again.id, profile.id)

    query = query_of(open_link(session.link)[1])
    checks.equal("a used link is denied", query.get("error"), "access_denied")
    checks.equal("with the state unchanged", query.get("state"), STATE)
    checks.check("without a code", "code" not in query, query)
    checks.equal("an unknown link is 404", open_link(f"{base_url}/passwordless/unknown/confirm")[0], 404)

    def validation(name, field, code, **fields):
        errors = [{"field": field, "code": code}]
        checks.refused(name, UnprocessableEntityError, lambda: create(**fields), message="Validation failed", errors=errors)

    validation("an address that is no text", "email", "email must be a string", email=1)
    validation("an address that is none", "email", "email must be an email", email="ada")
    validation("another type", "type", "type must be a valid enum value", type="Other")
    validation("too short", "expires_in", "expires_in must not be less than 900", expires_in=899)
    validation("too long", "expires_in", "expires_in must not be greater than 86400", expires_in=86401)
    validation("a relative redirect URI", "redirect_uri", "redirect_uri must be a URL address", redirect_uri="/auth")

    unauthorized = {"message": "Unauthorized", "status_code": 401}
    make = stranger.passwordless.create_session
    checks.refused("create with a bad key", AuthenticationError, lambda: make(email="a@b.example", type="MagicLink"), **unauthorized)
    checks.refused("send with a bad key", AuthenticationError, lambda: stranger.passwordless.send_session("x"), **unauthorized)
    text = "The passwordless session 'session_123' has expired or is invalid."
    send = workos.passwordless.send_session
    checks.refused("send of an unknown session", UnprocessableEntityError, lambda: send("session_123"), message=text)
    text = f"The passwordless session '{session.id}' has expired or is invalid."
    checks.refused("send of a used session", UnprocessableEntityError, lambda: send(session.id), message=text)

    def exchange(name, workos, code, error, description):
        call = lambda: workos.sso.get_profile_and_token(code=code)
        checks.refused(name, BadRequestError, call, error=error, error_description=description)

    code = code_of(create())
    exchange("a wrong client secret", stranger, code, "invalid_client", "Invalid client ID or secret.")
    workos.sso.get_profile_and_token(code=code)
    expired = "The code '{}' has expired or is invalid."
    exchange("a used code", workos, code, "invalid_grant", expired.format(code))
    exchange("an unknown code", workos, "nope", "invalid_grant", expired.format("nope"))
    missing = [{"field": "code", "code": "missing_required_parameter", "message": "code is required"}]
    call = workos.sso.get_profile_and_token
    checks.refused("no code", UnprocessableEntityError, call, code="invalid_request_parameters", errors=missing)
    call = lambda: workos.sso.get_profile(access_token="nope")
    checks.refused("a bad access token", AuthenticationError, call, error="Unauthorized")

    users, strange_users = workos.user_management, stranger.user_management
    address = "grace@example.com"
    made = users.create_magic_auth(email=address, ip_address="192.0.2.1", user_agent="Browser/1")
    checks.check("a code has six digits", len(made.code) == 6 and made.code.isdigit(), made.code)
    checks.equal("is for the address", made.email, address)
    checks.check("names itself and a user", made.id.startswith("magic_auth_01") and made.user_id.startswith("user_01"), made)
    checks.equal("is good for ten minutes", made.expires_at - made.created_at, timedelta(minutes=10))
    checks.equal("can be read again", users.get_magic_auth(made.id).code, made.code)
    redeem = lambda code, users=users: users.authenticate_with_magic_auth(code=code, email=address, ip_address="192.0.2.1")

    wrong = f"{(int(made.code) + 1) % 1_000_000:06}"
    checks.refused("a wrong code", BadRequestError, lambda: redeem(wrong), code="invalid_one_time_code")
    call = lambda: redeem(made.code, strange_users)
    checks.refused("a code with a wrong secret", BadRequestError, call, error="invalid_client")
    answer = redeem(made.code)
    checks.equal("a code yields its user", (answer.user.id, answer.user.email), (made.user_id, address))
    checks.equal("with a verified address", answer.user.email_verified, True)
    checks.equal("without names", (answer.user.first_name, answer.user.last_name, answer.user.name), (None, None, None))
    checks.equal("by Magic Auth", answer.authentication_method.value, "MagicAuth")
    checks.equal("of no organization", answer.organization_id, None)
    checks.check("with a JWT and a refresh token", answer.access_token.count(".") == 2 and answer.refresh_token, answer)
    checks.refused("a code that was used", BadRequestError, lambda: redeem(made.code), code="one_time_code_previously_used")
    made = users.create_magic_auth(email=address)
    wrong = f"{(int(made.code) + 1) % 1_000_000:06}"
    for _ in range(10):
        checks.refused("a wrong code", BadRequestError, lambda: redeem(wrong), code="invalid_one_time_code")
    spent = f"One-time code for '{address}' has had too many failed attempts."
    call = lambda: redeem(made.code)
    checks.refused("too many tries", BadRequestError, call, code="one_time_code_too_many_attempts", message=spent)
    call = lambda: users.create_magic_auth(email="grace")
    checks.refused("a code for no address", UnprocessableEntityError, call, code="invalid_request_parameters")
    call = lambda: users.create_magic_auth(email=address, invitation_token="x")
    checks.refused("a code for an unknown invitation", BadRequestError, call, error="invitation_invalid")
    call = lambda: strange_users.create_magic_auth(email=address)
    checks.refused("a code with a bad key", AuthenticationError, call, **unauthorized)
    missing = {"code": "entity_not_found", "message": "MagicAuth not found: 'magic_auth_x'."}
    checks.refused("an unknown code id", NotFoundError, lambda: users.get_magic_auth("magic_auth_x"), **missing)
    call = lambda: users.authenticate_with_password(email=address, password="x")
    checks.refused("another grant", BadRequestError, call, error="unsupported_grant_type")

    # The emulator's example makes this address a member of two organizations.
    address = "grace@several.example"
    made = users.create_magic_auth(email=address)
    pending = None
    try:
        answer = users.authenticate_with_magic_auth(code=made.code, email=address)
        checks.check("a member of several organizations is asked", False, answer)
    except OrganizationSelectionRequiredError as error:
        pending = error.pending_authentication_token
        offered = [(of["id"], of["name"]) for of in error.organizations]
        checks.equal("a member of several organizations is asked", offered, [("org_01ACME", "Acme"), ("org_01GLOBEX", "Globex")])
        checks.equal("with the user", error.user["id"], made.user_id)
        checks.equal("and its code", error.code, "organization_selection_required")
        body = OrganizationSelectionRequiredErrorBodyWithOrganizations.from_dict(error.response_json)
        checks.equal("in the shape of the SDK's model", [of.id for of in body.organizations], [of[0] for of in offered])
    select = users.authenticate_with_organization_selection
    call = lambda: select(pending_authentication_token="pending_x", organization_id="org_01ACME")
    checks.refused("a choice without its token", BadRequestError, call, code="invalid_pending_authentication_token")
    call = lambda: select(pending_authentication_token=pending, organization_id="org_01OTHER")
    checks.refused("another organization", BadRequestError, call, code="invalid_organization_id")
    call = lambda: strange_users.authenticate_with_organization_selection(pending_authentication_token=pending, organization_id="org_01ACME")
    checks.refused("a choice with a wrong secret", BadRequestError, call, error="invalid_client")
    answer = select(pending_authentication_token=pending, organization_id="org_01GLOBEX", ip_address="192.0.2.1", user_agent="Browser/1")
    checks.equal("a choice yields the user", (answer.user.id, answer.user.email), (made.user_id, address))
    checks.equal("of the organization that was chosen", answer.organization_id, "org_01GLOBEX")
    checks.equal("by Magic Auth", answer.authentication_method.value, "MagicAuth")
    call = lambda: select(pending_authentication_token=pending, organization_id="org_01GLOBEX")
    checks.refused("a choice that was made", BadRequestError, call, code="invalid_pending_authentication_token")

    print(f"{checks.passed} passed, {checks.failed} failed")
    return checks.failed > 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} BASE_URL")
    sys.exit(main(sys.argv[1].rstrip("/")))
