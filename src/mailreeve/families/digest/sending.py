"""Who gets a digest now? One pass over the accounts, made again and again by the one process that does the chores.

What a user is told of, and that it was told, are one transaction: a digest is neither lost nor sent twice, whoever
dies in the middle. Where a pass does not come to its end, the next one goes on with those who were not told yet.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Final

import msgspec
import structlog
from msgspec import Struct
from sqlalchemy.exc import DBAPIError

from mailreeve.access.caller import Origin
from mailreeve.families.digest import held_mail, operations, rows, schedule, words
from mailreeve.families.digest.letter import Letter, ShownLink, ShownMessage, written
from mailreeve.families.digest.links import PATH, Act, Link, Links, ends_at
from mailreeve.families.digest.rows import DefinitionRow, ToldRow
from mailreeve.families.directory.account import rows as accounts
from mailreeve.families.directory.domains import rows as domains
from mailreeve.families.directory.users import rows as user_rows
from mailreeve.families.directory.users.rows import UserRow
from mailreeve.families.held import rows as held_rows
from mailreeve.families.held.rows import HeldRow
from mailreeve.families.machinery.copies import Copy, KeptCopy, Routed
from mailreeve.families.outgoing import rows as outgoing
from mailreeve.formats.addresses import NULL_SENDER, AddressError, parse_address
from mailreeve.policy.model.identities import Identities
from mailreeve.store.follow import Follower
from mailreeve.store.keys import new_key
from mailreeve.store.transactions import Store, Work

MOST_LISTED: Final = 100  # messages in one mail
MOST_LETTERS: Final = 5  # mails of one digest; what is beyond them is for the next digest
PAUSE: Final = 60.0  # seconds before an account is looked at again for which it failed, or nothing was due
ORIGIN: Final = "digest"
_BY: Final = Origin("digest")
_log = structlog.get_logger(__name__)


class _Planned(Struct, frozen=True):
    """A digest before it is written: for whom, what the user was told before, when it was due, and what is new."""

    user: UserRow
    told: ToldRow
    due: datetime
    new: Sequence[HeldRow]
    left: int


class DigestSender:
    """Sends what is due. `public_url` says what links begin with, empty where there is nothing to say."""

    def __init__(
        self,
        store: Store,
        follower: Follower,
        links: Links,
        public_url: Callable[[], str],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._monotonic = monotonic
        self._follower = follower
        self._links = links
        self._public_url = public_url
        self._complained = False
        # Until when by `monotonic` an account needs no look, and what is another where it does all the same.
        self._quiet: dict[str, tuple[float, object]] = {}

    def send_due(self) -> int:
        """Send every digest that is due now, of all accounts; how many users got one. It blocks on the
        database."""
        found = self._store.look_up(rows.accounts_at_work)
        if not found:
            return 0
        if not self._public_url():
            if not self._complained:
                _log.error("digests wait: the setting public_url is not set")
            self._complained = True
            return 0
        self._complained = False
        self._quiet = {key: quiet for key, quiet in self._quiet.items() if key in found}
        return sum(self._send_of_now(account_id, stamp) for account_id, stamp in found.items())

    def _send_of_now(self, account_id: str, stamp: object) -> int:
        """Send what is due of one account, unless nothing can be."""
        until, seen = self._quiet.get(account_id, (0.0, None))
        if self._monotonic() < until and seen == stamp:
            return 0
        try:
            sent, pause = self._send_of(account_id)
        except Exception:
            # Whatever it was, another attempt may do better, and other accounts need not wait for it.
            _log.exception("digests were not sent", account=account_id)
            sent, pause = 0, PAUSE
        self._quiet[account_id] = self._monotonic() + pause, stamp
        return sent

    def _send_of(self, account_id: str) -> tuple[int, float]:
        """Send what is due of one account. How many users got it, and for how many seconds nothing else is due; a
        clock that is set is noticed within `PAUSE`."""
        asked, due, now, following = self._store.read(account_id, _looked_up)
        if due is None and not asked:
            return 0, PAUSE if following is None else min(PAUSE, (following - now).total_seconds())
        identities = self._follower.current(account_id).identities.at(now.timestamp())
        sent = 0
        for user_id, at in self._store.read(account_id, partial(_concerned, asked, due, identities)):
            try:
                sent += self._send_to(account_id, user_id, at)
            except DBAPIError:
                raise
            except Exception:
                # One that cannot be written is no reason to keep others waiting; the next digest has its messages.
                _log.exception("a digest could not be written", account=account_id, user=user_id)
        self._store.write(account_id, _BY, partial(_handled, due, asked))
        if sent:
            _log.info("digests sent", account=account_id, users=sent)
        return sent, 0.0

    def _send_to(self, account_id: str, user_id: str, due: datetime) -> bool:
        """Send a user what is new, if there is anything."""
        ready = self._store.read(account_id, partial(self._ready, user_id, due))
        return ready is not None and self._store.write(account_id, _BY, partial(_sent, *ready))

    def _ready(self, user_id: str, due: datetime, work: Work) -> tuple[_Planned, list[KeptCopy]] | None:
        definition = operations.get(work)
        planned = _planned(definition, user_id, due, work)
        return None if planned is None else (planned, self._copies(definition, planned, work))

    def _copies(self, definition: DefinitionRow, planned: _Planned, work: Work) -> list[KeptCopy]:
        """The mails of a digest."""
        try:
            sender = parse_address(operations.sender_of(work, definition))
            recipient = parse_address(planned.user.address)
        except AddressError as problem:
            _log.error("no digest can be addressed", user=planned.user.address, problem=str(problem))
            return []
        zone = schedule.zone_of(definition.schedule.time_zone)
        shown = [
            ShownMessage(
                words.from_of(one.header_from_name, one.header_from, one.sender),
                words.subject_of(one.subject),
                words.when_of(one.received_at, zone),
                words.why_of(one.cause, one.description),
                tuple(self._shown_links(work, planned.user, one)),
            )
            for one in planned.new
        ]
        parts = [shown[at : at + MOST_LISTED] for at in range(0, len(shown), MOST_LISTED)]
        copies = []
        for n, part in enumerate(parts, 1):
            id_ = new_key()
            left = planned.left if n == len(parts) else 0
            letter = Letter(sender, recipient, work.now, f"digest.{id_}", part, (n, len(parts)), left)
            routed = (Routed(recipient, recipient),)
            copy = Copy(work.account_id, id_, NULL_SENDER, routed, written(letter), letter.is_utf8)
            copies.append(KeptCopy(copy, ""))
        return copies

    def _shown_links(self, work: Work, user: UserRow, one: HeldRow) -> Iterator[ShownLink]:
        listed = words.listed_as(one.header_from, one.sender)
        acts = [Act.RELEASE] if held_mail.is_theirs(one) else []
        if acts and listed:
            # Whoever permits an address of the own domain lets in who pretends to be it (behaviour.md 4.4).
            acts += [Act.BLOCK] if _is_own(work, listed) else [Act.PERMIT, Act.BLOCK]
        for act in acts:
            ends = ends_at(work.now, one.expires_at)
            token = self._links.token(Link(work.account_id, user.id, one.id, act, ends))
            url = f"{self._public_url()}{PATH}{token}"
            yield ShownLink(words.ACT_LABELS[act], words.act_words(act, listed), url)


def _looked_up(work: Work) -> tuple[list[ToldRow], datetime | None, datetime, datetime | None]:
    """Who alone is to get a digest, for when one is due for all, the time now, and when the next one is due. Of a
    locked account nothing is."""
    if accounts.get(work).locked:
        return [], None, work.now, None
    definition = operations.get(work)
    following = schedule.next_due(definition.schedule, work.now)
    return list(rows.asked_for(work)), _due(definition, work.now), work.now, following


def _due(definition: DefinitionRow, now: datetime) -> datetime | None:
    """For when a digest is due that was not sent; None where none is. Of several that were missed the last one:
    it tells of everything."""
    found = schedule.last_due(definition.schedule, now) if definition.enabled else None
    times = [at for at in (found, definition.asked_at) if at is not None and at > definition.handled_to]
    return max(times, default=None)


def _concerned(
    asked: Sequence[ToldRow], due: datetime | None, identities: Identities, work: Work
) -> list[tuple[str, datetime]]:
    """The users for whom something is held and who are to get a digest now, by id, each with when it was due."""
    group_id = operations.get(work).group_id
    alone = {row.id: row.asked_at for row in asked}
    found = []
    for user in user_rows.some(work, held_rows.owners(work)):
        is_meant = group_id is None or identities.membership(parse_address(user.key), group_id) is not None
        times = [at for at in (due if is_meant else None, alone.get(user.id)) if at is not None]
        if times and not user.disabled:
            found.append((user.id, max(times)))
    return found


def _planned(definition: DefinitionRow, user_id: str, due: datetime, work: Work) -> _Planned | None:
    user = user_rows.find(work, user_id)
    told = rows.told_of(work, user_id) or rows.never(user_id)
    if user is None or told.sent_for >= due:
        return None
    causes = definition.causes.layers
    new = held_mail.new_for(work, user_id, told.listed_to, causes, MOST_LISTED * MOST_LETTERS)
    if not new:
        return None
    left = held_mail.count_new_for(work, user_id, new[-1].id, causes)
    return _Planned(user, told, due, new, left)


def _sent(planned: _Planned, copies: Sequence[KeptCopy], work: Work) -> bool:
    """Have the mails go, and note that they do: both or neither. Whether they do; not where somebody else was
    quicker, or the user is gone."""
    told = rows.told_of(work, planned.user.id) or rows.never(planned.user.id)
    is_as_planned = (told.listed_to, told.sent_for) == (planned.told.listed_to, planned.told.sent_for)
    if not copies or not is_as_planned or user_rows.find(work, planned.user.id) is None:
        return False
    outgoing.add(work, copies, ORIGIN)
    rows.put_told(work, msgspec.structs.replace(told, listed_to=planned.new[-1].id, sent_for=planned.due))
    return True


def _handled(due: datetime | None, asked: Sequence[ToldRow], work: Work) -> None:
    """Note that everything that was due has gone."""
    for row in asked:
        told = rows.told_of(work, row.id)
        if told is not None and told.asked_at == row.asked_at:
            rows.put_told(work, msgspec.structs.replace(told, asked_at=None))
    definition = rows.find(work)
    if due is None or definition is None:
        return
    is_answered = definition.asked_at is not None and definition.asked_at <= due
    rows.put(
        work,
        msgspec.structs.replace(
            definition,
            handled_to=max(due, definition.handled_to),
            asked_at=None if is_answered else definition.asked_at,
        ),
    )


def _is_own(work: Work, listed: str) -> bool:
    return domains.find(work, parse_address(listed).domain) is not None
