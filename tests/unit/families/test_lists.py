"""Every list of the API: paged by key, at the same cost however long it is, and by tokens that hold for it alone.

The endpoints are those of the registry whose answers carry pagination; a new one fails here until it is named.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from held_copies import hold
from held_copies import kept as message
from msgspec.structs import replace
from sqlalchemy import event

from mailreeve.access.caller import Origin
from mailreeve.families.archive import logs
from mailreeve.families.keeping.keeper import MessageKeeper
from mailreeve.families.keeping.kept import Kept
from mailreeve.families.machinery.perform import carry_out, ready
from mailreeve.families.policies import references
from mailreeve.families.policies.family import new_members
from mailreeve.families.registry import ENDPOINTS
from mailreeve.families.tracking.outcomes import Outcome, State
from mailreeve.families.tracking.record_budget import RecordBudget
from mailreeve.families.web_log.record import WebRecord
from mailreeve.formats.addresses import parse_address
from mailreeve.formats.forward_auth import ProxyKind
from mailreeve.policy.model.content import SpamOptions
from mailreeve.policy.model.decisions import SpamChecks, Stage, WebVerdict
from mailreeve.policy.model.policies import (
    AddressPattern,
    AddressType,
    BlockedOption,
    BypassOption,
    ManagedAction,
    Routing,
    SpoofingOption,
    WebAction,
    WebEntryType,
)
from mailreeve.policy.model.targets import TargetType
from mailreeve.store.keys import new_key
from mailreeve.wire import envelope
from mailreeve.wire.errors import BAD_PAGINATION, RequestRefused
from mailreeve.wire.policy_object import PolicyDocument, TargetDocument
from mailreeve.wire.tokens import Kind

BLOCKED = "policy/blockedsenders/get-policy"
PERMITTED = "ext/permittedsenders/get-policy"
SPOOFING = "ext/antispoofing/get-policy"
BYPASS = "policy/antispoofing-bypass/get-policy"
SPAM = "ext/spam-policies/get-policy"
POLICIES = "ext/find-policies"
ALTERATION = "policy/address-alteration/get-policy"
SETS = "policy/address-alteration/get-address-alteration-set"
WEB = "policy/webwhiteurl/get-policy-with-targets"
USERS = "user/get-internal-users"
ALIASES = "user/get-aliases"
ATTRIBUTES = "user/get-attributes"
TYPES = "attribute/find-attribute-types"
DELEGATES = "user/find-delegate-users"
DOMAINS = "domain/get-internal-domain"
GROUPS = "directory/find-groups"
ADMINISTRATORS = "ext/get-administrators"
KEYS = "ext/get-keys"
MEMBERS = "directory/get-group-members"
ENTRIES = "ext/get-managed-senders"
PEOPLE = "ext/find-users"
EXPORTS = ("users", "groups", "members", "senders", "blocks", "web", "delegates")
RECORDS = "ext/find-mail-records"
TRACKED = "message-finder/search"
HELD = "gateway/get-hold-message-list"
DECIDED = "gateway/get-held-release-logs"
AUDIT = "audit/get-audit-events"
AUDIT_RECORDS = "ext/find-audit-events"
ARCHIVED = "archive/get-message-list"
FOUND = "ext/find-archived-messages"
SEARCHES = "archive/get-search-logs"
ARCHIVE_SEARCHES = "archive/get-archive-search-logs"
VIEWS = "archive/get-view-logs"
LOCATIONS = "ext/get-web-locations"
CLIENTS = "ext/get-web-clients"
WEB_RECORDS = "ext/find-web-records"
CLICKS = "ttp/url/get-logs"
ACCESS_REQUESTS = "ext/get-web-access-requests"
EVER = {"startDateTime": "2020-01-01T00:00:00+0000", "endDateTime": "2100-01-01T00:00:00+0000"}

Item = dict[str, object]


def of_ann(account) -> Item:
    return {"emailAddress": account.ann}


def of_ann_as(member: str) -> Callable[[object], Item]:
    return lambda account: {member: account.ann}


def as_ann(account) -> Item:
    """Nothing is asked, but by Ann."""
    account.caller = replace(account.caller, user_id=account.ann_id)
    return {}


LISTS: dict[str, tuple[str, Callable[[object], Item], str]] = {
    "blocked": (BLOCKED, lambda account: {}, ""),
    "permitted": (PERMITTED, lambda account: {}, ""),
    "spam": (SPAM, lambda account: {}, ""),
    "spoofing": (SPOOFING, lambda account: {}, ""),
    "bypass": (BYPASS, lambda account: {}, ""),
    "policies": (POLICIES, lambda account: {}, ""),
    "policies of a type": (POLICIES, lambda account: {"type": "web_lists"}, ""),
    "alteration": (ALTERATION, lambda account: {}, ""),
    "sets": (SETS, lambda account: {}, ""),
    "web": (WEB, lambda account: {}, ""),
    "lists with a default deny": ("ext/get-web-default-deny", lambda account: {}, ""),
    "temporary allows": ("ext/get-web-allows", lambda account: {}, ""),
    "managed URLs": ("ttp/url/get-all-managed-urls", lambda account: {}, ""),
    "managed URLs with a text": ("ttp/url/get-all-managed-urls", lambda account: {"domainOrUrl": "W"}, ""),
    "managed URLs of a domain": (
        "ttp/url/get-all-managed-urls",
        lambda account: {"domainOrUrl": "w.test", "exactMatch": True},
        "",
    ),
    "clicks": (CLICKS, lambda account: {"from": "2020-01-01T00:00:00+0000"}, "clickLogs"),
    "proxies that ask": ("ext/get-web-proxies", lambda account: {}, ""),
    "users": (USERS, lambda account: {}, "users"),
    "users of a domain": (USERS, lambda account: {"domain": account.domain}, "users"),
    "aliases": (ALIASES, of_ann, ""),
    "attributes": (ATTRIBUTES, of_ann, "attributes"),
    "types": (TYPES, lambda account: {}, "attributeTypes"),
    "delegates": (DELEGATES, lambda account: {"primaryAddress": account.ann}, "delegateUsers"),
    "domains": (DOMAINS, lambda account: {}, ""),
    "domains that wait": ("domain/get-pending-domain", lambda account: {}, ""),
    "marked for removal": ("ext/get-purge-list", lambda account: {}, ""),
    "administrators": (ADMINISTRATORS, lambda account: {}, ""),
    "keys": (KEYS, lambda account: {}, ""),
    "one's own keys": ("ext/get-my-keys", lambda account: as_ann(account), ""),
    "groups": (GROUPS, lambda account: {}, "folders"),
    "groups by name": (GROUPS, lambda account: {"query": "GROUP"}, "folders"),
    "people": (PEOPLE, lambda account: {}, ""),
    "people of a domain": (PEOPLE, lambda account: {"domain": account.domain}, ""),
    "people in a group": (PEOPLE, lambda account: {"groupId": account.group}, ""),
    "people by text": (PEOPLE, lambda account: {"query": "USER", "locked": False}, ""),
    "members": (MEMBERS, lambda account: {"id": account.group}, "groupMembers"),
    "entries": (ENTRIES, lambda account: {}, ""),
    "entries of a list": (ENTRIES, of_ann_as("to"), ""),
    "entries about a sender": (ENTRIES, lambda account: {"sender": "shop.test"}, ""),
    "entries with a text": (ENTRIES, lambda account: {"text": "WHY", "state": "active", "type": "block"}, ""),
    **{f"export of {kind}": (f"ext/export-{kind}", lambda account: {}, "") for kind in EXPORTS},
    "records": (RECORDS, lambda account: {}, ""),
    "records by several fields": (
        RECORDS,
        lambda account: {"from": "out.test", "to": account.ann, "exclude": [{"verdict": "deferred"}]},
        "",
    ),
    "records, the oldest first": (RECORDS, lambda account: {"to": account.ann, "oldestFirst": True}, ""),
    "tracked": (TRACKED, lambda account: {"advancedTrackAndTraceOptions": {"to": account.ann}}, "trackedEmails"),
    "held": (HELD, lambda account: {"admin": True}, ""),
    "held for a user": (HELD, lambda account: {"mailbox": account.ann}, ""),
    "held, by text": (HELD, lambda account: {"admin": True, "searchBy": {"value": "CHEAP"}}, ""),
    "decided": (DECIDED, lambda account: {}, ""),
    "rejections": ("gateway/get-rejections", lambda account: {"admin": True}, "rejections"),
    "on their way": ("gateway/find-processing-messages", lambda account: {}, "messages"),
    "audit": (AUDIT, lambda account: EVER, ""),
    "archived": (ARCHIVED, lambda account: {"mailbox": account.ann}, ""),
    "found in the archive": (FOUND, lambda account: {"mailbox": account.ann}, ""),
    "found by words": (FOUND, lambda account: {"text": "archived not nothing"}, ""),
    "searches": (SEARCHES, lambda account: {"start": "2020-01-01T00:00:00+0000"}, "logs"),
    "searches of the archive": (ARCHIVE_SEARCHES, lambda account: {"query": "SEARCHED"}, "logs"),
    "views": (VIEWS, lambda account: {"query": "view"}, ""),
    "audit records": (AUDIT_RECORDS, lambda account: {"objectKind": "blocked sender policy"}, ""),
    "history": ("ext/get-history", lambda account: {"objectId": account.group}, ""),
    "locations": (LOCATIONS, lambda account: {}, ""),
    "clients": (CLIENTS, lambda account: {}, ""),
    "web records": (WEB_RECORDS, lambda account: {}, ""),
    "web records of a user": (WEB_RECORDS, lambda account: {"user": account.ann}, ""),
    "web records by several fields": (
        WEB_RECORDS,
        lambda account: {"verdict": "block", "user": account.ann, "domain": "out.test"},
        "",
    ),
    "access requests": (ACCESS_REQUESTS, lambda account: {}, ""),
}
"""Path, item, and the member of the answer that holds the rows, where they are not the answers themselves."""

COUNTED_BY_READING = {
    "domains that wait",
    "marked for removal",
    "proxies that ask",
    "temporary allows",
    "managed URLs with a text",
    "managed URLs of a domain",
    "lists with a default deny",
    "locations",
    "clients",
    "access requests",
    "administrators",
    "keys",
    "one's own keys",
    "aliases",
    "attributes",
    "types",
    "delegates",
    "groups by name",
    "entries about a sender",
    "entries with a text",
    *(name for name in LISTS if name.startswith("people")),
    *(f"export of {kind}" for kind in ("members", "senders", "delegates")),
}
"""Lists that are short by their limits, one user's, for people rather than programs, or read once in a while from
end to end: how many rows they have is counted, page by page."""

ARCHIVE = {ARCHIVED, FOUND, SEARCHES, ARCHIVE_SEARCHES, VIEWS}
LOOKED_THROUGH = {
    "web records by several fields",
    "records by several fields",
    "clicks",
    "audit records",
    "held for a user",
    "held, by text",
    "decided",
    "searches of the archive",
    "views",
}
"""Lists that are narrowed by what no index has."""

GATEWAY = {HELD, DECIDED, "gateway/get-rejections", "gateway/find-processing-messages"}
UNCOUNTED = {RECORDS, "ext/get-history", WEB_RECORDS, CLICKS, TRACKED, AUDIT, AUDIT_RECORDS, *ARCHIVE, *GATEWAY}
"""Lists of which nobody counts how many rows they have: they only grow, and are narrowed at will."""

lists = pytest.mark.parametrize(("path", "item", "member"), LISTS.values(), ids=LISTS.keys())


def outcome(account_id: str, sender: str, recipient: str) -> Outcome:
    """What became of a message."""
    return Outcome(
        account_id=account_id,
        decision_id="a" * 16,
        at=time.time(),
        source_ip="192.0.2.1",
        sender=sender,
        effective_sender=sender,
        recipient=recipient,
        effective_recipient=recipient,
        header_from=None,
        subject="",
        message_id="",
        size=0,
        state=State.REJECTED,
        stage=Stage.RCPT,
        layer="default",
        reply="",
        policy_id="",
        description="",
        revision=1,
        spam_checks=SpamChecks.RUN,
    )


def web_record(host: str, user: str) -> WebRecord:
    """What became of a web request."""
    return WebRecord(
        id=new_key(),
        at=time.time(),
        door="squid",
        url=f"http://{host}/",
        host=host,
        verdict=WebVerdict.BLOCK,
        revision=1,
        user=user,
        policy_id=new_key(),
    )


def fill(account, many: int, domain: str = "corp.test") -> None:
    """So many of everything that is listed. Of the policies, each names a group."""
    account.domain, account.ann = domain, f"ann@{domain}"
    from mailreeve.families.delegates import rows as delegates
    from mailreeve.families.directory.domains import pending_rows as pending
    from mailreeve.families.directory.domains import rows as domains
    from mailreeve.families.directory.domains.types import InboundType
    from mailreeve.families.directory.groups import rows as groups
    from mailreeve.families.directory.purging import rows as marks
    from mailreeve.families.directory.users import attributes
    from mailreeve.families.directory.users import rows as users
    from mailreeve.families.directory.web_places import rows as places
    from mailreeve.families.held import rows as held
    from mailreeve.families.login.issue import issue_application
    from mailreeve.families.login.rows import add_binding, find_application
    from mailreeve.families.managed_senders import rows as managed
    from mailreeve.families.policies.address_alteration import rows as alteration
    from mailreeve.families.policies.anti_spoofing import rows as spoofing
    from mailreeve.families.policies.anti_spoofing_bypass import rows as bypass
    from mailreeve.families.policies.blocked_senders import rows as blocked
    from mailreeve.families.policies.family import PolicyRow
    from mailreeve.families.policies.managed_urls import rows as managed_urls
    from mailreeve.families.policies.managed_urls.types import MatchType, UrlAction
    from mailreeve.families.policies.permitted_senders import rows as permitted
    from mailreeve.families.policies.spam_scanning import rows as spam
    from mailreeve.families.policies.web_allows import rows as allows
    from mailreeve.families.policies.web_lists import rows as web
    from mailreeve.families.tracking import rows as tracking
    from mailreeve.families.web_log import access_rows
    from mailreeve.families.web_log import rows as web_log
    from mailreeve.families.web_proxies import rows as proxies

    def transaction(work) -> str:
        for n in range(many):
            name = f"d{n}.{domain}" if n else domain
            domains.add(work, name, name, InboundType.ANY)
            waiting = f"w{n}.{domain}"
            pending.add(work, waiting, waiting, InboundType.ANY, "code", work.now + timedelta(days=1))
        ann = users.add(work, parse_address(account.ann))
        account.ann_id = ann.id
        big = groups.add_group(work, "Group", None)
        everyone = TargetDocument(TargetType.EVERYONE)
        for n in range(many):
            other = users.add(work, parse_address(f"user{n}@{domain}"), role="Help Desk")
            made = issue_application(work, account.services.vault, f"app {n}", "Help Desk", other.id)
            application = find_application(work.connection, made.app_id)
            add_binding(work, application.id, ann.id, f"{domain} {n}", b"")
            marks.RECORDS.insert(work, marks.MarkRow(other.id, work.now, "admin", work.now))
            users.add_alias(work, ann, parse_address(f"ann{n}@{domain}"), f"ann{n}@{domain}")
            delegates.add(work, ann, other)
            type_ = attributes.add_type(work, f"type{n}")
            attributes.put(work, ann.id, type_.id, "value")
            child = groups.add_group(work, f"group {n}", None)
            groups.add_group(work, f"below {n}", child.id)
            work.changed(None, "update", Kind.GROUP, big.id, before=big, after=big)
            groups.add_member(work, big.id, f"user{n}@{domain}", f"user{n}@{domain}", "")
            document = PolicyDocument(f"p{n}", TargetDocument(TargetType.PROFILE_GROUP, child.id), everyone)
            blocked.BLOCKED.create(
                work, blocked.BlockedSenderRow(*new_members(work, document), BlockedOption.BLOCK_SENDER, False)
            )
            permitted.PERMITTED.create(work, PolicyRow(*new_members(work, document)))
            spoofing.SPOOFING.create(
                work, spoofing.AntiSpoofingRow(*new_members(work, document), SpoofingOption.TAG)
            )
            bypass.BYPASS.create(work, bypass.BypassRow(*new_members(work, document), BypassOption.ENABLE))
            spam.SPAM.create(work, spam.SpamPolicyRow(*new_members(work, document), SpamOptions()))
            set_ = alteration.add_set(work, f"set {n}", None)
            alteration.add_set(work, f"below {n}", set_.id)
            row = alteration.AlterationPolicyRow(*new_members(work, document), set_.id)
            alteration.ALTERATION.create(work, row)
            pattern = AddressPattern(f"a{n}", domain)
            rewrite = alteration.Rewrite(AddressType.ALL, Routing.INBOUND, pattern, pattern)
            alteration.add_definitions(
                work, [alteration.DefinitionRow(new_key(), set_.id, rewrite, f"a{n}@{domain}", f"b@{domain}")]
            )
            entry = web.EntryRow(new_key(), WebAction.BLOCK, WebEntryType.DOMAIN, f"w{n}.test", f"w{n}.test")
            made = web.add(work, f"list {n}", [web.new_target(work, document)], [entry])
            web.set_default_deny(work, made, True)
            place = places.LocationRow(new_key(), f"p{n}", f"p{n}", "192.0.2.0/24", work.now, work.now)
            places.insert_location(work, place)
            client = places.ClientRow(new_key(), f"198.51.100.{n}/32", None, None, place.id, None)
            places.insert_client(work, client)
            web_log.add(work, [web_record(f"out{n}.out.test", account.ann)])
            asked = (f"http://out{n}.test/", "list", "why")
            access_rows.insert(
                work, access_rows.AccessRow(new_key(), new_key(), work.now, "192.0.2.1", account.ann, *asked)
            )
            ends = work.now + timedelta(days=1)
            for_whom = (f"ann@{domain}", None, "why", False, "admin", work.now, ends)
            allows.RECORDS.insert(
                work, allows.WebAllowRow(new_key(), WebEntryType.DOMAIN, "w.test", "w.test", *for_whom)
            )
            parts = ("http", "w.test", -1, f"/{n}", "", "why", False, False, False)
            meant = (MatchType.EXPLICIT, UrlAction.BLOCK, f"w.test/{n}", f"w.test/{n}")
            managed_urls.insert(work, managed_urls.ManagedUrlRow(new_key(), *meant, *parts, work.now))
            proxy = proxies.WebProxyRow(new_key(), f"proxy {n}", ProxyKind.NGINX, "", "admin", work.now)
            proxies.RECORDS.insert(work, proxy, token_hash=new_key())
            said = managed.Said(ManagedAction.BLOCK, "why")
            managed.add(work, account.ann, f"s{n}.test", f"s{n}.test", said, "admin")
            managed.add(work, f"user{n}@{domain}", "shop.test", "shop.test", said, "admin")
            tracking.add(work, [outcome(account.id, f"sender{n}@out.test", account.ann)])
            put_off = replace(outcome(account.id, f"later{n}@out.test", account.ann), state=State.DEFERRED)
            tracking.add(work, [put_off])
        return big.id

    key = account.write(transaction)
    account.group = account.services.ids.seal(Kind.GROUP, key, account.id)
    for n in range(many):
        account.archive(f"archived {n}", account.ann)
    account.read_archive()

    def entries(work) -> None:
        for n in range(many):
            logs.add(work, logs.Did.SEARCH, logs.Entry("archive", text=f"searched {n}"))
            logs.add(work, logs.Did.VIEW, logs.Entry("archive", message=key, subject=f"view {n}"))

    account.write(entries)
    messages = [Kept((), message(account.id, account.ann).held) for _ in range(2 * many)]
    hold(MessageKeeper(account.services.store, RecordBudget(), account.services.bodies), *messages)

    def decide_half(work) -> None:
        for row in held.of_owner(work, users.find_by_address(work, account.ann).id)[:many]:
            held.decide(work, row.id, held.HeldState.REJECTED, "admin")

    account.write(decide_half)


@pytest.fixture
def filled(account):
    fill(account, 5)
    return account


def listed(answer: Item, member: str) -> list[Item]:
    """The rows of an answer's page."""
    return [row for data in answer["data"] for row in (data[member] if member else [data])]


def pages(account, path: str, item: Item, size: int) -> Iterator[Item]:
    """The answers of a list, page after page."""
    pagination: Item = {"pageSize": size}
    while True:
        answer = account.answer(path, item, meta={"pagination": pagination})
        yield answer
        shown = answer["meta"]["pagination"]
        if "next" not in shown:
            return
        pagination = {"pageSize": size, "pageToken": shown["next"]}


def token(account, path: str, item: Item) -> str:
    """The token of the second page."""
    return account.answer(path, item, meta={"pagination": {"pageSize": 1}})["meta"]["pagination"]["next"]


def refusal(account, path: str, item: Item, text: object) -> RequestRefused:
    """Why a token is refused there."""
    with pytest.raises(RequestRefused) as caught:
        account.answer(path, item, meta={"pagination": {"pageToken": text}})
    assert (caught.value.status, caught.value.problem.code) == (400, BAD_PAGINATION.code)
    assert caught.value.problem.field == "pageToken"
    return caught.value


def test_every_list_is_tried_here() -> None:
    """Those of the registry, but for those of what is never recorded, which have no rows."""
    empty = {"ttp/attachment/get-logs", "ttp/impersonation/get-logs"}
    every = {endpoint.path for endpoint in ENDPOINTS if endpoint.lists}
    assert {path for path, _, _ in LISTS.values()} == every - empty


@lists
def test_its_pages_hold_every_row_once_in_one_order(filled, path, item, member) -> None:
    """As the whole list has them, with the same total on each and no `next` on the last."""
    whole = filled.answer(path, item(filled))
    rows = listed(whole, member)
    total = whole["meta"]["pagination"].get("totalCount")
    assert total == (None if path in UNCOUNTED else len(rows))
    assert len(rows) >= 5
    for size in (1, 2, len(rows), 500):
        several = list(pages(filled, path, item(filled), size))
        assert [row for answer in several for row in listed(answer, member)] == rows
        assert {answer["meta"]["pagination"].get("totalCount") for answer in several} == {total}
        assert len(several) == -(-len(rows) // size)


@lists
def test_previous_leads_back_over_the_same_pages(filled, path, item, member) -> None:
    """Down to the first, which has none."""
    *_, last = several = list(pages(filled, path, item(filled), 2))
    back = [last]
    while "previous" in back[-1]["meta"]["pagination"]:
        following = {"pageToken": back[-1]["meta"]["pagination"]["previous"]}
        back.append(filled.answer(path, item(filled), meta={"pagination": following}))
    assert [listed(a, member) for a in reversed(back)] == [listed(a, member) for a in several]
    assert all("next" in answer["meta"]["pagination"] for answer in back[1:])


@lists
def test_a_token_of_another_account_is_refused(filled, other_account, path, item, member) -> None:
    """In the same words as one that is made up."""
    fill(other_account, 3, "other.test")
    theirs = token(other_account, path, item(other_account))
    made_up = "A" * len(theirs)
    assert str(refusal(filled, path, item(filled), theirs)) == str(refusal(filled, path, item(filled), made_up))


@lists
def test_hostile_tokens_are_refused(filled, path, item, member) -> None:
    """Cut, lengthened, doubled, random, huge, or the id of something."""
    good = token(filled, path, item(filled))
    noise = random.Random(7)
    hostile = [good[:n] for n in (1, len(good) // 2, len(good) - 1)]
    hostile += [good + "A", good * 2, "A" * 1_000_000, filled.group, "None", "\x00", "é", "{}", "' OR 1=1 --"]
    hostile += ["".join(noise.choices("abcXYZ019-_", k=len(good))) for _ in range(20)]
    for text in hostile:
        refusal(filled, path, item(filled), text)
    for other in (7, True, ["x"], {"t": 1}):
        refusal(filled, path, item(filled), other)


def test_a_token_of_another_list_is_refused(filled) -> None:
    """Of every list by every other one: the function is named, or that the data are others."""
    tokens = {name: token(filled, path, item(filled)) for name, (path, item, _) in LISTS.items()}
    for name, (path, item, _) in LISTS.items():
        for other, text in tokens.items():
            if other == name:
                assert filled.answer(path, item(filled), meta={"pagination": {"pageToken": text}})["fail"] == []
                continue
            told = str(refusal(filled, path, item(filled), text))
            assert LISTS[other][0] in told if LISTS[other][0] != path else "same data" in told


def test_a_function_that_gives_no_pages_refuses_a_token(filled) -> None:
    """Of any kind; a size alone is harmless."""
    for endpoint in ENDPOINTS:
        if not endpoint.lists:
            assert "gives no pages" in str(refusal(filled, endpoint.path, {}, token(filled, BLOCKED, {})))
    assert filled.answer("account/get-account", meta={"pagination": {"pageSize": 5}})["fail"] == []


DELETED: dict[str, tuple[str, str, Callable[[object, Item], Item]]] = {
    "blocked": ("blocked", "policy/blockedsenders/delete-policy", lambda account, row: {"id": row["id"]}),
    "alteration": (
        "alteration",
        "policy/address-alteration/delete-policy",
        lambda account, row: {"id": row["id"]},
    ),
    "web": ("web", "policy/webwhiteurl/delete-policy-with-targets", lambda account, row: {"id": row["id"]}),
    "aliases": (
        "aliases",
        "user/remove-alias",
        lambda account, row: {"alias": row["alias"], "aliasFor": account.ann},
    ),
    "delegates": ("delegates", "user/remove-delegate-user", lambda account, row: {"id": row["id"]}),
    "members": (
        "members",
        "directory/remove-group-member",
        lambda account, row: {"id": account.group, "emailAddress": row["emailAddress"]},
    ),
    "attributes": (
        "attributes",
        "user/update-attributes",
        lambda account, row: {"emailAddress": account.ann, "attributes": [{"id": row["id"], "value": ""}]},
    ),
}


@pytest.mark.parametrize(("name", "delete", "item_of"), DELETED.values(), ids=DELETED.keys())
@pytest.mark.parametrize("size", [1, 2, 3])
def test_what_is_deleted_while_paging_skips_nothing(filled, name, delete, item_of, size) -> None:
    """A script that lists a page, removes what it holds, and asks for the next one clears the list."""
    path, item, member = LISTS[name]
    for answer in pages(filled, path, item(filled), size):
        for row in listed(answer, member):
            filled.call(delete, item_of(filled, row))
    left = filled.answer(path, item(filled))
    assert listed(left, member) == []
    assert left["meta"]["pagination"] == {"pageSize": 0}


def test_what_is_added_while_paging_repeats_nothing(filled) -> None:
    """It comes at the end, once; the totals follow."""
    names: list[str] = []
    totals: list[int] = []
    for n, answer in enumerate(pages(filled, GROUPS, {}, 2)):
        names += [row["description"] for row in answer["data"][0]["folders"]]
        totals.append(answer["meta"]["pagination"]["totalCount"])
        if n < 3:
            filled.call("directory/create-group", {"description": f"new {n}"})
    assert len(names) == len(set(names)) == 14
    assert names[-3:] == ["new 0", "new 1", "new 2"]
    assert totals[:4] == [11, 12, 13, 14]


def test_a_place_whose_row_is_gone_is_a_place_all_the_same(filled) -> None:
    """The row after it is the next one, and the one before it the last of the page before."""
    rows = filled.call(BLOCKED)
    first = filled.answer(BLOCKED, meta={"pagination": {"pageSize": 2}})
    filled.call("policy/blockedsenders/delete-policy", {"id": rows[1]["id"]})
    second = filled.answer(BLOCKED, meta={"pagination": {"pageToken": first["meta"]["pagination"]["next"]}})
    assert second["data"] == rows[2:4]
    back = {"pageToken": second["meta"]["pagination"]["previous"]}
    assert filled.answer(BLOCKED, meta={"pagination": back})["data"] == rows[:1]


def test_two_lists_in_one_request_are_paged_each_from_its_own_place(filled) -> None:
    """The longer one goes on when the shorter one has ended, which does not begin again."""
    small = filled.call("directory/create-group", {"description": "small"})[0]["id"]
    filled.call("directory/add-group-member", {"id": small, "domain": "only.test"})
    pagination: Item = {"pageSize": 2}
    seen: list[list[str]] = [[], []]
    while True:
        answer = filled.answer(MEMBERS, {"id": filled.group}, {"id": small}, meta={"pagination": pagination})
        for kept, data in zip(seen, answer["data"], strict=True):
            kept += [row["emailAddress"] or row["domain"] for row in data["groupMembers"]]
        if "next" not in answer["meta"]["pagination"]:
            break
        pagination = {"pageToken": answer["meta"]["pagination"]["next"]}
    assert seen == [[f"user{n}@corp.test" for n in range(5)], ["only.test"]]


def test_a_group_in_an_answer_shows_the_first_below_it_and_counts_all(account, monkeypatch) -> None:
    """Each policy on a page shows the group that it names, however many groups are below that one."""
    monkeypatch.setattr(references, "MOST_BELOW", 2)
    (top,) = account.call("directory/create-group", {"description": "top"})
    for n in range(3):
        account.call("directory/create-group", {"description": f"below {n}", "parentId": top["id"]})
    target = {"from": {"type": "profile_group", "groupId": top["id"]}, "to": {"type": "everyone"}}
    urls = [{"type": "domain", "value": "x.test", "action": "block"}]
    item = {"description": "list", "policies": [{"policy": {"description": "p", **target}}], "urls": urls}
    account.call("policy/webwhiteurl/create-policy-with-targets", item)
    (answer,) = account.call(WEB)
    group = answer["policies"][0]["policy"]["from"]["group"]
    assert group["folderCount"] == 3
    assert [below["description"] for below in group["folders"]] == ["below 0", "below 1"]


# What it costs.


class Watched:
    """What the database does for an account's calls: the statements, and how many steps they take it."""

    def __init__(self, account) -> None:
        self.account = account
        self.engine = account.services.store._engine.sqlalchemy
        self.statements: list[tuple[str, tuple[object, ...]]] = []
        self.steps = 0
        self.engine.dispose()
        event.listen(self.engine, "connect", self._connect)
        event.listen(self.engine, "before_cursor_execute", self._execute)

    def stop(self) -> None:
        """Watch no longer."""
        event.remove(self.engine, "connect", self._connect)
        event.remove(self.engine, "before_cursor_execute", self._execute)
        self.engine.dispose()

    def call(self, path: str, item: Item, pagination: Item) -> Item:
        """The answer to a call, once everything that is kept in memory is there."""
        body = json.dumps({"meta": {"pagination": pagination}, "data": [item]}).encode()
        for _ in range(2):
            self.statements, self.steps = [], 0
            request, caller = envelope.decode(body), self.account.caller
            done = carry_out(
                self.account.services,
                ready(self.account.services, BY_PATH[path], request, caller, Origin(caller.actor)),
            )
        return json.loads(envelope.encode(done.data, done.fail, done.shown))

    def plan(self, statement: str, parameters: tuple[object, ...]) -> list[str]:
        """How the database goes about a statement."""
        with self.engine.connect() as connection:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
        return [row[3] for row in rows]

    def _connect(self, connection, _record) -> None:
        connection.set_progress_handler(self._step, 1)

    def _step(self) -> int:
        self.steps += 1
        return 0

    def _execute(self, _connection, _cursor, statement, parameters, _context, _many) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            self.statements.append((statement, parameters))


BY_PATH = {endpoint.path: endpoint for endpoint in ENDPOINTS}


@lists
def test_no_page_scans_or_sorts_and_every_query_names_the_account(filled, path, item, member) -> None:
    """The first page, the next and the previous one: each row comes by an index that begins with the account."""
    watched = Watched(filled)
    first = watched.call(path, item(filled), {"pageSize": 2})
    seen = list(watched.statements)
    following = {"pageToken": first["meta"]["pagination"]["next"]}
    second = watched.call(path, item(filled), following)
    seen += watched.statements
    watched.call(path, item(filled), {"pageToken": second["meta"]["pagination"]["previous"]})
    seen += watched.statements
    assert seen
    for statement, parameters in seen:
        if "MATCH" in statement:  # the account is one of the words that are searched for
            assert f'account_id : "{filled.id}"' in parameters[0]
            steps = watched.plan(statement, parameters)
            assert all(step.startswith("SCAN archive_text VIRTUAL TABLE INDEX") for step in steps)
            continue
        assert filled.id in parameters, statement
        for step in watched.plan(statement, parameters):
            if step.startswith(("CORRELATED", "SCALAR SUBQUERY")):
                continue  # what follows is how it goes about that
            assert step.startswith("SEARCH"), (step, statement)
            # A domain is in one account only, and its name finds it; `account` itself is found by its id.
            assert "(account_id=?" in step or step.endswith(("(name=?)", "(id=?)")), (step, statement)


def test_a_page_costs_the_same_in_a_long_list(account, other_account) -> None:
    """In steps of the database, which are the same on every machine: of 20 rows or 300, first page and next."""
    steps: dict[str, list[list[int]]] = {name: [] for name in LISTS}
    for one, many, domain in ((account, 20, "corp.test"), (other_account, 300, "other.test")):
        fill(one, many, domain)
        watched = Watched(one)
        for name, (path, item, _) in LISTS.items():
            first = watched.call(path, item(one), {"pageSize": 5})
            costs = [watched.steps]
            watched.call(path, item(one), {"pageToken": first["meta"]["pagination"]["next"]})
            steps[name].append([*costs, watched.steps])
        watched.stop()
    del steps["export of users"]  # one of them has all aliases and attributes, and his row holds them
    for name, (short, long) in steps.items():
        # Counting a row by reading takes a few steps; showing one, dozens.
        allowed = 300 * 14 if name in COUNTED_BY_READING else 30
        if name == "entries with a text":  # of twice as many, in four columns
            allowed *= 4
        if name in LOOKED_THROUGH:
            # A page looks at so many, that are not all shown, and at no more; of some there are twice as many.
            allowed = (300 if name == "records by several fields" else 600) * 14
        if name == "on their way":  # of each is asked whether anything came of it since
            allowed = 300 * 60
        if name.startswith("people"):
            # All aliases of a user are counted, and every user is asked about, of a group by two look-ups.
            allowed = 300 * 150
        for few, more in zip(short, long, strict=True):
            assert more <= few + allowed, (name, short, long)
