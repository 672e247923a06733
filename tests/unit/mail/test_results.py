"""Which fields of results count: those of the server in front, not what a stranger wrote under its name."""

from __future__ import annotations

from mailreeve.formats.message import read_message
from mailreeve.mail.results import AskedResults, FoundResults, results_in
from mailreeve.policy.model.authentication import MAX_SIGNATURES, Authentication, Result, Signature

ASKED = AskedResults(frozenset({"mx.corp.test"}), True)
FORGED = "Authentication-Results: mx.corp.test; spf=pass smtp.mailfrom=corp.test; dmarc=pass header.from=corp.test"


def found(*fields: str, asked: AskedResults = ASKED) -> FoundResults:
    return results_in(read_message("".join(f"{field}\r\n" for field in fields).encode() + b"\r\n"), asked)


def test_all_three_are_read():
    known = found(
        "Received: by mx.corp.test",
        "Authentication-Results: MX.Corp.test 1; spf=pass smtp.mailfrom=Ann@Mail.Shop.Test;",
        " dkim=fail header.d=x.test; dkim=pass header.i=@shop.test; dmarc=pass header.from=shop.test",
        "From: a@shop.test",
    )
    assert known.places == {1}
    assert known.authentication == Authentication(
        Result.PASS,
        "mail.shop.test",
        (Signature(Result.PASS, "shop.test"), Signature(Result.FAIL, "x.test")),
        Result.PASS,
        "shop.test",
    )


def test_several_fields_of_one_server_count_together():
    known = found(
        "Authentication-Results: mx.corp.test; dmarc=fail header.from=corp.test",
        "X-Other: x",
        "Authentication-Results: mx.corp.test; dkim=none",
        "Received: by far.test",
    ).authentication
    assert (known.dmarc, known.dkim) == (Result.FAIL, (Signature(Result.NONE),))


def test_what_a_stranger_wrote_behind_a_received_field_does_not_count():
    known = found("Authentication-Results: mx.corp.test; dkim=none", "Received: from far.test", FORGED)
    assert known.authentication == Authentication.from_results(dkim=[("none", "")])
    assert known.places == {0}


def test_what_a_stranger_wrote_right_below_does_not_speak_against_the_server():
    """Of each method the topmost result."""
    known = found(
        "Authentication-Results: mx.corp.test; spf=fail smtp.mailfrom=corp.test; dmarc=fail header.from=corp.test",
        FORGED,
    ).authentication
    assert (known.spf, known.dmarc) == (Result.FAIL, Result.FAIL)


def test_what_a_stranger_wrote_right_below_adds_nothing_to_what_the_server_said():
    """Neither a signature that passes, nor SPF for a sender where the server judged the client's name alone."""
    known = found(
        "Authentication-Results: mx.corp.test; spf=none smtp.helo=far.test; dkim=none; dmarc=none",
        "Authentication-Results: mx.corp.test; spf=pass smtp.mailfrom=corp.test; dkim=pass header.d=corp.test",
    ).authentication
    assert (known.spf, known.dkim) == (Result.NONE, (Signature(Result.NONE),))
    assert not known.vouches_for("corp.test")


def test_ids_that_nobody_listed_say_nothing():
    known = found("Authentication-Results: far.test; spf=pass smtp.mailfrom=corp.test", "From: a@corp.test")
    assert known == FoundResults(Authentication(), asked=ASKED.ids)


def test_a_client_that_may_not_bring_any_brings_none():
    assert found(FORGED, asked=AskedResults(ASKED.ids, False)) == FoundResults(Authentication(), asked=ASKED.ids)


def test_nobody_is_asked_without_ids():
    assert found(FORGED, asked=AskedResults()) == FoundResults()


def test_spf_is_that_of_the_sender_rather_than_of_the_name():
    known = found(
        "Authentication-Results: mx.corp.test; spf=pass smtp.helo=h.test; spf=fail smtp.mailfrom=a@x.test"
    )
    assert (known.authentication.spf, known.authentication.spf_domain) == (Result.FAIL, "x.test")
    bounce = found("Authentication-Results: mx.corp.test; spf=pass smtp.helo=h.test").authentication
    assert bounce.spf_domain == "h.test"


def test_few_signatures_are_kept_and_those_that_pass_among_them():
    many = "; ".join([f"dkim=fail header.d=x{n}.test" for n in range(50)] + ["dkim=pass header.d=y.test"])
    known = found(f"Authentication-Results: mx.corp.test; {many}").authentication
    assert len(known.dkim) == MAX_SIGNATURES
    assert known.dkim[0] == Signature(Result.PASS, "y.test")


def test_results_that_are_none_and_domains_that_are_none_vouch_for_nobody():
    known = found(
        "Authentication-Results: mx.corp.test; spf=passed smtp.mailfrom=x; dkim=pass header.d=.."
    ).authentication
    assert known == Authentication(dkim=(Signature(Result.PASS),))
    assert not known.vouches_for("corp.test")
