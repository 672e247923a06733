"""Which policies are meant, and which page of them?

The list is that of each type after the other. It is read on from a key, some rows at a time, until a page is full:
so a page without filters costs what it holds. One with filters may be short, or empty, and say all the same that
there is more: no call looks through more than `MOST_READ` policies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from mailreeve.families.machinery.call import Call
from mailreeve.families.policies.overview.sections import SECTIONS, Section, Seen
from mailreeve.families.policies.overview.types import FindPolicies, State
from mailreeve.policy.model.keys import Keys
from mailreeve.policy.model.targets import TargetType
from mailreeve.wire import fields
from mailreeve.wire.errors import ItemRefused
from mailreeve.wire.pagination import DEFAULT_PAGE_SIZE, Page, Place
from mailreeve.wire.policy_object import PolicyDocument
from mailreeve.wire.policy_target import TargetDocument
from mailreeve.wire.tokens import Kind

MOST_READ: Final = 10_000  # policies that one call looks through
AT_ONCE: Final = 500  # policies that are read at once

Found = tuple[Section, Seen]
Test = Callable[[Section, Seen], bool]

_PLAIN: Final = {
    type_.value: type_
    for type_ in (
        TargetType.EVERYONE,
        TargetType.INTERNAL_ADDRESSES,
        TargetType.EXTERNAL_ADDRESSES,
        TargetType.FREE_MAIL_DOMAINS,
    )
}
_START: Final = "0"


def find(call: Call, item: FindPolicies) -> Page[Found]:
    """The page that is asked for. Raises `ItemRefused` where a filter cannot be read."""
    sections = [
        (n, section)
        for n, section in enumerate(SECTIONS)
        if item.type in (None, section.type) and call.caller.may((section.read,))
    ]
    if item.id is not None:
        return Page.of_all(_one(call, sections, item.id))
    tests = _tests(call, item)
    place = call.page.place
    most = call.page.size or DEFAULT_PAGE_SIZE
    walk = _Walk(call, sections, tests, most)
    page = walk.back(place.key) if place is not None and place.back else walk.on(place.key if place else _START)
    total = 0 if tests else sum(section.total(call.work) for _, section in sections)
    if tests and place is None and not page.more:
        total = page.count
    return Page(page.rows, page.count, total, page.after, page.before, page.more, page.earlier)


def state(call: Call, seen: Seen) -> State:
    """Whether a policy is in force: for a web list, whether it is for any of its targets."""
    states = [_state(document, call.work.now.timestamp()) for document in seen.documents]
    return State.ACTIVE if State.ACTIVE in states else (states[0] if states else State.DISABLED)


def is_enabled(seen: Seen) -> bool:
    """Whether a policy is switched on, for any of its targets."""
    return any(document.enabled for document in seen.documents)


class _Walk:
    """Looks through sections from a place on, either way. A place is the number of a section and a key."""

    def __init__(
        self, call: Call, sections: Sequence[tuple[int, Section]], tests: Sequence[Test], most: int
    ) -> None:
        self._work = call.work
        self._sections = sections
        self._tests = tests
        self._most = most
        # One more than a page holds tells whether there is more.
        self._at_once = AT_ONCE if tests else most + 1

    def on(self, start: str) -> Page[Found]:
        """The next ones after a place."""
        found: list[tuple[str, Found]] = []
        left, reached = MOST_READ, start
        unfinished = False
        for n, section in self._sections:
            key = _key_in(start, n, before="", after=None)
            while key is not None and len(found) <= self._most and not unfinished:
                stretch = section.after(self._work, key, self._at_once)
                found += [(f"{n}{seen.key}", (section, seen)) for seen in self._passing(section, stretch.rows)]
                key, left = stretch.reached, left - self._at_once
                if key is not None:
                    reached = f"{n}{key}"
                    unfinished = bool(self._tests) and left <= 0
        shown, more = found[: self._most], len(found) > self._most or unfinished
        end = shown[-1][0] if shown and len(found) > self._most else (reached if unfinished else "")
        if not end:
            end = shown[-1][0] if shown else start
        earlier = start != _START and self._any_up_to(start)
        rows = [one for _, one in shown]
        return Page(rows, len(rows), 0, Place(end), Place(start, back=True), more, earlier)

    def back(self, end: str) -> Page[Found]:
        """The last ones up to a place and with it."""
        found: list[tuple[str, Found]] = []
        left, reached = MOST_READ, end
        unfinished = False
        for n, section in reversed(self._sections):
            key = _key_in(end, n, before=None, after=_LAST)
            while key is not None and len(found) <= self._most and not unfinished:
                stretch = section.up_to(self._work, key, self._at_once)
                found += [(f"{n}{seen.key}", (section, seen)) for seen in self._passing(section, stretch.rows)]
                key, left = stretch.reached, left - self._at_once
                if key is not None:
                    key = _just_before(key)
                    reached = f"{n}{key}"
                    unfinished = bool(self._tests) and left <= 0
        shown, earlier = found[: self._most], len(found) > self._most or unfinished
        start = found[self._most][0] if len(found) > self._most else (reached if unfinished else _START)
        rows = [one for _, one in reversed(shown)]
        more = self._any_after(end)
        return Page(rows, len(rows), 0, Place(end), Place(start, back=True), more, earlier)

    def _passing(self, section: Section, rows: Sequence[Seen]) -> list[Seen]:
        return [seen for seen in rows if all(test(section, seen) for test in self._tests)]

    def _any_up_to(self, place: str) -> bool:
        for n, section in self._sections:
            key = _key_in(place, n, before=None, after=_LAST)
            if key is not None and section.up_to(self._work, key, 1).rows:
                return True
        return False

    def _any_after(self, place: str) -> bool:
        for n, section in self._sections:
            key = _key_in(place, n, before="", after=None)
            if key is not None and section.after(self._work, key, 1).rows:
                return True
        return False


_LAST: Final = "g"  # after every key, which is hexadecimal


def _key_in(place: str, n: int, *, before: str | None, after: str | None) -> str | None:
    """Where a place is in the section `n`: `before` if it is in an earlier one, `after` if in a later one."""
    at, key = int(place[:1] or _START), place[1:]
    if at == n:
        return key
    return before if n > at else after


def _just_before(key: str) -> str:
    """The greatest text that is less than a key, as far as keys go."""
    return f"{int(key, 16) - 1:032x}" if int(key, 16) else ""


def _one(call: Call, sections: Sequence[tuple[int, Section]], wire_id: str) -> list[Found]:
    """The policy with this id, if it is there: it is of the type whose kind opens it."""
    problem: ItemRefused | None = None
    for _, section in sections:
        try:
            key = call.open(section.kind, wire_id)
        except ItemRefused as refusal:
            problem = refusal
            continue
        return [(section, seen) for seen in section.up_to(call.work, key, 1).rows if seen.key == key]
    if problem is not None:
        raise problem
    return []


def _tests(call: Call, item: FindPolicies) -> list[Test]:
    tests: list[Test] = []
    now = call.work.now.timestamp()
    if item.enabled is not None:
        tests.append(lambda _, seen: is_enabled(seen) is item.enabled)
    if item.state is not None:
        tests.append(lambda _, seen: any(_state(one, now) is item.state for one in seen.documents))
    for name, text, side in (("from", item.from_, _from), ("to", item.to, _to)):
        if text is not None:
            tests.append(partial(_names, _target(text, name), side))
    if item.group_id is not None:
        group = call.open(Kind.GROUP, item.group_id, "groupId")
        tests.append(lambda _, seen: any(group in one.group_keys() for one in seen.documents))
    if item.matching is not None or item.matching_to is not None:
        tests.append(
            partial(_matches, _keys(call, item.matching, "matching"), _keys(call, item.matching_to, "matchingTo"))
        )
    if item.text is not None:
        tests.append(partial(_says, item.text.casefold()))
    if item.id_prefix is not None:
        tests.append(partial(_begins, call, item.id_prefix.lstrip("-")))
    return tests


def _keys(call: Call, text: str | None, field: str) -> Keys | None:
    if text is None:
        return None
    return call.identities.at(call.work.now.timestamp()).keys(fields.address(text, field))


def _from(document: PolicyDocument) -> TargetDocument:
    return document.from_


def _to(document: PolicyDocument) -> TargetDocument:
    return document.to


def _target(text: str, field: str) -> TargetDocument:
    if text in _PLAIN:
        return TargetDocument(_PLAIN[text])
    if "@" in text.removeprefix("@"):
        return TargetDocument(TargetType.INDIVIDUAL_EMAIL_ADDRESS, fields.address(text, field).key)
    return TargetDocument(TargetType.EMAIL_DOMAIN, fields.domain(text, field))


def _names(
    target: TargetDocument, side: Callable[[PolicyDocument], TargetDocument], _: Section, seen: Seen
) -> bool:
    return any(side(document).means(target) for document in seen.documents)


def _matches(from_: Keys | None, to: Keys | None, _: Section, seen: Seen) -> bool:
    for document in seen.documents:
        first, second = document.from_.target().key, document.to.target().key
        if (from_ is None or first in from_) and (to is None or second in to):
            return True
        if document.bidirectional and (from_ is None or second in from_) and (to is None or first in to):
            return True
    return False


def _says(text: str, _: Section, seen: Seen) -> bool:
    said = [seen.description]
    for document in seen.documents:
        said += (document.description, document.comment, document.from_.shown, document.to.shown)
    return any(text in one.casefold() for one in said)


def _begins(call: Call, prefix: str, section: Section, seen: Seen) -> bool:
    return call.seal(section.kind, seen.key).lstrip("-").startswith(prefix)


def _state(document: PolicyDocument, now: float) -> State:
    if not document.enabled:
        return State.DISABLED
    if document.ends is not None and document.ends.timestamp() <= now:
        return State.EXPIRED
    if document.starts is not None and document.starts.timestamp() > now:
        return State.PENDING
    return State.ACTIVE
