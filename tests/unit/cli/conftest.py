"""A data folder, and the command line run on it inside the test's process."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailreeve.access.caller import Caller, Origin
from mailreeve.access.permissions import Permission
from mailreeve.app.folder import open_initialised
from mailreeve.app.new_account import initialise
from mailreeve.app.settings import read
from mailreeve.cli.main import main
from mailreeve.families.machinery.perform import carry_out, ready
from mailreeve.families.registry import ENDPOINTS
from mailreeve.wire import envelope

BY_PATH = {endpoint.path: endpoint for endpoint in ENDPOINTS}


class Folder:
    """A data folder whose account is filled through the endpoints."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.opened = open_initialised(data, read(data, {}, {}))
        self.account_id = self.opened.account_id(None)

    def call(self, path: str, *items: dict[str, object]) -> list[dict]:
        """The `data` of a call that must not fail."""
        caller = Caller(self.account_id, "admin@corp.test", "app", frozenset(Permission))
        request = envelope.decode(json.dumps({"data": list(items)}).encode())
        done = carry_out(
            self.opened.services,
            ready(self.opened.services, BY_PATH[path], request, caller, Origin("admin@corp.test")),
        )
        answer = json.loads(envelope.encode(done.data, done.fail, done.shown))
        assert answer["fail"] == []
        return answer["data"]

    def block(self, domain: str, option: str = "block_sender", **more: object) -> str:
        """A policy about a domain; its id."""
        policy = {
            "description": f"{option} {domain}",
            "from": {"type": "email_domain", "emailDomain": domain},
            "to": {"type": "internal_addresses"},
            **more,
        }
        return self.call("policy/blockedsenders/create-policy", {"option": option, "policy": policy})[0]["id"]

    def run(
        self,
        *arguments: str,
        text: str | None = None,
        columns: int = 80,
        lines: int = 24,
        catch: bool = True,
    ) -> Result:
        """What `mailreeve` answers to these arguments on this folder, on a screen of that size."""
        environment = {"COLUMNS": str(columns), "LINES": str(lines), "MAILREEVE_DATA": str(self.data)}
        return CliRunner(env=environment).invoke(main, arguments, input=text, catch_exceptions=catch)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("folder") / "data"
    initialise(data, ("corp.test",), None)
    return data


@pytest.fixture
def other(made: Path, tmp_path: Path, own_log: None) -> Iterator[Folder]:
    """Another one, of the same domain."""
    found = Folder(shutil.copytree(made, tmp_path / "other"))
    yield found
    found.opened.close()


@pytest.fixture
def folder(made: Path, tmp_path: Path, own_log: None) -> Iterator[Folder]:
    found = Folder(shutil.copytree(made, tmp_path / "data"))
    yield found
    found.opened.close()
