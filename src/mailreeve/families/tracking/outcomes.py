"""What became of one message for one recipient? The row that tracking, replay and "why was it refused?" read."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from mailreeve.formats.authors import HeaderFrom
from mailreeve.formats.malformed import Flaw
from mailreeve.policy.model.authentication import Authentication
from mailreeve.policy.model.content import SpamVerdict
from mailreeve.policy.model.decisions import FieldAlteration, SpamChecks, Stage
from mailreeve.policy.model.policy_types import Layer

LAYER_NEXT_HOP: Final = "next_hop"
LAYER_LOCAL_FAULT: Final = "local_fault"
"""The policies let it through, and the next hop has no part in it: something here went wrong."""

LAYER_HELD: Final = "held"
"""Somebody decided about a copy that was held, or nobody did in time."""
LAYER_PUT_OFF: Final = "put_off"
"""The policies let it through, and it was put off with the message for another recipient's sake."""

LAYER_MESSAGE_LIMITS: Final = Layer.MESSAGE_LIMITS.value


class State(StrEnum):
    """Where the message stands for the recipient: the states of D-36.

    - `connection`: its client was refused before it named anybody. What was told it is recorded, `rejected` or
      `deferred`; this is asked for
    - `rejected`: refused with 5xx, and the sender was told; or held, and somebody turned it down (`follows`)
    - `deferred`: refused with 4xx; the sender will try again
    - `accepted`: taken, and handed to a mail server that answers for it from here on
    - `delivered`: the next hop has it
    - `held`: kept here until somebody releases it or turns it down
    - `released`: it was held, and waits to be handed to the next hop
    - `expired`: it was held, and nobody decided in time
    - `bounced`: it was taken, and the next hop did not take it in the end
    - `archived`: a copy is in the archive
    """

    CONNECTION = "connection"
    REJECTED = "rejected"
    DEFERRED = "deferred"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    HELD = "held"
    RELEASED = "released"
    BOUNCED = "bounced"
    ARCHIVED = "archived"
    EXPIRED = "expired"


REFUSED: Final = (State.REJECTED, State.DEFERRED)

MAX_AUTHORS: Final = 10
"""How many authors are kept of a header. Honest mail has one, rarely two; a decision looks at a hundred."""
MAX_NAME: Final = 128
"""How many characters of a display name are kept."""
MAX_ALTERATIONS: Final = 10
"""How many rewrites are kept: those of the envelope, which stand first, and some of a long list of addresses."""
MAX_SYMBOLS: Final = 5
"""How many symbols of a spam verdict are kept."""
MAX_SUBJECT: Final = 255
MAX_MESSAGE_ID: Final = 255
"""How many characters are kept of the subject, and of the Message-ID."""
MAX_HELO: Final = 128
"""How many characters are kept of the name that a client gave itself."""
MAX_DESCRIPTION: Final = 512
"""How many characters are kept of the description of a policy that won its type: all that a policy can have."""


class NotScanned(StrEnum):
    """Why a spam engine said nothing of a message that it was to look at."""

    NO_ANSWER = "no_answer"
    TOO_LARGE = "too_large"


class Won(Struct, frozen=True, array_like=True):
    """A policy that won its type, as it was called then: `type` is a `PolicyType`."""

    type: str
    id: str
    description: str


class Outcome(Struct, frozen=True, kw_only=True):
    """The outcome of one message for one recipient, with what the decision was made from.

    - `decision_id` stands in the SMTP reply, or in the trace header of the delivered copy. Recipients
      who got the very same copy share it, so that no copy tells of the others: it is unique together
      with `recipient`.
    - `at` is when the transaction began, in POSIX seconds: the time the policies were asked for.
    - `source_ip` is that of the client, as a server in front announced it if there is one; empty where it did not
      know. `source_trusted` says whether that server vouched for the client; None: its address counted.
    - `sender` and `recipient` are the envelope's as given (`sender` empty for the null sender),
      `effective_sender` and `effective_recipient` those after alteration (D-20: both are kept).
    - `header_from` is None where the header was never seen. It is cut to `MAX_AUTHORS` and their names to
      `MAX_NAME`; `header_cut` says that something is missing, so that nobody can decide anew by it.
    - `alterations` are at most `MAX_ALTERATIONS`.
    - `size` is that of the content in octets, 0 where it was never seen.
    - `stage` is when it was refused, None where it was not.
    - `layer` is a `policy_types.Layer`, `LAYER_NEXT_HOP` or `LAYER_LOCAL_FAULT`.
    - `reply` is the SMTP reply given for this recipient, id included.
    - `policy_id` and `description` are those of the policy that settled the verdict (D-35: a copy, so
      that later renames do not rewrite history), both empty where none did.
    - `revision` is that of the policies the decision was made on.
    - `winners` are the policies that won their types, the one that settled the verdict among them.
    - `client_name` is what the client called itself (HELO or EHLO), cut to `MAX_HELO`; empty at connect.
    - `login` is as whom the client signed in, says a server in front; empty where it did not say.
    - `hop_reply` is what the next hop said when it took the message, `queue_id` the id that it gave it, both
      empty where it said or gave none. Of a refusal by the next hop its words stand in `reply`.
    - `follows` says that this came of a copy that was kept here, after its own outcome: the recipient has an
      earlier one under the same decision id. No door decided it, so nobody decides it anew.
    - `spam` is what a spam engine said, with at most `MAX_SYMBOLS` symbols; None where it was not asked, or did
      not answer, which `not_scanned` says then: one of `NotScanned`. `flaws` are what was broken in the form.
    - `owner` is the id of the user whom the recipient was an address of when the message came, empty where it was
      nobody's: what belongs to whom does not change with the address.
    - `is_private` says that its sender marked it private or personal, where its header was seen.
    - `not_learnt` says why a sender in one's own domains, who wrote to this recipient outside, is not spared spam
      checks for the answer: another one is signed in. Empty where there is nothing to say.
    - `authentication` is what SPF, DKIM and DMARC said of the message, None where nobody was asked, and of what
      was refused before its content.

    Of a source that was refused at connect nobody is named: sender and recipient are empty.
    """

    account_id: str
    decision_id: str
    at: float
    source_ip: str
    sender: str
    effective_sender: str
    recipient: str
    effective_recipient: str
    header_from: tuple[HeaderFrom, ...] | None
    subject: str
    message_id: str
    size: int
    state: State
    stage: Stage | None
    layer: str
    reply: str
    policy_id: str
    description: str
    revision: int
    spam_checks: SpamChecks
    alterations: tuple[FieldAlteration, ...] = ()
    source_trusted: bool | None = None
    header_cut: bool = False
    winners: tuple[Won, ...] = ()
    client_name: str = ""
    login: str = ""
    hop_reply: str = ""
    queue_id: str = ""
    follows: bool = False
    spam: SpamVerdict | None = None
    not_scanned: str = ""
    flaws: tuple[Flaw, ...] = ()
    authentication: Authentication | None = None
    owner: str = ""
    is_private: bool = False
    not_learnt: str = ""


def following(
    before: Outcome, state: State, now: datetime, layer: str, reply: str, hop_reply: str = "", queue_id: str = ""
) -> Outcome:
    """What came, later, of a copy that was kept here after its own outcome."""
    return replace(
        before,
        at=now.timestamp(),
        state=state,
        stage=None,
        layer=layer,
        reply=f"{reply} [{before.decision_id}]",
        hop_reply=hop_reply,
        queue_id=queue_id,
        follows=True,
    )
