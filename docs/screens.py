"""Writes docs/reference/screens.md: what the main commands print, in a terminal of 80 columns.

    .venv/bin/python docs/screens.py            write the page
    .venv/bin/python docs/screens.py --check    say whether it is out of date, and fail if so

A folder is made and filled, a server takes some mail, and the commands are run on the folder. Ids, times and
sizes, which are others each time, are replaced by fixed ones of the same length.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import signal
import smtplib
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from mailreeve.cli.main import main as command_line

PAGE: Final = Path(__file__).resolve().parent / "reference" / "screens.md"
MAILREEVE: Final = Path(sys.executable).parent / "mailreeve"
START_TIME: Final = 120.0  # seconds that a server may take to start on a busy machine

_TEXT: Final = """\
<!-- Written by docs/screens.py. Change the code, not this page. -->
# What commands print

The main commands in a terminal of 80 columns. Ids, times and sizes are made up. With `--json` each prints one JSON
object instead; [all options](cli.md), [how to go about it](../guides/command-line.md).
"""

_SENDERS: Final = """\
to,sender,action,reason
ann@example.com,news@club.test,permit,
ann@elsewhere.test,offers@shop.test,block,too much of it
ann@example.com,offers@shop.test,stop,
"""

_MAIL: Final = (
    ("Ann's order", "orders@shop.test", ["ann@example.com", "bob@example.com"]),
    ("Account statement", "office@bank.test", ["ann@example.com"]),
    ("Offers", "offers@club.test", ["ann@example.com", "bob@example.com"]),
)

_FILLED: Final = (
    "domain add example.net --inbound-type known",
    "user add ann@example.com|--name|Ann Archer",
    "user add bob@example.com|--name|Bob Baker",
    "user add carol@example.net|--name|Carol Clark",
    "user alias add sales@example.com --for ann@example.com",
    "user set bob@example.com --lock",
    "group create Partners",
    "group create|Partners abroad|--parent|Partners",
    "group add Partners partner.test",
    "group add Partners pat@guest.test --until 2090-01-31T18:00|--reason|audit of the year",
    "policy block shop.test --until 2090-12-31|--reason|Ticket 4711",
    "policy exempt news@shop.test --to ann@example.com",
    "policy permit group:Partners",
    "policy permit bank.test --to ann@example.com",
    "sender block offers@club.test --to ann@example.com --until 2090-06-30|--reason|too much of it",
    "sender permit news@club.test --to bob@example.com",
    "sender block .zip --to carol@example.net",
    "web create|Video at work|video.test|films.test|clips.test/live",
    "web add|Video at work|https://video.test/training|--allow",
    "role create|List keeper|-p|Gateway \\| Managed Senders \\| Edit|--description|Keeps personal lists",
    "admin add carol@example.net|--role|Help Desk",
    "keys new --user carol@example.net --name tickets --expires 2090-01-01|--role|Help Desk",
)
_SHOWN: Final = {
    "Policies": ("policy list", "policy list --matching orders@shop.test", "policy show|Block shop.test"),
    "Personal lists": ("sender list", "sender list --to ann@example.com", "import senders senders.csv --dry-run"),
    "Web lists": ("web list", "web show|Video at work"),
    "Users and groups": (
        "domain list",
        "user list",
        "user show sales@example.com",
        "group list",
        "group show Partners",
    ),
    "What became of mail": (
        "log",
        "log --verdict rejected --to ann@example.com",
        "log show <2@mail.test>",
        "explain mail --from orders@shop.test --to ann@example.com",
    ),
    "Who changed what": ("audit --limit 6",),
    "What to look at": ("lint",),
    "Who may do what": ("keys list", "role list", "role show|List keeper", "admin list"),
    "What is wrong": (
        "sender block news@shop.test --to ann@example.com --until soon",
        "policy show nothing",
        "user add dan@elsewhere.test",
    ),
}


class _Terminal(io.StringIO):
    """Takes what a command prints, as a terminal without colours."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def page() -> str:
    """The page."""
    with tempfile.TemporaryDirectory() as made, _in(Path(made)):
        _run("init --domain example.com")
        for line in _FILLED:
            _run(line)
        _send_mail()
        Path("senders.csv").write_text(_SENDERS, "utf-8")
        masked = _Masked()
        parts = [_TEXT]
        for title, lines in _SHOWN.items():
            parts.append(f"## {title}\n")
            for line in lines:
                printed = masked(_run(line, wrong=True))
                parts.append(f"```text\n$ mailreeve {_quoted(line)}\n{printed.strip()}\n```\n")
    return "\n".join(parts)


@contextlib.contextmanager
def _in(folder: Path) -> Iterator[None]:
    """Work in a folder, in surroundings that are the same everywhere."""
    before, environment = Path.cwd(), dict(os.environ)
    kept = {name: value for name, value in environment.items() if not name.startswith("MAILREEVE_")}
    surroundings = {"COLUMNS": "80", "LINES": "25", "TERM": "dumb", "LOGNAME": "ann", "TZ": "UTC"}
    _set(kept | surroundings | {"MAILREEVE_DATA": "data"})
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
        _set(environment)


def _set(environment: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)


def _words(line: str) -> list[str]:
    """The words of a command: those up to the first bar, and what stands between bars, which may hold blanks."""
    first, *others = re.split(r"(?<!\\)\|", line)
    return [*first.split(), *(word.replace("\\|", "|") for word in others)]


def _quoted(line: str) -> str:
    return " ".join(f'"{word}"' if re.search(r"[\s<>|]", word) else word for word in _words(line))


def _run(line: str, *, wrong: bool = False) -> str:
    """What a command prints. Raises `RuntimeError` where it fails, unless it may be `wrong`."""
    terminal = _Terminal()
    code: object = 0
    with contextlib.redirect_stdout(terminal), contextlib.redirect_stderr(terminal):
        try:
            command_line.main(_words(line), prog_name="mailreeve")
        except SystemExit as ended:
            code = ended.code
    if code and not wrong:
        raise RuntimeError(f"mailreeve {line}: {terminal.getvalue()}")
    return terminal.getvalue()


def _send_mail() -> None:
    """Have a server take the messages."""
    command = [
        str(MAILREEVE),
        "serve",
        "--http",
        "127.0.0.1:0",
        "--smtp",
        "127.0.0.1:0",
        "--next-hop",
        "maildir:m",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:  # noqa: S603
        try:
            said: dict[str, str] = {}
            for line in server.stdout or ():
                name, _, address = line.strip().partition(" ")
                said[name] = address
                if name == "ready":
                    break
            host, _, port = said["smtp"].rpartition(":")
            for number, (subject, sender, recipients) in enumerate(_MAIL, 1):
                text = (
                    f"From: <{sender}>\nTo: <{recipients[0]}>\nSubject: {subject}\n"
                    f"Message-ID: <{number}@mail.test>\nDate: Fri, 27 Nov 2026 09:30:00 +0000\n\nHello\n"
                )
                with (
                    smtplib.SMTP(host, int(port), "mx.mail.test", timeout=START_TIME) as client,
                    contextlib.suppress(smtplib.SMTPRecipientsRefused),
                ):
                    client.sendmail(sender, recipients, text)
        finally:
            server.send_signal(signal.SIGTERM)


class _Masked:
    """Replaces what is another each time, the same by the same, of equal length."""

    _ID = re.compile(
        r"(?<![\w-])[\w-]{43}(?![\w-])"  # an id in full
        r"|(?<=\[)[a-z2-7]{16}(?=\])|(?<=decision        )[a-z2-7]{16}"  # of a decision
        r"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # of an application
        r"|(?<=client id   )\S+|(?<=access key  )[\w-]{12}(?=…)"
    )
    _SHORT = re.compile(r"^[\w-]{8}(?=  )", re.MULTILINE)
    _TIME = re.compile(r"(?P<day>20\d\d-\d\d-\d\d)(?P<rest>[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?")
    _LOGGED = re.compile(r"^\d\d-\d\d \d\d:\d\d:\d\d", re.MULTILINE)
    _QUEUED = re.compile(r"\d{10}\.\d{6}\.[0-9a-f]{16}\.[\w.-]*\w")
    _BEGUN = re.compile(r" \(begun [^)]*\)")  # where a second ended between the two
    _SIZE = re.compile(r"(?<=size            )\d+(?= octets)")

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}
        now = datetime.now(UTC)
        self._days = {f"{now + timedelta(days=n):%Y-%m-%d}" for n in (-1, 0, 1)}

    def __call__(self, text: str) -> str:
        """The text with what is fixed in the place of what is not."""
        text = self._ID.sub(self._id, text)
        if text.startswith("id "):
            text = self._SHORT.sub(self._id, text)
        text = self._TIME.sub(self._time, self._BEGUN.sub("", text))
        text = self._LOGGED.sub("11-27 09:30:00", text)
        text = self._QUEUED.sub("1795771800.123456.0123456789abcdef.mx", text)
        return self._SIZE.sub("4321", text)

    def _id(self, found: re.Match[str]) -> str:
        id_ = found[0]
        shown = id_.lstrip("-")[:8]  # as tables show the beginning of one
        made = self._ids.get(shown)
        if made is None:
            made = self._ids[shown] = hashlib.sha256(str(len(self._ids)).encode()).hexdigest()
        return "-".join(made[: len(part)] for part in id_.split("-")) if len(id_) == 36 else made[: len(id_)]

    def _time(self, found: re.Match[str]) -> str:
        if found["day"] not in self._days:
            return found[0]
        rest = found["rest"] or ""
        return "2026-11-27" + (f"{rest[0]}09:30:00.000000"[: len(rest)] if rest else "")


def main(arguments: list[str]) -> int:
    """Write or check the page; the exit code."""
    text = page()
    if "--check" not in arguments:
        PAGE.write_text(text, "utf-8")
    elif not PAGE.is_file() or PAGE.read_text("utf-8") != text:
        sys.stderr.write(f"{PAGE} is out of date: run docs/screens.py\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
