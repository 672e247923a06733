"""The conversation with one SMTP client (RFC 5321), over one connection."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from ipaddress import IPv6Address
from typing import Final

import anyio.to_thread
import structlog
from msgspec import Struct
from structlog.typing import FilteringBoundLogger

from mailreeve.mail.message import Message, has_line_over, with_proper_line_ends
from mailreeve.mail.plan import Plan
from mailreeve.mail.ports import NextHop, PolicySource, Recorder
from mailreeve.mail.smtp.commands import PathArgument, read_path, trace_name
from mailreeve.mail.smtp.connection import ClosedByPeer, Connection, Interrupted, ReadTimeout
from mailreeve.mail.smtp.delivery import LOCAL_FAULT, Delivery
from mailreeve.mail.smtp.receiver import CommandLine, Content, Event, OverlongLine, Receiver
from mailreeve.mail.smtp.retries import Retries, message_key
from mailreeve.mail.transaction import (
    Accepted,
    Refused,
    Transaction,
    new_decision_id,
    refusal_at_connect,
)
from mailreeve.policy.decisions import SmtpReply
from mailreeve.policy.facts import IPAddress

log: FilteringBoundLogger = structlog.get_logger()

MAX_ERRORS: Final = 20
"""After so many commands that make no sense the client is sent away."""

TOO_LARGE: Final = SmtpReply(552, "5.3.4", "Message too large")
LINE_TOO_LONG: Final = SmtpReply(500, "5.6.0", "Line too long")
NEEDS_MAIL: Final = "503 5.5.1 MAIL comes first"


class SmtpSettings(Struct, frozen=True, kw_only=True):
    """How the door behaves. Sizes are in octets, times in seconds.

    - `hostname` is what the door calls itself, in the greeting and in Received fields
    - `max_line` is for lines of a message. RFC 5321 section 4.5.3.1.6 sets 1,000; real programs send
      longer ones, which do no harm, so only absurd ones are refused
    - `max_connections` is for all clients together, `max_connections_per_ip` for each address
    - `idle_timeout` is how long a client may be silent (RFC 5321 section 4.5.3.2.7 asks for 5 minutes),
      `message_timeout` how long it may take over the content of one message
    - `grace` is how long a shutdown waits for messages under way
    """

    hostname: str
    host: str = "127.0.0.1"
    port: int = 0
    max_size: int = 50 * 1024 * 1024
    max_line: int = 65_536
    max_recipients: int = 100
    max_connections: int = 500
    max_connections_per_ip: int = 50
    idle_timeout: float = 300.0
    message_timeout: float = 1_800.0
    grace: float = 30.0


class Services(Struct, frozen=True):
    """What all sessions of a door share."""

    settings: SmtpSettings
    policies: PolicySource
    next_hop: NextHop
    recorder: Recorder
    retries: Retries
    clock: Callable[[], float]
    tls: ssl.SSLContext | None


class _Goodbye(Exception):
    """The session is over; the reply that says so has been sent."""


class Session:
    """One client, from the greeting on. `run` returns when the client is gone."""

    def __init__(self, connection: Connection, source_ip: IPAddress | None, services: Services) -> None:
        self._connection = connection
        self._source_ip = source_ip
        self._services = services
        self._settings = services.settings
        self._receiver = Receiver(max_content=self._settings.max_size)
        self._transaction = Transaction(source_ip, max_recipients=self._settings.max_recipients)
        self._courier = services.next_hop.courier()
        self._client_name: str | None = None
        self._extended = False
        self._utf8 = False
        self._errors = 0
        self._delivery = Delivery(self._courier, services.recorder, services.retries)
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
        }

    async def run(self) -> None:
        """Talk until the client leaves, breaks off, is silent for too long, or the door closes."""
        try:
            await self._greet()
            while True:
                await self._answer(await self._next_command())
        except _Goodbye:
            pass
        except ClosedByPeer:
            log.debug("smtp.closed_by_client", source_ip=str(self._source_ip))
        except ReadTimeout:
            await self._last_word(f"421 4.4.2 {self._settings.hostname} Timed out, closing")
        except Interrupted:
            await self._last_word(f"421 4.3.2 {self._settings.hostname} Shutting down, try again later")
        except Exception:
            log.exception("smtp.session_failed", source_ip=str(self._source_ip))
            await self._last_word(f"421 4.3.0 {self._settings.hostname} Local fault, try again later")
        finally:
            await self._delivery.record(self._transaction.reset())
            await self._courier.aclose()
            self._connection.close()

    async def _greet(self) -> None:
        if self._source_ip is not None:
            policy_sets = await anyio.to_thread.run_sync(self._services.policies.all_policies)
            line = refusal_at_connect(policy_sets, self._source_ip, self._services.clock())
            if line is not None:
                log.info("smtp.refused_at_connect", source_ip=str(self._source_ip), reply=line)
                await self._reply(line)
                raise _Goodbye
        await self._reply(f"220 {self._settings.hostname} ESMTP Mailreeve")

    # Input and output.

    async def _next_event(self, *, interruptible: bool) -> Event:
        while (event := self._receiver.next_event()) is None:
            data = await self._connection.read(self._settings.idle_timeout, interruptible=interruptible)
            self._receiver.feed(data)
        return event

    async def _next_command(self) -> Event:
        # A transaction that was begun is finished even while the door closes.
        return await self._next_event(interruptible=self._transaction.sender is None)

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
            log.info("smtp.too_many_errors", source_ip=str(self._source_ip))
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
            await command(event.argument)
        except (_Goodbye, ClosedByPeer, ReadTimeout, Interrupted):
            raise
        except Exception:
            # A fault of ours: the sender keeps the message and tries again (design.md section 6).
            log.exception("smtp.fault", command=event.verb, source_ip=str(self._source_ip))
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
        if self._services.tls is not None and not self._connection.tls:
            offers.append("STARTTLS")
        await self._reply(*(f"250 {line}" for line in [self._settings.hostname, *offers]))

    async def _introduced(self, name: str) -> bool:
        if not name:
            await self._error("501 5.5.4 A host name is needed")
            return False
        await self._drop_transaction()
        self._client_name = name
        return True

    async def _starttls(self, argument: str) -> None:
        context = self._services.tls
        if context is None or self._connection.tls:
            await self._error("503 5.5.1 TLS is not offered" if context is None else "503 5.5.1 TLS is active")
            return
        if argument:
            await self._error("501 5.5.4 STARTTLS takes no argument")
            return
        await self._drop_transaction()
        if self._receiver.discard():
            log.warning("smtp.input_behind_starttls", source_ip=str(self._source_ip))
        await self._connection.start_tls(context, b"220 2.0.0 Go ahead\r\n", self._settings.idle_timeout)
        # Nothing said in the clear counts any longer (RFC 3207 section 4.2).
        self._client_name = None
        self._extended = False

    async def _mail(self, argument: str) -> None:
        if self._client_name is None:
            await self._error("503 5.5.1 HELO or EHLO comes first")
            return
        if self._transaction.sender is not None:
            await self._error("503 5.5.1 A message is under way")
            return
        read = read_path("FROM:", argument)
        if read is None or (read.parameters and not self._extended):
            await self._error("501 5.5.4 Syntax: MAIL FROM:<address>")
            return
        refusal = self._parameters_refused(read)
        if refusal is not None:
            await self._error(refusal)
            return
        problem = self._transaction.mail_from(read.path, self._services.clock())
        if problem is not None:
            await self._error(str(problem))
            return
        self._utf8 = "SMTPUTF8" in read.parameters
        await self._reply("250 2.1.0 Sender accepted")

    def _parameters_refused(self, read: PathArgument) -> str | None:
        for name, value in read.parameters.items():
            if name == "SIZE":
                if value is None or not (value.isascii() and value.isdigit()) or len(value) > 20:
                    return "501 5.5.4 SIZE takes a number"
                if int(value) > self._settings.max_size:
                    return str(TOO_LARGE)
            elif name == "BODY":
                if (value or "").upper() not in ("7BIT", "8BITMIME"):
                    return "501 5.5.4 BODY takes 7BIT or 8BITMIME"
            elif name == "SMTPUTF8":
                if value is not None:
                    return "501 5.5.4 SMTPUTF8 takes no value"
            else:
                return "555 5.5.4 A parameter of MAIL is not known"
        return None

    async def _rcpt(self, argument: str) -> None:
        sender = self._transaction.sender
        if sender is None:
            await self._error(NEEDS_MAIL)
            return
        read = read_path("TO:", argument)
        if read is None:
            await self._error("501 5.5.4 Syntax: RCPT TO:<address>")
            return
        if read.parameters:
            await self._error("555 5.5.4 A parameter of RCPT is not known")
            return
        address = self._transaction.recipient(read.path)
        if isinstance(address, SmtpReply):
            # Not an error of the kind that is counted: long lists have stale entries.
            await self._reply(str(address))
            return
        policies = await anyio.to_thread.run_sync(self._services.policies.policies_for, address, sender)
        answer = self._transaction.rcpt(address, policies)
        if policies is None:
            log.info("smtp.no_account", recipient=str(address), source_ip=str(self._source_ip))
        await self._reply(await self._checked(answer))

    async def _checked(self, answer: Accepted | Refused) -> str:
        """The reply to a recipient whom the policies have answered, after a look at the next hop."""
        if isinstance(answer, Refused):
            return answer.line
        if answer.route is not None:
            try:
                refusal = await self._courier.check(answer.sender, answer.route.effective, utf8=self._utf8)
            except Exception:  # a fault of ours, which must not leave the recipient half taken
                log.exception("smtp.check_failed", recipient=str(answer.route.effective))
                refusal = LOCAL_FAULT
            if refusal is not None:
                return self._transaction.refused_by_next_hop(answer.route.original, refusal)
        return "250 2.1.5 Recipient accepted"

    async def _data(self, argument: str) -> None:
        if argument:
            await self._error("501 5.5.4 DATA takes no argument")
            return
        if self._transaction.sender is None:
            await self._error(NEEDS_MAIL)
            return
        if not self._transaction.has_recipients:
            await self._error("554 5.5.1 No valid recipients")
            return
        await self._reply("354 End with a dot on a line of its own")
        self._receiver.expect_content()
        content = await self._content()
        sender = self._transaction.sender
        if content.data is None:
            plan = self._transaction.give_up(TOO_LARGE, Message((), b"", content.size))
            key = b""
        else:
            plan, key = await anyio.to_thread.run_sync(self._planned, content.data)
        now = self._services.clock()
        answer = await self._delivery.carry_out(
            plan, on_top=self._received(now), utf8=self._utf8, key=key, now=now
        )
        log.info(
            "smtp.message",
            source_ip=str(self._source_ip),
            sender=str(sender),
            size=content.size,
            recipients=len(plan.outcomes),
            reply=answer,
        )
        self._utf8 = False
        await self._reply(answer)

    async def _content(self) -> Content:
        try:
            async with asyncio.timeout(self._settings.message_timeout):
                event = await self._next_event(interruptible=False)
        except TimeoutError as problem:
            raise ReadTimeout from problem
        assert isinstance(event, Content)  # noqa: S101  the receiver was told to expect one
        return event

    def _planned(self, data: bytes) -> tuple[Plan, bytes]:
        """The plan for a content, and the key it is recognised by. In a thread: it may be large."""
        sender = self._transaction.sender
        assert sender is not None  # noqa: S101  DATA is refused before MAIL
        data = with_proper_line_ends(data)
        if has_line_over(data, self._settings.max_line):
            return self._transaction.give_up(LINE_TOO_LONG, Message((), b"", len(data))), b""
        key = message_key(sender, data)
        return self._transaction.end_of_message(data), key

    def _received(self, now: float) -> bytes:
        """The Received field (RFC 5321 section 4.4). It names no recipient: there may be hidden ones."""
        protocol = "ESMTP" if self._extended else "SMTP"
        if self._utf8:
            protocol = "UTF8SMTP"  # RFC 6531 section 4.3
        if self._connection.tls:
            protocol += "S"
        source = "unknown"
        if self._source_ip is not None:
            source = (
                f"IPv6:{self._source_ip}" if isinstance(self._source_ip, IPv6Address) else str(self._source_ip)
            )
        return (
            f"Received: from {trace_name(self._client_name or '')} ([{source}])\r\n"
            f"\tby {self._settings.hostname} (Mailreeve) with {protocol} id {new_decision_id()};\r\n"
            f"\t{formatdate(now, usegmt=False)}\r\n"
        ).encode("ascii")

    async def _rset(self, argument: str) -> None:
        if argument:
            await self._error("501 5.5.4 RSET takes no argument")
            return
        await self._drop_transaction()
        await self._reply("250 2.0.0 Forgotten")

    async def _drop_transaction(self) -> None:
        """End the message under way. Its refusals at RCPT are recorded; their replies were given before."""
        await self._delivery.record(self._transaction.reset())
        self._utf8 = False

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
