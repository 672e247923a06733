"""How is a request carried out? Permission first, then every item by itself, all in one transaction.

Items are read before it begins: whatever takes its time and needs nothing of the store is done while others write.

Whoever wants something done to an account comes through here: nothing else checks permissions, and nothing else
opens the transactions that endpoints run in.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from typing import TypeVar

from msgspec import UNSET, Struct
from msgspec.structs import replace

from mailreeve.access import masking
from mailreeve.access.caller import Caller, Origin
from mailreeve.families.machinery.call import (
    AddressFollower,
    AddressJoined,
    Call,
    InstallationOptions,
    Limits,
    Note,
    Rehearse,
    Rehearsed,
    SeenPolicies,
    Versioned,
)
from mailreeve.families.machinery.elsewhere import NOWHERE, Elsewhere
from mailreeve.families.machinery.once import Once, keep, kept, make_room
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.lint.guard import ReachGuard
from mailreeve.store.bodies import Bodies
from mailreeve.store.follow import Follower
from mailreeve.store.secrets import Vault
from mailreeve.store.transactions import Store, Work, Write
from mailreeve.store.transactions import WouldWait as WouldWait
from mailreeve.wire import envelope, misspelt
from mailreeve.wire.endpoint import MAX_SLOW, Endpoint
from mailreeve.wire.envelope import Failure, Item, Request
from mailreeve.wire.errors import CHANGED, FORBIDDEN, TOO_MANY_ITEMS, ItemRefused, RequestRefused
from mailreeve.wire.pagination import Asked, Page, Paging, Shown, refuse_token
from mailreeve.wire.raw_answer import RawAnswer
from mailreeve.wire.tokens import Ids

T = TypeVar("T")


class Done(Struct, frozen=True):
    """What became of a request: the answers, the refused items, the page shown, and what is to be said besides.
    `items` is how many there were, `revision` that of the account afterwards, as far as this request knows.
    `replayed` is the answer of an earlier request that this one repeats, and of which nothing is done again."""

    data: Sequence[Struct]
    fail: Sequence[Failure]
    shown: Shown | None
    warnings: Sequence[str] = ()
    items: int = 0
    revision: int = 0
    replayed: bytes | None = None

    def payload(self, *, writes: bool) -> bytes:
        """The answer as it goes out: where it was kept, that; with the revision where the endpoint writes, and
        wrote something. A refusal alone is what clients know to the letter."""
        if self.replayed is not None:
            return self.replayed
        revision = self.revision if writes and self.data else None
        return envelope.encode(self.data, self.fail, self.shown, warnings=self.warnings, revision=revision)


class Services(Struct, frozen=True):
    """What all requests share."""

    store: Store
    follower: Follower
    ids: Ids
    limits: Limits
    address_joined: tuple[AddressJoined, ...]
    vault: Vault
    installation: InstallationOptions = InstallationOptions()
    followers: tuple[AddressFollower, ...] = ()
    bodies: Bodies | None = None
    elsewhere: Elsewhere = NOWHERE
    versioned: tuple[Versioned, ...] = ()


class Ready(Struct, frozen=True):
    """A request that may be carried out. `items` are as the endpoint takes them, or why they are refused. One that
    writes may be one to be done `once`, and only where the account is at no later revision than `newest`."""

    endpoint: Endpoint
    request: Request
    caller: Caller
    origin: Origin
    items: Sequence[Struct | Failure]
    paging: Paging | None
    once: Once | None = None
    newest: int | None = None


def ready(services: Services, endpoint: Endpoint, request: Request, caller: Caller, origin: Origin) -> Ready:
    """A request made ready to be carried out. Raises `RequestRefused` when the caller may not, or asks for too
    much at once."""
    if not caller.may(endpoint.permissions) and not (endpoint.own and caller.in_person):
        needed = " or ".join(endpoint.permissions)
        raise RequestRefused(FORBIDDEN, f"{FORBIDDEN.message}: the permission {needed} is required")
    if len(request.items) > endpoint.most:
        raise RequestRefused(TOO_MANY_ITEMS, f"{TOO_MANY_ITEMS.message}: at most {endpoint.most} are allowed")
    slow = sum(1 for item in request.items if item.get(endpoint.slow)) if endpoint.slow else 0
    if slow > MAX_SLOW:
        message = f"{TOO_MANY_ITEMS.message}: at most {MAX_SLOW} with a {endpoint.slow} are allowed"
        raise RequestRefused(TOO_MANY_ITEMS, message, field=endpoint.slow)
    items = [_read(endpoint, item) for item in request.items]
    paging = None
    if endpoint.lists:
        read = [None if isinstance(value, Failure) else value for value in items]
        paging = Paging(services.ids, caller.account_id, endpoint.path, read, request.page)
    else:
        refuse_token(request.page, endpoint.path)
    return Ready(endpoint, request, caller, origin, items, paging)


def carry_out(services: Services, request: Ready, *, at_once: bool = False) -> Done:
    """What comes of a request. It blocks on the database, so it belongs in a worker thread, but for what is short
    (`Endpoint.is_short`), which may be done `at_once`: it raises `WouldWait` where that cannot be."""
    if request.endpoint.writes:
        (done,) = write_together(services, [request])
        if isinstance(done, Exception):
            raise done
        return done
    notes: list[Note] = []
    transaction = partial(_carried_out, services, request, at_once=at_once, notes=notes)
    read = services.store.read_at_once if at_once else services.store.read
    done = read(request.caller.account_id, transaction)
    if notes:

        def write(work: Work) -> None:
            for note in notes:
                note(work)

        services.store.write(request.caller.account_id, request.origin, write)
    return done


def write_together(services: Services, requests: Sequence[Ready]) -> list[Done | Exception]:
    """What came of requests that write, in their order: each succeeds or fails alone, and all are durable. It
    blocks on the database."""
    writes = [Write(one.caller.account_id, one.origin, partial(_carried_out, services, one)) for one in requests]
    results = services.store.write_together(writes)
    return [result.answer if isinstance(result, _NothingDone) else result for result in results]


def _carried_out(
    services: Services, request: Ready, work: Work, *, at_once: bool = False, notes: list[Note] | None = None
) -> Done:
    """The transaction of a request. What it notes goes to `notes`."""
    writes, alone = request.endpoint.writes, len(request.items) == 1
    once = request.once if writes else None
    if once is not None:
        answer = kept(work, once)
        if answer is not None:
            return Done([], [], None, revision=work.revision, replayed=answer)
        make_room(work)
    # A repeated call is no new one: its own change made the revision that it would be refused for.
    if writes and request.newest is not None and work.revision > request.newest:
        raise RequestRefused(CHANGED, f"{CHANGED.message}: it is at {work.revision} now")
    rehearse = _no_rehearsal if writes else rehearsal(services, request.caller, request.origin)
    current = _no_policies if at_once else partial(services.follower.seen_by, work)
    call = _call(services, request.caller, work, current, rehearse)
    done = _each(request, call, apart=writes and not alone)
    if notes is not None:
        notes += call.notes
    if writes and alone and done.fail:
        raise _NothingDone(replace(done, revision=work.revision))
    if once is not None and (work.touched or work.audits or len(done.fail) < done.items):
        raw = any(isinstance(one, RawAnswer) for one in done.data)
        keep(work, once, None if raw else partial(done.payload, writes=True))
    return done


def _read(endpoint: Endpoint, item: Item) -> Struct | Failure:
    """The item as the endpoint takes it, or why it is refused already."""
    try:
        return endpoint.read(item)
    except ItemRefused as refusal:
        return Failure(misspelt.explained(refusal.problems, item, endpoint.item), _shown(endpoint, item))


def _shown(endpoint: Endpoint, item: Item) -> Item:
    """A refused item as it is told again: without secrets, and without the file that came with it."""
    return masking.masked(
        {name: value for name, value in item.items() if not endpoint.file or name != endpoint.file}
    )


def consult(services: Services, caller: Caller, origin: Origin, action: Callable[[Call], T]) -> T:
    """The result of something that only reads, done with a call of this caller's: for what is no endpoint. It
    blocks on the database. Raises whatever the action raises."""

    def transaction(work: Work) -> T:
        current = partial(services.follower.seen_by, work)
        return action(_call(services, caller, work, current, rehearsal(services, caller, origin)))

    return services.store.read(caller.account_id, transaction)


def act(services: Services, caller: Caller, origin: Origin, action: Callable[[Call], T]) -> T:
    """The result of something that writes, done with a call of this caller's, once it is durable: for what is no
    endpoint, and knows by other means than permissions that the caller may. It blocks on the database. Raises
    whatever the action raises, and then nothing is changed."""

    def transaction(work: Work) -> T:
        current = partial(services.follower.seen_by, work)
        return action(_call(services, caller, work, current, _no_rehearsal))

    return services.store.write(caller.account_id, origin, transaction)


def rehearsal(services: Services, caller: Caller, origin: Origin) -> Rehearse:
    """How a caller does something to the account that is undone at once, see `Rehearse`.

    Nothing is checked but what the endpoints themselves check. A block of a whole organisation is warned of, not
    refused: to see what it would do is what a rehearsal is for.
    """

    def rehearse(action: Callable[[Call], T]) -> Rehearsed[T]:
        def transaction(work: Work) -> Rehearsed[T]:
            before = services.follower.current(caller.account_id, work.revision)
            lenient = replace(services, installation=replace(services.installation, reach_guard=ReachGuard.WARN))
            result = action(_call(lenient, caller, work, lambda *_: before, _no_rehearsal))
            return Rehearsed(result, before, services.follower.rehearsed(work, before))

        return services.store.rehearse(caller.account_id, origin, transaction)

    return rehearse


def _call(
    services: Services,
    caller: Caller,
    work: Work,
    current: SeenPolicies,
    rehearse: Rehearse,
) -> Call:
    return Call(
        caller,
        work,
        services.ids,
        services.limits,
        Asked(),
        current,
        services.installation,
        rehearse,
        services.address_joined,
        services.vault,
        services.followers,
        services.bodies,
        services.elsewhere,
        services.versioned,
    )


class _NothingDone(Exception):
    """The only item of a request was refused: what it may have written is undone with the transaction."""

    def __init__(self, answer: Done) -> None:
        super().__init__()
        self.answer = answer


def _no_policies(*_: str) -> PolicySet:
    raise AssertionError("a short call looks at no policy set, which may have to be loaded first")


def _no_rehearsal(action: Callable[[Call], T]) -> Rehearsed[T]:
    raise AssertionError("a call that writes cannot rehearse")


def _each(ready: Ready, call: Call, *, apart: bool) -> Done:
    """Each item by itself. Where it changes something it has to be undone alone, `apart` from the others."""
    endpoint, paging = ready.endpoint, ready.paging
    data: list[Struct] = []
    warned = 0  # of members that are not known
    fail: list[Failure] = []
    pages: list[Page[Struct] | None] = [None] * len(ready.items)
    for n, (item, value) in enumerate(zip(ready.request.items, ready.items, strict=True)):
        said = len(call.warnings)
        near: Sequence[str] = ()
        if warned < misspelt.MOST_WARNINGS:
            place = f"data[{n}]" if len(ready.items) > 1 else ""
            told = misspelt.warnings(item, endpoint.item, place, every=endpoint.tells_unknown)
            near = told[: misspelt.MOST_WARNINGS - warned]
            warned += len(near)
        if isinstance(value, Failure):
            # What it lacks may be there under nearly its name.
            call.warnings.extend(near)
            fail.append(value)
            continue
        try:
            with call.work.item() if apart else nullcontext():
                page = call.page if paging is None else paging.asked[n]
                asked = call if page == call.page else dataclasses.replace(call, page=page)
                call.work.acting_for = ""
                result = endpoint.run(asked, value)
        except ItemRefused as refusal:
            call.warnings[said:] = near
            fail.append(Failure(refusal.problems, _shown(endpoint, item) if refusal.echoes else UNSET))
            continue
        call.warnings.extend(near)
        if isinstance(result, Page):
            pages[n] = result
            data += result.rows
        else:
            data += result
    # What was changed takes the next revision at the end of the transaction.
    revision = call.work.revision + bool(call.work.touched or call.work.audits)
    shown = None if paging is None else paging.shown(pages)
    return Done(data, fail, shown, call.warnings, len(ready.items), revision)
