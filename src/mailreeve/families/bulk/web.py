"""How are web lists imported and exported? A row is an entry; the rows of one list are written together."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final, cast

from msgspec import Struct

from mailreeve.families.bulk.errors import IMPORT_AMBIGUOUS, IMPORT_CONTRADICTION
from mailreeve.families.bulk.paths import GroupPaths
from mailreeve.families.bulk.steps import Kind, Outcome, Step
from mailreeve.families.bulk.targets import Targets
from mailreeve.families.bulk.types import WebRow
from mailreeve.families.machinery.call import Call
from mailreeve.families.policies.references import DirectoryReferences
from mailreeve.families.policies.web_lists import endpoints, operations, rows
from mailreeve.families.policies.web_lists.rows import TargetRow, WebPolicyRow
from mailreeve.families.policies.web_lists.types import UrlItem, WebTargetItem
from mailreeve.policy.decide.web import WebEntryError, canonical_entry
from mailreeve.policy.model.policies import WebAction, WebEntryType, WebPolicyKind
from mailreeve.policy.model.targets import TargetType
from mailreeve.policy.model.wording import quoted
from mailreeve.wire import policy_object
from mailreeve.wire.errors import BAD_DOMAIN, BAD_URL, refused
from mailreeve.wire.pagination import Page
from mailreeve.wire.policy_object import WEB_SECURITY, PolicyDocument
from mailreeve.wire.policy_target import TargetDocument, TargetItem
from mailreeve.wire.tokens import Kind as ObjectKind

# From the first of several blanks alone: looked for from each of them, a long run would be read as often.
_BETWEEN: Final = re.compile(r"(?<!\s)\s+\|\s+")
_EVERYONE: Final = TargetDocument(TargetType.EVERYONE)
_Numbered = Sequence[tuple[int, Struct]]
_Entry = tuple[WebEntryType, str]
_Rows = list[tuple[int, WebRow]]


def _plan(call: Call, numbered: _Numbered, confirmed: bool | None) -> Iterator[Step]:
    targets = Targets(call, GroupPaths(call))
    held: dict[tuple[str, _Entry], tuple[int, WebRow]] = {}
    lists: dict[str, _Rows] = defaultdict(list)
    for number, one in numbered:
        row = cast(WebRow, one)
        first = lists[row.policy][0] if row.policy in lists else None

        # Each is looked at by itself first, so that a list lacks no more than the rows that are refused.
        def look(
            number: int = number, row: WebRow = row, first: tuple[int, WebRow] | None = first
        ) -> list[Outcome]:
            entry = _entry(row)
            if first is not None and row.for_ != first[1].for_ and row.for_ is not None:
                message = f"{IMPORT_CONTRADICTION.message}: rows[{first[0]}] has the same list for others"
                raise refused(IMPORT_CONTRADICTION, "for", message)
            for text in _texts(row):
                targets.read(text, "for")
            before = held.get((row.policy, entry))
            if before is not None:
                if before[1].action is not row.action:
                    message = f"{IMPORT_CONTRADICTION.message}: rows[{before[0]}] has {before[1].action.value!r}"
                    raise refused(IMPORT_CONTRADICTION, "action", message)
                return [Outcome.UNCHANGED]
            held[row.policy, entry] = number, row
            lists[row.policy].append((number, row))
            return []

        yield Step((number,), look)
    known = rows.named(call.work, list(lists))
    for name, several in lists.items():
        if several:
            step = partial(_put_list, call, targets, name, several, known.get(name, []))
            yield Step([number for number, _ in several], step)


def _put_list(call: Call, targets: Targets, name: str, several: _Rows, known: Sequence[str]) -> list[Outcome]:
    """The list with these rows besides what it holds, made unless it is there. Raises `ItemRefused`."""
    if len(known) > 1:
        message = f"{IMPORT_AMBIGUOUS.message}: there are {len(known)} web lists {quoted(name)}"
        raise refused(IMPORT_AMBIGUOUS, "policy", message)
    named = [targets.read(text, "for") for text in _texts(several[0][1])]
    fresh = [UrlItem(row.action, row.type, row.value) for _, row in several]
    if not known:
        items = [_target(name, one) for one in named or [TargetItem(TargetType.EVERYONE)]]
        operations.create(call, name, items, fresh)
        return [Outcome.ADDED] * len(several)
    (old,) = rows.read(call.work, known)
    there = {(entry.type, entry.value): entry for entry in old.entries}
    outcomes: list[Outcome] = []
    changed: dict[str, WebAction] = {}
    added: list[UrlItem] = []
    for (_, row), item in zip(several, fresh, strict=True):
        entry = there.get(_entry(row))
        if entry is None:
            outcomes.append(Outcome.ADDED)
            added.append(item)
        elif entry.action is row.action:
            outcomes.append(Outcome.UNCHANGED)
        else:
            outcomes.append(Outcome.CHANGED)
            changed[entry.id] = row.action
    kept = [WebTargetItem(id=call.seal(ObjectKind.WEB_TARGET, target.id)) for target in old.targets]
    others = bool(named) and not _same(call, named, old)
    if others:
        kept = [_target(name, one) for one in named]
        outcomes[0] = Outcome.CHANGED if outcomes[0] is Outcome.UNCHANGED else outcomes[0]
    if not (added or changed or others):
        return outcomes
    urls = [
        UrlItem(
            changed.get(entry.id, entry.action), entry.type, entry.shown, call.seal(ObjectKind.WEB_ENTRY, entry.id)
        )
        for entry in old.entries
    ]
    operations.update(call, call.seal(operations.KIND, old.id), None, kept, [*urls, *added])
    return outcomes


def _texts(row: WebRow) -> list[str]:
    return [] if row.for_ is None else _BETWEEN.split(row.for_)


def _target(name: str, target: TargetItem) -> WebTargetItem:
    return WebTargetItem(description=name, from_=target)


def _same(call: Call, named: Sequence[TargetItem], old: WebPolicyRow) -> bool:
    """Whether the list is for just these already, however they are written."""
    references = DirectoryReferences(call)
    items = [_target(old.description, one) for one in named]
    wanted = [policy_object.document(item, WEB_SECURITY, references, "for").from_ for item in items]
    held = [target.document.from_ for target in old.targets]
    return len(wanted) == len(held) and all(one.means(other) for one, other in zip(wanted, held, strict=True))


def _entry(row: WebRow) -> _Entry:
    try:
        return row.type, canonical_entry(row.type, row.value.strip())
    except WebEntryError as reason:
        fault = BAD_DOMAIN if row.type is WebEntryType.DOMAIN else BAD_URL
        raise refused(fault, "value", f"{fault.message}: {reason}") from reason


def _written(targets: Targets, row: WebPolicyRow) -> list[str] | None:
    """Whom a list is for, in texts; None where they cannot say it."""
    texts: list[str] = []
    for target in row.targets:
        text = targets.written(target.document.from_) if _plain(target) else None
        if text is None or _BETWEEN.search(text):
            return None
        texts.append(text)
    return texts


def _plain(target: TargetRow) -> bool:
    """Whether the target says no more than for whom."""
    document = target.document
    return not target.locations and document == PolicyDocument(document.description, document.from_, _EVERYONE)


def web_page(call: Call) -> Page[WebRow]:
    """A page of the web lists, oldest first, their entries in order. One whose targets no row can say is left out,
    and one that has the name of another, with a warning."""
    targets = Targets(call, GroupPaths(call))
    page = rows.page_of_keys(call.work, call.page)
    lists = rows.read(call.work, page.rows)
    known = Counter(
        policy.description for policy in call.policies.web.policies if policy.kind is WebPolicyKind.LIST
    )
    shown: list[WebRow] = []
    for one in lists:
        texts = _written(targets, one)
        name = quoted(one.description)
        if known[one.description] > 1:
            call.warnings.append(f"{IMPORT_AMBIGUOUS.message}: the web list {name} is left out")
        elif texts is None:
            call.warnings.append(f"A row cannot say for whom the web list {name} is: it is left out")
        else:
            whom = " | ".join(texts)
            shown += [
                WebRow(one.description, entry.type, entry.shown, entry.action, whom) for entry in one.entries
            ]
            if one.default_deny:
                call.warnings.append(f"No row says that the web list {name} has a default deny")
            if not one.entries:
                call.warnings.append(f"The web list {name} has no entries, so no row says that it is there")
    return page.showing(shown)


WEB: Final = Kind(
    "web",
    WebRow,
    endpoints.create_policy.permissions,
    endpoints.get_policy.permissions,
    _plan,
    {"urls": "policy", "policies": "for", "description": "policy"},
)
