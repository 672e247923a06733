"""How is a draft replayed? Tried out once, then held against the records, newest first, until told to stop."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache, partial
from itertools import chain, islice
from typing import Final

from msgspec import UNSET, UnsetType

from mailreeve.families.machinery.call import Call, Rehearsed
from mailreeve.families.replay.draft import Tried, try_out
from mailreeve.families.replay.tally import Tally
from mailreeve.families.replay.types import ReplayAnswer, ReplayDraft, WebReplay
from mailreeve.families.replay.web import compare_web, touches_web
from mailreeve.families.tracking import rows
from mailreeve.families.tracking.operations import KEEP_OTHERS
from mailreeve.families.tracking.rows import Recorded
from mailreeve.families.web_log import rows as web_rows
from mailreeve.formats.addresses import AddressError, parse_address, parse_sender
from mailreeve.formats.networks import parse_ip
from mailreeve.policy.model.facts import MessageFacts
from mailreeve.policy.replay.difference import UNDETERMINED, Comparison
from mailreeve.store.transactions import Work
from mailreeve.wire import fields
from mailreeve.wire.errors import BAD_DATE, NOT_ALLOWED, refused
from mailreeve.wire.tokens import Ids

STEP: Final = 500  # records between two reports of progress

Stop = Callable[[int], str]
"""Asked now and then, with how many records have been looked at: why to stop, or an empty text to go on."""

# The same people write to each other, from the same servers.
_sender: Final = lru_cache(maxsize=65_536)(parse_sender)
_recipient: Final = lru_cache(maxsize=65_536)(parse_address)
_source: Final = lru_cache(maxsize=65_536)(parse_ip)


def since_of(text: str, now: datetime) -> datetime:
    """The time that `since` names. Raises `ItemRefused` for what is none, or longer ago than records are kept."""
    since = fields.moment_or_ago(text, "since", now)
    if since > now:
        raise refused(BAD_DATE, "since", f"{BAD_DATE.message}: it is in the future")
    if since < now - KEEP_OTHERS:
        raise refused(NOT_ALLOWED, "since", f"Records are kept for {KEEP_OTHERS.days} days")
    return since


def replay(call: Call, item: ReplayDraft, stop: Stop = lambda looked_at: "") -> ReplayAnswer:
    """What the draft would have changed. Raises `ItemRefused` where the draft, or another member, is refused."""
    since = since_of(item.since, call.work.now)
    if item.most is not None and item.most < 1:
        raise refused(NOT_ALLOWED, "most", "most must be a positive number")
    return compare(call.work, call.ids, try_out(call, item.draft), since, item.most, stop)


def compare(
    work: Work, ids: Ids, rehearsed: Rehearsed[Tried], since: datetime, most: int | None, stop: Stop
) -> ReplayAnswer:
    """The records since then, held against the policies as they are and as they would be."""
    tried = rehearsed.result
    # One more than asked for, to know whether there is more.
    records = rows.recorded(work, since, None if most is None else most + 1)
    newest = list(islice(records, 1))
    during = since.timestamp(), newest[0].at if newest else since.timestamp()
    comparison = Comparison(rehearsed.before, rehearsed.after, frozenset(tried.steps), during)
    tally = Tally()
    looked_at = undetermined = unreadable = 0
    why = ""
    oldest = work.now.timestamp()
    for record in chain(newest, records):
        if looked_at == most:
            why = f"only the newest {most} were asked for"
        elif looked_at % STEP == 0:
            why = stop(looked_at)
        if why:
            break
        looked_at += 1
        oldest = record.at
        facts = facts_of(record)
        if facts is None:
            unreadable += 1
            continue
        difference = UNDETERMINED if record.header_cut else comparison.difference(facts)
        if difference is UNDETERMINED:
            undetermined += 1
        elif difference is not None:
            change, cause = difference
            tally.add(record, change, cause, partial(comparison.decisions, facts))
    web: WebReplay | UnsetType = UNSET
    if touches_web(rehearsed) and web_rows.count_since(work, since):
        web = compare_web(work, ids, rehearsed, since, most, stop, looked_at)
    covered = datetime.fromtimestamp(oldest, UTC) if why else since
    return ReplayAnswer(
        looked_at=looked_at,
        differences=tally.changes.total(),
        changes=dict(tally.changes),
        groups=tally.groups(tried, ids, work.account_id),
        group_count=len(tally),
        undetermined=undetermined,
        unreadable=unreadable,
        since=fields.written(covered),
        until=fields.written(work.now),
        truncated=bool(why),
        why=why,
        warnings=tried.warnings,
        revision=rehearsed.before.revision,
        web=web,
    )


def facts_of(record: Recorded) -> MessageFacts | None:
    """What the message was decided by, at its own time; None if the record does not say."""
    try:
        return MessageFacts(
            sender=_sender(record.sender),
            recipient=_recipient(record.recipient),
            at=record.at,
            header_from=record.header_from,
            source_ip=_source(record.source_ip) if record.source_ip else None,
            authentication=record.authentication,
            source_trusted=record.source_trusted,
            spam=record.spam,
            flaws=record.flaws,
        )
    except (AddressError, ValueError):
        return None
