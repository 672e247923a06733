"""What does a page of a list cost in a large account, and what does a change of one object?

Each call is carried out as the server does it once the signature is checked: from the bytes of the body to those
of the answer, in a database on disk, durable where it writes. Signature, HTTP and sockets cost the same whatever
the account holds, and are left out; so is, unless the wall clock is asked for, what the disk takes to make a
change durable. Medians of calls after one that warms up.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from rig.filled import ACCOUNT, AT, put
from rig.report import show
from sqlalchemy import insert

from mailreeve.access.caller import Caller, Origin
from mailreeve.access.permissions import Permission
from mailreeve.families.delegates.rows import delegate_right
from mailreeve.families.directory.domains.rows import domain
from mailreeve.families.directory.groups.rows import group, group_use, member
from mailreeve.families.directory.users.rows import address, user
from mailreeve.families.machinery.call import Limits
from mailreeve.families.machinery.perform import Services, carry_out, ready
from mailreeve.families.managed_senders.rows import managed_sender
from mailreeve.families.policies.address_alteration.rows import (
    alteration_definition,
    alteration_policy,
    alteration_set,
)
from mailreeve.families.policies.blocked_senders.rows import blocked_sender_policy
from mailreeve.families.policies.web_lists.rows import web_entry, web_policy, web_target
from mailreeve.families.registry import ADDRESS_JOINED, ENDPOINTS, LOADERS
from mailreeve.policy.model.targets import TargetType
from mailreeve.store.engines import SqliteEngine
from mailreeve.store.follow import Follower
from mailreeve.store.keys import new_key
from mailreeve.store.schema import account, metadata
from mailreeve.store.secrets import Vault
from mailreeve.store.transactions import Store
from mailreeve.wire import envelope
from mailreeve.wire.policy_object import PolicyDocument, TargetDocument
from mailreeve.wire.tokens import Ids, Kind

BY_PATH = {endpoint.path: endpoint for endpoint in ENDPOINTS}
PAGE = 10
CLOCKS: Mapping[str, Callable[[], float]] = {"processor": time.thread_time, "wall": time.perf_counter}
BLOCKED = "policy/blockedsenders/"
ALTERATION = "policy/address-alteration/"
WEB = "policy/webwhiteurl/"

Item = dict[str, Any]
Row = dict[str, Any]


class Keys(Struct):
    """What the calls are about: keys of the rows in the account."""

    big_group: str
    named_group: str
    free_groups: list[str]
    set_id: str
    blocked: list[str]
    alteration: list[str]
    web: str


class Server:
    """One account in a database on disk, and a caller who may do everything in it."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.engine = SqliteEngine(path)
        store = Store(self.engine)
        self.services = Services(
            store, Follower(store, LOADERS, ()), Ids(bytes(64)), Limits(), ADDRESS_JOINED, Vault(bytes(32))
        )
        self.caller = Caller(ACCOUNT, "admin@corp.test", "app", frozenset(Permission))

    def call(self, path: str, item: Item | None = None, page: Item | None = None) -> dict[str, Any]:
        """The answer to one item."""
        body = json.dumps({"meta": {"pagination": page or {}}, "data": [item or {}]}).encode()
        answer: dict[str, Any] = json.loads(self._answer(path, body))
        assert not answer["fail"], answer["fail"]
        return answer

    def seconds(self, path: str, item: Item | None = None, page: Item | None = None) -> float:
        """How long such a call takes, from bytes to bytes."""
        body = json.dumps({"meta": {"pagination": page or {}}, "data": [item or {}]}).encode()
        begun = self.clock()
        answer = self._answer(path, body)
        taken = self.clock() - begun
        assert b'"fail":[]' in answer, answer[:500]
        return taken

    def wire(self, kind: Kind, key: str) -> str:
        """The id of an object on the wire."""
        return self.services.ids.seal(kind, key, ACCOUNT)

    def _answer(self, path: str, body: bytes) -> bytes:
        done = carry_out(
            self.services,
            ready(self.services, BY_PATH[path], envelope.decode(body), self.caller, Origin("admin@corp.test")),
        )
        return envelope.encode(done.data, done.fail, done.shown, warnings=done.warnings)


def fill(server: Server, size: int) -> Keys:
    """An account with `size` of everything that may be so many: policies of each kind, addresses, members of one
    group; and as much as is allowed of what may not."""
    groups = [new_key() for _ in range(min(size, 49_000))]
    users = [new_key() for _ in range(size)]
    sets = [new_key() for _ in range(min(size, 9_000))]
    lists = [new_key() for _ in range(size)]
    blocked = [new_key() for _ in range(size)]
    altering = [new_key() for _ in range(size)]
    big_list = new_key()
    made = {"created_at": AT}
    both = {"created_at": AT, "updated_at": AT}
    everyone = TargetDocument(TargetType.EVERYONE)

    def document(number: int, target: TargetDocument) -> str:
        text = PolicyDocument(f"policy {number}", target, TargetDocument(TargetType.INTERNAL_ADDRESSES))
        return msgspec.json.encode(text).decode()

    def sender(number: int) -> TargetDocument:
        if number % 10 == 0:
            return TargetDocument(TargetType.PROFILE_GROUP, groups[0])
        text = f"u{number}@bad{number}.test"
        return TargetDocument(TargetType.INDIVIDUAL_EMAIL_ADDRESS, text, text)

    def entry(policy: str, position: int, text: str) -> Row:
        return {
            "id": new_key(),
            "policy_id": policy,
            "position": position,
            "action": "block",
            "type": "domain",
            "value": text,
            "shown": text,
        }

    def target(policy: str, number: int) -> Row:
        text = msgspec.json.encode(PolicyDocument(f"t{number}", everyone, everyone)).decode()
        return {"id": new_key(), "policy_id": policy, "position": 0, "document": text, **both}

    def rows() -> Iterator[tuple[Any, Iterable[Row]]]:
        yield (
            domain,
            [
                {
                    "id": new_key(),
                    "name": "corp.test",
                    "shown": "corp.test",
                    "inbound_type": "any",
                    "send_only": False,
                    **made,
                }
            ],
        )
        flags = (
            "locked",
            "disabled",
            "force_password_change",
            "password_never_expires",
            "allow_smtp",
            "allow_pop",
        )
        yield (
            user,
            (
                {
                    "id": key,
                    "key": f"user{n:06}@corp.test",
                    "address": f"user{n:06}@corp.test",
                    "name": f"User {n}",
                    "address_type": "created_manually",
                    "source": "cloud",
                    **dict.fromkeys(flags, False),
                    **both,
                }
                for n, key in enumerate(users)
            ),
        )
        yield (
            address,
            (
                {
                    "key": f"user{n:06}@corp.test",
                    "user_id": key,
                    "shown": f"user{n:06}@corp.test",
                    "domain": "corp.test",
                    "alias": False,
                    **made,
                }
                for n, key in enumerate(users)
            ),
        )
        yield (
            group,
            (
                {"id": key, "parent_id": None, "name": f"Group {n}", "source": "cloud", "system": False, **made}
                for n, key in enumerate(groups)
            ),
        )
        yield (
            member,
            (
                {
                    "id": new_key(),
                    "group_id": groups[0],
                    "matched": f"user{n:06}@corp.test",
                    "shown": f"user{n:06}@corp.test",
                    "notes": "",
                    **made,
                }
                for n in range(size * 8 // 5)
            ),
        )
        yield (
            alteration_set,
            ({"id": key, "parent_id": None, "name": f"Set {n}", **made} for n, key in enumerate(sets)),
        )
        yield (
            alteration_definition,
            (
                {
                    "id": new_key(),
                    "set_id": sets[n % 3],
                    "address_type": "all",
                    "routing": "inbound",
                    "original_local": f"a{n}",
                    "original_domain": "corp.test",
                    "original_shown": f"a{n}@corp.test",
                    "new_local": f"b{n}",
                    "new_domain": "corp.test",
                    "new_shown": f"b{n}@corp.test",
                    **made,
                }
                for n in range(min(size, 2_900))
            ),
        )
        yield (
            alteration_policy,
            (
                {"id": key, "set_id": sets[0], "document": document(n, sender(n)), **both}
                for n, key in enumerate(altering)
            ),
        )
        yield (
            blocked_sender_policy,
            (
                {
                    "id": key,
                    "option": "block_sender",
                    "document": document(n, sender(n)),
                    "immutable": False,
                    **both,
                }
                for n, key in enumerate(blocked)
            ),
        )
        yield (
            group_use,
            (
                {"policy_id": key, "group_id": groups[0]}
                for n, key in enumerate([*altering, *blocked])
                if n % 10 == 0
            ),
        )
        yield (
            web_policy,
            ({"id": key, "description": f"list {n}", **both} for n, key in enumerate([*lists, big_list])),
        )
        yield web_target, (target(key, n) for n, key in enumerate([*lists, big_list]))
        yield web_entry, (entry(key, 0, f"site{n}.test") for n, key in enumerate(lists[:19_000]))
        yield web_entry, (entry(big_list, n, f"many{n}.test") for n in range(4_990))
        yield (
            delegate_right,
            (
                {"id": new_key(), "holder_id": users[0], "mailbox_id": users[n], **made}
                for n in range(1, min(size, 490))
            ),
        )
        yield (
            managed_sender,
            (
                {
                    "id": new_key(),
                    "recipient": "user000000@corp.test",
                    "sender": f"s{n}@shop.test",
                    "sender_shown": f"s{n}@shop.test",
                    "action": "block",
                    **both,
                }
                for n in range(min(size, 9_500))
            ),
        )

    with server.engine.writing() as connection:
        metadata.create_all(connection)
        connection.execute(
            insert(account).values(
                id=ACCOUNT, code=ACCOUNT, name="Bench", admin_email="a@b.test", revision=1, created_at=AT
            )
        )
        put(connection, ACCOUNT, rows())
    return Keys(groups[0], groups[0], groups[1:], sets[0], blocked, altering, big_list)


def pages(server: Server, keys: Keys, rounds: int) -> Iterator[tuple[str, float]]:
    """The first page and the next of each list, and the reads that are by one thing."""
    group_id, set_id = server.wire(Kind.GROUP, keys.big_group), server.wire(Kind.ALTERATION_SET, keys.set_id)
    lists: list[tuple[str, Item]] = [
        (BLOCKED + "get-policy", {}),
        (ALTERATION + "get-policy", {}),
        (ALTERATION + "get-address-alteration-set", {}),
        (WEB + "get-policy-with-targets", {}),
        ("user/get-internal-users", {}),
        ("user/get-internal-users", {"domain": "corp.test"}),
        ("directory/find-groups", {}),
        ("directory/find-groups", {"query": "group 12"}),
        ("directory/find-groups", {"query": "nobody"}),
        ("directory/get-group-members", {"id": group_id}),
        ("user/find-delegate-users", {"primaryAddress": "user000000@corp.test"}),
        ("domain/get-internal-domain", {}),
    ]
    for path, item in lists:
        what = path + "".join(f", {name}" if name == "id" else f", {name} {value}" for name, value in item.items())
        yield what, _median(rounds, lambda: server.seconds(path, item, {"pageSize": PAGE}))  # noqa: B023
        shown = server.call(path, item, {"pageSize": PAGE})["meta"]["pagination"]
        if "next" in shown:
            following = {"pageToken": shown["next"]}
            yield f"{what}, next page", _median(rounds, lambda: server.seconds(path, item, following))  # noqa: B023
    reads: list[tuple[str, Item]] = [
        (BLOCKED + "get-policy", {"id": server.wire(Kind.BLOCKED_SENDER_POLICY, keys.blocked[-1])}),
        (ALTERATION + "get-policy", {"id": server.wire(Kind.ALTERATION_POLICY, keys.alteration[-1])}),
        (ALTERATION + "get-address-alteration-set", {"folderId": set_id}),
        (ALTERATION + "get-definition", {"originalAddress": "a7@corp.test"}),
        (ALTERATION + "get-definition", {"newAddress": "b7@elsewhere.test"}),
        ("directory/get-group", {"id": group_id}),
        ("account/get-account", {}),
    ]
    for path, item in reads:
        yield f"{path}, {', '.join(item)}", _median(rounds, lambda: server.seconds(path, item))  # noqa: B023


def changes(server: Server, keys: Keys, rounds: int) -> Iterator[tuple[str, float]]:
    """Calls that change one object."""
    numbers = iter(range(10**9))
    wire = server.wire
    internal = {"type": "internal_addresses"}

    def policy() -> Item:
        sender = f"new{next(numbers)}@other.test"
        return {
            "description": "x",
            "from": {"type": "individual_email_address", "emailAddress": sender},
            "to": internal,
        }

    def of(path: str, *items: Iterator[Item]) -> tuple[str, float]:
        return path, _median(rounds, lambda: server.seconds(path, next(items[0])))

    def each(made: Callable[[], Item]) -> Iterator[Item]:
        while True:
            yield made()

    blocked = iter([wire(Kind.BLOCKED_SENDER_POLICY, key) for key in keys.blocked])
    altering = iter([wire(Kind.ALTERATION_POLICY, key) for key in keys.alteration])
    free = iter([wire(Kind.GROUP, key) for key in keys.free_groups])
    group_id = wire(Kind.GROUP, keys.big_group)
    set_id = wire(Kind.ALTERATION_SET, keys.set_id)
    first = "user000000@corp.test"
    named = {"description": "x", "from": {"type": "profile_group", "groupId": group_id}, "to": internal}
    yield of(BLOCKED + "create-policy", each(lambda: {"option": "block_sender", "policy": policy()}))
    name, taken = of(BLOCKED + "create-policy", each(lambda: {"option": "block_sender", "policy": named}))
    yield f"{name}, of a group", taken
    yield of(
        BLOCKED + "update-policy", each(lambda: {"id": next(blocked), "option": "no_action", "policy": policy()})
    )
    yield of(BLOCKED + "delete-policy", each(lambda: {"id": next(blocked)}))
    yield of(ALTERATION + "create-policy", each(lambda: {"addressAlterationSetId": set_id, "policy": policy()}))
    yield of(ALTERATION + "update-policy", each(lambda: {"id": next(altering), "policy": policy()}))
    yield of(ALTERATION + "delete-policy", each(lambda: {"id": next(altering)}))
    yield of(ALTERATION + "create-address-alteration-set", each(lambda: {"description": "new"}))
    definition = {"addressType": "all", "routing": "inbound", "newAddress": "b@corp.test"}
    yield of(
        ALTERATION + "create-definition",
        each(
            lambda: {
                "folderId": set_id,
                "addressAlterations": [{"originalAddress": f"n{next(numbers)}@corp.test", **definition}],
            }
        ),
    )
    yield of("directory/create-group", each(lambda: {"description": f"new {next(numbers)}"}))
    yield of("directory/update-group", each(lambda: {"id": next(free), "description": f"new {next(numbers)}"}))
    yield of("directory/delete-group", each(lambda: {"id": next(free)}))
    members = [f"extra{n}@corp.test" for n in range(rounds + 1)]
    adding, removing = iter(members), iter(members)
    yield of("directory/add-group-member", each(lambda: {"id": group_id, "emailAddress": next(adding)}))
    yield of("directory/remove-group-member", each(lambda: {"id": group_id, "emailAddress": next(removing)}))
    yield of("user/create-user", each(lambda: {"emailAddress": f"new{next(numbers)}@corp.test"}))
    yield of("user/update-alias", each(lambda: {"alias": f"also{next(numbers)}@corp.test", "aliasFor": first}))
    delegates = iter(range(500, 10**6))
    if len(keys.blocked) > 600:
        yield of(
            "user/add-delegate-user",
            each(
                lambda: {
                    "primaryAddress": "user000001@corp.test",
                    "delegateAddress": f"user{next(delegates):06}@corp.test",
                }
            ),
        )
    yield of(
        "managedsender/permit-or-block-sender",
        each(lambda: {"sender": f"x{next(numbers)}@shop.test", "to": first, "action": "block"}),
    )
    target = [{"policy": {"description": "x", "from": {"type": "everyone"}, "to": {"type": "everyone"}}}]

    def urls(several: int) -> list[Item]:
        fresh = [{"type": "domain", "value": f"fresh{next(numbers)}.test", "action": "block"}]
        return [
            {"type": "domain", "value": f"many{n}.test", "action": "block"} for n in range(several - 1)
        ] + fresh

    name, taken = of(
        WEB + "create-policy-with-targets",
        each(lambda: {"description": "new", "policies": target, "urls": urls(1)}),
    )
    yield name, taken
    web = wire(Kind.WEB_POLICY, keys.web)
    for several in (10, 5_000):
        yield (
            f"{WEB}update-policy-with-targets, {several:,} urls of 5,000",
            _median(
                min(rounds, 5),
                lambda: server.seconds(
                    WEB + "update-policy-with-targets",
                    {"id": web, "description": "x", "policies": target, "urls": urls(several)},  # noqa: B023
                ),
            ),
        )


def _median(rounds: int, call: Callable[[], float]) -> float:
    call()
    return statistics.median(call() for _ in range(rounds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 20_000, 100_000])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--only", choices=("pages", "changes"), help="measure these alone")
    parser.add_argument("--clock", choices=CLOCKS, default="processor", help="whose time is taken")
    options = parser.parse_args()
    found: dict[str, list[str]] = {}
    for position, size in enumerate(options.sizes):
        with tempfile.TemporaryDirectory() as folder:
            server = Server(Path(folder) / "lists.db", CLOCKS[options.clock])
            keys = fill(server, size)
            server.services.follower.current(ACCOUNT)
            for name, measure in (("pages", pages), ("changes", changes)):
                if options.only not in (None, name):
                    continue
                for what, taken in measure(server, keys, options.rounds):
                    row = found.setdefault(what, [""] * len(options.sizes))
                    row[position] = f"{taken * 1000:,.2f}"
            server.engine.dispose()
    show(
        "Calls in a large account",
        f"ms a call by the {options.clock}, medians of {options.rounds} rounds; pages of {PAGE}",
        ("call", *(f"{size:,}" for size in options.sizes)),
        [(what, *cells) for what, cells in found.items()],
    )


if __name__ == "__main__":
    main()
