"""What became of web requests? Records as lists have them, and one with what would be decided today."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from mailreeve.families.machinery.call import Call
from mailreeve.families.web_log import rows
from mailreeve.families.web_log.errors import WEB_RECORD_NOT_FOUND
from mailreeve.families.web_log.record import SETTLED_UNREADABLE, WebRecord
from mailreeve.families.web_log.rows import Wanted
from mailreeve.families.web_log.types import (
    EntryOfWebRecord,
    FindWebRecords,
    PolicyOfWebRecord,
    WebRecordAnswer,
    WebRecordDetail,
    WebToday,
)
from mailreeve.formats.addresses import AddressError, parse_address
from mailreeve.formats.networks import parse_ip
from mailreeve.formats.weburls import UrlError, host_of, parse_web_url
from mailreeve.policy.decide.web import WebUrlError, decide_web
from mailreeve.policy.explain.words import unmet_words
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.decisions import WebDecision, WebVerdict
from mailreeve.policy.model.facts import WebFacts
from mailreeve.policy.model.policies import WebEntry, WebPolicyKind
from mailreeve.policy.model.wording import web_entry_words, web_list_words
from mailreeve.wire import fields
from mailreeve.wire.errors import BAD_DOMAIN, BAD_RANGE, ItemRefused, refused
from mailreeve.wire.pagination import Page
from mailreeve.wire.tokens import KIND_OF_WEB, Kind

EXPLAINED: Final = 20
"""So many entries are told of a record."""


def find(call: Call, item: FindWebRecords) -> Page[WebRecord]:
    """A page of the records that the item asks for. Raises `ItemRefused`."""
    now = call.work.now
    since = None if item.since is None else fields.moment_or_ago(item.since, "since", now)
    until = None if item.until is None else fields.moment_or_ago(item.until, "until", now)
    if since is not None and until is not None and since >= until:
        raise refused(BAD_RANGE, "since")
    wanted = Wanted(
        verdict=item.verdict,
        host=_host(item.host, "host"),
        domain=_host(item.domain, "domain"),
        user=item.user or "",
        client="" if item.client is None else str(fields.ip(item.client, "client")),
        policy_id="" if item.policy_id is None else _list_key(call, item.policy_id, "policyId"),
        since=since,
        until=until,
        oldest_first=item.oldest_first,
    )
    return rows.page(call.work, call.page, wanted)


def get(call: Call, wire_id: str, field: str = "id") -> WebRecord:
    """One record. Raises `ItemRefused` naming `field`."""
    record = rows.find(call.work, call.open(Kind.WEB_RECORD, wire_id, field))
    if record is None:
        raise refused(WEB_RECORD_NOT_FOUND, field)
    return record


def answer(call: Call, one: WebRecord) -> WebRecordAnswer:
    """A record as lists have it."""
    return WebRecordAnswer(
        id=call.seal(Kind.WEB_RECORD, one.id),
        at=fields.written(datetime.fromtimestamp(one.at, UTC)),
        door=one.door,
        method=one.method,
        url=one.url,
        host=one.host,
        host_only=one.host_only,
        url_cut=one.url_cut,
        verdict=one.verdict,
        user=one.user,
        login=one.login,
        client=one.client,
        location=one.location,
        policy=_policy(call, one.policy_id, one.description, one.kind_then),
        entry=_entry(one.entry),
        settled_by=one.settled_by,
        not_enforceable=one.unenforced,
        revision=one.revision,
    )


def detail(call: Call, one: WebRecord) -> WebRecordDetail:
    """A record with what the policies of now make of it."""
    told = answer(call, one)
    members = {name: getattr(told, name) for name in WebRecordAnswer.__struct_fields__}
    return WebRecordDetail(**members, today=_today(call, one))


def facts_of(one: WebRecord, at: float) -> WebFacts:
    """What a decision about a recorded request looks at, at another time. Raises `ValueError` for what cannot be
    read."""
    user = None
    if one.user:
        try:
            user = parse_address(one.user)
        except AddressError as problem:
            raise ValueError("the user cannot be read") from problem
    source = parse_ip(one.client) if one.client else None
    url = host_of(one.url) if one.host_only else one.url
    return WebFacts(url, at, user, source, is_stranger=bool(one.login) and user is None)


def decided(policies: PolicySet, one: WebRecord, at: float) -> WebDecision | None:
    """What the policies make of a recorded request; None where it cannot be told, as not all of the URL was kept.
    One that could not be read is blocked as it was."""
    if one.settled_by == SETTLED_UNREADABLE:
        return WebDecision(WebVerdict.BLOCK, None, None, "", policies.revision)
    if one.url_cut:
        return None
    try:
        return decide_web(policies, facts_of(one, at))
    except (WebUrlError, ValueError):
        return None


def _today(call: Call, one: WebRecord) -> WebToday:
    policies, at = call.policies, call.work.now.timestamp()
    decision = decided(policies, one, at)
    why: list[str] = []
    if decision is None:
        why = ["it cannot be told: only the beginning of the URL was kept"]
        decision = WebDecision(one.verdict, one.policy_id or None, one.entry, "", policies.revision)
    elif one.settled_by != SETTLED_UNREADABLE:
        facts = facts_of(one, at)
        explained = decide_web(policies, facts, explain=True)
        why = [
            f"{web_entry_words(one.entry)} of "
            + web_list_words(one.description, one.kind)
            + (": it holds" if one.failed is None else f": {unmet_words(one.failed)}")
            for one in explained.candidates[:EXPLAINED]
        ]
    policy_id = decision.policy_id or ""
    policy = policies.web.get(policy_id) if policy_id else None
    was = one.verdict, one.policy_id, one.entry and one.entry.id
    now = decision.verdict, policy_id, decision.entry and decision.entry.id
    return WebToday(
        revision=policies.revision,
        verdict=decision.verdict,
        policy=None if policy is None else _policy(call, policy_id, policy.description, policy.kind),
        entry=_entry(decision.entry),
        differs=was != now,
        why=why,
    )


def _policy(call: Call, key: str, description: str, kind: WebPolicyKind) -> PolicyOfWebRecord | None:
    return PolicyOfWebRecord(call.seal(KIND_OF_WEB[kind], key), description) if key else None


def _list_key(call: Call, wire_id: str, field: str) -> str:
    """The key of a list, a temporary allow or a managed URL. Raises `ItemRefused` naming `field`."""
    for kind in (Kind.WEB_ALLOW, Kind.MANAGED_URL):
        try:
            return call.open(kind, wire_id, field)
        except ItemRefused:
            continue
    return call.open(Kind.WEB_POLICY, wire_id, field)


def _entry(entry: WebEntry | None) -> EntryOfWebRecord | None:
    return None if entry is None else EntryOfWebRecord(entry.type, entry.value, entry.action)


def _host(text: str | None, field: str) -> str:
    if text is None:
        return ""
    try:
        return parse_web_url(text).host
    except UrlError as problem:
        raise refused(BAD_DOMAIN, field, f"{BAD_DOMAIN.message}: {problem}") from problem
