"""An account in a fresh database, whose endpoints are called without a socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import insert

from mailreeve.access.caller import Caller, Origin
from mailreeve.access.permissions import Permission
from mailreeve.families.machinery.call import InstallationOptions, Limits
from mailreeve.families.machinery.perform import Services, carry_out, ready
from mailreeve.families.registry import ADDRESS_JOINED, ENDPOINTS, FOLLOWERS, LOADERS
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
from mailreeve.wire.tokens import KEY_OCTETS, Ids

BY_PATH = {endpoint.path: endpoint for endpoint in ENDPOINTS}


class Account:
    """One account, and a caller who may do everything in it."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.id = new_key()
        with services.store._engine.writing() as connection:
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
        self.caller = Caller(self.id, "admin@corp.test", "app", frozenset(Permission))

    def answer(
        self, path: str, *items: dict[str, object], meta: dict[str, object] | None = None
    ) -> dict[str, list]:
        """The `data` and `fail` of a call with these items, as wire JSON."""
        body = json.dumps({"data": list(items), "meta": meta or {}}).encode()
        done = carry_out(
            self.services,
            ready(self.services, BY_PATH[path], envelope.decode(body), self.caller, Origin(self.caller.actor)),
        )
        return json.loads(envelope.encode(done.data, done.fail, done.shown, warnings=done.warnings))

    def call(self, path: str, *items: dict[str, object]) -> list[dict]:
        """The `data` of a call. Raises `ItemRefused` with the first refused item's problems."""
        answer = self.answer(path, *items)
        if answer["fail"]:
            raise ItemRefused([msgspec.convert(e, envelope.Problem) for e in answer["fail"][0]["errors"]])
        return answer["data"]

    def policies(self) -> PolicySet:
        """The policy set now in force."""
        return self.services.follower.current(self.id)

    def write(self, transaction):
        """The result of a transaction on the account's rows."""
        return self.services.store.write(self.id, Origin("test"), transaction)


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    engine = SqliteEngine(tmp_path / "mailreeve.db")
    with engine.writing() as connection:
        metadata.create_all(connection)
    store = Store(engine)
    follower, ids = Follower(store, LOADERS, ()), Ids(bytes(range(KEY_OCTETS)))
    vault, kept = Vault(bytes(32)), FolderBodies(tmp_path / "bodies")
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
    )
    engine.dispose()


@pytest.fixture
def account(services: Services) -> Account:
    return Account(services)


@pytest.fixture
def other_account(services: Services) -> Account:
    """A second account in the same database."""
    return Account(services)
