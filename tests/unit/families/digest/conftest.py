"""An account whose held mail and clock the tests set."""

from __future__ import annotations

import email.policy
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from itertools import count

import pytest
from msgspec.structs import replace
from sqlalchemy import delete, select

from mailreeve.access.caller import Caller, Origin
from mailreeve.access.permissions import Permission
from mailreeve.families.digest.links import Links
from mailreeve.families.digest.rows import definition, told
from mailreeve.families.digest.sending import DigestSender
from mailreeve.families.directory.account import rows as accounts
from mailreeve.families.directory.domains import rows as domain_rows
from mailreeve.families.directory.domains.types import InboundType
from mailreeve.families.directory.users import rows as user_rows
from mailreeve.families.held import rows as held_rows
from mailreeve.families.held.rows import HeldGroup, HeldState
from mailreeve.families.machinery import perform
from mailreeve.families.machinery.call import InstallationOptions, Limits
from mailreeve.families.machinery.perform import Services
from mailreeve.families.outgoing.rows import outgoing_message
from mailreeve.families.registry import ADDRESS_JOINED, ENDPOINTS, FOLLOWERS, LOADERS
from mailreeve.formats.addresses import Domain, parse_address
from mailreeve.policy.model.policy_types import Layer
from mailreeve.store.engines import SqliteEngine
from mailreeve.store.follow import Follower
from mailreeve.store.keys import new_key
from mailreeve.store.schema import metadata
from mailreeve.store.secrets import Vault
from mailreeve.store.transactions import Store, Work
from mailreeve.wire import envelope
from mailreeve.wire.tokens import KEY_OCTETS, Ids

URL = "https://mail.corp.test"
START = datetime(2026, 11, 27, 9, tzinfo=UTC)  # a Friday
BY_PATH = {endpoint.path: endpoint for endpoint in ENDPOINTS}


class Clock:
    """What time it is."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


class Office:
    """One account with users, what is held for them, and the digests that they get."""

    def __init__(self, services: Services, clock: Clock) -> None:
        self.services = services
        self.clock = clock
        self.links = Links(bytes(range(32)))
        self.public_url = URL
        # For it an hour passes with each look.
        self.sender = DigestSender(
            services.store, services.follower, self.links, lambda: self.public_url, count(step=3600.0).__next__
        )

    def open(self) -> None:
        """Make an account of its own. Those before it have no digests any more."""
        with self.services.store._engine.writing() as connection:
            connection.execute(delete(definition))
            connection.execute(delete(told))
        self.id = new_key()
        self.caller = Caller(self.id, "admin@corp.test", "app", frozenset(Permission))
        self.domain = f"d{self.id}.test"

        def make(work: Work) -> None:
            accounts.add(work, self.id, "Test", "admin@corp.test")
            domain_rows.add(work, Domain(self.domain), self.domain, InboundType.ANY)

        with self.services.store._engine.writing() as connection:
            make(Work(connection, self.id, Origin("test"), self.clock.now))

    def write(self, transaction):
        return self.services.store.write(self.id, Origin("test"), transaction)

    def read(self, transaction):
        return self.services.store.read(self.id, transaction)

    def call(self, path: str, **item: object) -> dict:
        """The only answer of a call. Raises `AssertionError` with what was refused."""
        request = replace(envelope.decode(b"{}"), items=[item])
        done = perform.carry_out(
            self.services, perform.ready(self.services, BY_PATH[path], request, self.caller, Origin("admin"))
        )
        assert not done.fail, done.fail
        return done.data[0]

    def user(self, name: str) -> str:
        """A new user's id."""
        return self.write(lambda work: user_rows.add(work, parse_address(f"{name}@{self.domain}")).id)

    def hold(self, user_id: str, subject: str = "Offers", **columns: object) -> str:
        """Have a message held for a user; its key."""

        def keep(work: Work) -> str:
            user = user_rows.find(work, user_id)
            row = {
                "account_id": work.account_id,
                "id": new_key(),
                "received_at": work.now,
                "expires_at": work.now + timedelta(days=14),
                "state": HeldState.HELD,
                "held_group": HeldGroup.USER,
                "owner_id": user_id,
                "route": "inbound",
                "decision_id": "d" + new_key()[:20],
                "sender": "bounce@shop.test",
                "recipient": user.address,
                "effective_recipient": user.address,
                "header_from": "Bob <bob@shop.test>",
                "header_from_name": "Bob",
                "header_to": "",
                "header_to_name": "",
                "subject": subject,
                "size": 10,
                "has_attachments": False,
                "cause": Layer.MANAGED_SENDERS.value,
                "policy_id": "",
                "description": "Lottery",
                "source_ip": "192.0.2.1",
                "is_utf8": False,
                "decided_at": None,
                "decided_by": "",
                "reason": "",
                "asked_at": None,
                "asked_by": "",
                "asked_why": "",
                "octets": 10,
                "body": "",
                "header": zlib.compress(b"Subject: x\r\n"),
            }
            row |= columns
            held_rows.insert_rows(work, [row])
            return row["id"]

        return self.write(keep)

    def pass_to(self, text: str) -> int:
        """Look for what is due at this time; how many users got a digest."""
        self.clock.now = datetime.fromisoformat(text).replace(tzinfo=UTC)
        return self.sender.send_due()

    def mails(self) -> list[EmailMessage]:
        """The mails that are on their way to the next hop, which has them then."""

        def take(work: Work) -> list[bytes]:
            columns = outgoing_message.c
            ours = columns.account_id == work.account_id
            found = work.execute(select(columns.header).where(ours).order_by(columns.id)).scalars().all()
            work.execute(delete(outgoing_message).where(ours))
            return [zlib.decompress(one) for one in found]

        return [message_from_bytes(one, policy=email.policy.default) for one in self.write(take)]

    @staticmethod
    def plain(mail: EmailMessage) -> str:
        """The text of a digest."""
        return mail.get_body(("plain",)).get_content()

    def subjects(self, mails: list[EmailMessage] | None = None) -> list[str]:
        """The subjects that digests list, those that are on their way if none are given, in their order."""
        found = self.mails() if mails is None else mails
        lines = (line.strip() for mail in found for line in self.plain(mail).splitlines())
        return [line.removeprefix("Subject: ") for line in lines if line.startswith("Subject: ")]

    def tokens(self, mail: EmailMessage) -> list[str]:
        """The tokens of the links of a digest, in their order."""
        lines = (line.strip() for line in self.plain(mail).splitlines())
        return [line.removeprefix(f"{URL}/digest/") for line in lines if line.startswith(URL)]


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Services, Clock]]:
    """A database for the tests of a module, each of which has an account of its own."""
    engine = SqliteEngine(tmp_path_factory.mktemp("digest") / "mailreeve.db")
    with engine.writing() as connection:
        metadata.create_all(connection)
    clock = Clock()
    store = Store(engine, clock)
    follower, ids = Follower(store, LOADERS, ()), Ids(bytes(range(KEY_OCTETS)))
    found = Services(store, follower, ids, Limits(), ADDRESS_JOINED, Vault(bytes(32)), followers=FOLLOWERS)
    yield replace(found, installation=InstallationOptions(public_url=URL)), clock
    engine.dispose()


@pytest.fixture
def office(services: tuple[Services, Clock]) -> Office:
    found, clock = services
    clock.now = START
    made = Office(found, clock)
    made.open()
    return made
