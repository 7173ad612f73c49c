"""Reads mails, a line of JSON each, and prints the links that a mail program in Python finds in
their text: for tests/smtp."""

import email
import email.policy
import json
import sys

import formatflowed
from linkify_it import LinkifyIt

linkifier = LinkifyIt()
for line in sys.stdin:
    mail = email.message_from_bytes(json.loads(line).encode(), policy=email.policy.default)
    part = mail.get_body(("plain",))
    text = part.get_content()
    if part.get_param("format") == "flowed":
        # `email` leaves this to the program that shows the text.
        wire = "\r\n".join(text.splitlines()).encode()
        is_deleted = part.get_param("delsp") == "yes"
        chunks = formatflowed.decode(wire, delete_space=is_deleted, character_set="utf-8")
        text = "\n".join(chunk for _, chunk in chunks)
    links = linkifier.match(text) or []
    print(json.dumps([link.url for link in links if link.schema != "mailto:"]))
