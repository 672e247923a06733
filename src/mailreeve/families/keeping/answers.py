"""Whose answers does a user expect, of those a message was taken for? So they are permitted (auto allow).

A reply to what was held as suspected spam permits nobody new: whoever sent that would be let in by the user's
complaint about it (behaviour.md section 4.4).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from mailreeve.families.keeping.kept import Kept
from mailreeve.families.managed_senders import auto_allow
from mailreeve.families.managed_senders.auto_allow import AutoAllowLimits, Correspondence
from mailreeve.families.tracking import rows as tracking
from mailreeve.families.tracking.outcomes import State
from mailreeve.store.transactions import Work

_TAKEN: Final = frozenset({State.ACCEPTED, State.DELIVERED})
_HELD: Final = (State.HELD, State.RELEASED)


def expected(kept: Kept, limits: AutoAllowLimits) -> Correspondence | None:
    """The correspondence as far as the message was taken; None where nobody is to be permitted for it."""
    found = kept.correspondence
    if found is None or not limits.enabled or len(found.to) > limits.recipients:
        return None
    taken = {outcome.recipient for outcome in kept.outcomes if outcome.state in _TAKEN}
    to = tuple(address for address in found.to if str(address) in taken)
    return Correspondence(found.account_id, found.owner, to, found.answers) if to else None


def note(work: Work, expecting: Sequence[Correspondence], limits: AutoAllowLimits) -> None:
    """Permit those whose answers are expected."""
    for one in expecting:
        auto_allow.renew(work, one.owner, one.to, limits, partial(_is_no_reply_to_held, work, one.answers))


def _is_no_reply_to_held(work: Work, answers: Sequence[str]) -> bool:
    return not tracking.any_of_message(work, answers, _HELD)
