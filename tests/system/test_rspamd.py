"""A real rspamd behind the mail door: what it says of a message is what policies decide by."""

from __future__ import annotations

import pwd
import shutil
import signal
import smtplib
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.requires("rspamd")

DOMAIN = "corp.test"
PATIENCE = 40  # seconds until what has not happened is not going to
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


class NoNames:
    """A name server that says of each name that there is none: without one every scan waits for it."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._thread.start()

    def _answer(self) -> None:
        while True:
            question, who = self._socket.recvfrom(4096)
            if question == b"stop":
                return
            # The same id and question, and no records; NXDOMAIN (RFC 1035 section 4.1.1).
            end = question.index(b"\0", 12) + 5
            counts = b"\0\1\0\0\0\0\0\0"
            self._socket.sendto(question[:2] + b"\x81\x83" + counts + question[12:end], who)

    def close(self) -> None:
        self._socket.sendto(b"stop", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()


class Rspamd:
    """An rspamd of its own, with a list of public suffixes that is short enough to start at once."""

    def __init__(self, folder: Path, program: Path, ports: Callable[[], int]) -> None:
        self._program = program
        self._folder = folder
        self.port = ports()
        self.process: subprocess.Popen[bytes] | None = None
        self._names = NoNames()
        local = folder / "lc" / "local.d"
        local.mkdir(parents=True)
        (folder / "tld.dat").write_text("com\norg\nnet\ntest\ninvalid\n")
        for name in ("db", "run", "log"):
            (folder / name).mkdir()
            shutil.chown(folder / name, "_rspamd", "_rspamd")
        for name, text in {
            "options.inc": f'dns {{ nameserver = ["127.0.0.1:{self._names.port}"]; timeout = 0.1s; '
            f'retransmits = 1; }}\nlocal_addrs = [];\nurl_tld = "{folder}/tld.dat";\n',
            "worker-normal.inc": f'bind_socket = "127.0.0.1:{self.port}"; count = 1;\n',
            "worker-controller.inc": f'bind_socket = "127.0.0.1:{ports()}"; count = 1;\n',
            "worker-proxy.inc": "enabled = false;\n",
            "worker-fuzzy.inc": "enabled = false;\n",
            "logging.inc": 'type = "console"; level = "warning";\n',
        }.items():
            (local / name).write_text(text)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        paths = {"LOCAL_CONFDIR": "lc", "DBDIR": "db", "RUNDIR": "run", "LOGDIR": "log"}
        options = [f"--var={name}={self._folder / path}" for name, path in paths.items()]
        with (self._folder / "rspamd.log").open("ab") as log:
            self.process = subprocess.Popen(
                [self._program, "-f", "-u", "_rspamd", "-g", "_rspamd", *options], stdout=log, stderr=log
            )
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}/ping", timeout=1) as answer:  # noqa: S310
                    if answer.read().strip() == b"pong":
                        return
            except OSError:
                assert self.process.poll() is None, self.log()
                assert time.monotonic() < deadline, self.log()
                threading.Event().wait(0.05)

    def log(self) -> str:
        return (self._folder / "rspamd.log").read_text("utf-8", "replace")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)

    def close(self) -> None:
        if self.process.poll() is None:
            self.stop()
        self._names.close()


@pytest.fixture(scope="module")
def rspamd(short_folder: Path, requires: Callable[[str], Path], ports: Callable[[], int]) -> Iterator[Rspamd]:
    try:
        pwd.getpwnam("_rspamd")
    except KeyError:
        pytest.skip("there is no user _rspamd")
    folder = short_folder / "rspamd"
    folder.mkdir()
    made = Rspamd(folder, requires("rspamd"), ports)
    made.start()
    yield made
    made.close()


@pytest.fixture(scope="module")
def door(rspamd: Rspamd, short_folder: Path, new_server: Callable[[Path], Any]) -> Iterator[Any]:
    """A server that asks the rspamd, and puts mail off while that does not answer."""
    made = new_server(short_folder / "scanning" / "data")
    with (made.folder / "mailreeve.toml").open("a") as settings:
        settings.write(f'\nspam_engine = "{rspamd.url}"\nspam_engine_absent = "defer"\n')
        # Of mail from this machine an rspamd checks no SPF, so that no permit would count.
        settings.write('permit_needs_authentication = "never"\n')
    made.start("--next-hop", f"maildir:{made.folder.parent / 'mail'}")
    yield made
    made.stop()


def message(text: str) -> bytes:
    fields = ["From: Ann <ann@out.test>", f"To: <bob@{DOMAIN}>", "Subject: Hello", "Message-ID: <a@out.test>"]
    fields += ["Date: Fri, 27 Nov 2026 10:00:00 +0000", "MIME-Version: 1.0", "Content-Type: text/plain"]
    return "\r\n".join([*fields, "", text, ""]).encode()


def send(door: Any, recipient: str, text: str, sender: str = "ann@out.test") -> tuple[int, str]:
    """The answer to the content."""
    with smtplib.SMTP("127.0.0.1", door.port, timeout=PATIENCE) as smtp:
        smtp.ehlo("client.out.test")
        smtp.mail(sender)
        code, said = smtp.rcpt(recipient)
        assert code == 250, said
        code, said = smtp.data(message(text))
        return code, said.decode()


def recorded(door: Any, recipient: str) -> dict[str, object]:
    return door.outcomes(recipient)[-1]


def test_gtube_is_refused_and_ordinary_mail_is_not(door: Any) -> None:
    """Without a policy of its own an account refuses what rspamd rejects; and the record says by which test."""
    code, said = send(door, f"bob@{DOMAIN}", GTUBE)
    assert (code, said.rpartition(" [")[0]) == (550, "5.7.1 Message refused - taken for spam")
    record = recorded(door, f"bob@{DOMAIN}")
    assert record["layer"] == "spam"
    assert record["spam"]["action"] == "reject"
    assert "GTUBE" in [name for name, _ in record["spam"]["symbols"]]
    code, _ = send(door, f"carol@{DOMAIN}", "Lunch at noon?")
    assert code == 250
    record = recorded(door, f"carol@{DOMAIN}")
    assert record["spam"]["action"] == "no action"
    assert record["state"] == "delivered"


def test_a_policy_holds_what_the_engine_rejects(door: Any) -> None:
    """A policy for one recipient holds it there; the sender is told that it was taken."""
    held = f"dora@{DOMAIN}"
    with door.client() as client:
        policy = {
            "description": "Hold for Dora",
            "from": {"type": "everyone"},
            "to": {"type": "individual_email_address", "emailAddress": held},
        }
        client.call("ext/spam-policies/create-policy", {"policy": policy, "actions": {"reject": "hold"}})
    code, _ = send(door, held, GTUBE)
    assert code == 250
    record = recorded(door, held)
    assert (record["state"], record["layer"], record["description"]) == ("held", "spam", "Hold for Dora")


def test_a_permitted_sender_is_not_asked_for_the_score(door: Any) -> None:
    """A permit skips the verdict: GTUBE from a permitted sender is delivered."""
    with door.client() as client:
        policy = {
            "description": "Permit",
            "from": {"type": "individual_email_address", "emailAddress": "tester@out.test"},
            "to": {"type": "everyone"},
        }
        client.call("ext/permittedsenders/create-policy", {"policy": policy})
    code, _ = send(door, f"emil@{DOMAIN}", GTUBE, "tester@out.test")
    assert code == 250
    record = recorded(door, f"emil@{DOMAIN}")
    assert (record["state"], record["layer"]) == ("delivered", "permitted_senders")


def test_an_engine_that_is_gone_puts_mail_off_until_it_is_back(door: Any, rspamd: Rspamd) -> None:
    """With `spam_engine_absent = "defer"` the sender keeps the message; when rspamd is there again the very next
    one is scanned, although the connections that were kept are dead."""
    rspamd.stop()
    code, said = send(door, f"fred@{DOMAIN}", "Lunch at noon?")
    assert (code, said.rpartition(" [")[0]) == (451, "4.7.1 Cannot look at the message now, try again later")
    assert recorded(door, f"fred@{DOMAIN}")["not_scanned"] == "no_answer"
    rspamd.start()
    code, _ = send(door, f"fred@{DOMAIN}", "Lunch at noon?")
    assert code == 250
    assert recorded(door, f"fred@{DOMAIN}")["spam"]["action"] == "no action"
