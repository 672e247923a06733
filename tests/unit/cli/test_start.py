"""What does a command load? No more than it needs: most of the time of a short command is loading (ADR 0069).

Held by names of modules instead of seconds, which say as much about the machine.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

WHOLE_PROGRAM = ("sqlalchemy", "mailreeve.families.registry", "mailreeve.store.transactions")
SERVER = ("uvicorn", "starlette", "mailreeve.app.server.serving")
RARE = ("joserfc", "jinja2", "alembic", "prometheus_client", "mailreeve.mail.spam.engine")
CLIENT = ("httpx2", "mailreeve.client")
NOTHING = ("msgspec", "structlog", "rich", "asyncio", "mailreeve.app.settings")

RUN = """
import json, sys
from mailreeve.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    code = end.code
print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
"""


def loaded(*arguments: str) -> set[str]:
    """The modules that a command has loaded when it ends well, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments], capture_output=True, text=True, timeout=60, check=True
    )
    code, modules = json.loads(done.stderr.splitlines()[-1])
    assert code in (0, None), done.stderr
    return set(modules)


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_load_the_command_line_alone(option: str) -> None:
    found = loaded(option)
    assert "mailreeve.cli.main" in found
    assert found.isdisjoint({*WHOLE_PROGRAM, *SERVER, *RARE, *CLIENT, *NOTHING})


@pytest.mark.parametrize("command", ["call", "policy", "hold", "user", "group", "keys", "digest"])
def test_a_command_that_may_call_a_server_loads_no_part_of_one(command: str) -> None:
    found = loaded(command, "--help")
    assert "mailreeve.client" in found
    assert found.isdisjoint({*WHOLE_PROGRAM, *SERVER, *RARE, "structlog", "asyncio", "cryptography"})


def test_a_server_loads_what_few_calls_need_with_the_first_of_them() -> None:
    found = loaded("serve", "--help")
    assert {*WHOLE_PROGRAM, *SERVER} <= found
    assert found.isdisjoint({*RARE, *CLIENT})


def test_a_command_on_a_folder_loads_no_door(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    loaded("init", "--data", data, "--domain", "corp.test", "--json")
    found = loaded("policy", "list", "--data", data)
    assert set(WHOLE_PROGRAM) <= found
    assert found.isdisjoint({*SERVER, *RARE, "mailreeve.mail.smtp.door"})
