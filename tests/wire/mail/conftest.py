"""The real door on a real socket: under policies of a few words, before a next hop that keeps what it gets."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from itertools import chain
from pathlib import Path

import aiosmtpd.smtp
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from policy_parts import parts

from mailreeve.families.held.limits import NoRoom
from mailreeve.families.keeping.kept import Kept
from mailreeve.families.tracking.outcomes import Outcome
from mailreeve.formats.addresses import Address, Domain, Sender
from mailreeve.formats.networks import Network
from mailreeve.mail.memory_budget import MemoryBudget
from mailreeve.mail.milter.door import milter_door
from mailreeve.mail.milter.services import MilterSettings
from mailreeve.mail.next_hop.smtp import SmtpNextHop
from mailreeve.mail.ports import NextHop
from mailreeve.mail.scan import Scanner
from mailreeve.mail.smtp.door import SmtpDoor, smtp_door, tls_context
from mailreeve.mail.smtp.services import SmtpSettings
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.facts import Directory
from mailreeve.policy.model.policies import (
    AddressPattern,
    AddressType,
    BlockedOption,
    BlockedSenderPolicy,
    Definition,
    FromPart,
    ManagedAction,
    ManagedSender,
    PermittedSenderPolicy,
    Routing,
    Scope,
)
from mailreeve.policy.model.targets import EVERYONE, Target, TargetType

WAIT = 10.0  # seconds until a test that waits for something gives up


class Office:
    """The account of corp.test and old.test, as a policy source. Changes hold for the next message."""

    def __init__(self) -> None:
        self.domains = frozenset({Domain("corp.test"), Domain("old.test")})
        self.relay: tuple[Network, ...] = (ip_network("127.0.0.0/8"),)
        self.blocked: list[BlockedSenderPolicy] = []
        self.permitted: list[PermittedSenderPolicy] = []
        self.managed: list[ManagedSender] = []
        self.definitions: list[Definition] = []
        self.fault: Exception | None = None

    @staticmethod
    def _scope(who: str, part: str, **more: object) -> Scope:
        target = EVERYONE
        if who != "everyone":
            kind = TargetType.INDIVIDUAL_EMAIL_ADDRESS if "@" in who else TargetType.EMAIL_DOMAIN
            target = Target.of(kind, who)
        return Scope.of(target, EVERYONE, FromPart(part), **more)  # type: ignore[arg-type]

    def block(self, who: str, part: str = "envelope_from", **more: object) -> None:
        policy = BlockedSenderPolicy(
            f"b-{who}", f"no mail from {who}", self._scope(who, part, **more), BlockedOption.BLOCK_SENDER, 0.0
        )
        self.blocked.append(policy)

    def permit(self, who: str) -> None:
        self.permitted.append(
            PermittedSenderPolicy(f"p-{who}", f"mail from {who}", self._scope(who, "envelope_from"), 0.0)
        )

    def personal(self, action: str, recipient: str, sender: str) -> None:
        self.managed.append(ManagedSender(f"m-{recipient}", recipient, sender, ManagedAction(action)))

    def alter_domain(self, original: str, new: str) -> None:
        patterns = AddressPattern("", original), AddressPattern("", new)
        self.definitions.append(Definition("d", "", AddressType.ALL, *patterns, Routing.ALL))

    def alter(self, original: str, new: str, kind: str) -> None:
        patterns = [AddressPattern(*text.split("@")) for text in (original, new)]
        self.definitions.append(Definition(f"d-{kind}", "", AddressType(kind), *patterns, Routing.ALL))

    @property
    def policies(self) -> PolicySet:
        return PolicySet.build(
            account_id="acme",
            revision=len(self.blocked) + 1,
            directory=Directory(internal_domains=self.domains),
            relay_networks=self.relay,
            **parts(blocked=self.blocked, permitted=self.permitted),
            managed=self.managed,
            definitions=self.definitions,
        )

    def policies_for(self, recipient: Address, sender: Sender) -> PolicySet | None:
        if self.fault is not None:
            raise self.fault
        domains = {recipient.domain} | ({sender.domain} if isinstance(sender, Address) else set())
        return self.policies if domains & self.domains else None

    @property
    def at_hand(self) -> Office:
        return self

    def all_policies(self) -> list[PolicySet]:
        return [self.policies]


class SinkProtocol(aiosmtpd.smtp.SMTP):
    """The sink's side of one connection."""

    line_length_limit = 100_000

    async def smtp_DATA(self, arg):  # noqa: N802  aiosmtpd's name
        if self.event_handler.no_data:
            # As with restrictions of Postfix for DATA: the transaction goes on until RSET.
            await self.push(self.event_handler.no_data)
            return
        await super().smtp_DATA(arg)

    async def smtp_MAIL(self, arg):  # noqa: N802  aiosmtpd's name, which knows no DSN
        if arg and self.event_handler.offers_dsn:
            words = arg.split()
            self.event_handler.envelope_ids += [one for one in words if one.startswith("ENVID=")]
            arg = " ".join(one for one in words if not one.startswith("ENVID="))
        await super().smtp_MAIL(arg)

    async def smtp_XFORWARD(self, arg):  # noqa: N802  aiosmtpd's name
        self.event_handler.said.append(f"XFORWARD {arg}")
        await self.push("250 2.0.0 ok")


class Sink:
    """A next hop that keeps what it gets. Its answers follow the local part of the recipient.

    `unknown@` is refused at RCPT, `later@` put off at RCPT, `spam@` refused and `busy@` put off at the
    end of data. While it is `full`, it puts off everybody at RCPT. `no_data` is said
    instead of the 354.
    """

    def __init__(self) -> None:
        self.messages: list[tuple[str, list[str], bytes]] = []
        self.options: list[list[str]] = []
        self.said: list[str] = []  # MAIL, RCPT and RSET in order, with the address
        self.encrypted: list[bool] = []  # for each MAIL
        self.protocols: list[SinkProtocol] = []
        self.full = False
        self.offers_8bitmime = True
        self.offers_xforward = ""  # attributes
        self.offers_dsn = False
        self.envelope_ids: list[str] = []
        self.no_data = ""  # the answer to DATA instead of 354
        self.in_data = threading.Event()
        self.proceed = threading.Event()
        self.proceed.set()
        self.address = ("", 0)

    @property
    def connections(self) -> int:
        return len(self.protocols)

    async def hang_up(self) -> None:
        """Close every connection from this side."""
        for protocol in self.protocols:
            if protocol.transport is not None:
                protocol.transport.close()

    @property
    def contents(self) -> list[bytes]:
        return [content for _, _, content in self.messages]

    async def handle_EHLO(self, server, session, envelope, hostname, responses):  # noqa: N802  aiosmtpd's name
        session.host_name = hostname
        offers = [f"250-XFORWARD {self.offers_xforward}"] if self.offers_xforward else []
        offers += ["250-DSN"] if self.offers_dsn else []
        responses[1:1] = offers  # below the name
        return [line for line in responses if self.offers_8bitmime or line[4:] != "8BITMIME"]

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802  aiosmtpd's name
        self.said.append(f"MAIL {address}")
        self.encrypted.append(session.ssl is not None)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 ok"

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802  aiosmtpd's name
        self.said.append(f"RCPT {address}")
        local = address.partition("@")[0]
        if local == "unknown":
            return "550 5.1.1 No such user here"
        if local == "later" or self.full:
            return "450 4.2.1 Mailbox busy"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_RSET(self, server, session, envelope):  # noqa: N802  aiosmtpd's name
        self.said.append("RSET")
        return "250 2.0.0 ok"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802  aiosmtpd's name
        self.in_data.set()
        while not self.proceed.is_set():
            await server.loop.run_in_executor(None, self.proceed.wait, WAIT)
        locals_ = {address.partition("@")[0] for address in envelope.rcpt_tos}
        if "spam" in locals_:
            return "554 5.7.0 Content refused"
        if "busy" in locals_:
            return "451 4.3.1 Disk full"
        self.messages.append((envelope.mail_from, list(envelope.rcpt_tos), envelope.content))
        self.options.append(list(envelope.mail_options))
        return "250 2.0.0 queued"


class Records:
    """Keeps outcomes in memory, or fails."""

    def __init__(self) -> None:
        self.kept: list[Outcome] = []
        self.messages: list[Kept] = []
        self.broken = False
        self.full = False
        self._more = threading.Condition()

    def record(self, messages) -> list[Exception | None]:
        if self.broken:
            raise OSError("no space left on the device")
        if self.full:
            return [NoRoom("the account holds as much as it may") for _ in messages]
        with self._more:
            self.messages += messages
            self.kept += chain.from_iterable(message.outcomes for message in messages)
            self._more.notify_all()
        return [None] * len(messages)

    def wait_for(self, number: int) -> list[Outcome]:
        """The outcomes, once there are as many."""
        with self._more:
            assert self._more.wait_for(lambda: len(self.kept) >= number, WAIT), f"only {self.kept}"
        return self.kept

    def of(self, recipient: str) -> Outcome:
        [outcome] = [outcome for outcome in self.kept if outcome.recipient == recipient]
        return outcome


@pytest.fixture
def portal() -> Iterator[BlockingPortal]:
    with start_blocking_portal("asyncio") as portal:
        yield portal


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def records() -> Records:
    return Records()


async def _listen(sink: Sink, features: dict[str, object]) -> asyncio.Server:
    loop = asyncio.get_running_loop()

    def protocol() -> SinkProtocol:
        made = SinkProtocol(sink, loop=loop, hostname="sink.test", data_size_limit=2**26, **features)
        sink.protocols.append(made)
        return made

    server = await loop.create_server(protocol, "127.0.0.1", 0)
    sink.address = server.sockets[0].getsockname()[:2]
    return server


@pytest.fixture
def open_sink(portal: BlockingPortal) -> Iterator[Callable[..., Sink]]:
    """`open_sink(enable_SMTPUTF8=True)`: a next hop on a port of its own."""
    servers = []

    def start(**features: object) -> Sink:
        sink = Sink()
        servers.append(portal.call(_listen, sink, {"enable_SMTPUTF8": True} | features))
        return sink

    yield start
    for server in servers:
        portal.call(server.close)


@pytest.fixture
def sink(open_sink: Callable[..., Sink]) -> Sink:
    return open_sink()


@pytest.fixture
def open_door(
    portal: BlockingPortal, office: Office, records: Records, request: pytest.FixtureRequest
) -> Iterator[Callable[..., SmtpDoor]]:
    """`open_door(next_hop=…, tls=…, <settings>)`: the door, before the sink unless told otherwise."""
    with ExitStack() as stack:

        def start(
            next_hop: NextHop | None = None,
            tls: ssl.SSLContext | None = None,
            scanner: Scanner | None = None,
            **settings,
        ) -> SmtpDoor:
            if next_hop is None:
                host, port = request.getfixturevalue("sink").address
                next_hop = SmtpNextHop(host=host, port=port, greeting="gate.test", command_timeout=WAIT)
            chosen = SmtpSettings(**{"hostname": "gate.test", "grace": WAIT, **settings})
            door = smtp_door(
                chosen, policies=office, next_hop=next_hop, recorder=records, tls=tls, scanner=scanner
            )
            return stack.enter_context(portal.wrap_async_context_manager(door))

        yield start


class Line:
    """A raw SMTP client that says exactly what it is told."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, timeout=WAIT)
        self._file = self.socket.makefile("rb")

    def reply(self) -> str:
        """The next reply, its lines joined; empty once the other side has closed."""
        lines = []
        while line := self._file.readline().decode():
            lines.append(line.rstrip("\r\n"))
            if line[3:4] != "-":
                break
        return "\n".join(lines)

    def say(self, text: bytes) -> str:
        """Send one line and return the reply to it."""
        self.socket.sendall(text + b"\r\n")
        return self.reply()

    def begin(self, *recipients: bytes, sender: bytes = b"ann@out.test") -> None:
        """From the greeting to DATA, all of it accepted."""
        said = [b"EHLO client.test", b"MAIL FROM:<" + sender + b">"]
        said += [b"RCPT TO:<" + recipient + b">" for recipient in recipients]
        assert self.reply().startswith("220 gate.test ")
        for line in said:
            assert self.say(line).startswith("250")
        assert self.say(b"DATA").startswith("354 ")

    def close(self) -> None:
        self._file.close()
        self.socket.close()


@pytest.fixture
def call() -> Iterator[Callable[[SmtpDoor], Line]]:
    """`call(door)`: a raw connection, closed at the end."""
    lines: list[Line] = []

    def connect(door: SmtpDoor) -> Line:
        lines.append(Line(door.address))
        return lines[-1]

    yield connect
    for line in lines:
        line.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for gate.test that it signed itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gate.test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("gate.test")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def door_tls(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    return tls_context(*certificate)


@pytest.fixture
def open_milter(
    portal: BlockingPortal, office: Office, records: Records, tmp_path: Path
) -> Iterator[Callable[..., str]]:
    """`open_milter(<settings>)`: a milter door on a Unix socket, and its path; on TCP with `tcp=True`."""
    with ExitStack() as stack:

        def start(*, tcp: bool = False, memory: int = 2**28, **settings) -> str | tuple[str, int]:
            if tcp:
                listener = socket.create_server(("127.0.0.1", 0))
            else:
                listener = socket.socket(socket.AF_UNIX)
                listener.bind(str(tmp_path / "m"))
                listener.listen()
            stack.enter_context(listener)
            chosen = MilterSettings(**{"hostname": "gate.test", "grace": WAIT, **settings})
            door = milter_door(
                chosen, policies=office, recorder=records, memory=MemoryBudget(memory), listeners=[listener]
            )
            made = stack.enter_context(portal.wrap_async_context_manager(door))
            start.door = made
            return listener.getsockname()

        yield start
