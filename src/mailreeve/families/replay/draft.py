"""How is a draft tried out? By the very endpoints that would carry it out, in a transaction that is undone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from mailreeve.families.directory.groups import endpoints as groups
from mailreeve.families.directory.web_places import endpoints as web_places
from mailreeve.families.machinery.call import Call, Rehearsed
from mailreeve.families.managed_senders import endpoints as managed_senders
from mailreeve.families.policies import scoped
from mailreeve.families.policies.managed_urls import endpoints as managed_urls
from mailreeve.families.policies.web_lists import endpoints as web_lists
from mailreeve.families.replay.types import Step
from mailreeve.wire import misspelt
from mailreeve.wire.endpoint import Endpoint
from mailreeve.wire.envelope import Item
from mailreeve.wire.errors import FORBIDDEN, NOT_ALLOWED, NULL, ItemRefused, Problem, refused
from mailreeve.wire.pagination import Page

MAX_STEPS: Final = 500

DRAFTED: Final[Mapping[str, Endpoint]] = {
    endpoint.path: endpoint
    for endpoint in (
        *scoped.ENDPOINTS,
        *managed_senders.ENDPOINTS,
        *web_lists.ENDPOINTS,
        *managed_urls.ENDPOINTS,
        *web_places.ENDPOINTS,
        groups.create_group,
        groups.update_group,
        groups.add_group_member,
        groups.remove_group_member,
    )
    if endpoint.writes
}
"""What a draft may consist of: the changes to what decisions are made from."""

_EARLIER: Final = re.compile(r"\$(\d{1,3})\.(\w+)")


class Tried(Struct, frozen=True):
    """What trying out a draft came to: which step last touched each object, by its store key; the keys of those
    that the draft itself creates; the parts touched; and what the endpoints warned of."""

    steps: Mapping[str, int]
    created: frozenset[str]
    warnings: Sequence[str]


def try_out(call: Call, draft: Sequence[Step]) -> Rehearsed[Tried]:
    """Carry out the draft and undo it. Raises `ItemRefused` naming the member of the step that was refused."""
    if not draft:
        raise refused(NULL, "draft", "The draft has no steps")
    if len(draft) > MAX_STEPS:
        raise refused(NOT_ALLOWED, "draft", f"At most {MAX_STEPS} steps are allowed")
    return call.rehearse(lambda rehearsing: _carry_out(rehearsing, draft))


def _carry_out(call: Call, draft: Sequence[Step]) -> Tried:
    steps: dict[str, int] = {}
    created: set[str] = set()
    answers: list[dict[str, object]] = []
    for number, step in enumerate(draft):
        place = f"draft[{number}]"
        done = len(call.work.audits)
        try:
            answers.append(_one(call, step, place, answers))
        except ItemRefused as refusal:
            raise ItemRefused([_within(place, problem) for problem in refusal.problems]) from refusal
        for entry in call.work.audits[done:]:
            steps[entry.object_id] = number
            if entry.action == "create":
                created.add(entry.object_id)
    return Tried(steps, frozenset(created), tuple(call.warnings))


def _one(call: Call, step: Step, place: str, answers: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """Carry out one step; its answer as clients get it."""
    endpoint = DRAFTED.get(step.call.removeprefix("/api/"))
    if endpoint is None:
        raise refused(NOT_ALLOWED, f"{place}.call", f"A draft may call one of [{','.join(sorted(DRAFTED))}]")
    if not call.caller.may(endpoint.permissions):
        needed = " or ".join(endpoint.permissions)
        message = f"{FORBIDDEN.message}: the permission {needed} is required"
        raise refused(FORBIDDEN, f"{place}.call", message)
    item = _filled(step.item, answers, f"{place}.item")
    if not isinstance(item, dict):
        raise AssertionError("an object stays one")
    result = endpoint.run(call, _read(endpoint, item))
    rows = result.rows if isinstance(result, Page) else result
    return msgspec.convert(msgspec.to_builtins(rows[0]), dict[str, object])


def _read(endpoint: Endpoint, item: Item) -> Struct:
    try:
        return endpoint.read(item)
    except ItemRefused as refusal:
        raise ItemRefused(misspelt.explained(refusal.problems, item, endpoint.item)) from refusal


def _filled(value: object, answers: Sequence[Mapping[str, object]], place: str) -> object:
    """The value with what refers to earlier answers replaced."""
    if isinstance(value, dict):
        return {name: _filled(member, answers, f"{place}.{name}") for name, member in value.items()}
    if isinstance(value, list):
        return [_filled(member, answers, f"{place}[{n}]") for n, member in enumerate(value)]
    found = _EARLIER.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return value
    number, name = int(found[1]), found[2]
    if number >= len(answers) or name not in answers[number]:
        raise refused(NOT_ALLOWED, place, f"There is no earlier step {number} whose answer has {name}")
    return answers[number][name]


def _within(place: str, problem: Problem) -> Problem:
    """The problem of a step, naming the member where the draft has it."""
    if problem.field is not None and problem.field.startswith(place):
        return problem
    field = f"{place}.item" if problem.field is None else f"{place}.item.{problem.field}"
    return msgspec.structs.replace(problem, field=field)
