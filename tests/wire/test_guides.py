"""The examples of the guides make what they then explain: run in order on a fresh server, they answer as printed.

Ids, decision ids, dates and revisions are another server's, and a guide may leave out part of an answer with `…`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from warm_start import in_a_shell

from mailreeve.app.new_account import initialise

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PATIENCE = 60  # seconds on a busy machine
GUIDES = [
    "getting-started.md",
    "guides/managed-senders.md",
    "guides/blocked-senders.md",
    "guides/web-lists.md",
    "guides/web-exceptions.md",
    "guides/filter-lists.md",
    "guides/address-alteration.md",
    "guides/delegates.md",
    "guides/groups-and-users.md",
    "guides/new-company-name.md",
    "guides/in-bulk.md",
    "guides/explain.md",
    "guides/what-happened.md",
    "guides/operate.md",
    "guides/people.md",
    "guides/upgrade.md",
    "guides/lint.md",
    "guides/mail-door.md",
    "guides/command-line.md",
    "guides/authentication.md",
    "guides/digest.md",
]
AFTER = {"guides/lint.md": "guides/explain.md"}  # what a guide says was done before
BEFORE = {"guides/digest.md": ".venv/bin/mailreeve user add ann@example.com"}  # and what it takes for granted
NOT_RUN = re.compile(
    r"make serve|mailreeve serve|mailreeve init|sqlite3|mailreeve doctor|/backup/|systemctl|podman|kill -HUP"
    r"|^cp |APP_ID|account \w+ CODE"
)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WIRE_ID = re.compile(r"(?<![\w-])(?:MTOKEN:)?[\w-]{43}(?![\w-])")
VARYING = [
    (WIRE_ID, "ID"),
    (re.compile(r"\[[a-z2-7]{16}\]"), "[DECISION]"),
    (re.compile(r"(?<=X-Mailreeve-Decision: )\w+"), "DECISION"),
    (re.compile(r"\brevision +\d+"), "revision N"),
    (re.compile(r"^next  +.*"), "next TIME"),
    (re.compile(r"^#.*"), "#"),
]


class Example(NamedTuple):
    """Commands, and what a guide prints below them, if anything."""

    commands: str
    expected: str
    kind: str


def examples(page: Path) -> Iterator[Example]:
    """The examples of a page in order: a shell block with the answer that follows it, or commands after a `$`."""
    blocks = [
        (found.start(), found.end(), found[1], found[2]) for found in BLOCK.finditer(page.read_text("utf-8"))
    ]
    text = page.read_text("utf-8")
    for number, (_, end, kind, inside) in enumerate(blocks):
        if kind == "sh":
            following = blocks[number + 1] if number + 1 < len(blocks) else None
            answered = following and following[2] != "sh" and not following[3].startswith("$ ")
            # An answer stands right below its command, or below a sentence that ends in a colon.
            between = text[end : following[0]].strip() if following else ""
            if answered and (not between or (between.endswith(":") and len(between) < 40)):
                yield Example(inside, following[3], following[2])
            else:
                yield Example(inside, "", "")
        elif inside.startswith("$ "):
            for part in re.split(r"^\$ ", inside, flags=re.MULTILINE)[1:]:
                command, _, said = part.partition("\n")
                yield Example(command, said, "text")


def plain(line: str) -> str:
    for pattern, stand_in in VARYING:
        line = pattern.sub(stand_in, line)
    return " ".join(line.split())


def assert_lines(expected: str, actual: str) -> None:
    """Every expected line is there, in order; one that holds `…` is there up to it."""
    lines = [plain(line) for line in actual.splitlines()]
    place = 0
    for wanted in map(plain, expected.splitlines()):
        start = wanted.partition("…")[0].strip()
        if not start or re.match(r"Received:|by localhost|\w{3}, \d\d \w{3}", start):
            continue
        found = [n for n in range(place, len(lines)) if lines[n].startswith(start)]
        assert found, f"not there: {wanted!r}\nin:\n{actual}"
        place = found[0] + 1


def assert_holds(expected: object, actual: object) -> None:
    """What is printed is in the answer; members that are left out may be anything."""
    if isinstance(expected, dict):
        assert isinstance(actual, dict)
        for name, value in expected.items():
            if name != "…":
                assert_holds(value, actual[name])
    elif isinstance(expected, list):
        assert isinstance(actual, list)
        assert len(expected) == len(actual)
        for one, other in zip(expected, actual, strict=True):
            assert_holds(one, other)
    elif isinstance(expected, str) and isinstance(actual, str):
        assert plain(expected) == plain(actual)
    else:
        assert expected == actual


class Reader:
    """Somebody who types what a guide says, with the ids that their own server answered."""

    def __init__(self, folder: Path, live) -> None:
        self._folder = folder
        self._live = live
        self._ids: dict[str, str] = {}
        self._last = ""

    def try_out(self, example: Example) -> None:
        """Run it. The exit code is 0, unless what is printed is an error."""
        done = subprocess.run(
            ["bash", "-e", "-c", self._mine(example.commands)],
            cwd=self._folder, env=self._environment(), capture_output=True, text=True, timeout=PATIENCE,
            check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        refused = re.search(r"Error|Refused|<\*\*", example.expected)
        assert refused or done.returncode == 0, f"{example.commands}\n{done.stderr}"
        answer = done.stdout[done.stdout.rindex("\n[\n") + 1 :] if "\n[\n" in done.stdout else done.stdout
        for told, mine in zip(WIRE_ID.findall(example.expected), WIRE_ID.findall(answer), strict=False):
            self._ids[told] = mine
        found = WIRE_ID.findall(answer)
        self._last = found[0] if found else self._last
        if example.kind == "json":
            assert_holds(json.loads(example.expected), json.loads(answer))
        else:
            assert_lines(example.expected, done.stdout + done.stderr)

    def _mine(self, commands: str) -> str:
        for told in WIRE_ID.findall(commands):
            commands = commands.replace(told, self._ids.setdefault(told, self._last))
        host, port = self._live.smtp
        commands = re.sub(r"(?<![\w./-])(?:\.venv/bin/)?mailreeve (?=[a-z-])", f"{in_a_shell()} ", commands)
        commands = commands.replace("127.0.0.1:2525", f"{host}:{port}")
        return commands.replace("'127.0.0.1', 2525", f"'{host}', {port}")

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MAILREEVE_")}
        return kept | {"MAILREEVE_URL": self._live.http, "COLUMNS": "80"}


@pytest.fixture
def reader(live_server_class, tmp_path: Path) -> Iterator[Reader]:
    """A checkout with a server for example.com, as `make serve` makes it."""
    data = tmp_path / "mailreeve-data"
    initialise(data, ("example.com",), None, data / "credentials.json")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(BIN)
    live = live_server_class(data, {}, data / "maildir")
    # As the guide of the digest has it; the others do not ask.
    live.environment["MAILREEVE_PUBLIC_URL"] = "https://mail.example.com"
    live.start()
    yield Reader(tmp_path, live)
    live.stop()


@pytest.mark.parametrize("page", GUIDES)
def test_the_examples_of_a_guide_do_what_it_says(reader, page):
    tried = 0
    if page in BEFORE:
        reader.try_out(Example(BEFORE[page], "", ""))
    pages = [AFTER[page], page] if page in AFTER else [page]
    for example in (one for name in pages for one in examples(ROOT / "docs" / name)):
        if NOT_RUN.search(example.commands) or (
            example.commands.startswith("swaks") and not shutil.which("swaks")
        ):
            continue
        reader.try_out(example)
        tried += 1
    assert tried
