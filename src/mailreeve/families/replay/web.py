"""Which web requests would have fared differently under a draft? The records since then, decided twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from mailreeve.families.machinery.call import Rehearsed
from mailreeve.families.replay.draft import Tried
from mailreeve.families.replay.types import WebChange, WebExample, WebReplay
from mailreeve.families.web_log import rows
from mailreeve.families.web_log.reading import decided
from mailreeve.families.web_log.record import WebRecord
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.decisions import WebDecision, WebVerdict
from mailreeve.policy.model.wording import web_entry_words
from mailreeve.store.transactions import Work
from mailreeve.wire import fields
from mailreeve.wire.tokens import Ids, Kind

EXAMPLES: Final = 20
STEP: Final = 500  # records between two reports of progress


def touches_web(rehearsed: Rehearsed[Tried]) -> bool:
    """Whether a draft changes anything that web requests are decided by."""
    before, after = rehearsed.before, rehearsed.after
    return (
        before.web is not after.web
        or before.places is not after.places
        or before.identities is not after.identities
    )


def compare_web(
    work: Work,
    ids: Ids,
    rehearsed: Rehearsed[Tried],
    since: datetime,
    most: int | None,
    stop: Callable[[int], str],
    looked_at_before: int,
) -> WebReplay:
    """The records since then, held against the lists as they are and as they would be, newest first. What passed
    was recorded as a sample, so that of it this is a part."""
    changes: Counter[WebChange] = Counter()
    examples: list[WebExample] = []
    looked_at = undetermined = 0
    why = ""
    for record in rows.since(work, since):
        if looked_at == most:
            why = f"only the newest {most} were asked for"
        elif looked_at % STEP == 0:
            why = stop(looked_at_before + looked_at)
        if why:
            break
        looked_at += 1
        before = decided(rehearsed.before, record, record.at)
        after = decided(rehearsed.after, record, record.at)
        if before is None or after is None:
            undetermined += 1
            continue
        if before.verdict is after.verdict:
            continue
        change = _change(before.verdict, after.verdict)
        changes[change] += 1
        if len(examples) < EXAMPLES:
            examples.append(_example(ids, work.account_id, record, change, after, rehearsed.after))
    return WebReplay(
        looked_at=looked_at,
        differences=changes.total(),
        changes=dict(changes),
        examples=examples,
        undetermined=undetermined,
        truncated=bool(why),
        why=why,
    )


def _change(before: WebVerdict, after: WebVerdict) -> WebChange:
    if after is WebVerdict.BLOCK:
        return WebChange.NOW_BLOCKED
    if before is WebVerdict.BLOCK:
        return WebChange.NO_LONGER_BLOCKED
    return WebChange.PASSES_OTHERWISE


def _example(
    ids: Ids, account_id: str, record: WebRecord, change: WebChange, after: WebDecision, policies: PolicySet
) -> WebExample:
    policy = None if after.policy_id is None else policies.web.get(after.policy_id)
    return WebExample(
        decision_id=ids.seal(Kind.WEB_RECORD, record.id, account_id),
        at=fields.written(datetime.fromtimestamp(record.at, UTC)),
        url=record.url,
        user=record.user or record.login,
        client=record.client,
        change=change,
        policy="" if policy is None else policy.description,
        entry="" if policy is None else web_entry_words(after.entry),
    )
