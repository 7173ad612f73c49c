"""WorkOS's own Python SDK at one end of a webhook. Called by tests/webhook/sdk.rs.

Each line of standard input is a question, `[what, secret, argument, body]` in JSON, and is answered with one line:

sign MILLISECONDS   a signature, made by the SDK's own HMAC
verify SIGNATURE    whether the SDK takes it: good or bad
read SIGNATURE      the class of the event that the SDK reads
"""

import json
import sys

from workos.actions import _compute_signature
from workos.webhooks._verification import verify_event, verify_header

# The test's clock stands still: any time is good.
EVER = 10**12


def answer(what, secret, argument, body):
    if what == "sign":
        return f"t={argument}, v1={_compute_signature(f'{argument}.{body}', secret)}"
    signed = {"event_body": body.encode(), "event_signature": argument, "secret": secret, "tolerance": EVER}
    if what == "read":
        return type(verify_event(**signed)).__name__
    try:
        verify_header(**signed)
    except ValueError:
        return "bad"
    return "good"


if __name__ == "__main__":
    for line in sys.stdin:
        print(answer(*json.loads(line)))
