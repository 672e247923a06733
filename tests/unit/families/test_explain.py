"""Explanations: the answers of the endpoints and of the functions that the command line shares with them."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import msgspec
import pytest

from mailreeve.access.caller import Caller
from mailreeve.access.permissions import Permission
from mailreeve.families.explain.operations import explain_message, explain_web
from mailreeve.families.explain.types import ExplainMessage, ExplainWeb
from mailreeve.formats.addresses import parse_address
from mailreeve.formats.authors import HeaderFrom, read_authors
from mailreeve.formats.message import read_message
from mailreeve.policy.decide.mail import decide_mail
from mailreeve.policy.model.facts import MessageFacts
from mailreeve.policy.model.policy_types import PolicyType
from mailreeve.wire.errors import ItemRefused, RequestRefused

MESSAGE = "ext/explain-message"
WEB = "ext/explain-web"
BLOCK = "policy/blockedsenders/create-policy"
PERSONAL = "managedsender/permit-or-block-sender"
WEB_LIST = "policy/webwhiteurl/create-policy-with-targets"
NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def corp(account):
    """An account whose domain is corp.test."""
    account.call("domain/create-domain", {"domain": "corp.test"})
    return account


def block(account, sender, option="block_sender", **policy):
    target = (
        {"type": "individual_email_address", "emailAddress": sender}
        if "@" in sender
        else {"type": "email_domain", "emailDomain": sender}
    )
    policy = {"description": f"about {sender}", "from": target, "to": {"type": "everyone"}, **policy}
    return account.call(BLOCK, {"option": option, "policy": policy})[0]["id"]


def explain(account, from_="x@bad.test", to="u@corp.test", **more):
    (answer,) = account.call(MESSAGE, {"from": from_, "to": to, **more})
    return answer


def problems(account, path, item):
    with pytest.raises(ItemRefused) as refusal:
        account.call(path, item)
    return [(p.code, p.field) for p in refusal.value.problems]


class TestMessages:
    def test_a_delivery_has_every_member(self, corp):
        answer = explain(corp)
        assert set(answer) == {
            "verdict", "stage", "smtpReply", "layer", "spamChecks", "recipient", "winners", "alterations", "trace",
            "revision", "description", "steps",
        }  # fmt: skip
        assert answer["verdict"] == "deliver"
        assert (answer["stage"], answer["smtpReply"]) == (None, None)
        assert (answer["layer"], answer["spamChecks"], answer["recipient"]) == ("default", "run", "u@corp.test")
        assert answer["winners"] == dict.fromkeys(PolicyType)
        assert answer["alterations"] == []
        assert answer["revision"] == corp.policies().revision
        assert answer["steps"]

    def test_a_block_names_its_policy_by_the_id_that_the_api_gave(self, corp):
        """Test vector 1."""
        policy_id = block(corp, "bad.test")
        answer = explain(corp)
        assert (answer["verdict"], answer["stage"], answer["layer"]) == ("reject", "rcpt", "blocked_senders")
        assert answer["smtpReply"].startswith("550 5.7.1 ")
        assert answer["winners"]["blocked_senders"] == {"id": policy_id, "description": "about bad.test"}
        assert answer["description"] == "about bad.test"
        winner = next(row for row in answer["trace"] if row["place"] == 1)
        assert winner["id"] == policy_id
        assert winner["type"] == "blocked_senders"
        assert winner["effect"] == "block_sender"
        assert winner["failed"] is None
        assert winner["part"] == "envelope_from"
        assert winner["swapped"] is False

    def test_every_policy_is_in_the_trace_with_its_first_failing_test(self, corp):
        loser = block(corp, "other.test")
        disabled = block(corp, "bad.test", enabled=False)
        answer = explain(corp)
        failed = {row["id"]: (row["failed"], row["place"]) for row in answer["trace"]}
        assert failed[loser] == ("the sender does not match", 0)
        assert failed[disabled] == ("it is disabled", 0)

    def test_the_higher_sort_key_wins(self, corp):
        """Test vector 2: the exemption of an address beats the block of its domain."""
        block(corp, "bad.test")
        exemption = block(corp, "ok@bad.test", option="no_action")
        answer = explain(corp, "ok@bad.test")
        assert answer["verdict"] == "deliver"
        first, second = (row for row in answer["trace"] if row["place"])
        assert first["id"] == exemption
        assert first["sortKey"] > second["sortKey"]
        assert all(isinstance(part, int | float) for part in first["sortKey"])

    def test_the_null_sender_is_an_empty_text(self, corp):
        block(corp, "bad.test")
        for null in ("", " ", "<>"):
            assert explain(corp, null)["verdict"] == "deliver"
        corp.call(
            BLOCK,
            {
                "option": "block_sender",
                "policy": {"description": "x", "from": {"type": "external_addresses"}, "to": {"type": "everyone"}},
            },
        )
        answer = explain(corp, "")
        assert answer["verdict"] == "reject"
        assert "bounce" in answer["steps"][0]

    def test_a_missing_sender_is_not_the_null_sender(self, corp):
        assert problems(corp, MESSAGE, {"to": "u@corp.test"}) == [("err_validation_null", "from")]
        assert problems(corp, MESSAGE, {"from": None, "to": "u@corp.test"}) == [("err_validation_null", "from")]

    def test_without_a_header_the_author_is_the_sender(self, corp):
        block(corp, "bad.test", fromPart="header_from")
        answer = explain(corp)
        assert (answer["verdict"], answer["stage"]) == ("reject", "data")
        assert "x@bad.test" in answer["steps"][0]
        other = explain(corp, headerFrom="Somebody <a@good.test>")
        assert other["verdict"] == "deliver"
        assert "headerFrom" not in other["steps"][0]

    def test_a_header_based_block_is_refused_at_the_end_of_data(self, corp):
        """Test vector 15."""
        policy_id = block(corp, "bad.test", fromPart="header_from")
        answer = explain(corp, "a@ok.test", headerFrom="=?utf-8?q?J=C3=B6?= <X@BAD.test>")
        assert (answer["verdict"], answer["stage"]) == ("reject", "data")
        assert answer["winners"]["blocked_senders"]["id"] == policy_id

    def test_a_display_name_is_decoded_before_it_is_compared(self, corp):
        corp.call(
            BLOCK,
            {
                "option": "block_sender",
                "policy": {
                    "description": "boss",
                    "from": {"type": "header_display_name", "headerDisplayName": "Jörg Boss"},
                    "to": {"type": "everyone"},
                },
            },
        )
        answer = explain(corp, "a@ok.test", headerFrom="=?utf-8?q?J=C3=B6rg?= =?utf-8?q?_Boss?= <any@x.test>")
        assert answer["verdict"] == "reject"

    def test_a_personal_block_names_the_entry_by_its_id(self, corp):
        """Test vector 7."""
        (entry,) = corp.call(PERSONAL, {"sender": "a@x.test", "to": "u@corp.test", "action": "block"})
        answer = explain(corp, "a@x.test")
        assert answer["layer"] == "managed_senders"
        assert "User Entry" in answer["smtpReply"]
        assert answer["winners"]["managed_senders"]["id"] == entry["id"]
        assert explain(corp, "a@x.test", to="v@corp.test")["verdict"] == "deliver"

    def test_a_permit_skips_spam_checks(self, corp):
        corp.call(PERSONAL, {"sender": "a@x.test", "to": "u@corp.test", "action": "permit"})
        assert explain(corp, "a@x.test")["spamChecks"] == "skip"

    def test_relaying_from_outside_is_refused(self, corp):
        answer = explain(corp, "a@x.test", "b@y.test", sourceIp="198.51.100.7")
        assert (answer["verdict"], answer["layer"]) == ("reject", "relay")
        assert answer["smtpReply"].startswith("451 4.7.1 ")

    def test_the_time_asked_about_is_the_time_that_counts(self, corp):
        block(corp, "bad.test", toDate="2026-03-01T00:00:00+0000")
        assert explain(corp, at="2026-02-28T23:59:59Z")["verdict"] == "reject"
        assert explain(corp, at="2026-03-01T00:00:00+0000")["verdict"] == "deliver"

    def test_the_source_address_counts(self, corp):
        block(corp, "bad.test", conditions={"sourceIPs": ["192.0.2.0/24"]})
        assert explain(corp, sourceIp="192.0.2.5")["verdict"] == "reject"
        assert explain(corp, sourceIp="203.0.113.5")["verdict"] == "deliver"

    def test_alterations_name_definition_set_and_new_recipient(self, corp):
        """Test vector 22: the set is found through its policy, and every id is the API's."""
        family = "policy/address-alteration/"
        (folder,) = corp.call(family + "create-address-alteration-set", {"description": "merger"})
        corp.call(
            family + "create-definition",
            {
                "folderId": folder["id"],
                "addressAlterations": [
                    {
                        "addressType": "envelope_to",
                        "originalAddress": "jo@corp.test",
                        "newAddress": "jane@corp.test",
                        "routing": "inbound",
                    }
                ],
            },
        )
        (policy,) = corp.call(
            family + "create-policy",
            {
                "addressAlterationSetId": folder["id"],
                "policy": {"description": "m", "from": {"type": "everyone"}, "to": {"type": "everyone"}},
            },
        )
        answer = explain(corp, "a@x.test", "jo@corp.test")
        assert answer["recipient"] == "jane@corp.test"
        (altered,) = answer["alterations"]
        assert altered["addressAlterationSetId"] == folder["id"]
        assert altered["addressType"] == "envelope_to"
        assert (altered["originalAddress"], altered["newAddress"]) == ("jo@corp.test", "jane@corp.test")
        assert answer["winners"]["address_alteration"]["id"] == policy["id"]
        (row,) = (row for row in answer["trace"] if row["type"] == "address_alteration")
        assert row["effect"] == f"set {folder['id']}"

    def test_no_key_of_the_store_is_in_an_answer(self, corp):
        """Keys are time-ordered and the same in every place: ids are what is shown."""
        block(corp, "bad.test")
        corp.call(PERSONAL, {"sender": "a@x.test", "to": "u@corp.test", "action": "block"})
        text = json.dumps(explain(corp))
        policies = corp.policies()
        keys = [policy.id for policy in policies.blocked.policies]
        assert len(keys) == 1
        assert not [key for key in keys if key in text]
        assert any(row["id"] in step for row in explain(corp)["trace"] for step in explain(corp)["steps"])

    @pytest.mark.parametrize(
        ("member", "value", "code"),
        [
            ("from", "not an address", "err_validation_invalid_email_address"),
            ("to", "nobody", "err_validation_invalid_email_address"),
            ("sourceIp", "300.1.1.1", "err_validation_invalid_ip"),
            ("at", "tomorrow", "err_validation_invalid_date"),
        ],
    )
    def test_a_bad_member_is_named(self, corp, member, value, code):
        item = {"from": "a@x.test", "to": "u@corp.test", member: value}
        assert problems(corp, MESSAGE, item) == [(code, member)]

    def test_a_recipient_is_required(self, corp):
        assert problems(corp, MESSAGE, {"from": ""}) == [("err_validation_null", "to")]

    def test_one_request_explains_several_messages(self, corp):
        block(corp, "bad.test")
        answer = corp.answer(
            MESSAGE,
            {"from": "x@bad.test", "to": "u@corp.test"},
            {"from": "x@good.test", "to": "u@corp.test"},
            {"from": "nonsense", "to": "u@corp.test"},
        )
        assert [row["verdict"] for row in answer["data"]] == ["reject", "deliver"]
        assert [failure["errors"][0]["field"] for failure in answer["fail"]] == ["from"]

    def test_another_accounts_policies_have_no_say(self, corp, other_account):
        block(other_account, "bad.test")
        answer = explain(corp)
        assert (answer["verdict"], answer["trace"]) == ("deliver", [])

    def test_the_verdict_is_the_one_that_the_door_would_come_to(self, corp):
        """The same decision without the trace."""
        block(corp, "bad.test", fromPart="both")
        block(corp, "ok@bad.test", option="no_action")
        corp.call(PERSONAL, {"sender": "y.test", "to": "u@corp.test", "action": "block"})
        for sender in ("x@bad.test", "ok@bad.test", "a@y.test", "a@z.test"):
            for author in ("x@bad.test", "a@y.test", "a@z.test"):
                facts = MessageFacts(
                    parse_address(sender),
                    parse_address("u@corp.test"),
                    NOW.timestamp(),
                    (HeaderFrom(parse_address(author)),),
                )
                decision = decide_mail(corp.policies(), facts)
                answer = explain(corp, sender, headerFrom=author, at=NOW.isoformat())
                assert answer["verdict"] == decision.action
                assert answer["stage"] == decision.stage
                assert answer["smtpReply"] == (None if decision.reply is None else str(decision.reply))

    def test_reading_policies_is_the_permission_and_that_of_the_web_is_not(self, corp):
        corp.caller = Caller(corp.id, "a", "app", frozenset({Permission.WEB_SECURITY_POLICIES_READ}))
        with pytest.raises(RequestRefused, match=re.escape("Gateway | Policies | Read")):
            explain(corp)
        corp.caller = Caller(corp.id, "a", "app", frozenset({Permission.GATEWAY_POLICIES_READ}))
        assert explain(corp)["verdict"] == "deliver"
        with pytest.raises(RequestRefused):
            corp.call(WEB, {"url": "ex.test"})


class TestWeb:
    @pytest.fixture
    def listed(self, corp):
        everyone = {"description": "all", "from": {"type": "everyone"}, "to": {"type": "everyone"}}
        pat = {**everyone, "from": {"type": "individual_email_address", "emailAddress": "pat@corp.test"}}
        (self.block,) = corp.call(
            WEB_LIST,
            {
                "description": "bad",
                "policies": [everyone],
                "urls": [{"action": "block", "type": "domain", "value": "ex.test"}],
            },
        )
        (self.allow,) = corp.call(
            WEB_LIST,
            {
                "description": "pat may",
                "policies": [pat],
                "urls": [{"action": "allow", "type": "url", "value": "ex.test/docs"}],
            },
        )
        return corp

    def test_a_block_names_policy_and_entry(self, listed):
        (answer,) = listed.call(WEB, {"url": "https://a.EX.test:8443/x?y=1#z", "user": "kim@corp.test"})
        assert set(answer) == {"verdict", "policyId", "entry", "trace", "revision", "url"}
        assert answer["verdict"] == "block"
        assert answer["policyId"] == self.block["id"]
        assert answer["entry"] == {
            "id": self.block["urls"][0]["id"],
            "type": "domain",
            "value": "ex.test",
            "action": "block",
        }
        assert answer["url"] == "a.ex.test/x?y=1"
        assert answer["revision"] == listed.policies().revision

    def test_the_trace_has_winner_loser_and_who_did_not_apply(self, listed):
        (answer,) = listed.call(WEB, {"url": "ex.test/docs/1", "user": "pat@corp.test"})
        assert answer["verdict"] == "allow"
        assert [(row["policyId"], row["place"]) for row in answer["trace"]] == [
            (self.allow["id"], 1),
            (self.block["id"], 2),
        ]
        assert answer["trace"][0]["sortKey"] > answer["trace"][1]["sortKey"]
        (answer,) = listed.call(WEB, {"url": "ex.test/docs/1", "user": "kim@corp.test"})
        (missed,) = (row for row in answer["trace"] if row["place"] == 0)
        assert (missed["policyId"], missed["failed"]) == (self.allow["id"], "the user does not match")

    def test_no_opinion(self, listed):
        (answer,) = listed.call(WEB, {"url": "http://elsewhere.test/"})
        assert (answer["verdict"], answer["policyId"], answer["entry"], answer["trace"]) == (
            "none",
            None,
            None,
            [],
        )

    @pytest.mark.parametrize(
        ("member", "value", "code"),
        [
            ("url", "http://", "err_validation_invalid_url"),
            ("user", "nobody", "err_validation_invalid_email_address"),
            ("sourceIp", "x", "err_validation_invalid_ip"),
            ("at", "x", "err_validation_invalid_date"),
        ],
    )
    def test_a_bad_member_is_named(self, corp, member, value, code):
        assert problems(corp, WEB, {"url": "ex.test", member: value}) == [(code, member)]

    def test_a_url_is_required(self, corp):
        assert problems(corp, WEB, {"url": ""}) == [("err_validation_blank", "url")]

    def test_reading_web_policies_is_the_permission(self, corp):
        corp.caller = Caller(corp.id, "a", "app", frozenset({Permission.GATEWAY_POLICIES_READ}))
        with pytest.raises(RequestRefused, match=re.escape("Web Security | Policies | Read")):
            corp.call(WEB, {"url": "ex.test"})


def test_the_command_line_gets_what_the_endpoints_answer(corp):
    """The shared functions, as JSON, equal the answers on the wire."""
    block(corp, "bad.test")
    arguments = (corp.policies(), corp.services.ids, corp.id)
    message = explain_message(*arguments, ExplainMessage(from_="x@bad.test", to="u@corp.test"), NOW)
    assert json.loads(msgspec.json.encode(message)) == explain(corp, at=NOW.isoformat())
    web = explain_web(*arguments, ExplainWeb(url="ex.test"), NOW)
    assert json.loads(msgspec.json.encode(web)) == corp.call(WEB, {"url": "ex.test"})[0]


@pytest.mark.parametrize(
    "text",
    [
        "Ann <ann@x.test>",
        "ann@x.test",
        "<ann@x.test>",
        '"Doe, Ann" <ann@x.test>',
        "ann@x.test (Ann)",
        "=?utf-8?q?J=C3=BCrg?= <j@x.test>",
        "=?utf-8?q?J?= =?utf-8?q?o?= y <j@x.test>",
        "=?utf-8?q?a=40b.test?= <c@d.test>",
        '"a@b.test" <c@d.test>',
        "a@x.test, b@y.test",
        "G: a@x.test, b@y.test;",
        "Ann\r\n <ann@x.test>",
        "jürg@x.test",
        "<a@x.test",
        "Ann <ann@x.test> junk",
        "Ann <ann@>",
        "Boss",
    ],
)
def test_headers_are_read_as_at_the_door(text):
    """What is explained must be what would happen."""
    message = read_message(b"From: " + text.encode() + b"\r\n\r\n")
    assert read_authors([text]) == read_authors(field.value for field in message.named("from"))
