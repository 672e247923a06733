"""Whose answers does a user expect, of those a message was taken for? So they are permitted (auto allow).

A reply to what was held as suspected spam permits nobody new: whoever sent that would be let in by the user's
complaint about it (behaviour.md section 4.4).

The list that learns is that of the mailbox which really sent. Whoever signs in at a mail server may mostly write
any address into the envelope; so the name that was signed in with has to be the sender's, or that of somebody who
was given the right to send as the sender (behaviour.md section 7.4). Else nothing is learnt, and the record says
why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from msgspec.structs import replace

from mailreeve.families.directory.account import rows as accounts
from mailreeve.families.directory.domains import rows as domains
from mailreeve.families.directory.users import mailboxes
from mailreeve.families.directory.users import operations as users
from mailreeve.families.directory.users import rows as user_rows
from mailreeve.families.directory.users.mailboxes import DelegateScope
from mailreeve.families.keeping.kept import Kept
from mailreeve.families.managed_senders import auto_allow
from mailreeve.families.managed_senders.auto_allow import AutoAllowLimits, Correspondence
from mailreeve.families.tracking import rows as tracking
from mailreeve.families.tracking.outcomes import Outcome, State
from mailreeve.formats.authors import plain_address
from mailreeve.store.transactions import Store, Work

MOST_DOMAINS: Final = 100
"""Domains of an account in which a name without one is looked for."""

_TAKEN: Final = frozenset({State.ACCEPTED, State.DELIVERED})
_HELD: Final = (State.HELD, State.RELEASED)


MaySend = Callable[[Correspondence], bool]
"""Whether who is signed in, `Correspondence.unproved`, may send as the user of a message."""


def expected(
    kept: Kept, limits: AutoAllowLimits, may_send: MaySend
) -> tuple[Correspondence | None, Sequence[Outcome]]:
    """The correspondence as far as the message was taken, None where nobody is to be permitted for it; and the
    outcomes of the message, which say so where that is because another one is signed in."""
    found = kept.correspondence
    if found is None or not limits.enabled or len(found.to) > limits.recipients:
        return None, kept.outcomes
    taken = {outcome.recipient for outcome in kept.outcomes if outcome.state in _TAKEN}
    to = tuple(address for address in found.to if str(address) in taken)
    if not to:
        return None, kept.outcomes
    if found.unproved and not may_send(found):
        outside = {str(address) for address in to}
        why = f"{found.unproved} is signed in, who may not send as {found.owner}"
        return None, [replace(o, not_learnt=why) if o.recipient in outside else o for o in kept.outcomes]
    return replace(found, to=to), kept.outcomes


def may_send(store: Store, wrote: Correspondence) -> bool:
    """Whether who is signed in may send as the user of a message. A name without a domain means a mailbox where
    there is one account, and one user with that name before the at sign in all its domains: else it could be
    somebody else's."""
    name = wrote.unproved
    if "@" not in name and len(store.look_up(accounts.codes)) != 1:
        return False
    return store.read(wrote.account_id, partial(_may_send, login=name, owner=wrote.owner))


def _may_send(work: Work, login: str, owner: str) -> bool:
    named = [login] if "@" in login else [f"{login}@{one.name}" for one in domains.every(work)[: MOST_DOMAINS + 1]]
    if len(named) > MOST_DOMAINS:
        return False
    addresses = [address for text in named if (address := plain_address(text)) is not None]
    signed_in = {user.id for one in addresses if (user := users.reached(work, one)) is not None}
    sender = user_rows.find_by_address(work, owner)
    if sender is None or len(signed_in) != 1:
        return False
    return mailboxes.may_open(work, signed_in.pop(), sender.id, DelegateScope.SEND)


def note(work: Work, expecting: Sequence[Correspondence], limits: AutoAllowLimits) -> None:
    """Permit those whose answers are expected."""
    for one in expecting:
        auto_allow.renew(work, one.owner, one.to, limits, partial(_is_no_reply_to_held, work, one.answers))


def _is_no_reply_to_held(work: Work, answers: Sequence[str]) -> bool:
    return not tracking.any_of_message(work, answers, _HELD)
