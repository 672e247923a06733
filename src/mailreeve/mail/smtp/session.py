"""The conversation with one SMTP client (RFC 5321), over one connection."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from structlog.typing import FilteringBoundLogger

from mailreeve.families.tracking.outcomes import MAX_HELO
from mailreeve.formats.header_text import printable
from mailreeve.formats.networks import IPAddress
from mailreeve.mail import promptly
from mailreeve.mail.attempts import content_key, message_key
from mailreeve.mail.connection import ClosedByPeer, Connection, Interrupted, ReadTimeout
from mailreeve.mail.incoming import Incoming
from mailreeve.mail.memory_budget import Reservation
from mailreeve.mail.outcomes import LOCAL_FAULT, NO_ROOM
from mailreeve.mail.plan import Plan
from mailreeve.mail.reception import NoAccount, Reception
from mailreeve.mail.scan import Scan
from mailreeve.mail.scanning import scanned
from mailreeve.mail.smtp.announced import XCLIENT, XFORWARD, Speaker
from mailreeve.mail.smtp.commands import parameters_refused, read_path
from mailreeve.mail.smtp.delivery import Delivery, layer_of
from mailreeve.mail.smtp.receiver import CommandLine, ContentPart, Event, OverlongLine, Receiver
from mailreeve.mail.smtp.services import DoorServices, Places, crowded
from mailreeve.mail.trace import protocol_name, received_field
from mailreeve.mail.transaction import Accepted, Refused, new_decision_id
from mailreeve.policy.model.policy_types import SmtpReply

log: FilteringBoundLogger = structlog.get_logger()

MAX_ERRORS: Final = 20
"""After so many commands that make no sense the client is sent away."""

MAX_IDLE: Final = 100
"""After so many commands that bring no message on, between two messages, each further one counts as an error (in
Postfix, `smtpd_junk_command_limit`): else a client could keep us busy for ever at next to no cost."""

COMMANDS_AT_ONCE: Final = 2_048
CONTENT_AT_ONCE: Final = 65_536
"""Octets that are worked on before others have their turn: a short command costs more than as many of content."""

_IDLE: Final = frozenset({"HELO", "EHLO", "NOOP", "RSET", "VRFY", "HELP"})
UNDER_WAY: Final = "503 5.5.1 A message is under way"
NEEDS_MAIL: Final = "503 5.5.1 MAIL comes first"


class _Goodbye(Exception):
    """The session is over; the reply that says so has been sent."""


class Session:
    """One client, from the greeting on. `run` returns when the client is gone.

    `counted` is for whom the connection has a place, None if for nobody.
    """

    def __init__(self, connection: Connection, speaker: Speaker, services: DoorServices, places: Places) -> None:
        self.counted: IPAddress | None = None
        self._connection = connection
        self._speaker = speaker
        self._services = services
        self._places = places
        self._settings = services.settings
        self._receiver = Receiver()
        self._reception = self._received_from_client()
        self._hop_session = services.next_hop.session()
        self._client_name: str | None = None
        self._extended = False
        self._utf8 = False
        self._errors = 0
        self._idle = 0
        self._delivery = Delivery(
            self._hop_session,
            services.records,
            services.retries,
            services.outcome_lines,
            archives=services.settings.archives,
        )
        self._commands: dict[str, Callable[[str], Awaitable[None]]] = {
            "HELO": self._helo,
            "EHLO": self._ehlo,
            "STARTTLS": self._starttls,
            "MAIL": self._mail,
            "RCPT": self._rcpt,
            "DATA": self._data,
            "RSET": self._rset,
            "NOOP": self._noop,
            "QUIT": self._quit,
            "VRFY": self._vrfy,
            "HELP": self._help,
            "EXPN": self._not_offered,
            "AUTH": self._not_offered,
            "TURN": self._not_offered,
            "XCLIENT": self._xclient,
            "XFORWARD": self._xforward,
        }

    @property
    def source(self) -> str:
        """The address of the client, for a log."""
        return self._speaker.client.source

    def _received_from_client(self) -> Reception:
        client = self._speaker.client
        return Reception(
            client.source_ip,
            self._services.policies,
            self._services.clock,
            trusted=client.trusted,
            hostname=self._settings.hostname,
            max_recipients=self._settings.max_recipients,
            meter=self._services.meter,
            marks=self._services.marks,
            asked=self._settings.asked_of(self._speaker.peer.source_ip),
        )

    async def run(self) -> None:
        """Talk until the client leaves, breaks off, is silent for too long, or the door closes."""
        try:
            await self._greet()
            while True:
                await self._answer(await self._next_command())
        except _Goodbye:
            pass
        except ClosedByPeer:
            log.debug("smtp.closed_by_client", source_ip=self.source)
        except ReadTimeout:
            await self._last_word(f"421 4.4.2 {self._settings.hostname} Timed out, closing")
        except Interrupted:
            await self._last_word(f"421 4.3.2 {self._settings.hostname} Shutting down, try again later")
        except Exception:
            if self._tells("smtp.session_failed"):
                log.exception("smtp.session_failed", source_ip=self.source)
            await self._last_word(f"421 4.3.0 {self._settings.hostname} Local fault, try again later")
        finally:
            try:
                await self._delivery.record(self._reception.reset())
            finally:
                try:
                    await self._hop_session.aclose()
                finally:
                    self._connection.close()

    async def _greet(self) -> None:
        # Who is listed has not said yet for whom it comes; a block of its own address would shut out all of those.
        heard_out = self._speaker.listed and not self._speaker.is_announced
        line = None if heard_out else await promptly.connected(self._reception)
        if line is not None:
            await self._reply(line)
            raise _Goodbye
        await self._reply(f"220 {self._settings.hostname} ESMTP Mailreeve")

    def _tells(self, event: str) -> bool:
        """Whether a line of this kind is logged: the client could cause it as often as it likes."""
        return self._services.lines.admits(event, self.source)

    # Input and output.

    async def _next_command(self) -> Event:
        # A transaction that was begun is finished even while the door closes.
        interruptible = self._reception.envelope_sender is None
        while (event := self._receiver.next_event()) is None:
            timeout = self._settings.idle_timeout
            self._receiver.feed(
                await self._connection.read(timeout, COMMANDS_AT_ONCE, interruptible=interruptible)
            )
        return event

    async def _reply(self, *lines: str) -> None:
        last = len(lines) - 1
        text = "".join(f"{line[:3]}{' ' if i == last else '-'}{line[4:]}\r\n" for i, line in enumerate(lines))
        # Outside SMTPUTF8 replies are ASCII (RFC 6531 section 3.7.4.2); what they quote might not be.
        await self._connection.write(text.encode("ascii", "replace"), self._settings.idle_timeout)

    async def _last_word(self, line: str) -> None:
        try:
            await self._reply(line)
        except ReadTimeout:
            self._connection.abort()

    async def _error(self, line: str) -> None:
        self._errors += 1
        if self._errors >= MAX_ERRORS:
            await self._reply(f"421 4.7.0 {self._settings.hostname} Too many errors, closing")
            if self._tells("smtp.too_many_errors"):
                log.info("smtp.too_many_errors", source_ip=self.source)
            raise _Goodbye
        await self._reply(line)

    async def _answer(self, event: Event) -> None:
        if isinstance(event, OverlongLine):
            await self._error("500 5.5.2 Command line too long")
            return
        assert isinstance(event, CommandLine)  # noqa: S101  contents come only where they are expected
        command = self._commands.get(event.verb)
        if command is None:
            await self._error("500 5.5.2 Command not recognised")
            return
        try:
            if event.verb in _IDLE and self._reception.envelope_sender is None:
                self._idle += 1
                if self._idle > MAX_IDLE:
                    await self._error("450 4.7.0 Too many commands without a message")
                    return
            await command(event.argument)
        except (_Goodbye, ClosedByPeer, ReadTimeout, Interrupted):
            raise
        except Exception:
            # A fault of ours: the sender keeps the message and tries again (design.md section 6).
            if self._tells("smtp.fault"):
                log.exception("smtp.fault", command=event.verb, source_ip=self.source)
            if event.verb == "DATA":
                await self._drop_transaction()
            await self._reply(str(LOCAL_FAULT))

    # Commands, in the order of a conversation.

    async def _helo(self, argument: str) -> None:
        if await self._introduced(argument):
            self._extended = False
            await self._reply(f"250 {self._settings.hostname}")

    async def _ehlo(self, argument: str) -> None:
        if not await self._introduced(argument):
            return
        self._extended = True
        offers = [
            "PIPELINING",
            f"SIZE {self._settings.max_size}",
            "8BITMIME",
            "ENHANCEDSTATUSCODES",
            "SMTPUTF8",
        ]
        if self._services.tls is not None and not self._connection.tls and not self._speaker.is_announced:
            offers.append("STARTTLS")
        if self._speaker.listed:
            offers += [f"XCLIENT {' '.join(XCLIENT)}", f"XFORWARD {' '.join(XFORWARD)}"]
        await self._reply(*(f"250 {line}" for line in [self._settings.hostname, *offers]))

    async def _introduced(self, name: str) -> bool:
        if not name:
            await self._error("501 5.5.4 A host name is needed")
            return False
        await self._drop_transaction()
        self._client_name = name
        self._reception.introduce(printable(name, MAX_HELO))
        return True

    async def _starttls(self, argument: str) -> None:
        context = self._services.tls
        if context is None or self._connection.tls:
            await self._error("503 5.5.1 TLS is not offered" if context is None else "503 5.5.1 TLS is active")
            return
        if argument:
            await self._error("501 5.5.4 STARTTLS takes no argument")
            return
        if self._speaker.is_announced:
            # Said in the clear it would not count, and nobody would notice.
            await self._error("503 5.5.1 XCLIENT and XFORWARD come after STARTTLS")
            return
        await self._drop_transaction()
        if self._receiver.discard() and self._tells("smtp.input_behind_starttls"):
            log.warning("smtp.input_behind_starttls", source_ip=self.source)
        await self._connection.start_tls(context, b"220 2.0.0 Go ahead\r\n", self._settings.idle_timeout)
        # Nothing said in the clear counts any longer (RFC 3207 section 4.2).
        self._client_name = None
        self._extended = False

    async def _xclient(self, argument: str) -> None:
        if self._reception.envelope_sender is not None:
            await self._error(UNDER_WAY)
            return
        before = self._speaker.of_session
        refusal = self._speaker.xclient(argument)
        if refusal is not None:
            await self._not_heard("XCLIENT", refusal)
            return
        client = self._speaker.client
        # The counts are those of one client, and of the same one they go on.
        if client.source_ip != before.source_ip:
            self._places.give_back(self.counted)
            self.counted = None
            if not self._places.take(client.source_ip):
                self._services.meter.turned_away()
                if self._tells("smtp.crowded"):
                    log.info("smtp.crowded", source_ip=self.source)
                await self._reply(crowded(self._settings.hostname))
                raise _Goodbye
            self.counted = client.source_ip
            self._errors = self._idle = 0
            self._reception = self._received_from_client()
        else:
            self._reception.comes_from(client.source_ip, client.trusted)
        self._client_name = None
        self._extended = False
        await self._greet()

    async def _xforward(self, argument: str) -> None:
        if self._reception.envelope_sender is not None:
            await self._error(UNDER_WAY)
            return
        refusal = self._speaker.xforward(argument)
        if refusal is not None:
            await self._not_heard("XFORWARD", refusal)
            return
        client = self._speaker.client
        self._reception.comes_from(client.source_ip, client.trusted)
        await self._reply("250 2.0.0 Noted")

    async def _not_heard(self, command: str, refusal: SmtpReply) -> None:
        if self._tells("smtp.announcement_refused"):
            by = self._speaker.peer.source
            log.info("smtp.announcement_refused", command=command, source_ip=by, reply=str(refusal))
        await self._error(str(refusal))

    def _forwarded_is_over(self) -> None:
        """A message has ended, and with it what XFORWARD said."""
        if self._speaker.message_over():
            client = self._speaker.client
            self._reception.comes_from(client.source_ip, client.trusted)

    async def _mail(self, argument: str) -> None:
        if self._client_name is None:
            await self._error("503 5.5.1 HELO or EHLO comes first")
            return
        if self._reception.envelope_sender is not None:
            await self._error(UNDER_WAY)
            return
        if self._reception.is_spent:
            await self._reply(f"421 4.7.0 {self._settings.hostname} Too many refused recipients, closing")
            if self._tells("smtp.too_many_refused"):
                log.info("smtp.too_many_refused", source_ip=self.source)
            raise _Goodbye
        read = read_path("FROM:", argument)
        if read is None or (read.parameters and not self._extended):
            await self._error("501 5.5.4 Syntax: MAIL FROM:<address>")
            return
        refusal = parameters_refused(read, self._settings.max_size, relayed=self._speaker.listed)
        if refusal is not None:
            await self._error(refusal)
            return
        problem = self._reception.sender(read.path)
        if problem is not None:
            await self._error(str(problem))
            return
        self._utf8 = "SMTPUTF8" in read.parameters
        protocol = "ESMTP" if self._extended else "SMTP"
        client = self._speaker.introduced(self._client_name, protocol)
        self._reception.introduce(printable(client.helo, MAX_HELO), client.login)
        self._hop_session.handed_in_by(client)
        await self._reply("250 2.1.0 Sender accepted")

    async def _rcpt(self, argument: str) -> None:
        if self._reception.envelope_sender is None:
            await self._error(NEEDS_MAIL)
            return
        read = read_path("TO:", argument)
        if read is None:
            await self._error("501 5.5.4 Syntax: RCPT TO:<address>")
            return
        if read.parameters:
            await self._error("555 5.5.4 A parameter of RCPT is not known")
            return
        answer = await promptly.recipient(self._reception, read.path)
        if isinstance(answer, NoAccount) and self._tells("smtp.no_account"):
            log.info("smtp.no_account", recipient=str(answer.recipient), source_ip=self.source)
        # A refusal is not an error of the kind that is counted: long lists have stale entries.
        await self._reply(await self._checked(answer))
        if self._receiver.has_input:
            # Whoever sends many commands at once does not keep others waiting for all of them.
            await asyncio.sleep(0)

    async def _checked(self, answer: Accepted | Refused | NoAccount) -> str:
        """The reply to a recipient whom the policies have answered, after a look at the next hop."""
        if not isinstance(answer, Accepted):
            return answer.line
        if answer.route is not None:
            try:
                refusal = await self._hop_session.check(answer.sender, answer.route.effective, utf8=self._utf8)
            except Exception:  # a fault of ours, which must not leave the recipient half taken
                if self._tells("smtp.check_failed"):
                    log.exception("smtp.check_failed", recipient=str(answer.route.effective))
                refusal = LOCAL_FAULT
            if refusal is not None:
                return self._reception.refused_by_next_hop(answer.route.original, refusal, layer_of(refusal))
        return "250 2.1.5 Recipient accepted"

    async def _data(self, argument: str) -> None:
        if argument:
            await self._error("501 5.5.4 DATA takes no argument")
            return
        if self._reception.envelope_sender is None:
            await self._error(NEEDS_MAIL)
            return
        if not self._reception.has_recipients:
            await self._error("554 5.5.1 No valid recipients")
            return
        await self._reply("354 End with a dot on a line of its own")
        self._receiver.expect_content()
        self._idle = 0
        sender, recipients = self._reception.envelope_sender, self._reception.recipients
        with self._services.memory.reserve() as reservation:
            incoming = await self._content(reservation)
            began = time.perf_counter()
            answer = await self._settle(incoming)
            self._services.meter.answered(answer, time.perf_counter() - began)
        self._utf8 = False
        try:
            # Nothing stands between what was done and its answer: else the sender would have it done again.
            await self._reply(answer)
        finally:
            # Each recipient has a line; what was said for all of them together is told where it is not plain.
            if recipients > 1 and (answer.startswith("2") or self._tells("smtp.message")):
                log.info(
                    "smtp.message",
                    source_ip=self.source,
                    sender=str(sender),
                    size=incoming.size,
                    recipients=recipients,
                    reply=answer,
                    **self._speaker.told(),
                )
            self._forwarded_is_over()

    async def _settle(self, incoming: Incoming) -> str:
        """Decide about a message that has come in and hand it on. Returns the reply."""
        now = self._services.clock()
        # Before anything is decided: what fails here fails while the message is still its sender's.
        on_top = self._received(now)
        if incoming.refusal is not None:
            plan, key, content = self._reception.data(incoming), None, None
        else:
            services = self._services
            scan = await scanned(services.scanner, self._reception, incoming, services.planning)
            plan, key, content = await promptly.worked_out(
                self._reception, incoming, services.planning, lambda: self._planned(incoming, scan)
            )
        return await self._delivery.carry_out(
            plan, on_top=on_top, utf8=self._utf8, key=key, content=content, now=now
        )

    async def _content(self, reservation: Reservation) -> Incoming:
        """The content, or none of it where it is refused whatever it says."""
        incoming = Incoming(max_size=self._settings.max_size, max_line=self._settings.max_line, utf8=self._utf8)
        try:
            async with asyncio.timeout(self._settings.message_timeout):
                while True:
                    while (event := self._receiver.next_event()) is None:
                        self._receiver.feed(
                            await self._connection.read(self._settings.idle_timeout, CONTENT_AT_ONCE)
                        )
                    assert isinstance(event, ContentPart)  # noqa: S101  the receiver was told to expect one
                    incoming.add(event.data)
                    if event.last:
                        incoming.end()
                    if not reservation.holds(incoming.held):
                        incoming.refuse(NO_ROOM)
                    if incoming.refusal is not None:
                        reservation.give_back()
                    if event.last:
                        return incoming
        except TimeoutError as problem:
            raise ReadTimeout from problem

    def _planned(self, incoming: Incoming, scan: Scan | None) -> tuple[Plan, bytes | None, bytes | None]:
        """The plan for a content, and the keys that it is recognised by. In a thread where it is large."""
        sender = self._reception.envelope_sender
        assert sender is not None  # noqa: S101  DATA is refused before MAIL
        plan = self._reception.data(incoming, scan)
        if not (plan.deliveries or plan.holds):
            return plan, None, None
        key = message_key(sender, plan.message)
        return plan, key, key or content_key(sender, plan.message)

    def _received(self, now: float) -> bytes:
        """Our Received field for the message. A server that says XFORWARD has put one on top for the client, one
        that says XCLIENT has not."""
        speaker, client = self._speaker, self._speaker.of_session
        return received_field(
            client=client,
            client_name=client.helo or self._client_name or "",
            hostname=self._settings.hostname,
            protocol=protocol_name(
                extended=client.protocol.upper() != "SMTP" if client.protocol else self._extended,
                utf8=self._utf8,
                tls=self._connection.tls,
                login=bool(client.login),
            ),
            id_=new_decision_id(),
            at=now,
            behind=speaker.client if speaker.forwards else None,
        )

    async def _rset(self, argument: str) -> None:
        if argument:
            await self._error("501 5.5.4 RSET takes no argument")
            return
        await self._drop_transaction()
        await self._reply("250 2.0.0 Forgotten")

    async def _drop_transaction(self) -> None:
        """End the message under way. Its refusals at RCPT are recorded; their replies were given before."""
        self._utf8 = False
        await self._delivery.record(self._reception.reset())
        self._forwarded_is_over()
        await self._delivery.forget()

    async def _noop(self, argument: str) -> None:
        await self._reply("250 2.0.0 Nothing done")

    async def _vrfy(self, argument: str) -> None:
        # The same for every address, so that nobody learns which exist.
        await self._reply("252 2.5.0 Cannot verify, but will take a message and see")

    async def _help(self, argument: str) -> None:
        await self._reply("214 2.0.0 See RFC 5321")

    async def _not_offered(self, argument: str) -> None:
        await self._error("502 5.5.1 Command not offered")

    async def _quit(self, argument: str) -> None:
        await self._drop_transaction()
        await self._reply(f"221 2.0.0 {self._settings.hostname} Goodbye")
        raise _Goodbye
