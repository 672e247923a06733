"""Users are renamed and removed, domains given up: what is kept for an address follows, goes, or is told of."""

from __future__ import annotations

import json
from itertools import product

import pytest
from msgspec import structs
from sqlalchemy import select

from mailreeve.access.permissions import Permission
from mailreeve.families.registry import LOADERS, seed_account
from mailreeve.formats.addresses import parse_address
from mailreeve.formats.authors import HeaderFrom
from mailreeve.policy.decide.mail import decide_mail
from mailreeve.policy.decide.web import decide_web
from mailreeve.policy.model.facts import MessageFacts, WebFacts
from mailreeve.store.follow import Follower
from mailreeve.store.schema import account as account_table
from mailreeve.store.schema import audit_event, metadata
from mailreeve.wire.errors import ItemRefused

ANN, ANNA, BOB, CEO = "ann@corp.test", "anna@new.test", "bob@corp.test", "ceo@corp.test"
SENDERS = ("x@shop.test", "x@bad.test", "x@good.test", "x@team.test", "x@pattern.test", "x@from.test", BOB)


def target(address: str) -> dict[str, object]:
    return {"type": "individual_email_address", "emailAddress": address}


def domain(name: str) -> dict[str, object]:
    return {"type": "email_domain", "emailDomain": name}


@pytest.fixture
def corp(account):
    """An account in which everything that can name an address names Ann's."""
    account.write(seed_account)
    for name in ("corp.test", "new.test"):
        account.call("domain/create-domain", {"domain": name})
    for address in (ANN, BOB, CEO):
        account.call("user/create-user", {"emailAddress": address, "name": address.partition("@")[0]})
    account.call("user/update-alias", {"alias": "annie@corp.test", "aliasFor": ANN})
    attribute = {"name": "team", "value": "Red"}
    account.call("user/update-attributes", {"emailAddress": ANN, "attributes": [attribute]})
    (group,) = account.call("directory/create-group", {"description": "Team"})
    account.group = group["id"]
    account.call("directory/add-group-member", {"id": group["id"], "emailAddress": ANN, "until": "2100-01-01"})
    entry = "managedsender/permit-or-block-sender"
    account.call(entry, {"sender": "x@bad.test", "to": ANN, "action": "block"})
    account.call(entry, {"sender": "x@good.test", "to": ANN, "action": "permit"})
    account.call(entry, {"sender": ANN, "to": BOB, "action": "block"})
    create = "policy/blockedsenders/create-policy"
    to_ann = {"description": "to Ann", "from": domain("shop.test"), "to": target(ANN)}
    from_ann = {"description": "from Ann", "from": target(ANN), "to": target(CEO), "fromPart": "both"}
    to_team = {"type": "profile_group", "groupId": group["id"]}
    for policy in (to_ann, from_ann, {"description": "to team", "from": domain("team.test"), "to": to_team}):
        account.call(create, {"option": "block_sender", "policy": policy})
    alteration = "policy/address-alteration"
    (set_,) = account.call(f"{alteration}/create-address-alteration-set", {"description": "a set"})
    scope = {"description": "for Ann", "from": target(ANN), "to": {"type": "everyone"}}
    account.call(f"{alteration}/create-policy", {"addressAlterationSetId": set_["id"], "policy": scope})
    rewrites = {"addressType": "envelope_to", "routing": "inbound"}
    desk = {"originalAddress": "desk@corp.test", "newAddress": ANN, **rewrites}
    account.call(f"{alteration}/create-definition", {"addressAlterations": [desk]})
    urls = [{"action": "block", "type": "domain", "value": "games.test"}]
    policies = [{"policy": {"description": "t", "from": target(ANN), "to": {"type": "everyone"}}}]
    path = "policy/webwhiteurl/create-policy-with-targets"
    account.call(path, {"description": "Ann's web", "policies": policies, "urls": urls})
    account.call("user/add-delegate-user", {"primaryAddress": ANN, "delegateAddress": BOB})
    account.call("user/add-delegate-user", {"primaryAddress": CEO, "delegateAddress": ANN})
    with account.services.store._engine.writing() as connection:
        connection.execute(account_table.update().values(admin_email=ANN))
    return account


def rename(account, old=ANN, new=ANNA, **more) -> dict:
    (row,) = account.call("ext/rename-user", {"emailAddress": old, "newAddress": new, **more})
    return row


def refusal(account, path: str, **item: object) -> tuple[str, str | None, str]:
    with pytest.raises(ItemRefused) as caught:
        account.call(path, item)
    (problem,) = caught.value.problems
    return problem.code, problem.field, problem.message


def fates(account, ann: str) -> list[object]:
    """What becomes of mail to and from everybody, Ann under this address, and of her web requests; with whoever
    decides as loaded anew."""
    policies = account.policies()
    anew = Follower(account.services.store, LOADERS, ()).current(account.id)
    found: list[object] = []
    pairs = [
        *product(SENDERS, (ann, CEO)),
        (ann, BOB),
        (ann, CEO),
        (ann, "out@far.test"),
        ("x@bad.test", "desk@corp.test"),
    ]
    for sender, recipient in pairs:
        author = (HeaderFrom(parse_address(sender)),)
        facts = MessageFacts(parse_address(sender), parse_address(recipient), 1e9, author, source_trusted=True)
        decision = decide_mail(policies, facts)
        again = decide_mail(anew, facts)
        assert (decision.action, decision.winners, decision.reply) == (again.action, again.winners, again.reply)
        winners = {type_: winner and winner.id for type_, winner in decision.winners.items()}
        found.append((decision.action, decision.stage, decision.reply, decision.spam_checks, winners))
    web = decide_web(policies, WebFacts("http://games.test/", 1e9, parse_address(ann)))
    return [*found, web.verdict, web.policy_id]


@pytest.mark.parametrize("kept", [True, False])
def test_after_a_rename_the_new_address_fares_as_the_old_one_did(corp, kept) -> None:
    """Lists in both directions, groups, policies on both sides, alteration, web lists. Kept as an alias, the old
    address fares so too; and the delegate rights of both directions are there."""
    before = fates(corp, ANN)
    assert len({str(fate) for fate in before}) > 6
    rename(corp, keepAsAlias=kept)
    assert fates(corp, ANNA) == before
    if kept:
        assert fates(corp, ANN) == before
    else:
        assert refusal(corp, "user/get-profile", emailAddress=ANN)[0] == "err_user_not_found"
    assert fates(corp, "annie@corp.test") == before
    opened = corp.call("user/find-delegate-users", {"primaryAddress": ANNA})[0]["delegateUsers"]
    assert [one["emailAddress"] for one in opened] == [BOB]
    opened = corp.call("user/find-delegate-users", {"primaryAddress": CEO})[0]["delegateUsers"]
    assert [one["emailAddress"] for one in opened] == [ANNA]


HISTORY = {"audit_event", "changes", "message_outcome", "row_count"}
"""What was: it says what people were called then. And counts, which the database keeps, of no rows by now."""


def rows_with(account, text: str) -> dict[str, int]:
    """Of each table that is no history, how many rows of the account hold a text."""
    found: dict[str, int] = {}
    with account.services.store._engine.reading() as connection:
        for table in metadata.sorted_tables:
            mine = table.c.id == account.id if table.name == "account" else table.c.account_id == account.id
            number = sum(
                text in json.dumps(list(row), default=str) for row in connection.execute(select(table).where(mine))
            )
            if number and table.name not in HISTORY:
                found[table.name] = number
    return found


def test_every_place_that_holds_an_address_follows(corp) -> None:
    """No table holds the old address any more, but for what says that it was: and each that held it holds the new
    one."""
    held = rows_with(corp, ANN)
    assert held.keys() == {
        "account", "user", "user_address", "directory_group_member", "managed_sender", "blocked_sender_policy",
        "alteration_policy", "alteration_definition", "web_target",
    }  # fmt: skip
    rename(corp, keepAsAlias=False)
    assert rows_with(corp, ANN) == {"user": 1}
    assert rows_with(corp, ANNA) == held
    formerly = corp.call("ext/describe-user", {"emailAddress": ANNA})[0]["formerly"]
    assert [one["emailAddress"] for one in formerly] == [ANN]


def test_a_rename_is_one_revision_with_a_row_for_each_thing(corp) -> None:
    """And whatever is refused leaves nothing behind."""
    revision = corp.policies().revision
    told = rename(corp)
    assert corp.policies().revision == revision + 1

    def query(work):
        table = audit_event.c
        mine = (table.account_id == work.account_id) & (table.revision == revision + 1)
        return [tuple(row) for row in work.execute(select(table.action, table.object_kind).where(mine))]

    rows = corp.services.store.read(corp.id, query)
    assert ("rename", "user") in rows
    assert rows.count(("update", "managed sender")) == 3
    assert rows.count(("update", "blocked sender policy")) == 2
    assert {"3 managed sender (update)", "1 group member (update)", "1 web policy (update)"} <= set(
        told["followed"]
    )
    everything = rows_with(corp, "@")
    for new, code in (
        ("x@far.test", "err_xdk_operation_forbidden_for_address"),
        (BOB, "err_user_already_exists"),
        ("none", "err_validation_invalid_email_address"),
    ):
        assert refusal(corp, "ext/rename-user", emailAddress=ANNA, newAddress=new)[:2] == (code, "newAddress")
    assert rows_with(corp, "@") == everything
    assert corp.policies().revision == revision + 1


def test_an_alias_can_become_the_address_and_a_rename_can_be_taken_back(corp) -> None:
    """There and back, decisions are what they were, and the address is known to have been both."""
    before = fates(corp, ANN)
    rename(corp, ANN, "annie@corp.test")
    assert fates(corp, "annie@corp.test") == fates(corp, ANN) == before
    rename(corp, "annie@corp.test", ANN)
    assert fates(corp, ANN) == before
    (found,) = corp.call("ext/describe-user", {"emailAddress": ANN})
    assert (found["emailAddress"], found["aliases"]) == (ANN, ["annie@corp.test"])
    assert [one["emailAddress"] for one in found["formerly"]] == ["annie@corp.test"]


def test_lists_join_where_the_new_address_has_one_already(corp) -> None:
    """As with an alias: what changed last stays. A list that would grow too long has the rename refused."""
    entry = "managedsender/permit-or-block-sender"
    corp.call(entry, {"sender": "x@bad.test", "to": ANNA, "action": "permit"})
    corp.call(entry, {"sender": ANNA, "to": BOB, "action": "permit"})
    rename(corp)
    entries = {(e.recipient, e.sender): e.action.value for e in corp.policies().managed.entries}
    assert entries == {(ANNA, "x@bad.test"): "permit", (ANNA, "x@good.test"): "permit", (BOB, ANNA): "permit"}


def test_definitions_stay_as_they_are_spelled_but_deliver_to_the_new_address(corp) -> None:
    """One that looks for the old address, or leaves it out of a wider one, is told of."""
    rewrites = {"addressType": "all", "routing": "all"}
    for old, new in ((ANN, ANN), (ANN, ANNA)):
        item = {"originalAddress": old, "newAddress": new, **rewrites}
        corp.call("policy/address-alteration/create-definition", {"addressAlterations": [item]})
    answer = corp.answer("ext/rename-user", {"emailAddress": ANN, "newAddress": ANNA})
    (warning,) = answer["meta"]["warnings"]
    assert f"{ANN} -> {ANN}" in warning
    assert f"{ANN} -> {ANNA}" in warning
    found = {(d.original.local, d.new.local, d.new.domain) for d in corp.policies().definitions.every()}
    assert found == {("desk", "anna", "new.test"), ("ann", "ann", "corp.test"), ("ann", "anna", "new.test")}


def test_a_user_whom_policies_name_is_removed_by_force_alone(corp) -> None:
    """With the list, memberships, rights, aliases, attributes; what names the address stays and is told of."""
    code, field, message = refusal(corp, "ext/remove-user", emailAddress="annie@corp.test")
    assert (code, field) == ("err_user_in_use", "emailAddress")
    assert '"to Ann"' in message
    answer = corp.answer("ext/remove-user", {"emailAddress": ANN, "force": True})
    assert '"to Ann"' in answer["meta"]["warnings"][0]
    assert answer["data"][0]["aliases"] == ["annie@corp.test"]
    left = rows_with(corp, ANN)
    # The entry of somebody else about her address is that one's wish.
    assert left.keys() == {
        "account", "managed_sender", "blocked_sender_policy", "alteration_policy", "alteration_definition",
        "web_target",
    }  # fmt: skip
    assert left["managed_sender"] == 1
    assert corp.call("user/find-delegate-users", {"primaryAddress": CEO})[0]["delegateUsers"] == []
    assert corp.policies().identities.user(parse_address("annie@corp.test")) is None
    assert corp.policies().directory.ends == {}


def test_the_last_administrator_is_not_removed(corp) -> None:
    from mailreeve.access.permissions import Role
    from mailreeve.families.directory.users import operations as users

    make = users.create_administrator
    admin = parse_address("admin@corp.test")
    corp.write(lambda work: make(work, admin, "a long password", Role.SUPER_ADMINISTRATOR))
    assert refusal(corp, "ext/remove-user", emailAddress="admin@corp.test")[0] == "err_user_last_administrator"
    assert (
        refusal(corp, "ext/remove-domain", domain="corp.test", withUsers=True)[0] == "err_user_last_administrator"
    )
    other = parse_address("root@new.test")
    corp.write(lambda work: make(work, other, "a long password", Role.SUPER_ADMINISTRATOR))
    corp.call("ext/remove-user", {"emailAddress": "admin@corp.test"})


def test_a_domain_goes_with_its_furniture_and_with_users_if_that_is_said(corp) -> None:
    """Refused while somebody is in it; aliases of users elsewhere go from them; what names it is told of."""
    corp.call("domain/create-domain", {"domain": "spare.test"})
    corp.call("user/create-user", {"emailAddress": "eve@spare.test"})
    corp.call("user/update-alias", {"alias": "bob@spare.test", "aliasFor": BOB})
    corp.call("directory/add-group-member", {"id": corp.group, "domain": "spare.test"})
    code, field, message = refusal(corp, "ext/remove-domain", domain="spare.test")
    assert (code, field) == ("err_domain_in_use", "domain")
    assert "bob@spare.test and eve@spare.test" in message
    answer = corp.answer("ext/remove-domain", {"domain": "spare.test", "withUsers": True})
    (row,) = answer["data"]
    assert (row["users"], row["aliases"]) == (
        ["abuse@spare.test", "eve@spare.test", "postmaster@spare.test"],
        ["bob@spare.test"],
    )
    assert 'the group "Team"' in answer["meta"]["warnings"][0]
    assert "spare.test" not in corp.policies().directory.internal_domains
    assert not [key for key in corp.policies().directory.users if key.endswith("@spare.test")]
    assert corp.call("user/get-profile", {"emailAddress": BOB})[0]["emailAddress"] == BOB
    # It may be registered again, by anybody.
    corp.call("domain/create-domain", {"domain": "spare.test"})


def test_an_own_domain_of_one_label_can_be_made_with_a_final_dot_and_removed(account) -> None:
    assert refusal(account, "domain/create-domain", domain="localhost")[0] == "err_validation_invalid_domain"
    account.call("domain/create-domain", {"domain": "localhost."})
    account.call("ext/update-domain", {"domain": "localhost", "inboundType": "known"})
    assert account.policies().directory.known_only == {"localhost"}
    account.call("ext/remove-domain", {"domain": "localhost"})
    assert account.policies().directory.internal_domains == frozenset()


def test_a_rename_that_is_refused_in_a_batch_undoes_itself_alone(corp) -> None:
    """Two in a row may exchange addresses by way of a third."""
    answer = corp.answer(
        "ext/rename-user",
        {"emailAddress": ANN, "newAddress": "tmp@corp.test", "keepAsAlias": False},
        {"emailAddress": BOB, "newAddress": ANN, "keepAsAlias": False},
        {"emailAddress": CEO, "newAddress": ANN},
        {"emailAddress": "tmp@corp.test", "newAddress": BOB},
    )
    assert [row["emailAddress"] for row in answer["data"]] == ["tmp@corp.test", ANN, BOB]
    assert len(answer["fail"]) == 1
    users = {key: user.primary for key, user in corp.policies().directory.users.items() if "postmaster" not in key}
    assert users[ANN] == ANN
    assert users["annie@corp.test"] == BOB
    (policy,) = [p for p in corp.policies().blocked.policies if p.description == "to Ann"]
    assert policy.scope.to.value == BOB


def test_nobody_is_told_through_a_user_of_what_they_may_not_see(corp) -> None:
    """Neither of policies, lists, rights or groups, be it in a description, a refusal or a warning."""
    corp.call("user/update-alias", {"alias": "anne@new.test", "aliasFor": ANN})
    everything = corp.call("ext/describe-user", {"emailAddress": ANN})[0]
    assert everything["groups"]
    assert len(everything["kept"]) == 8
    whole = corp.caller
    held = {Permission.DIRECTORIES_INTERNAL_READ, Permission.DIRECTORIES_INTERNAL_EDIT}
    for more, groups, kept in (
        ((), 0, []),
        ((Permission.DIRECTORIES_GROUPS_READ,), 1, []),
        ((Permission.WEB_SECURITY_POLICIES_READ,), 0, ["web list"]),
        ((Permission.GATEWAY_MANAGED_SENDERS_EDIT,), 0, ["personal list"]),
        ((Permission.DIRECTORIES_INTERNAL_CREATE_ALTERNATE_ADDRESS,), 0, ["mailbox", "mailbox"]),
    ):
        corp.caller = structs.replace(whole, permissions=frozenset(held.union(more)))
        (row,) = corp.call("ext/describe-user", {"emailAddress": ANN})
        assert len(row["groups"]) == groups
        assert len(row["kept"]) == len(kept)
        assert all(word in said for word, said in zip(kept, row["kept"], strict=True))
    corp.caller = structs.replace(whole, permissions=frozenset(held))
    code, _, message = refusal(corp, "ext/remove-user", emailAddress=ANN)
    assert code == "err_user_in_use"
    assert "named by something that you may not see;" in message
    answer = corp.answer("ext/rename-user", {"emailAddress": ANN, "newAddress": "desk@new.test"})
    assert "corp.test ->" not in str(answer.get("meta"))
    corp.call("ext/remove-user", {"emailAddress": "desk@new.test", "force": True})
