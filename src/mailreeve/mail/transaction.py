"""What happens to one message, from its sender to the end of its data? Events in, replies and a plan out.

A `Transaction` does no I/O and knows no protocol: `reception` tells it what the client said and whose policies
hold, and a door carries out the plan. It decides as soon as it can and refuses a recipient at RCPT only if the
refusal is certain whatever the header will say (behaviour.md D-07); else at the end of data, each recipient
alone. What was decided at RCPT is kept, with the policies of then, and decided again only if the header can
change it.

What a stranger sends never raises: a malformed message is read as far as it goes.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from mailreeve.families.machinery.copies import Routed
from mailreeve.families.tracking.outcomes import LAYER_LOCAL_FAULT, LAYER_NEXT_HOP, Outcome
from mailreeve.formats.addresses import Address, Sender
from mailreeve.formats.authors import HeaderFrom, read_authors
from mailreeve.formats.malformed import Flaw, flaws_of
from mailreeve.formats.message import MAX_FIELDS, Message, Pieces, header_length, read_message
from mailreeve.formats.networks import IPAddress
from mailreeve.mail.incoming import HEADER_TOO_LARGE
from mailreeve.mail.outcomes import Recipient, refused_outcome, stopped_outcome
from mailreeve.mail.plan import Plan, reply_line
from mailreeve.mail.planning import (
    NOBODY,
    Decided,
    NewId,
    altered_sender,
    decide_headers,
    in_session,
    plan_message,
    plan_refusal,
)
from mailreeve.mail.released import ReleaseMarks
from mailreeve.mail.results import (
    ASKS_NOBODY,
    NOBODY_ASKED,
    AskedResults,
    FoundResults,
    found_by_engine,
    results_in,
)
from mailreeve.mail.scan import Scan
from mailreeve.policy.decide.address_fields import CannotAlterError
from mailreeve.policy.decide.mail import decide_mail
from mailreeve.policy.decide.rewrite import rewriter
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.decisions import Action, Stage
from mailreeve.policy.model.facts import MAX_HEADER_OCTETS, MessageFacts
from mailreeve.policy.model.policy_types import SmtpReply

MAX_HOPS: Final = 100  # RFC 5321 section 6.3: a message with more Received fields is in a loop

NUL_IN_HEADER: Final = SmtpReply(554, "5.6.0", "The message header has a null octet")
TOO_MANY_HOPS: Final = SmtpReply(554, "5.4.6", "Too many hops, the message is in a loop")


def new_decision_id() -> str:
    """An id that nobody guesses and everybody can read out: 16 letters and digits, 80 random bits."""
    bits = int.from_bytes(secrets.token_bytes(10), "big")
    return "".join([_TWO_LETTERS[bits >> shift & 1023] for shift in range(70, -1, -10)])


_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz234567"  # of base 32 (RFC 4648), which is what an id is written in
_TWO_LETTERS: Final = tuple(one + other for one in _LETTERS for other in _LETTERS)


class Accepted(Struct, frozen=True):
    """The recipient is taken for now.

    `route` is where the message would go, for the next hop to be asked; None while the header decides
    that, or where the recipient was taken before.
    """

    sender: Sender
    route: Routed | None


class Refused(Struct, frozen=True):
    """The recipient is not taken. `line` is the whole reply, with the decision id if a policy made it."""

    line: str


class _Looked(Struct, frozen=True):
    """A message whose header is known: why nobody gets it whatever policies say, or what these say of it.
    `passing` is as in `plan_message`."""

    message: Message
    refusal: SmtpReply | None
    authors: tuple[HeaderFrom, ...] = ()
    decided: Sequence[Decided] = ()
    flaws: tuple[Flaw, ...] = ()
    results: FoundResults = NOBODY_ASKED
    passing: Mapping[str, str] = NOBODY


class Transaction:
    """One message after another over one connection. The source address is None where it is not known. `asked`
    says whose results of authentication count. By `marks` copies are known that somebody released."""

    def __init__(
        self,
        source_ip: IPAddress | None,
        *,
        trusted: bool | None = None,
        new_id: NewId = new_decision_id,
        hostname: str = "",
        marks: ReleaseMarks | None = None,
        asked: AskedResults = ASKS_NOBODY,
    ) -> None:
        self._marks = marks
        self._asked = asked
        self._source_ip = source_ip
        self._trusted = trusted  # as `MessageFacts.source_trusted`
        self._new_id = new_id
        self._hostname = hostname  # what the door calls itself
        self._sender: Sender | None = None
        self._at = 0.0
        self._envelope_id = ""
        self._policies: dict[str, PolicySet] = {}
        # By the address as it is spelt: what policies take for the same may be two mailboxes.
        self._recipients: dict[str, Recipient] = {}
        self.client_name = ""  # what the client called itself last
        self.login = ""  # as whom it signed in, says a server in front
        self._refused: list[Outcome] = []
        self._looked: _Looked | None = None

    @property
    def sender(self) -> Sender | None:
        """The envelope sender, None before MAIL."""
        return self._sender

    @property
    def has_recipients(self) -> bool:
        """Whether any recipient was taken."""
        return bool(self._recipients)

    @property
    def recipients(self) -> int:
        """How many recipients were taken or, named well enough, refused."""
        return len(self._recipients) + len(self._refused)

    def comes_from(self, source_ip: IPAddress | None, trusted: bool | None) -> None:
        """The next message comes from there. One under way must be ended first."""
        if self._sender is not None:
            raise RuntimeError("a message is under way: `reset` or `end_of_message` comes first")
        self._source_ip, self._trusted = source_ip, trusted

    def begin(self, sender: Sender, at: float, envelope_id: str = "") -> None:
        """Begin a message from this envelope sender.

        `at`, in POSIX seconds, is the time that all its policies are asked for, `envelope_id` the ENVID of the
        sender (RFC 3461). A message under way must be ended first.
        """
        if self._sender is not None:
            raise RuntimeError("a message is under way: `reset` or `end_of_message` comes first")
        self._sender = sender
        self._at = at
        self._envelope_id = envelope_id

    def rcpt(self, address: Address, policies: PolicySet) -> Accepted | Refused:
        """Add a recipient. `policies` are what the source says now.

        The first set of an account is kept for the whole message, so that all its recipients are
        decided at one revision.
        """
        sender = self.begun()
        if str(address) in self._recipients:
            # Promised before; whatever a second look at the next hop said could not take that back.
            return Accepted(sender, None)
        policies = self._policies.setdefault(policies.account_id, policies)
        facts = MessageFacts(sender, address, self._at, source_ip=self._source_ip, source_trusted=self._trusted)
        decision = decide_mail(policies, facts)
        recipient = Recipient(facts, policies, decision, self.client_name, self.login)
        if decision.action is Action.REJECT and decision.certain:
            if self._may_come_back(address, policies):
                self._recipients[str(address)] = recipient
                return Accepted(sender, None)
            reply = in_session(decision.refusal)
            decision_id = self._new_id()
            self._refused.append(refused_outcome(recipient, decision, decision_id, reply, Stage.RCPT))
            return Refused(reply_line(reply, decision_id))
        self._recipients[str(address)] = recipient
        if not policies.definitions:
            return Accepted(sender, Routed(address, address))
        rewrites = rewriter(policies, facts)
        if not rewrites.certain:
            return Accepted(sender, None)
        try:
            altered, _ = altered_sender(rewrites, sender)
        except CannotAlterError:
            return Accepted(sender, None)  # refused at the end of the data
        return Accepted(altered, Routed(address, rewrites.recipient(address)))

    def _may_come_back(self, address: Address, policies: PolicySet) -> bool:
        marks = self._marks
        return marks is not None and marks.may_come_back(
            self._envelope_id, self.begun(), address, policies.account_id, self._at
        )

    def refused_by_next_hop(self, address: Address, reply: SmtpReply, layer: str = LAYER_NEXT_HOP) -> str:
        """The next hop does not take this recipient: forget it, keep that for the record, say the reply.

        The `layer` is another where the next hop could not be asked.
        """
        recipient = self._recipients.pop(str(address))
        decision_id = self._new_id()
        self._refused.append(stopped_outcome(recipient, recipient.decision, decision_id, reply, Stage.RCPT, layer))
        return reply_line(reply, decision_id)

    def look(
        self, content: bytes, more: Pieces = (), *, utf8: bool = False, had_bare_ends: bool = False
    ) -> Sequence[Decided]:
        """Read the message and decide by its header; who then would get it, as far as is known so far.
        `end_of_message` goes on from there. Members as there."""
        self._looked = self._read(content, more, utf8=utf8, had_bare_ends=had_bare_ends)
        passing = self._looked.passing
        return [
            one for one in self._looked.decided if one.wants_scan and str(one.recipient.address) not in passing
        ]

    def end_of_message(
        self,
        content: bytes,
        more: Pieces = (),
        scan: Scan | None = None,
        *,
        utf8: bool = False,
        had_bare_ends: bool = False,
    ) -> Plan:
        """Decide for every recipient and end the message. Line ends are CRLF.

        `content` holds the whole header, and perhaps some of the body or all of it; `more` is what follows. `scan`
        is what came of having it looked at; `utf8` and `had_bare_ends` as in `malformed.flaws_of`.
        """
        looked = self._looked or self._read(content, more, utf8=utf8, had_bare_ends=had_bare_ends)
        if looked.refusal is not None:
            return self.give_up(looked.refusal, looked.message)
        decided: Sequence[Decided] = looked.decided
        verdict = None
        if scan is not None:
            verdict = scan.verdict
            looked = self._as_found(looked, scan)
            decided = looked.decided
            if scan.not_scanned is not None:
                decided = [one.with_note(scan.not_scanned) for one in decided]
            if scan.refusal is not None:
                return self._put_off(scan.refusal, looked.message, decided)
        plan = plan_message(
            looked.message,
            looked.authors,
            decided,
            self._refused,
            self._new_id,
            self._hostname,
            passing=looked.passing,
            results=looked.results,
            spam=verdict,
            flaws=looked.flaws,
        )
        self.reset()
        return plan

    def _read(self, content: bytes, more: Pieces, *, utf8: bool, had_bare_ends: bool) -> _Looked:
        header = header_length(content)
        size = len(content) + sum(map(len, more))
        if header > MAX_HEADER_OCTETS:
            return _Looked(Message((), (), size), HEADER_TOO_LARGE)
        # Some readers leave it out, some end a line or the whole text there: what they will see cannot be known.
        if b"\0" in content[:header]:
            return _Looked(Message((), (), size), NUL_IN_HEADER)
        message = read_message(content, more)
        if len(message.fields) > MAX_FIELDS:
            return _Looked(Message((), (), size), HEADER_TOO_LARGE)
        if sum(1 for _ in message.named("received")) > MAX_HOPS:
            return _Looked(message, TOO_MANY_HOPS)
        self.begun()
        authors = read_authors(message.authors())
        flaws = flaws_of(message.fields, message.body, utf8=utf8, had_bare_ends=had_bare_ends)
        results = results_in(message, self._asked)
        decided = decide_headers(authors, results.authentication, self._recipients.values())
        return _Looked(message, None, authors, decided, flaws, results, self._passing(message))

    def _passing(self, message: Message) -> Mapping[str, str]:
        if self._marks is None:
            return NOBODY
        recipients = [(one.address, one.policies.account_id) for one in self._recipients.values()]
        found = self._marks.come_back(message, self.begun(), recipients, self._at)
        return {one.recipient: one.decision_id for one in found}

    def _as_found(self, looked: _Looked, scan: Scan) -> _Looked:
        """The same, decided anew where the spam engine tells of authentication and no server in front did."""
        found, said = looked.results.authentication, scan.authentication
        if not said or not (found is None or found.is_empty):
            return looked
        results = replace(looked.results, authentication=found_by_engine(said, self.begun()))
        decided = decide_headers(looked.authors, results.authentication, self._recipients.values())
        return replace(looked, decided=decided, results=results)

    def give_up(self, reply: SmtpReply, message: Message) -> Plan:
        """End the message with one refusal for all recipients, for a cause that is no policy."""
        self.begun()
        plan = plan_refusal(reply, message, self._recipients.values(), self._refused, self._new_id)
        self.reset()
        return plan

    def _put_off(self, reply: SmtpReply, message: Message, decided: Sequence[Decided]) -> Plan:
        """End the message for now: nobody could look at it."""
        recipients = [one.recipient for one in decided]
        plan = plan_refusal(reply, message, recipients, self._refused, self._new_id, LAYER_LOCAL_FAULT)
        self.reset()
        return plan

    def reset(self) -> tuple[Outcome, ...]:
        """Drop the message, if any. Returns what is still to be recorded of it: the refusals at RCPT."""
        refused = tuple(self._refused)
        self._sender = None
        self._envelope_id = ""
        self._policies = {}
        self._recipients = {}
        self._refused = []
        self._looked = None
        return refused

    def begun(self) -> Sender:
        """The envelope sender. Raises `RuntimeError` before MAIL."""
        if self._sender is None:
            raise RuntimeError("no message was begun: `begin` comes first")
        return self._sender
