"""How does mail come in, whatever protocol brings it? Four verbs: connect, sender, recipient, data.

A `Reception` is one client, message after message. A door tells it what the client says, a verb at a time; it
makes values of that once, asks once whose policies hold, counts what a client may use up, and answers with
replies, and at the end of the data with a plan. Between the data and the plan a door may have the message looked
at by a spam engine, if `needs_scan` says so. It knows no sockets and no commands: how a reply is written, who
may come in, and what becomes of the plan is the door's.

`connect` and `recipient` may wait for the store, `needs_scan` and `data` may take long: then they are called in a
worker thread (`promptly`). Each is over before the next one is called.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from mailreeve.families.directory.routing import AccountLocked, WouldWait
from mailreeve.families.tracking.outcomes import LAYER_NEXT_HOP, Outcome
from mailreeve.formats.addresses import Address, Sender
from mailreeve.formats.message import Message
from mailreeve.formats.networks import IPAddress
from mailreeve.mail.incoming import Incoming
from mailreeve.mail.outcomes import connect_outcome
from mailreeve.mail.paths import names_postmaster, read_recipient, read_sender
from mailreeve.mail.plan import Plan, reply_line
from mailreeve.mail.planning import NewId
from mailreeve.mail.ports import UNMETERED, Meter, PoliciesAtHand, PolicySource
from mailreeve.mail.postmaster import postmaster_domain
from mailreeve.mail.released import ReleaseMarks
from mailreeve.mail.results import ASKS_NOBODY, AskedResults
from mailreeve.mail.scan import Scan, ScanRequest
from mailreeve.mail.transaction import Accepted, Refused, Transaction, new_decision_id
from mailreeve.policy.decide.mail import decide_connect
from mailreeve.policy.decide.replies import OPEN_RELAY
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.decisions import Decision, SpamChecks, Stage
from mailreeve.policy.model.policy_types import SmtpReply

MAX_RECIPIENTS: Final = 100  # behaviour.md section 1; RFC 5321 section 4.5.3.1.8 asks for at least as many

MAX_REFUSED: Final = 200
"""After so many recipients that were refused, the next message is one for another connection. Each refusal is a
row in the store, so they may not cost a client next to nothing."""

PUT_OFF: Final = SmtpReply(450, "4.2.1", "Mail of this organisation is put off")
"""The account is locked."""

TOO_MANY_RECIPIENTS: Final = SmtpReply(452, "4.5.3", "Too many recipients")


class NoAccount(Struct, frozen=True):
    """No account takes mail for the recipient, so there are no policies for it and nothing is recorded. `line` is
    the whole reply."""

    recipient: Address
    line: str


Answer = Accepted | Refused | NoAccount
"""What is said of a recipient."""


class Reception:
    """One client, message after message. `hostname` is what the door calls itself, `clock` gives POSIX seconds.

    `source_ip` is None where a server in front does not know it. `trusted` says whether the source counts as one
    of the relay networks; None leaves that to its address. `asked` says whose results of SPF, DKIM and DMARC
    count, and whether this client may bring them. By `marks` copies are known that somebody released.
    """

    def __init__(
        self,
        source_ip: IPAddress | None,
        policies: PolicySource,
        clock: Callable[[], float],
        *,
        trusted: bool | None = None,
        hostname: str = "",
        max_recipients: int = MAX_RECIPIENTS,
        new_id: NewId = new_decision_id,
        meter: Meter = UNMETERED,
        marks: ReleaseMarks | None = None,
        asked: AskedResults = ASKS_NOBODY,
    ) -> None:
        self._meter = meter
        self._source_ip = source_ip
        self._policies = policies
        self._clock = clock
        self._hostname = hostname
        self._max_recipients = max_recipients
        self._new_id = new_id
        self._transaction = Transaction(
            source_ip, trusted=trusted, new_id=new_id, hostname=hostname, marks=marks, asked=asked
        )
        self._named = 0
        self._refused = 0
        self._at_connect: tuple[Outcome, ...] = ()
        self._last: Address | None = None

    # What is under way.

    @property
    def envelope_sender(self) -> Sender | None:
        """The sender of the message under way, None between two."""
        return self._transaction.sender

    @property
    def has_recipients(self) -> bool:
        """Whether any recipient was taken."""
        return self._transaction.has_recipients

    @property
    def recipients(self) -> int:
        """How many recipients were taken or, named well enough, refused."""
        return self._transaction.recipients

    @property
    def last_recipient(self) -> Address | None:
        """Whom the last `recipient` named, None if nobody well enough."""
        return self._last

    @property
    def is_clear(self) -> bool:
        """Whether no message is under way, and nothing is to be recorded."""
        return not self._at_connect and self._transaction.sender is None

    @property
    def is_spent(self) -> bool:
        """Whether so many recipients were refused that the next message is one for another connection. A door asks
        between two messages, so that none loses the recipients who were accepted."""
        return self._refused >= MAX_REFUSED

    # The four verbs.

    def connect(self, *, at_once: bool = False) -> str | None:
        """The reply to a source that is refused whatever it wants, None for any other. The refusal is recorded
        with every account, as `reset` says. `at_once` is for the event loop: it raises `WouldWait` where it would
        wait for the store, and nothing was done."""
        if self._source_ip is None:
            return None
        policies = self._policies.at_hand if at_once else self._policies
        line, self._at_connect = refused_at_connect(
            policies.all_policies(), self._source_ip, self._clock(), self._new_id
        )
        return line

    def may_refuse_at_connect(self) -> bool:
        """Whether `connect` may refuse anybody: only where every account blocks a source for everybody. True as
        well where that is not in memory. For the event loop."""
        try:
            policy_sets = self._policies.at_hand.all_policies()
        except WouldWait:
            return True
        return bool(policy_sets) and all(one.source_blocks.blocks for one in policy_sets)

    def introduce(self, name: str, login: str = "") -> None:
        """The client says what it is called (HELO or EHLO), and a server in front as whom it signed in: it is
        recorded. The name is believed by nobody."""
        self._transaction.client_name = name
        self._transaction.login = login

    def sender(self, path: str) -> SmtpReply | None:
        """Begin a message from this envelope sender; None, or the refusal. One under way must be ended first."""
        sender = read_sender(path)
        if isinstance(sender, SmtpReply):
            return sender
        self._transaction.begin(sender, self._clock())
        self._named = 0
        return None

    def recipient(self, path: str, *, at_once: bool = False) -> Answer:
        """Add an envelope recipient to the message. `at_once` as in `connect`."""
        self._last = None
        # Refused ones count as well: a stranger could name and be refused, and recorded, without end. What goes
        # beyond the number is no refusal, only a matter for the next message.
        if self._named >= self._max_recipients:
            return Refused(str(TOO_MANY_RECIPIENTS))
        began = time.perf_counter()
        answer = self._answer(path, self._policies.at_hand if at_once else self._policies)
        self._named += 1
        self._meter.decided(Stage.RCPT, time.perf_counter() - began)
        self._refused += not isinstance(answer, Accepted)
        return answer

    def needs_scan(self, incoming: Incoming, *, finds_viruses: bool = True) -> ScanRequest | None:
        """What to ask a spam engine about a content that has come in, None where nothing is: nobody would get the
        message, or, unless the engine `finds_viruses`, all who would skip the spam checks. `data` comes next."""
        if incoming.refusal is not None:
            return None
        would_get_it = self._transaction.look(
            incoming.header, incoming.body, utf8=incoming.utf8, had_bare_ends=incoming.had_bare_ends
        )
        if not any(finds_viruses or one.decision.spam_checks is SpamChecks.RUN for one in would_get_it):
            return None
        sender = self._transaction.begun()
        return ScanRequest(
            header=incoming.header,
            body=incoming.body,
            sender=str(sender),
            recipients=tuple(str(one.recipient.address) for one in would_get_it),
            source_ip="" if self._source_ip is None else str(self._source_ip),
            client_name=self._transaction.client_name,
            login=self._transaction.login,
            queue_id=self._new_id(),
            hostname=self._hostname,
        )

    def data(self, incoming: Incoming, scan: Scan | None = None) -> Plan:
        """Decide for every recipient about a content that has come in, and end the message. `scan` is what came of
        what `needs_scan` asked for."""
        if incoming.refusal is not None:
            return self._transaction.give_up(incoming.refusal, Message((), (), incoming.size))
        began = time.perf_counter()
        plan = self._transaction.end_of_message(
            incoming.header,
            incoming.body,
            scan,
            utf8=incoming.utf8,
            had_bare_ends=incoming.had_bare_ends,
        )
        self._meter.decided(Stage.DATA, time.perf_counter() - began)
        return plan

    # What comes between.

    def comes_from(self, source_ip: IPAddress | None, trusted: bool | None) -> None:
        """What comes next comes from there, says the server in front. A message under way must be ended first."""
        self._source_ip = source_ip
        self._transaction.comes_from(source_ip, trusted)

    def refused_by_next_hop(self, address: Address, reply: SmtpReply, layer: str = LAYER_NEXT_HOP) -> str:
        """The next hop does not take a recipient who was accepted: the reply to the client."""
        self._refused += 1
        return self._transaction.refused_by_next_hop(address, reply, layer)

    def reset(self) -> tuple[Outcome, ...]:
        """Drop the message, if any. Returns what is still to be recorded: its refusals at RCPT, or that of the
        client at connect."""
        at_connect, self._at_connect = self._at_connect, ()
        return at_connect + self._transaction.reset()

    def _answer(self, path: str, at_hand: PoliciesAtHand) -> Answer:
        sender = self._transaction.begun()
        try:
            postmaster_at = postmaster_domain(at_hand, self._hostname) if names_postmaster(path) else None
            address = read_recipient(path, postmaster_at)
            if isinstance(address, SmtpReply):
                return Refused(str(address))
            self._last = address
            policies = at_hand.policies_for(address, sender)
        except AccountLocked:
            return Refused(str(PUT_OFF))
        if policies is None:
            return NoAccount(address, str(OPEN_RELAY))
        return self._transaction.rcpt(address, policies)


def refused_at_connect(
    policy_sets: Sequence[PolicySet], source_ip: IPAddress, at: float, new_id: NewId = new_decision_id
) -> tuple[str | None, tuple[Outcome, ...]]:
    """The reply to a source address that every account refuses for everybody (behaviour.md section 1, row 1), and
    what each account records of it.

    Nobody is named yet, so one account that would hear the sender out is enough to go on.
    """
    refusals: list[tuple[PolicySet, Decision]] = []
    for policies in policy_sets:
        decision = decide_connect(policies, source_ip, at)
        if decision is None:
            return None, ()
        refusals.append((policies, decision))
    if not refusals:
        return None, ()
    id_ = new_id()
    outcomes = tuple(connect_outcome(policies, one, source_ip, at, id_) for policies, one in refusals)
    return reply_line(refusals[-1][1].refusal, id_), outcomes
