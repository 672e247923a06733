"""The conversation with one mail server about its clients, over one connection.

A connection is about one client of the server, message after message, and is silent for as long as that client is.
"""

from __future__ import annotations

import re
import time
from typing import Final

import structlog
from msgspec.structs import replace
from structlog.typing import FilteringBoundLogger

from mailreeve.families.held.limits import NoRoom
from mailreeve.families.keeping.kept import Kept
from mailreeve.families.machinery.copies import ReportWishes
from mailreeve.families.tracking.outcomes import MAX_HELO
from mailreeve.formats.header_text import printable
from mailreeve.formats.networks import IPAddress, parse_ip
from mailreeve.mail import promptly
from mailreeve.mail.client import Client
from mailreeve.mail.connection import ClosedByPeer, Connection, Interrupted, ReadTimeout
from mailreeve.mail.incoming import TOO_LARGE, Incoming
from mailreeve.mail.memory_budget import Reservation
from mailreeve.mail.milter.changes import Envelope
from mailreeve.mail.milter.conversation import (
    Aborted,
    BodyPart,
    ClientGone,
    Connected,
    Conversation,
    Event,
    HeaderEnded,
    HeaderField,
    Introduced,
    MessageEnded,
    RecipientNamed,
    SenderNamed,
)
from mailreeve.mail.milter.packets import CONTINUE, ProtocolError, reply
from mailreeve.mail.milter.services import MilterServices
from mailreeve.mail.milter.settling import Settled, settle
from mailreeve.mail.outcomes import LOCAL_FAULT, NO_ROOM
from mailreeve.mail.reception import NoAccount, Reception
from mailreeve.mail.results import AskedResults
from mailreeve.mail.scan import Scan
from mailreeve.mail.scanning import scanned
from mailreeve.mail.trace import protocol_name, received_field
from mailreeve.mail.transaction import Accepted, new_decision_id
from mailreeve.policy.model.policy_types import SmtpReply

log: FilteringBoundLogger = structlog.get_logger()

AT_ONCE: Final = 65_536
"""Octets that are worked on before others have their turn."""

NO_RECIPIENTS: Final = SmtpReply(554, "5.5.1", "No valid recipients")
OUT_OF_ORDER: Final = SmtpReply(451, "4.5.0", "The mail server and its filter are out of step, try again later")

MAX_ENVELOPE_ID: Final = 100  # RFC 3461 section 4.4
MAX_PATH: Final = 2_048
"""Octets of a path that are looked at: an address has a few hundred, and more is none whatever follows."""

_NO_CONTINUATION: Final = re.compile(rb"\n(?![ \t])")
_NAMELESS: Final = frozenset({"", "unknown"})


class Session:
    """One connection of a mail server. `run` returns when it is over."""

    def __init__(self, connection: Connection, services: MilterServices) -> None:
        self._connection = connection
        self._services = services
        self._settings = services.settings
        self._client = Client(source_ip=None, trusted=False)
        self._reception = self._received_from_client()
        self._conversation = Conversation(self._reception.may_refuse_at_connect)
        self._paths: dict[str, tuple[bytes, ...]] = {}
        # What the sender wants to hear of it: the server offers DSN (RFC 3461), whether we ask for it or not.
        self._never: set[str] = set()
        self._envelope_id = ""
        self._headers_only = False
        self._utf8 = False
        self._incoming: Incoming | None = None
        self._fields: list[bytes] = []  # of the header, what came in last
        self._header_ended = False
        self._reservation = Reservation(services.memory)

    @property
    def source(self) -> str:
        """The address of the client, for a log."""
        return self._client.source

    def _received_from_client(self) -> Reception:
        return Reception(
            self._client.source_ip,
            self._services.policies,
            self._services.clock,
            trusted=self._client.trusted,
            hostname=self._settings.hostname,
            max_recipients=self._settings.max_recipients,
            meter=self._services.meter,
            marks=self._services.marks,
            # Who may use the socket is the server itself: what it shows us is what its own filters left.
            asked=AskedResults(self._settings.authserv_ids, believed=True),
        )

    async def run(self) -> None:
        """Talk until the server leaves, is silent for too long or makes no sense, or until the door closes."""
        try:
            while await self._heard(await self._read()):
                pass
        except (ClosedByPeer, Interrupted):
            pass
        except ReadTimeout:
            log.info("milter.timed_out", source_ip=self.source)
        except ProtocolError as problem:
            if self._tells("milter.not_understood"):
                log.warning("milter.not_understood", problem=str(problem))
        except Exception:
            if self._tells("milter.session_failed"):
                log.exception("milter.session_failed", source_ip=self.source)
        finally:
            try:
                await self._drop_message()
            finally:
                self._connection.close()

    async def _read(self) -> bytes:
        # A message that was begun is finished even while the door closes.
        interruptible = self._reception.envelope_sender is None
        return await self._connection.read(self._settings.idle_timeout, AT_ONCE, interruptible=interruptible)

    async def _heard(self, data: bytes) -> bool:
        """Answer what has come in. Whether more is to be expected."""
        conversation = self._conversation
        for event in conversation.feed(data):
            if conversation.answer:
                await self._flush()
            if type(event) is HeaderField:
                self._field(event)
                if not conversation.wants_reply(event):
                    continue
            elif type(event) is ClientGone:
                await self._drop_message()
                if event.last:
                    return False
                continue
            await self._hear(event)
        if conversation.answer:
            await self._flush()
        self._add_fields()
        return True

    async def _flush(self) -> None:
        """Send what the negotiation is answered."""
        answer, self._conversation.answer = self._conversation.answer, b""
        await self._send(answer)

    async def _send(self, data: bytes) -> None:
        await self._connection.write(data, self._settings.idle_timeout)

    def _tells(self, event: str) -> bool:
        """Whether a line of this kind is logged: a client could cause it as often as it likes."""
        return self._services.lines.admits(event, self.source)

    # Events, in the order of a conversation.

    async def _hear(self, event: Event) -> None:
        try:
            answer = await self._answered(event)
        except ReadTimeout:
            raise
        except Exception:
            # A fault of ours: the sender keeps the message and tries again (design.md section 6).
            if self._tells("milter.fault"):
                log.exception("milter.fault", heard=type(event).__name__, source_ip=self.source)
            await self._drop_message()
            answer = reply(str(LOCAL_FAULT))
        if self._conversation.wants_reply(event):
            await self._send(answer)

    async def _answered(self, event: Event) -> bytes:
        match event:
            case BodyPart(data):
                self._end_header()
                self._add(data)
            case HeaderEnded():
                self._end_header()
            case Connected():
                return await self._connected(event)
            case Introduced(name):
                self._client = replace(self._client, helo=printable(name, MAX_HELO))
            case SenderNamed():
                return await self._sender(event)
            case RecipientNamed():
                return await self._recipient(event)
            case MessageEnded(queue_id):
                return await self._message(queue_id)
            case Aborted():
                await self._drop_message()
            case _:
                pass
        return CONTINUE

    async def _connected(self, event: Connected) -> bytes:
        await self._drop_message()
        source_ip = _address(event.address)
        name = "" if event.name.lower() in _NAMELESS or event.name.startswith("[") else event.name
        self._client = Client(
            source_ip=source_ip,
            trusted=None if source_ip else False,
            name=printable(name, MAX_HELO),
            port=event.port,
        )
        self._reception = self._received_from_client()
        # Where no answer is waited for, whoever came to be blocked since then is refused at RCPT.
        line = await promptly.connected(self._reception) if self._conversation.wants_reply(event) else None
        if line is None:
            return CONTINUE
        await self._record(Kept(self._reception.reset()))
        return reply(line)

    async def _sender(self, event: SenderNamed) -> bytes:
        # Whatever the server thinks of the one before it.
        await self._drop_message()
        if self._reception.is_spent:
            if self._tells("milter.too_many_refused"):
                log.info("milter.too_many_refused", source_ip=self.source)
            return reply(f"421 4.7.0 {self._settings.hostname} Too many refused recipients, closing")
        parameters = dict(_parameter(one) for one in event.parameters)
        size = parameters.get("SIZE", "")
        if size.isascii() and size.isdigit() and (len(size) > 20 or int(size) > self._settings.max_size):
            return reply(str(TOO_LARGE))
        # Whoever signed in at the server may send to the outside.
        login = printable(event.login, MAX_HELO)
        trusted = True if login else None if self._client.source_ip else False
        self._client = replace(self._client, trusted=trusted, login=login)
        self._reception.comes_from(self._client.source_ip, trusted)
        envelope_id = parameters.get("ENVID", "")[:MAX_ENVELOPE_ID]
        problem = self._reception.sender(_text(event.path[:MAX_PATH]), envelope_id)
        if problem is not None:
            return reply(str(problem))
        self._reception.introduce(self._client.helo, self._client.login)
        self._utf8 = "SMTPUTF8" in parameters
        self._envelope_id = envelope_id if envelope_id.isascii() and envelope_id.isprintable() else ""
        self._headers_only = parameters.get("RET", "").upper() == "HDRS"
        return CONTINUE

    async def _recipient(self, event: RecipientNamed) -> bytes:
        if self._reception.envelope_sender is None:
            return reply(str(OUT_OF_ORDER))
        path = event.path
        answer = await promptly.recipient(self._reception, _text(path[:MAX_PATH]))
        if not isinstance(answer, Accepted):
            if isinstance(answer, NoAccount) and self._tells("milter.no_account"):
                log.info("milter.no_account", recipient=str(answer.recipient), source_ip=self.source)
            return reply(answer.line)
        address = str(self._reception.last_recipient)
        there = self._paths.get(address, ())
        if path not in there:
            self._paths[address] = (*there, path)
        notify = dict(map(_parameter, event.parameters)).get("NOTIFY")
        if notify is not None and "FAILURE" not in notify.upper().split(","):
            self._never.add(address)
        return CONTINUE

    def _content(self) -> Incoming:
        if self._incoming is None:
            self._incoming = Incoming(
                max_size=self._settings.max_size, max_line=self._settings.max_line, utf8=self._utf8
            )
        return self._incoming

    def _field(self, event: HeaderField) -> None:
        """One field, made one whatever its text: no line of it ends the header or begins another field. A server
        shows lines with line feeds alone, which is no fault of whoever wrote the message."""
        field = event.name.strip() + b":" + event.value.rstrip(b"\r\n")
        if b"\n" in field:
            field = _NO_CONTINUATION.sub(b" ", field).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        self._fields.append(field)

    def _add_fields(self) -> None:
        """Add the fields that came in together, before anything else is done."""
        if self._fields:
            fields, self._fields = self._fields, []
            self._add(b"\r\n".join((*fields, b"")))

    def _end_header(self) -> None:
        if not self._header_ended:
            self._header_ended = True
            self._fields.append(b"")
            self._add_fields()

    def _add(self, data: bytes) -> None:
        incoming = self._content()
        incoming.add(data)
        if not self._reservation.holds(incoming.held):
            incoming.refuse(NO_ROOM)
        if incoming.refusal is not None:
            self._reservation.give_back()

    async def _message(self, queue_id: str) -> bytes:
        if self._reception.envelope_sender is None:
            return reply(str(OUT_OF_ORDER))
        if not self._reception.has_recipients:
            await self._drop_message()
            return reply(str(NO_RECIPIENTS))
        self._add_fields()
        incoming = self._content()
        incoming.end()
        if not self._reservation.holds(incoming.held):
            incoming.refuse(NO_ROOM)
        began = time.perf_counter()
        sender, recipients, size = self._reception.envelope_sender, self._reception.recipients, incoming.size
        queue_id = printable(queue_id, MAX_HELO)
        now = self._services.clock()
        try:
            services = self._services
            scan = await scanned(services.scanner, self._reception, incoming, services.planning)
            settled = await promptly.worked_out(
                self._reception, incoming, services.planning, lambda: self._settled(incoming, scan, queue_id, now)
            )
            answer, packets = settled.answer, settled.packets
            if not await self._record(settled.kept):
                answer, packets = str(LOCAL_FAULT), reply(str(LOCAL_FAULT))
        finally:
            self._over()
        self._services.meter.answered(answer, time.perf_counter() - began)
        # Each recipient has a line; what was said for all of them together is told where it is not plain.
        if recipients > 1 and (answer.startswith("2") or self._tells("milter.message")):
            log.info(
                "milter.message",
                source_ip=self.source,
                sender=str(sender),
                size=size,
                recipients=recipients,
                reply=answer,
                **({"queue_id": queue_id} if queue_id else {}),
            )
        return packets

    def _settled(self, incoming: Incoming, scan: Scan | None, queue_id: str, now: float) -> Settled:
        """What becomes of a content. In a thread where it is large."""
        sender = self._reception.envelope_sender
        assert sender is not None  # noqa: S101  looked at before
        return settle(
            self._reception.data(incoming, scan),
            Envelope(sender, self._paths),
            trace=lambda: self._received(now),
            queue_id=queue_id,
            utf8=self._utf8,
            can_change_sender=self._conversation.can_change_sender,
            keeps_space=self._conversation.keeps_space,
            archives=self._settings.archives,
            reports=ReportWishes(frozenset(self._never), self._headers_only, self._envelope_id),
        )

    def _received(self, now: float) -> bytes:
        """Our Received field, for copies that are kept here: the server's own is not shown to a filter."""
        return received_field(
            client=self._client,
            client_name=self._client.helo,
            hostname=self._settings.hostname,
            protocol=protocol_name(extended=True, utf8=self._utf8, tls=False, login=bool(self._client.login)),
            id_=new_decision_id(),
            at=now,
        )

    # The end of a message.

    async def _drop_message(self) -> None:
        """End the message under way. Its refusals at RCPT are recorded; their replies were given before."""
        if self._is_clear:  # as before and after most messages
            return
        outcomes = self._reception.reset()
        self._over()
        if outcomes:
            await self._record(Kept(outcomes))

    @property
    def _is_clear(self) -> bool:
        """Whether there is nothing to drop."""
        return self._incoming is None and not self._fields and not self._header_ended and self._reception.is_clear

    def _over(self) -> None:
        self._paths = {}
        self._never = set()
        self._envelope_id = ""
        self._headers_only = False
        self._incoming = None
        self._fields = []
        self._header_ended = False
        self._utf8 = False
        self._reservation.give_back()

    async def _record(self, kept: Kept) -> bool:
        """Keep it. A failure is logged and returned, for the caller to answer 4xx if it can."""
        if not (kept.outcomes or kept.outgoing):
            return True
        try:
            if self._services.outcome_lines is not None:
                self._services.outcome_lines.tell(kept.outcomes)
        except Exception:
            # A fault of ours in telling it is no reason not to keep it.
            log.exception("mail.not_logged")
        try:
            await self._services.records.write(kept)
        except NoRoom as problem:
            # Nothing is broken: a stranger may cause it as often as there is mail to be held.
            decisions = [outcome.decision_id for outcome in kept.outcomes]
            log.warning("mail.no_room_to_hold", decisions=decisions, problem=str(problem))
            return False
        except Exception:
            log.exception("mail.not_recorded", decisions=[outcome.decision_id for outcome in kept.outcomes])
            return False
        return True


def _parameter(text: bytes) -> tuple[str, str]:
    name, _, value = _text(text).partition("=")
    return name.upper(), value


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _address(text: str) -> IPAddress | None:
    try:
        return parse_ip(text) if text else None
    except ValueError:
        return None
