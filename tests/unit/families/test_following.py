"""What every call changes is read again alone, and the set is then that of an account loaded anew."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from mailreeve.families.managed_senders import rows as managed_rows
from mailreeve.families.policies.blocked_senders.rows import BLOCKED as BLOCKED_FAMILY
from mailreeve.families.policies.blocked_senders.rows import BlockedSenderRow
from mailreeve.families.policies.family import new_members
from mailreeve.families.registry import LOADERS
from mailreeve.formats.addresses import parse_address
from mailreeve.policy.decide.mail import decide_mail
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.decisions import Action
from mailreeve.policy.model.facts import Directory, MessageFacts
from mailreeve.policy.model.policies import BlockedOption, ManagedAction
from mailreeve.policy.model.policy_types import POLICY_TYPES, PolicyType
from mailreeve.policy.model.targets import TargetType
from mailreeve.store.follow import Follower, Loader, Loaders
from mailreeve.store.transactions import Store
from mailreeve.wire.policy_object import PolicyDocument, TargetDocument

EVERYONE = {"type": "everyone"}
ALTER = "policy/address-alteration/"
WEB = "policy/webwhiteurl/"

BLOCKED, MANAGED = PolicyType.BLOCKED_SENDERS, PolicyType.MANAGED_SENDERS
MANAGED_KIND = POLICY_TYPES[MANAGED].kind


class WholeLoad(Exception):
    """A part was read as a whole."""


def once(loader: Loader) -> Loader:
    """A loader that reads all objects one time only."""
    reads: list[None] = []

    def every(work):
        if reads:
            raise WholeLoad
        reads.append(None)
        return loader.every(work)

    return Loader(every, loader.some)


def every_part_once() -> Loaders:
    return Loaders(
        directory=once(LOADERS.directory),
        scoped={type_: once(loader) for type_, loader in LOADERS.scoped.items()},
        managed=once(LOADERS.managed),
        definitions=once(LOADERS.definitions),
        web=once(LOADERS.web),
        places=LOADERS.places,
    )


@pytest.fixture
def following(account) -> Callable[[], PolicySet]:
    """The account's set, by a follower that cannot read any part as a whole twice."""
    loaders = every_part_once()
    follower = Follower(account.services.store, loaders, ())
    account.services = replace(account.services, follower=follower)
    account.policies()
    return account.policies


def contents(policies: PolicySet) -> dict[str, object]:
    """All that a set holds."""
    lists = policies.managed._by_id
    return {
        "revision": policies.revision,
        **{name: getattr(policies.directory, name) for name in Directory.__struct_fields__},
        **{
            name: {one.id: one for one in getattr(policies, name).policies}
            for name in ("blocked", "permitted", "alteration")
        },
        "managed": dict(lists),
        "lists": {entry.recipient: policies.managed.of(entry.recipient) for entry in lists.values()},
        "definitions": dict(policies.definitions._by_id),
        "web": dict(policies.web._policies),
        "known": dict(policies.identities._known),
    }


def scope(from_: dict, to: dict = EVERYONE, **more: object) -> dict:
    return {"description": "d", "from": from_, "to": to, **more}


def address(text: str) -> dict:
    return {"type": "individual_email_address", "emailAddress": text}


def every_kind_of_change(account) -> Iterator[str]:
    """Does them one after the other, and says which."""

    def call(path: str, **item: object) -> dict:
        (row,) = account.call(path, item)
        return row

    def done(path: str, **item: object) -> str:
        account.call(path, item)
        return path

    yield done("domain/create-domain", domain="corp.test", inboundType="known")
    yield done("domain/create-domain", domain="old.test", inboundType="any")
    yield done("user/create-user", emailAddress="ann@corp.test")
    write = "managedsender/permit-or-block-sender"
    yield done(write, sender="both.test", to="ann@corp.test", action="permit")
    yield done(write, sender="both.test", to="a@old.test", action="block")
    yield done(write, sender="moves.test", to="a@old.test", action="block")
    yield done("user/update-alias", aliasFor="ann@corp.test", alias="a@old.test")
    office = [{"name": "Office", "value": "North"}]
    yield done("user/update-attributes", emailAddress="ann@corp.test", attributes=office)
    yield done("user/update-user", emailAddress="ann@corp.test", name="Ann")
    outer = call("directory/create-group", description="Outer")["id"]
    inner = call("directory/create-group", description="Inner", parentId=outer)["id"]
    yield "directory/create-group"
    yield done("directory/add-group-member", id=inner, emailAddress="ann@corp.test")
    yield done("directory/add-group-member", id=inner, domain="x.test")
    yield done("directory/add-group-member", id=outer, domain="x.test")
    yield done("directory/remove-group-member", id=outer, domain="x.test")
    other = call("directory/create-group", description="Other")["id"]
    yield done("directory/update-group", id=inner, parentId=other, description="Renamed")
    yield done("directory/delete-group", id=inner)
    blocked = call("policy/blockedsenders/create-policy", option="block_sender", policy=scope(address("x@x.test")))
    yield "policy/blockedsenders/create-policy"
    changed = scope(address("y@x.test"), fromPart="both", bidirectional=True)
    yield done("policy/blockedsenders/update-policy", id=blocked["id"], option="no_action", policy=changed)
    yield done("policy/blockedsenders/delete-policy", id=blocked["id"])
    yield done(write, sender="x.test", to="ann@corp.test", action="block")
    yield done(write, sender="x.test", to="ann@corp.test", action="permit")
    folder = call(ALTER + "create-address-alteration-set", description="Set")["id"]
    rewrite = {
        "originalAddress": "*@old.test",
        "newAddress": "*@corp.test",
        "addressType": "envelope_to",
        "routing": "all",
    }
    definition = call(ALTER + "create-definition", addressAlterations=[rewrite], folderId=folder)["id"]
    yield ALTER + "create-definition"
    policy = {"from": EVERYONE, "to": EVERYONE}
    altering = call(ALTER + "create-policy", addressAlterationSetId=folder, policy=policy)["id"]
    yield ALTER + "create-policy"
    narrow = {"from": EVERYONE, "to": address("a@old.test")}
    yield done(ALTER + "update-policy", id=altering, addressAlterationSetId=folder, policy=narrow)
    yield done(ALTER + "delete-policy", id=altering)
    yield done(ALTER + "delete-definition", id=definition)
    entry = {"action": "block", "type": "url", "value": "ex.test/p"}
    target = {"description": "all", "from": EVERYONE, "to": EVERYONE}
    listed = call(WEB + "create-policy-with-targets", description="l", policies=[target], urls=[entry])
    yield WEB + "create-policy-with-targets"
    more = [*listed["urls"], {"action": "allow", "type": "domain", "value": "ok.test"}]
    yield done(WEB + "update-policy-with-targets", **{**listed, "urls": more})
    yield done(WEB + "delete-policy-with-targets", id=listed["id"])
    yield done("user/remove-alias", aliasFor="ann@corp.test", alias="a@old.test")


def test_a_set_followed_call_by_call_is_the_set_loaded_anew(account, following) -> None:
    """After each kind of change, with no part read as a whole; sharing what did not change."""
    seen = []
    for path in every_kind_of_change(account):
        anew = Follower(account.services.store, LOADERS, ()).current(account.id)
        assert contents(following()) == contents(anew), path
        seen.append(path)
    assert len(seen) == 30


def test_many_changes_between_two_looks_are_read_together(account, following) -> None:
    """All of them, at the next look."""
    for _ in every_kind_of_change(account):
        pass
    anew = Follower(account.services.store, LOADERS, ()).current(account.id)
    assert contents(following()) == contents(anew)


@pytest.mark.parametrize("every", [1, 3, 7])
def test_another_process_follows_the_same_changes(account, every) -> None:
    """It has its own store on the same file, hears of commits by looking, and reads no part as a whole twice."""
    loaders = every_part_once()
    other = Store(account.services.store._engine)
    follower = Follower(other, loaders, ())
    follower.current(account.id)
    for number, path in enumerate(every_kind_of_change(account)):
        if number % every:
            continue
        other.feed.look()
        anew = Follower(account.services.store, LOADERS, ()).current(account.id)
        assert contents(follower.current(account.id)) == contents(anew), path


def test_one_more_member_leaves_all_policies_alone(account, following) -> None:
    """However many name the group: their index is the very same, and so are all other shards of the directory."""
    account.call("domain/create-domain", {"domain": "corp.test"})
    (group,) = account.call("directory/create-group", {"description": "Used"})
    target = {"type": "profile_group", "groupId": group["id"]}
    for number in range(20):
        to = address(f"u{number}@corp.test")
        item = {"option": "block_sender", "policy": scope(target, to)}
        account.call("policy/blockedsenders/create-policy", item)
    before = following()
    account.call("directory/add-group-member", {"id": group["id"], "emailAddress": "new@x.test"})
    after = following()
    assert after.blocked is before.blocked
    facts = MessageFacts(parse_address("new@x.test"), parse_address("u7@corp.test"), 0.0, ())
    assert [decide_mail(policies, facts).action for policies in (before, after)] == [
        Action.DELIVER,
        Action.REJECT,
    ]


def test_a_policy_starts_and_ends_at_its_instant(account, following) -> None:
    """With the very set that was loaded before: the clock changes no set."""
    starts = datetime(2030, 1, 1, tzinfo=UTC)
    ends = starts + timedelta(hours=1)
    dates = {"fromDate": "2030-01-01T00:00:00+0000", "toDate": "2030-01-01T01:00:00+0000"}
    dated = scope(address("x@x.test"), fromEternal=False, toEternal=False, **dates)
    account.call("policy/blockedsenders/create-policy", {"option": "block_sender", "policy": dated})
    account.call("domain/create-domain", {"domain": "corp.test"})
    policies = following()
    moments = [starts - timedelta(microseconds=1), starts, ends - timedelta(microseconds=1), ends]
    sender, recipient = parse_address("x@x.test"), parse_address("ann@corp.test")
    verdicts = [
        decide_mail(policies, MessageFacts(sender, recipient, moment.timestamp(), ())).action.value
        for moment in moments
    ]
    assert verdicts == ["deliver", "reject", "reject", "deliver"]
    assert following() is policies


@pytest.fixture
def hasty() -> Iterator[None]:
    """Threads take turns as often as can be, so that races show."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hasty")
def test_a_decision_during_writes_is_wholly_of_one_revision(account) -> None:
    """Every write changes a policy and a personal entry together; no decision sees one without the other."""
    account.call("domain/create-domain", {"domain": "corp.test"})
    sender = TargetDocument(TargetType.INDIVIDUAL_EMAIL_ADDRESS, "x@x.test", "x@x.test")
    document = PolicyDocument("0", sender, TargetDocument(TargetType.EVERYONE))

    def begin(work):
        row = BlockedSenderRow(*new_members(work, document), BlockedOption.BLOCK_SENDER, False)
        policy = BLOCKED_FAMILY.create(work, row)
        said = managed_rows.Said(ManagedAction.BLOCK)
        entry = managed_rows.add(work, "ann@corp.test", "x.test", "x.test", said, "admin")
        work.changed(MANAGED, "create", MANAGED_KIND, entry.id)
        return policy, entry

    policy, entry = account.write(begin)
    first = account.policies().revision
    actions = list(ManagedAction)
    facts = MessageFacts(parse_address("x@x.test"), parse_address("ann@corp.test"), 0.0, ())
    done = threading.Event()

    def write(number: int) -> None:
        def transaction(work):
            said = replace(document, description=str(number))
            BLOCKED_FAMILY.replace(work, policy, replace(policy, option=BlockedOption.NO_ACTION, document=said))
            managed_rows.change(work, entry, managed_rows.Said(actions[number % 2]), "admin")
            work.changed(MANAGED, "update", MANAGED_KIND, entry.id)

        account.write(transaction)

    def read() -> set[int]:
        seen = set()
        while not done.is_set():
            decision = decide_mail(account.policies(), facts)
            number = decision.revision - first
            if number:
                assert decision.winners[BLOCKED].description == str(number)
                said = decision.winners[MANAGED].description
                assert said.startswith(f"personal {actions[number % 2].value}")
            seen.add(number)
        return seen

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read) for _ in range(4)]
        try:
            for number in range(1, 101):
                write(number)
        finally:
            done.set()
        seen = set[int]().union(*(reader.result() for reader in readers))
    assert len(seen) > 10
