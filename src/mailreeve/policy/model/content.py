"""What is known of the content of a message, and what may be done about it?

A spam engine judges the content, not we; what it said is a fact. What policies make of that fact is `SpamOptions`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct


class SpamAction(StrEnum):
    """What the engine would do, in the words of rspamd (its documentation of actions), mildest first."""

    __hash__ = str.__hash__

    NO_ACTION = "no action"
    GREYLIST = "greylist"
    ADD_HEADER = "add header"
    REWRITE_SUBJECT = "rewrite subject"
    SOFT_REJECT = "soft reject"
    REJECT = "reject"


class SpamSymbol(Struct, frozen=True, gc=False, array_like=True):
    """One test of the engine that the message met, and what it added to the score."""

    name: str
    score: float


class SpamVerdict(Struct, frozen=True, gc=False):
    """What the engine said of a message.

    `required` is the score from which it rejects. `symbols` are some of those that were met, the weightiest first.
    `virus` names what an antivirus found, empty where none found anything. `was_put_off` says that the engine
    wanted this very message greylisted before, so that it has come again.
    """

    action: SpamAction
    score: float
    required: float = 0.0
    symbols: tuple[SpamSymbol, ...] = ()
    virus: str = ""
    was_put_off: bool = False


class OnReject(StrEnum):
    """What is done with mail that the engine would reject."""

    REFUSE = "refuse"
    HOLD = "hold"
    TAG = "tag"


class OnSpam(StrEnum):
    """What is done with mail that the engine takes for spam and would not reject."""

    HOLD = "hold"
    TAG = "tag"
    NOTHING = "nothing"


class OnGreylist(StrEnum):
    """What is done with mail that the engine wants to come again later."""

    PUT_OFF = "put_off"
    NOTHING = "nothing"


class OnVirus(StrEnum):
    """What is done with mail in which an antivirus found something."""

    REFUSE = "refuse"
    HOLD = "hold"


class OnMalformed(StrEnum):
    """What is done with mail whose form is broken. `note` is no more than to record it."""

    NOTE = "note"
    HOLD = "hold"
    REFUSE = "refuse"


class SpamOptions(Struct, frozen=True, gc=False):
    """What a spam scanning policy does.

    Where `reject_score` or `spam_score` is given, mail counts as such from that score on, whatever the engine
    would do at it; mail that the engine would reject counts as spam at least. `subject_prefix` is put before the
    subject of what is tagged, in printable ASCII, empty for none.
    """

    on_reject: OnReject = OnReject.REFUSE
    on_spam: OnSpam = OnSpam.HOLD
    on_greylist: OnGreylist = OnGreylist.PUT_OFF
    on_virus: OnVirus = OnVirus.REFUSE
    on_malformed: OnMalformed = OnMalformed.NOTE
    reject_score: float | None = None
    spam_score: float | None = None
    subject_prefix: str = ""


WITHOUT_POLICY: Final = SpamOptions()
"""What is done where no policy applies."""


class SpamTag(Struct, frozen=True, gc=False):
    """What a copy says that is delivered in spite of the engine's verdict."""

    score: float
    action: SpamAction
    subject_prefix: str = ""
