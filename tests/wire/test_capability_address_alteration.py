"""Address alteration, from a signed call to the very next message (behaviour.md sections 5 and 15)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mailreeve.client import AddressAlteration, ApiError, DefinitionItem, Policy, Target

OLD = "old.corp.test"
NEW = "corp.test"


class Alteration:
    """Definitions and policies of one test, gone when it is over. Sets stay: no call deletes them."""

    def __init__(self, gate) -> None:
        self.gate = gate
        self.api: AddressAlteration = gate.client.address_alteration

    def define(
        self, original: str, new: str, address_type: str = "all", routing: str = "all", folder: str | None = None
    ) -> str:
        """A definition, in the root unless a set is named."""
        item = DefinitionItem(original, new, address_type, routing)
        (made,) = self.api.create_definitions([item], folder)
        self.gate.ending.callback(self.api.delete_definition, made)
        return made

    def apply(self, folder: str, from_: Target | None = None, to: Target | None = None, **scope: object) -> str:
        """A policy that puts a set to work, for everyone unless it is said otherwise."""
        policy = Policy("a test's", from_ or Target.everyone(), to or Target.everyone(), **scope)
        made = self.api.create_policy(folder, policy).id
        self.gate.ending.callback(self.api.delete_policy, made)
        return made


@pytest.fixture(scope="session")
def old_domain(mail_server) -> str:
    """A second domain of the account."""
    with mail_server.client() as client:
        client.call("domain/create-domain", {"domain": OLD})
    return OLD


@pytest.fixture
def alteration(gate, old_domain) -> Iterator[Alteration]:
    return Alteration(gate)


def delivered_to(gate, recipient: str, sender: str = "x@out.test") -> str:
    """Where a message for `recipient` is delivered, which is where the explanation and the record have it."""
    sent = gate.send(sender, recipient)
    copy = sent.copies[recipient]
    assert gate.explain(sender, recipient)["recipient"] == copy.recipient
    (outcome,) = gate.outcomes(sent.answer.decision_id)
    assert (outcome["recipient"], outcome["effective_recipient"]) == (recipient, copy.recipient)
    return copy.recipient


# ---------------------------------------------------------------------------------------------------- the main job


def test_vector_21_root_definition_needs_no_policy_and_both_addresses_are_kept(gate, alteration):
    """Delivered to the new address alone; the copy and the record name the original; over when it is deleted."""
    assert delivered_to(gate, f"jo@{OLD}") == f"jo@{OLD}"
    (made,) = alteration.api.create_definitions([DefinitionItem(f"*@{OLD}", f"*@{NEW}", "envelope_to", "inbound")])
    sent = gate.send("x@out.test", f"jo@{OLD}")
    copy = sent.copies[f"jo@{OLD}"]
    assert (sent.copies.keys(), copy.recipient) == ({f"jo@{OLD}"}, f"jo@{NEW}")
    assert copy.message["X-Mailreeve-Original-Envelope-To"] == f"jo@{OLD}"
    (outcome,) = gate.outcomes(sent.answer.decision_id)
    assert (outcome["recipient"], outcome["effective_recipient"]) == (f"jo@{OLD}", f"jo@{NEW}")
    assert [(a["field"], a["original"], a["new"]) for a in outcome["alterations"]] == [
        ("envelope_to", f"jo@{OLD}", f"jo@{NEW}")
    ]
    alteration.api.delete_definition(made)
    assert delivered_to(gate, f"jo@{OLD}") == f"jo@{OLD}"


def test_set_does_nothing_without_a_policy_and_everything_with_one(gate, alteration):
    folder = alteration.api.create_set("waiting").id
    alteration.define(f"jo@{OLD}", f"jo@{NEW}", folder=folder)
    assert delivered_to(gate, f"jo@{OLD}") == f"jo@{OLD}"
    policy = alteration.api.create_policy(folder, Policy("a test's", Target.everyone(), Target.domain(OLD))).id
    assert delivered_to(gate, f"jo@{OLD}") == f"jo@{NEW}"
    alteration.api.update_policy(policy, folder, Policy("a test's", Target.everyone(), Target.domain(NEW)))
    assert delivered_to(gate, f"jo@{OLD}") == f"jo@{OLD}"
    alteration.api.update_policy(policy, folder, Policy("a test's", Target.everyone(), Target.everyone()))
    assert delivered_to(gate, f"jo@{OLD}") == f"jo@{NEW}"
    alteration.api.delete_policy(policy)
    assert alteration.api.policy(policy) is None
    assert delivered_to(gate, f"jo@{OLD}") == f"jo@{OLD}"


def test_header_fields_are_altered_and_nothing_else_in_the_message(gate, alteration):
    """From, Reply-To, To and Cc: the addresses alone, with names, comments, strangers and body left as they were;
    each original is recorded in the copy and beside it."""
    folder = alteration.api.create_set("merger").id
    alteration.define(f"*@{OLD}", f"*@{NEW}", folder=folder)
    alteration.apply(folder, Target.domain(OLD))
    fields = [
        f'Reply-To: "Doe, Jo" <jo@{OLD}>',
        f"To: Ann (of sales) <ann@{OLD}>, kim@out.test",
        f"Cc: Team: pat@{OLD}, <sam@{OLD}>;",
        f"X-Other: jo@{OLD}",
    ]
    body = f"Write to jo@{OLD}."
    sent = gate.send(
        f"jo@{OLD}", f"ann@{OLD}", header_from=f"=?utf-8?q?J=C3=B6?= <jo@{OLD}>", fields=fields, body=body
    )
    copy = sent.copies[f"ann@{OLD}"]
    assert (copy.sender, copy.recipient) == (f"jo@{NEW}", f"ann@{NEW}")
    raw = {name: str(value) for name, value in copy.message.raw_items()}
    assert raw["From"].strip() == f"=?utf-8?q?J=C3=B6?= <jo@{NEW}>"
    assert raw["Reply-To"].strip() == f'"Doe, Jo" <jo@{NEW}>'
    assert raw["To"].strip() == f"Ann (of sales) <ann@{NEW}>, kim@out.test"
    assert raw["Cc"].strip() == f"Team: pat@{NEW}, <sam@{NEW}>;"
    assert raw["X-Other"].strip() == f"jo@{OLD}"
    assert copy.message.get_content().strip() == body
    originals = sorted(
        (name.removeprefix("X-Mailreeve-Original-"), value)
        for name, value in copy.message.items()
        if name.startswith("X-Mailreeve-Original-")
    )
    assert originals == [
        ("Cc", f"pat@{OLD}"),
        ("Cc", f"sam@{OLD}"),
        ("Envelope-From", f"jo@{OLD}"),
        ("Envelope-To", f"ann@{OLD}"),
        ("From", f"jo@{OLD}"),
        ("Reply-To", f"jo@{OLD}"),
        ("To", f"ann@{OLD}"),
    ]
    (outcome,) = gate.outcomes(sent.answer.decision_id)
    assert (outcome["sender"], outcome["effective_sender"]) == (f"jo@{OLD}", f"jo@{NEW}")
    recorded = sorted((a["field"], a["original"]) for a in outcome["alterations"])
    assert recorded == [
        ("envelope_from", f"jo@{OLD}"),
        ("envelope_to", f"ann@{OLD}"),
        ("from", f"jo@{OLD}"),
        ("reply_to", f"jo@{OLD}"),
        ("to_cc_bcc", f"ann@{OLD}"),
        ("to_cc_bcc", f"pat@{OLD}"),
        ("to_cc_bcc", f"sam@{OLD}"),
    ]


def test_outbound_copy_does_not_tell_what_was_altered(gate, alteration):
    """To a stranger only the new address is shown; the record has the original."""
    alteration.define("jo@corp.test", "support@corp.test", routing="outbound")
    sent = gate.send("jo@corp.test", "kim@out.test", header_from="Jo <jo@corp.test>")
    copy = sent.copies["kim@out.test"]
    assert (copy.sender, copy.message["From"]) == ("support@corp.test", "Jo <support@corp.test>")
    assert "jo@corp.test" not in copy.message.as_string().lower()
    (outcome,) = gate.outcomes(sent.answer.decision_id)
    assert (outcome["sender"], outcome["effective_sender"]) == ("jo@corp.test", "support@corp.test")


def test_each_recipient_gets_the_copy_that_their_policy_makes(gate, alteration):
    """A policy for one recipient alters that one's copy, and the other's tells nothing of it."""
    folder = alteration.api.create_set("one").id
    alteration.define("jo@corp.test", "boss@corp.test", "from", folder=folder)
    alteration.apply(folder, to=Target.address("ann@corp.test"))
    sent = gate.send("x@out.test", "ann@corp.test", "kim@corp.test", header_from="Jo <jo@corp.test>")
    shown = {to: copy.message["From"] for to, copy in sent.copies.items()}
    assert shown == {"ann@corp.test": "Jo <boss@corp.test>", "kim@corp.test": "Jo <jo@corp.test>"}
    assert "X-Mailreeve-Original-From" not in sent.copies["kim@corp.test"].message


def test_endpoint_and_command_tell_the_alterations_that_the_door_makes(gate, alteration):
    definition = alteration.define(f"jo@{OLD}", f"jane@{NEW}")
    told = gate.explain("x@out.test", f"jo@{OLD}", f"Jo <jo@{OLD}>")
    made = {"definitionId": definition, "addressAlterationSetId": ""}
    address = {"originalAddress": f"jo@{OLD}", "newAddress": f"jane@{NEW}"}
    assert told["alterations"] == [
        made | {"addressType": "envelope_to"} | address,
        made | {"addressType": "from"} | address,
    ]
    assert gate.explain_by_command("x@out.test", f"jo@{OLD}", f"Jo <jo@{OLD}>") == told
    copy = gate.send("x@out.test", f"jo@{OLD}", header_from=f"Jo <jo@{OLD}>").copies[f"jo@{OLD}"]
    assert (copy.recipient, copy.message["From"]) == (told["recipient"], f"Jo <jane@{NEW}>")


# --------------------------------------------------------------------------------------------------------- vectors


def test_vectors_22_and_23_full_address_wins_and_nothing_is_chained(gate, alteration):
    """Inside a set: full address, then local part, then domain; what a definition made is not looked up again."""
    folder = alteration.api.create_set("shapes").id
    full = alteration.api.create_definitions([DefinitionItem(f"jo@{OLD}", f"jane@{NEW}")], folder)[0]
    local = alteration.api.create_definitions([DefinitionItem("jo@*", "x@*")], folder)[0]
    alteration.define(f"*@{OLD}", f"*@{NEW}", folder=folder)
    alteration.apply(folder)
    assert delivered_to(gate, f"jo@{OLD}") == f"jane@{NEW}"
    alteration.define(f"jane@{NEW}", f"zoe@{NEW}")
    assert delivered_to(gate, f"jo@{OLD}") == f"jane@{NEW}"
    assert delivered_to(gate, f"jane@{NEW}") == f"zoe@{NEW}"
    alteration.api.delete_definition(full)
    assert delivered_to(gate, f"jo@{OLD}") == f"x@{OLD}"
    alteration.api.delete_definition(local)
    assert delivered_to(gate, f"jo@{OLD}") == f"jo@{NEW}"


def test_set_of_the_policy_comes_before_the_root(gate, alteration):
    """D-21: even a wide definition of the set before a narrow one of the root."""
    folder = alteration.api.create_set("first").id
    alteration.define(f"*@{OLD}", f"all@{NEW}", folder=folder)
    alteration.define(f"jo@{OLD}", f"root@{NEW}")
    assert delivered_to(gate, f"jo@{OLD}") == f"root@{NEW}"
    alteration.apply(folder)
    assert delivered_to(gate, f"jo@{OLD}") == f"all@{NEW}"


def test_verdicts_rest_on_the_original_addresses(gate, alteration):
    """D-20: a block for the old address holds, one for the new address does not."""
    alteration.define(f"jo@{OLD}", f"jane@{NEW}", "envelope_to")
    policy = gate.block(Target.domain("out.test"), Target.address(f"jane@{NEW}"))
    assert delivered_to(gate, f"jo@{OLD}") == f"jane@{NEW}"
    gate.delete(policy)
    gate.block(Target.domain("out.test"), Target.address(f"jo@{OLD}"))
    assert gate.judge("x@out.test", f"jo@{OLD}").startswith("550 5.7.1 Envelope rejected")


# ---------------------------------------------------------------------------------------------- refused by the API


def test_strangers_addresses_cannot_be_altered(gate, alteration):
    """Only internal domains on the original side (behaviour.md section 5.2); of several items none is done."""
    items = [DefinitionItem(f"ok@{OLD}", f"ok@{NEW}"), DefinitionItem("x@out.test", f"x@{NEW}")]
    with pytest.raises(ApiError) as refused:
        alteration.api.create_definitions(items)
    assert (refused.value.code, refused.value.field) == (
        "err_xdk_operation_forbidden_for_address",
        "addressAlterations[1].originalAddress",
    )
    assert delivered_to(gate, f"ok@{OLD}") == f"ok@{OLD}"


def test_policy_for_a_set_that_is_none_is_refused(gate, alteration):
    policy = alteration.api.create_policy(alteration.api.create_set("mine").id, Policy("a test's"))
    with pytest.raises(ApiError) as refused:
        alteration.api.create_policy(policy.id, Policy("a test's"))
    alteration.api.delete_policy(policy.id)
    assert refused.value.field == "addressAlterationSetId"
