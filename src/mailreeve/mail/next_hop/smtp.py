"""A mail server as the next hop, spoken to while the sender waits.

There is no queue here and no bounce is written, so nothing may be accepted that the next hop would
refuse. Each recipient is therefore checked at RCPT: the next hop is given MAIL and RCPT, and its refusal
is passed on before the sender has been promised anything. At the end of data the same connection takes
the message, and its answer is our answer. Where the envelope is still the one that was checked, which is
the ordinary case, that costs nothing twice.

A connection that breaks is made anew, and the message sent again at once, only while the next hop has
certainly not taken it: that is, as long as nothing of the dot was sent that ends the content (RFC 5321
section 4.1.1.4: before that it must not act). Afterwards nobody knows, so our sender is told to try again.

The next hop's own texts reach the sender with its code, so that a bounce says what was really wrong.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final, cast

import aiosmtplib
import structlog
from msgspec import Struct
from structlog.typing import FilteringBoundLogger

from mailreeve.families.machinery.copies import Routed
from mailreeve.formats.addresses import Address, Sender
from mailreeve.formats.header_text import printable
from mailreeve.formats.message import Content
from mailreeve.mail.client import Client
from mailreeve.mail.next_hop.content_sender import NotTakenError, send_content
from mailreeve.mail.next_hop.xforward import xforward_commands
from mailreeve.mail.ports import NextHopSession
from mailreeve.policy.model.policy_types import SmtpReply

log: FilteringBoundLogger = structlog.get_logger()

UNREACHABLE: Final = SmtpReply(451, "4.4.1", "The next mail server does not answer, try again later")
BROKE_OFF: Final = SmtpReply(451, "4.4.2", "The next mail server broke off, try again later")
NEEDS_TLS: Final = SmtpReply(451, "4.7.4", "The next mail server offers no encryption, try again later")
NEEDS_UTF8: Final = SmtpReply(553, "5.6.7", "The next mail server takes no internationalised mail")

GOODBYE_TIMEOUT: Final = 2.0  # seconds to wait for the reply to QUIT
MAX_TEXT: Final = 300  # of a foreign reply: with code and id it stays within the 512 octets of a reply line

_PASSED_ON: Final = frozenset({450, 451, 452, 550, 551, 552, 553, 554})
_ENHANCED: Final = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s+|\Z)")

_Broken = (aiosmtplib.SMTPException, OSError)
"""What a connection that does not work raises. `TimeoutError` and TLS failures are kinds of OSError."""


class StartTls(StrEnum):
    """Whether the connection to the next hop is encrypted. Certificates are not verified, as is usual between mail
    servers (RFC 7435): this keeps out who listens, not who stands in the middle.

    - `off`: never
    - `opportunistic`: where the next hop offers it; if the handshake then fails, mail is put off
    - `required`: always; where it is not offered, mail is put off
    """

    OFF = "off"
    OPPORTUNISTIC = "opportunistic"
    REQUIRED = "required"


class _NoTlsError(aiosmtplib.SMTPException):
    """The next hop does not offer the encryption that is required."""


class SmtpNextHop(Struct, frozen=True, kw_only=True):
    """The server that takes accepted mail. Times are in seconds. `greeting` is the name given in EHLO."""

    host: str
    port: int
    greeting: str
    connect_timeout: float = 30
    command_timeout: float = 60
    data_timeout: float = 600  # RFC 5321 section 4.5.3.2.6: the server may need that long for the last reply
    start_tls: StartTls = StartTls.OFF
    xforward: bool = False  # whether it is told whose mail it gets, where it asks for that

    def session(self) -> NextHopSession:
        """A session with a connection of its own, opened when first needed."""
        return _SmtpSession(self)


class _SmtpSession:
    """One connection to the next hop, kept for as long as the sender's."""

    def __init__(self, next_hop: SmtpNextHop) -> None:
        self._next_hop = next_hop
        self._client: aiosmtplib.SMTP | None = None
        # Kept as long as the connection: one that is let go closes it.
        self._writer: asyncio.StreamWriter | None = None
        # The transaction that the next hop is in: the reverse path with its parameters (whether SMTPUTF8, ENVID),
        # and what it said to each recipient.
        self._mail: tuple[str, bool, str] | None = None
        self._answers: dict[str, SmtpReply | None] = {}
        self._client_of_ours: Client | None = None

    def handed_in_by(self, client: Client) -> None:
        self._client_of_ours = client

    async def check(self, sender: Sender, recipient: Address, *, utf8: bool) -> SmtpReply | None:
        reused = self._client is not None
        try:
            return await self._offer(str(sender), str(recipient), utf8)
        except _Broken as problem:
            failure = self._failed(problem)
        if not reused:
            return failure
        # A server may close a connection that lay idle between two messages.
        try:
            return await self._offer(str(sender), str(recipient), utf8)
        except _Broken as problem:
            return self._failed(problem)

    async def deliver(
        self, sender: Sender, recipients: Sequence[Routed], content: Content, *, utf8: bool, envelope_id: str = ""
    ) -> Sequence[SmtpReply | None]:
        # Several originals may lead to one mailbox, which gets one copy.
        targets = list(dict.fromkeys(str(recipient.effective) for recipient in recipients))
        try:
            results = await self._send(str(sender), targets, content, utf8, envelope_id)
        except _Broken as problem:
            results = dict.fromkeys(targets, self._failed(problem))
        except asyncio.CancelledError:
            # We are being stopped in the middle of it: the sender was not answered and tries again.
            self._drop()
            raise
        return [results[str(recipient.effective)] for recipient in recipients]

    async def reset(self) -> None:
        if self._client is None:
            return
        try:
            await self._forget(self._client)
        except _Broken as problem:
            # A connection anew forgets as well.
            self._failed(problem)

    async def aclose(self) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        try:
            await client.quit(timeout=GOODBYE_TIMEOUT)
        except _Broken as problem:
            # All mail was answered for before; a missing goodbye changes nothing.
            log.debug("next_hop.no_goodbye", problem=str(problem))
            client.close()
        self._writer = None

    async def _send(
        self, sender: str, targets: list[str], content: Content, utf8: bool, envelope_id: str
    ) -> dict[str, SmtpReply | None]:
        results: dict[str, SmtpReply | None] = dict.fromkeys(targets)
        utf8 = utf8 or not all(address.isascii() for address in (sender, *targets))
        if self._client is not None and self._mail == (sender, utf8, envelope_id) and self._accepted() == targets:
            try:
                return await self._data(self._client, targets, results, content, utf8)
            except NotTakenError as problem:
                # Tired of waiting for our sender, most likely: so once more, from the start.
                self._failed(problem)
        elif self._client is not None:
            await self._forget(self._client)
        for target in targets:
            results[target] = await self._offer(sender, target, utf8, envelope_id)
        accepted = [target for target in targets if results[target] is None]
        if accepted and self._client is not None:
            await self._data(self._client, accepted, results, content, utf8)
        return results

    async def _data(
        self,
        client: aiosmtplib.SMTP,
        targets: list[str],
        results: dict[str, SmtpReply | None],
        content: Content,
        utf8: bool,
    ) -> dict[str, SmtpReply | None]:
        """Send the content to those whom the next hop accepted, and add its answer to the results.

        Raises `NotTakenError` if the connection broke before the end of the content was sent.
        """
        if utf8 and not client.supports_extension("smtputf8") and not content.header.isascii():
            results.update(dict.fromkeys(targets, NEEDS_UTF8))
            return results
        protocol, writer = client.protocol, self._writer
        try:
            answer = await self._command(client, b"DATA")
        except aiosmtplib.SMTPServerDisconnected as problem:
            raise NotTakenError(str(problem)) from problem
        if answer.code == 354 and protocol is not None and writer is not None:
            answer = await send_content(protocol, writer, content, self._next_hop.data_timeout)
            # The end of a content ends the transaction. A refusal of DATA does not, there RSET is needed.
            self._mail, self._answers = None, {}
        said = taken(answer.message) if answer.code == 250 else passed_on(answer.code, answer.message)
        results.update(dict.fromkeys(targets, said))
        return results

    def _accepted(self) -> list[str]:
        """Whom the next hop would give the content to if it came now."""
        return [recipient for recipient, refusal in self._answers.items() if refusal is None]

    async def _offer(self, sender: str, recipient: str, utf8: bool, envelope_id: str = "") -> SmtpReply | None:
        """Name this recipient in a transaction with this sender, which is begun unless it is under way.

        Never twice in one transaction: the next hop could take it for two recipients.
        """
        client = await self._connected()
        has_utf8 = client.supports_extension("smtputf8")
        if not (sender.isascii() and recipient.isascii()):
            utf8 = True
            if not has_utf8:
                return NEEDS_UTF8
        if self._mail != (sender, utf8, envelope_id):
            await self._forget(client)
            await self._tell_whose(client)
            parameters = []
            if client.supports_extension("8bitmime"):
                parameters.append(b"BODY=8BITMIME")
            if has_utf8 and utf8:
                parameters.append(b"SMTPUTF8")
            if envelope_id and client.supports_extension("dsn"):
                parameters.append(b"ENVID=" + envelope_id.encode("ascii"))
            answer = await self._command(client, b"MAIL", f"FROM:<{sender}>".encode(), *parameters)
            if answer.code != 250:
                return passed_on(answer.code, answer.message)
            self._mail = (sender, utf8, envelope_id)
        if recipient not in self._answers:
            answer = await self._command(client, b"RCPT", f"TO:<{recipient}>".encode())
            is_taken = answer.code in (250, 251)
            self._answers[recipient] = None if is_taken else passed_on(answer.code, answer.message)
        return self._answers[recipient]

    async def _tell_whose(self, client: aiosmtplib.SMTP) -> None:
        """Say whose message comes next, where the next hop lets us. For its log, so a refusal is no matter."""
        if not self._next_hop.xforward or self._client_of_ours is None:
            return
        for command in xforward_commands(self._client_of_ours, client.esmtp_extensions.get("xforward", "")):
            await self._command(client, command)

    async def _forget(self, client: aiosmtplib.SMTP) -> None:
        """End the transaction that the next hop is in, if any."""
        if self._mail is not None:
            self._mail, self._answers = None, {}
            answer = await self._command(client, b"RSET")
            if answer.code != 250:
                raise aiosmtplib.SMTPResponseException(answer.code, answer.message)

    async def _command(self, client: aiosmtplib.SMTP, *parts: bytes) -> aiosmtplib.SMTPResponse:
        return await client.execute_command(*parts, timeout=self._next_hop.command_timeout)

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._client is not None and self._client.is_connected:
            return self._client
        self._drop()
        next_hop = self._next_hop
        client = aiosmtplib.SMTP(
            hostname=next_hop.host,
            port=next_hop.port,
            local_hostname=next_hop.greeting,
            timeout=next_hop.connect_timeout,
            start_tls=False,
        )
        await client.connect()
        self._client = client
        try:
            await client.ehlo()
        except aiosmtplib.SMTPHeloError:
            await client.helo()
        if next_hop.start_tls is not StartTls.OFF:
            await self._encrypt(client)
        protocol, transport = client.protocol, client.transport
        if protocol is not None and transport is not None:
            # A cast: uvloop's transports do not descend from asyncio's.
            stream = cast(asyncio.WriteTransport, transport)
            self._writer = asyncio.StreamWriter(stream, protocol, None, asyncio.get_running_loop())
        return client

    async def _encrypt(self, client: aiosmtplib.SMTP) -> None:
        try:
            if not client.supports_extension("starttls"):
                raise _NoTlsError("STARTTLS is not offered")
            await client.starttls(validate_certs=False, timeout=self._next_hop.connect_timeout)
        except (_NoTlsError, aiosmtplib.SMTPResponseException) as problem:
            # Not offered, or offered and refused (RFC 3207 section 4): the connection goes on in the clear.
            if self._next_hop.start_tls is StartTls.REQUIRED:
                raise _NoTlsError(str(problem)) from problem
        else:
            await client.ehlo()  # what was offered in the clear does not count (RFC 3207 section 4.2)

    def _failed(self, problem: Exception) -> SmtpReply:
        """The reply to a connection that does not work. The connection is given up."""
        connected = self._client is not None
        self._drop()
        log.warning("next_hop.failed", host=self._next_hop.host, port=self._next_hop.port, problem=repr(problem))
        if isinstance(problem, _NoTlsError):
            return NEEDS_TLS
        return BROKE_OFF if connected else UNREACHABLE

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = self._writer = None
        self._mail, self._answers = None, {}


def taken(message: str) -> SmtpReply:
    """What the next hop said when it took a message: mostly with the id that it is found by there."""
    text = " ".join(message.split("\n"))
    enhanced = _ENHANCED.match(text)
    if enhanced is not None:
        text = text[enhanced.end() :]
    text = printable(text, MAX_TEXT).encode("ascii", "replace").decode("ascii")
    return SmtpReply(250, enhanced[1] if enhanced is not None else "2.0.0", text or "OK")


def passed_on(code: int, message: str) -> SmtpReply:
    """A refusal of the next hop as our own reply: the same code and text where they make sense here.

    A 421 concerns its connection, not ours. What is no refusal at all where one is due, or not of this
    protocol, is a fault that may pass.
    """
    if code not in _PASSED_ON:
        code = 554 if 500 <= code <= 599 else 451
    text = message
    enhanced = f"{code // 100}.0.0"
    found = _ENHANCED.match(text)
    if found is not None:
        text = "\n".join(line.removeprefix(found[1]) for line in text.split("\n"))
        if found[1][0] == enhanced[0]:
            enhanced = found[1]
    text = printable(text, MAX_TEXT).encode("ascii", "replace").decode("ascii")
    return SmtpReply(code, enhanced, text or "Refused by the next mail server")
