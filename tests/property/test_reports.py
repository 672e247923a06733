"""A report can be made of whatever was taken, and has of it just what it may have."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime

from hypothesis import example, given
from hypothesis import strategies as st

from mailreeve.families.outgoing.report import MAX_RETURNED, Failure, failure_report
from mailreeve.formats.addresses import AddressError, parse_address

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
TO = parse_address("ann@corp.test")

LINES = st.lists(
    st.binary(max_size=80).map(lambda line: b"x" + line.replace(b"\n", b" ").replace(b"\r", b" ") + b"\r\n")
)
HEADERS = st.one_of(
    LINES.map(b"".join),
    st.binary(max_size=200).map(
        lambda text: b"Subject: " + text.replace(b"\n", b"").replace(b"\r", b"") + b"\r\n"
    ),
)


@example(
    b"Subject: =?utf-8?b?7aC8?=\r\n",
    b"\xff\x00--\r\n",
    "550 5.1.1 \udcff\ud800",
    "ann@x.test",
    False,
    "+FF+0A",
    True,
)
@given(
    HEADERS,
    st.binary(max_size=300),
    st.text(max_size=120),
    st.one_of(st.emails(), st.text(min_size=1, max_size=20).map(lambda name: f'"{name}"@x.test')),
    st.booleans(),
    st.text(max_size=40),
    st.booleans(),
)
def test_a_report_can_be_made_of_anything(header, body, reply, recipient, is_altered, envelope_id, whole):
    failure = Failure(
        recipient=recipient,
        reply=reply,
        gave_up=False,
        arrived_at=NOW,
        tried_at=NOW,
        header=header,
        body=(b"\r\n", body) if whole else None,
        is_altered=is_altered,
        envelope_id=envelope_id,
    )
    made = bytes(failure_report(failure, TO, domain="corp.test", hostname="mx.corp.test"))
    parsed = email.message_from_bytes(made, policy=email.policy.SMTP)
    assert (parsed.get_content_type(), parsed["To"]) == ("multipart/report", "ann@corp.test")
    words, status, returned = parsed.get_payload()
    assert [words.get_content_type(), status.get_content_type()] == ["text/plain", "message/delivery-status"]
    assert len(status.get_payload()) == 2
    assert status.get_payload()[1]["Action"] == "failed"
    assert b"\n\n" not in made.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    if not is_altered:
        assert header + ((b"\r\n" + body) if whole else b"") in made
    elif whole:
        assert returned.get_content_type() == "text/rfc822-headers"
    assert len(made) < 2 * MAX_RETURNED


@given(st.text(min_size=1, max_size=40))
def test_a_report_can_go_to_whatever_is_an_address(local):
    try:
        to = parse_address(f'"{local}"@corp.test')
    except AddressError:
        return
    failure = Failure(
        recipient="x@far.test",
        reply="550 5.0.0 no",
        gave_up=True,
        arrived_at=NOW,
        tried_at=NOW,
        header=b"Subject: x\r\n",
        body=None,
    )
    made = bytes(failure_report(failure, to, domain="corp.test", hostname="mx.corp.test"))
    assert made.startswith(b"From: Mail delivery <postmaster@corp.test>\r\nTo: ")
