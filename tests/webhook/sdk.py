"""WorkOS's own Python SDK at one end of a webhook. Called by tests/webhook/sdk.rs; the body comes on standard input.

sdk.py sign SECRET MILLISECONDS   prints a signature, made by the SDK's own HMAC
sdk.py verify SECRET SIGNATURE    prints whether the SDK takes it: good or bad
sdk.py read SECRET SIGNATURE      prints the class of the event that the SDK reads
"""

import sys

from workos.actions import _compute_signature
from workos.webhooks._verification import verify_event, verify_header

# The test's clock stands still: any time is good.
EVER = 10**12


def main(action, secret, argument):
    body = sys.stdin.buffer.read()
    if action == "sign":
        return f"t={argument}, v1={_compute_signature(f'{argument}.{body.decode()}', secret)}"
    signed = {"event_body": body, "event_signature": argument, "secret": secret, "tolerance": EVER}
    if action == "read":
        return type(verify_event(**signed)).__name__
    try:
        verify_header(**signed)
    except ValueError:
        return "bad"
    return "good"


if __name__ == "__main__":
    print(main(*sys.argv[1:]))
