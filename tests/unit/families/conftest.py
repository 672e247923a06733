"""An account in a fresh database, whose endpoints are called without a socket."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import insert

from mailreeve.access.caller import Caller, Origin
from mailreeve.access.permissions import Permission
from mailreeve.families.archive.indexing import ArchiveReader
from mailreeve.families.archive.keep import keep
from mailreeve.families.directory.domains.proof import Found, Resolver, ask_by
from mailreeve.families.machinery.call import InstallationOptions, Limits
from mailreeve.families.machinery.copies import ArchivedCopy, RecipientOfCopy, Routed
from mailreeve.families.machinery.copies import Copy as MailCopy
from mailreeve.families.machinery.perform import Done, Services, carry_out, ready
from mailreeve.families.registry import ADDRESS_JOINED, ELSEWHERE, ENDPOINTS, FOLLOWERS, LOADERS, VERSIONED
from mailreeve.formats.addresses import parse_address
from mailreeve.formats.message import Content
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.store.bodies import FolderBodies
from mailreeve.store.engines import SqliteEngine
from mailreeve.store.follow import Follower
from mailreeve.store.keys import new_key
from mailreeve.store.schema import account as account_table
from mailreeve.store.schema import metadata
from mailreeve.store.secrets import Vault
from mailreeve.store.transactions import Store
from mailreeve.wire import envelope
from mailreeve.wire.errors import ItemRefused
from mailreeve.wire.tokens import KEY_OCTETS, Ids, Kind

BY_PATH = {endpoint.path: endpoint for endpoint in ENDPOINTS}


class Account:
    """One account, and a caller who may do everything in it."""

    def __init__(self, services: Services, id_: str = "") -> None:
        self.services = services
        self.id = id_ or new_key()
        self.caller = Caller(self.id, "admin@corp.test", "app", frozenset(Permission))
        if not id_:
            self._make()

    def _make(self) -> None:
        with self.services.store._engine.writing() as connection:
            connection.execute(
                insert(account_table).values(
                    id=self.id,
                    code=self.id,
                    name="Test",
                    admin_email="admin@corp.test",
                    revision=0,
                    created_at=datetime.now(UTC),
                )
            )

    def answer(
        self, path: str, *items: dict[str, object], meta: dict[str, object] | None = None
    ) -> dict[str, list]:
        """The `data` and `fail` of a call with these items, as wire JSON."""
        done = self.done(path, *items, meta=meta)
        return json.loads(envelope.encode(done.data, done.fail, done.shown, warnings=done.warnings))

    def done(self, path: str, *items: dict[str, object], meta: dict[str, object] | None = None) -> Done:
        """What became of a call with these items."""
        body = json.dumps({"data": list(items), "meta": meta or {}}).encode()
        origin = Origin(self.caller.actor)
        return carry_out(
            self.services, ready(self.services, BY_PATH[path], envelope.decode(body), self.caller, origin)
        )

    def call(self, path: str, *items: dict[str, object]) -> list[dict]:
        """The `data` of a call. Raises `ItemRefused` with the first refused item's problems."""
        answer = self.answer(path, *items)
        if answer["fail"]:
            raise ItemRefused([msgspec.convert(e, envelope.Problem) for e in answer["fail"][0]["errors"]])
        return answer["data"]

    def policies(self) -> PolicySet:
        """The policy set now in force."""
        return self.services.follower.current(self.id)

    def archive(
        self,
        subject: str,
        recipient: str,
        sender: str = "liz@out.test",
        original: str | None = None,
        **more: object,
    ) -> str:
        """The wire id of a message in the archive, which was delivered to `recipient`, sent to `original`. `text`
        is what it says, `header` further fields."""
        to = Routed(parse_address(original or recipient), parse_address(recipient))
        header = f"From: Liz <{sender}>\r\nTo: <{original or recipient}>\r\nSubject: {subject}\r\n"
        content = Content(
            f"{header}{more.get('header', '')}".encode(), (f"\r\n{more.get('text', subject)}\r\n".encode(),)
        )
        copy = ArchivedCopy(
            MailCopy(self.id, "a" * 16, parse_address(sender), (to,), content),
            (RecipientOfCopy(str(to.original), str(to.effective), (), 1),),
            sender,
            float(more.get("at", time.time())),
            subject=subject,
            header_from=sender,
        )
        (body,) = self.services.bodies.put(self.id, [content.body])
        key = self.write(lambda work: keep(work, copy, body))
        return self.services.ids.seal(Kind.ARCHIVED_MESSAGE, key, self.id)

    def read_archive(self) -> None:
        """Have all archived messages read for the search."""
        ArchiveReader(self.services.store, self.services.bodies).read_new()

    def write(self, transaction):
        """The result of a transaction on the account's rows."""
        return self.services.store.write(self.id, Origin("test"), transaction)


@contextmanager
def services_on(database: Path) -> Iterator[Services]:
    """Services on a database, which is made if it is not there."""
    engine = SqliteEngine(database)
    if not database.exists():
        (database.parent / "bodies").mkdir()
        with engine.writing() as connection:
            metadata.create_all(connection)
    store = Store(engine)
    follower, ids = Follower(store, LOADERS, ()), Ids(bytes(range(KEY_OCTETS)))
    vault, kept = Vault(bytes(32)), FolderBodies(database.parent / "bodies")
    yield Services(
        store,
        follower,
        ids,
        Limits(),
        ADDRESS_JOINED,
        vault,
        InstallationOptions(public_url="https://mail.corp.test"),
        FOLLOWERS,
        kept,
        ELSEWHERE,
        VERSIONED,
    )
    engine.dispose()


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with no account. To be copied: to make one takes longer than most tests."""
    database = tmp_path_factory.mktemp("empty") / "mailreeve.db"
    with services_on(database):
        return database


@pytest.fixture
def services(tmp_path: Path, empty_database: Path) -> Iterator[Services]:
    with services_on(copied(empty_database, tmp_path)) as made:
        yield made


def copied(database: Path, folder: Path) -> Path:
    """A copy of a database that nobody has open, and of the bodies beside it."""
    shutil.copytree(database.parent / "bodies", folder / "bodies", dirs_exist_ok=True)
    return Path(shutil.copyfile(database, folder / database.name))


@pytest.fixture
def account(services: Services) -> Account:
    return Account(services)


@pytest.fixture
def other_account(services: Services) -> Account:
    """A second account in the same database."""
    return Account(services)


@pytest.fixture(autouse=True)
def zone():
    """What the DNS says: texts by domain. Nothing asks a real resolver."""
    said: dict[str, list[str]] = {}
    ask_by(lambda domain: Found(said.get(domain, [])))
    yield said
    ask_by(Resolver())
