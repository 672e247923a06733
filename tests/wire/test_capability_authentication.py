"""Permits and anti-spoofing by what a server in front found, from a signed call to the very next message.

What becomes of a message is held against what the server explains of one about which the same was found.
"""

from __future__ import annotations

import json

import pytest

INTERNAL = {"type": "internal_addresses"}
EVERYONE = {"type": "everyone"}
REFUSED = "550 5.7.1 Anti-Spoofing policy - Inbound not allowed"
FORGED = {"spf": "fail smtp.mailfrom=corp.test", "dmarc": "fail header.from=corp.test"}
BY_MAILER = {"spf": "pass smtp.mailfrom=bounce@mailer.test", "dmarc": "fail header.from=corp.test"}


def one(address: str) -> dict[str, str]:
    return {"type": "individual_email_address", "emailAddress": address}


@pytest.fixture
def made(front):
    """`made(<api>, option, from, …)`: the id of a new policy, which is gone when the test is over."""

    def make(api: str, option: str | None, from_: dict, **more: object) -> str:
        policy = {"description": "a test's", "from": from_, "to": EVERYONE, "fromPart": "both", **more}
        item = {"policy": policy} | ({} if option is None else {"option": option})
        (row,) = front.client.call(f"{api}/create-policy", item)
        front.ending.callback(front.client.call, f"{api}/delete-policy", {"id": row["id"]})
        return row["id"]

    return make


def judge(front, sender, recipient, header_from=None, *, results, source="192.0.2.7") -> str:
    """What became of the message, as the server explained it before."""
    told_of = {}
    for method, said in results.items():
        result, _, about = said.partition(" ")
        told_of |= {method: result}
        if about:
            told_of |= {f"{method}Domain": about.rpartition("=")[2].rpartition("@")[2]}
    told = front.explain(sender, recipient, header_from, **(told_of | {"sourceIp": source}))
    sent = front.found(sender, recipient, header_from, results=results, source=source)
    if told["verdict"] == "hold":
        assert (sent.answer.code, sent.copies) == (250, {})
        assert front.last_outcome(recipient)["state"] == "held"
        return "held"
    assert (told["verdict"], told["stage"], told["smtpReply"]) == sent.verdict(recipient), told["steps"]
    if told["verdict"] == "reject":
        return told["smtpReply"]
    copy = sent.copies[recipient]
    assert told["spamChecks"] == copy.spam_checks, told["steps"]
    return "tagged" if copy.message["X-Mailreeve-Spoofed"] else f"delivered, {copy.spam_checks}"


@pytest.mark.parametrize(
    ("option", "outcome"),
    [("none", "delivered, run"), ("tag", "tagged"), ("hold", "held"), ("reject", REFUSED)],
)
def test_mail_that_claims_to_be_from_inside_fares_as_the_policy_says(front, made, option, outcome):
    """By the envelope, by the header alone; and not where something vouches for it, nor from our own servers."""
    to = front.recipient()
    assert judge(front, "boss@corp.test", to, results=FORGED) == "delivered, run"
    made("ext/antispoofing", option, INTERNAL)
    assert judge(front, "boss@corp.test", to, results=FORGED) == outcome
    assert judge(front, "x@far.test", to, "Boss <boss@corp.test>", results=FORGED) == outcome
    assert judge(front, "x@far.test", to, results=FORGED) == "delivered, run"
    signed = {"spf": "fail smtp.mailfrom=corp.test", "dkim": "pass header.d=news.corp.test"}
    assert judge(front, "boss@corp.test", to, results=signed) == "delivered, run"
    assert judge(front, "boss@corp.test", to, results=FORGED, source="127.0.0.1") == "delivered, run"


def test_a_bypass_lets_past_where_spf_passes_for_one_of_its_domains(front, made):
    to = front.recipient()
    made("ext/antispoofing", "reject", INTERNAL)
    assert judge(front, "bounce@mailer.test", to, "news@corp.test", results=BY_MAILER) == REFUSED
    made(
        "policy/antispoofing-bypass",
        "enable_bypass",
        one("news@corp.test"),
        conditions={"spfDomains": ["Mailer.test"]},
    )
    assert judge(front, "bounce@mailer.test", to, "news@corp.test", results=BY_MAILER) == "delivered, run"
    assert judge(front, "bounce@mailer.test", to, "boss@corp.test", results=BY_MAILER) == REFUSED
    assert judge(front, "news@corp.test", to, results=FORGED) == REFUSED


@pytest.mark.parametrize("kind", ["policy", "personal"])
def test_a_permit_does_not_let_in_forgeries(front, made, kind):
    """Neither of the envelope nor of the header; vector 36 is the last."""
    to = front.recipient()
    for address in ("ann@shop.test", to):
        if kind == "policy":
            made("ext/permittedsenders", None, one(address))
        else:
            item = {"sender": address, "to": to, "action": "permit"}
            front.client.call("managedsender/permit-or-block-sender", item)
    rightly = {"spf": "pass smtp.mailfrom=ann@shop.test", "dmarc": "pass header.from=shop.test"}
    forged = {"spf": "fail smtp.mailfrom=ann@shop.test", "dmarc": "fail header.from=shop.test"}
    assert judge(front, "ann@shop.test", to, results=rightly) == "delivered, skip"
    assert judge(front, "ann@shop.test", to, results=forged) == "delivered, run"
    assert judge(front, "x@far.test", to, "ann@shop.test", results=forged) == "delivered, run"
    relayed = {"spf": "fail smtp.mailfrom=x@far.test", "dkim": "pass header.d=mail.shop.test"}
    assert judge(front, "x@far.test", to, "ann@shop.test", results=relayed) == "delivered, skip"
    spoofed = {"spf": "fail smtp.mailfrom=corp.test", "dkim": "fail header.d=corp.test"}
    assert judge(front, to, to, results=spoofed) == "delivered, run"


def test_results_that_a_stranger_wrote_do_not_count_and_are_taken_out(front, made):
    """Behind a Received field, and below the server's own."""
    to = front.recipient()
    made("ext/antispoofing", "tag", INTERNAL)
    lie = "Authentication-Results: front.corp.test; spf=pass smtp.mailfrom=corp.test; dkim=pass header.d=corp.test"
    sent = front.found("boss@corp.test", to, results=FORGED, fields=["Received: from x.test", lie])
    message = sent.copies[to].message
    assert message["X-Mailreeve-Spoofed"] == "yes"
    assert message.get_all("Authentication-Results") == [
        "front.corp.test; spf=fail smtp.mailfrom=corp.test; dmarc=fail header.from=corp.test"
    ]


def test_records_tell_what_was_found(front, made):
    """`log show`, message-finder, and what would be decided today."""
    to = front.recipient()
    spoofing = made("ext/antispoofing", "reject", INTERNAL)
    said = front.found("boss@corp.test", to, results=FORGED | {"dkim": "pass header.d=far.test"}).answer
    page = front.run("log", "show", said.decision_id)
    assert "SPF fail for corp.test, DKIM pass by far.test, DMARC fail for corp.test" in " ".join(page.split())
    (record,) = front.client.call("ext/get-mail-record", {"id": said.decision_id})
    assert record["authentication"] == {
        "spf": "fail",
        "spfDomain": "corp.test",
        "dkim": [{"result": "pass", "domain": "far.test"}],
        "dmarc": "fail",
        "dmarcDomain": "corp.test",
    }
    assert record["policy"]["id"] == spoofing
    assert not record["today"]["differs"]
    (info,) = front.client.call("message-finder/get-message-info", {"id": record["id"]})
    detail = info["spamInfo"]["spamProcessingDetail"]
    assert {name: detail[name]["info"] for name in ("spf", "dkim", "dmarc")} == {
        "spf": "fail",
        "dkim": "pass",
        "dmarc": "fail",
    }


def test_a_client_s_flow_against_the_bypass_endpoints(front):
    """As the Veltrix app does it: `option`, a policy with `from` and `to`, read and deleted by the id."""
    api = "policy/antispoofing-bypass"
    policy = {
        "description": "newsletter",
        "fromPart": "envelope_from",
        "from": {"type": "email_domain", "emailDomain": "corp.test"},
        "to": EVERYONE,
        "enabled": True,
        "enforced": False,
        "bidirectional": False,
        "fromEternal": True,
        "toEternal": True,
        "conditions": {"spfDomains": ["mailer.test"]},
    }
    (created,) = front.client.call(f"{api}/create-policy", {"option": "enable_bypass", "policy": policy})
    (read,) = front.client.call(f"{api}/get-policy", {"id": created["id"]})
    assert read == created
    assert (read["option"], read["policy"]["conditions"]) == ("enable_bypass", {"spfDomains": ["mailer.test"]})
    item = {"id": created["id"], "option": "disable_bypass", "policy": policy}
    (updated,) = front.client.call(f"{api}/update-policy", item)
    assert (updated["id"], updated["option"]) == (created["id"], "disable_bypass")
    assert created["id"] in [row["id"] for row in front.client.call(f"{api}/get-policy", {})]
    (gone,) = front.client.call(f"{api}/delete-policy", {"id": created["id"]})
    assert gone == {"id": created["id"], "deleted": True}


def test_the_commands_make_such_policies(front):
    told = json.loads(front.run("policy", "spoofing", "hold", "internal", "--json"))
    assert (told["type"], told["does"], told["fromPart"]) == ("anti_spoofing", "hold", "both")
    front.ending.callback(front.client.call, "ext/antispoofing/delete-policy", {"id": told["id"]})
    told = json.loads(front.run("policy", "bypass", "news@corp.test", "--spf", "mailer.test", "--json"))
    assert (told["does"], told["spfDomains"]) == ("enable_bypass", ["mailer.test"])
    front.ending.callback(front.client.call, "policy/antispoofing-bypass/delete-policy", {"id": told["id"]})
