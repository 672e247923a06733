"""Mailreeve between real Postfixes: private instances that leave /etc untouched, each with a queue of its own.

    a sender -> front (Postfix) -> Mailreeve -> back (Postfix) -> Maildir

Nothing here waits for a time to pass: a test waits for a line in a log.
"""

from __future__ import annotations

import json
import os
import pwd
import queue
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from engine import Rspamd

from mailreeve.client import Client, Credentials

MAILREEVE = Path(sys.executable).with_name("mailreeve")
DOMAIN = "corp.test"
PATIENCE = 40  # seconds until what has not happened is not going to
GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "postfix.md"
PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])

MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log/mail.log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = {name}.test.invalid
mydomain = test.invalid
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_recipient_maps =
smtp_dns_support_level = disabled
smtpd_peername_lookup = no
"""

LISTENER = "127.0.0.1:{port} inet n - n - - smtpd\n"
MASTER_CF = """\
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
virtual unix - n n - - virtual
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


def free_port() -> int:
    """A port that nobody listens on now."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return listener.getsockname()[1]


def environment() -> dict[str, str]:
    """This process' environment without Mailreeve's settings, and with the daemons' programs in the path."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("MAILREEVE_")}
    return ours | {"PATH": PATH}


def run(*command: object) -> str:
    """What a program prints. It has to succeed."""
    done = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, env=environment(), timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class Postfix:
    """One instance of Postfix, listening on `port`. `settings` are further lines of its main.cf, `services` of its
    master.cf; `listens` says whether there is a service on `port` already."""

    def __init__(
        self, folder: Path, name: str, settings: str, services: str = "", *, port: int = 0, listens: bool = True
    ) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.log = folder / "log" / "mail.log"
        self._from = 0  # octets of the log that are no longer looked at
        for part in ("conf", "queue", "data", "log"):
            (folder / part).mkdir(parents=True)
        shutil.chown(folder / "data", "postfix")
        (folder / "conf" / "main.cf").write_text(MAIN_CF.format(folder=folder, name=name) + settings)
        listener = LISTENER.format(port=self.port) if listens else ""
        (folder / "conf" / "master.cf").write_text(listener + MASTER_CF + services)

    def start(self) -> None:
        """Start it; it listens by the time this returns."""
        self._do("start")

    def stop(self) -> None:
        """Stop it, if it runs."""
        if self.running():
            self._do("stop")

    def kill(self) -> None:
        """Let it die at once, with whatever its processes were doing."""
        parent = (self.folder / "queue" / "pid" / "master.pid").read_text().strip()
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        for pid in (parent, *children):
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)

    def running(self) -> bool:
        command = ["postfix", "-c", str(self.folder / "conf"), "status"]
        return subprocess.run(command, capture_output=True, env=environment(), check=False).returncode == 0

    def flush(self) -> None:
        """Try everything in the queue now."""
        run("postqueue", "-c", self.folder / "conf", "-f")

    def set(self, name: str, value: str) -> None:
        """Change one of its settings; it holds for who comes next."""
        run("postconf", "-c", self.folder / "conf", "-e", f"{name}={value}")
        self._do("reload")

    def sendmail(self, sender: str, recipient: str, text: bytes) -> None:
        """Hand in a message as a program on the machine does."""
        command = ["sendmail", "-C", str(self.folder / "conf"), "-f", sender, recipient]
        subprocess.run(command, input=text, env=environment(), timeout=PATIENCE, check=True)

    def queue(self) -> list[dict]:
        """The messages in the queue."""
        return [json.loads(line) for line in run("postqueue", "-c", self.folder / "conf", "-j").splitlines()]

    def forget_log(self) -> None:
        """Look only at what is logged from now on."""
        self._from = self.log.stat().st_size

    def wait_for(self, pattern: str, number: int = 1) -> list[str]:
        """The first lines of the log in which the pattern is found, once there are as many."""
        found: list[str] = []
        command = ["tail", "-c", f"+{self._from + 1}", "-F", str(self.log)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as tail:
            # A wait in vain is ended by ending `tail`, and with it the lines.
            late = threading.Timer(PATIENCE, tail.kill)
            late.start()
            for line in tail.stdout:
                if re.search(pattern, line):
                    found.append(line)
                if len(found) == number:
                    break
            late.cancel()
            tail.kill()
        assert len(found) == number, (
            f"{pattern!r} {len(found)} times instead of {number} in:\n{self.log.read_text()}"
        )
        return found

    def _do(self, what: str) -> None:
        # Its daemons keep what they inherit, so the output goes into a file and not into a pipe.
        with (self.folder / "log" / "control.log").open("a+") as output:
            done = subprocess.run(
                ["postfix", "-c", str(self.folder / "conf"), what],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment(),
                timeout=PATIENCE,
                check=False,
            )
            output.seek(0)
            assert done.returncode == 0, output.read()


@dataclass
class Server:
    """A `mailreeve serve` with a next hop."""

    folder: Path
    credentials: dict[str, str] = field(default_factory=dict)
    http: str = ""
    port: int = 0
    milter: str = ""
    process: subprocess.Popen[str] | None = None
    listens: tuple[str, ...] = ("--smtp", "127.0.0.1:0")

    def init(self) -> None:
        printed = run(MAILREEVE, "init", "--data", self.folder, "--domain", DOMAIN, "--json")
        self.credentials = json.loads(printed)
        (self.folder / "credentials.json").write_text(printed)

    def start(self, *arguments: str) -> None:
        command = [MAILREEVE, "serve", "--data", self.folder, "--http", "127.0.0.1:0", *self.listens]
        with self.folder.with_name("serve.log").open("a") as log:
            self.process = subprocess.Popen(
                [*map(str, command), *arguments], stdout=subprocess.PIPE, stderr=log, text=True, env=environment()
            )
        late = threading.Timer(PATIENCE, self.process.kill)
        late.start()
        said: dict[str, str] = {}
        for line in self.process.stdout:
            name, _, where = line.rstrip("\n").partition(" ")
            said[name] = where
            if name == "ready":
                break
        late.cancel()
        assert "ready" in said, self.log()
        self.http = said["http"]
        self.port = int(said["smtp"].rpartition(":")[2])
        self.milter = said.get("milter", "")

    def log(self) -> str:
        return self.folder.with_name("serve.log").read_text()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == 0, self.log()

    def kill(self) -> None:
        """Let it die at once, in the middle of whatever it was doing."""
        self.process.kill()
        self.process.communicate(timeout=PATIENCE)

    def client(self) -> Client:
        return Client(self.http, Credentials.load(self.folder / "credentials.json"))

    def outcomes(self, recipient: str) -> list[dict]:
        """What was recorded for this recipient, the oldest first."""
        query = "SELECT document FROM message_outcome WHERE recipient = ? ORDER BY at"
        with closing(sqlite3.connect(self.folder / "mailreeve.db")) as database:
            return [json.loads(document) for (document,) in database.execute(query, [recipient])]

    def outcome(self, recipient: str, decision_id: str) -> dict:
        """What was recorded with this id, once it is: a refusal at RCPT is when its session has ended."""
        deadline = time.monotonic() + PATIENCE
        while True:
            found = [made for made in self.outcomes(recipient) if made["decision_id"] == decision_id]
            if found or time.monotonic() > deadline:
                return found[0]
            threading.Event().wait(0.02)


def as_root() -> None:
    """Skip the test where Postfix cannot be started."""
    if os.geteuid() != 0:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("Postfix has to be started by root")


def mailbox_folder(folder: Path) -> Path:
    """A new folder that Postfix may deliver into."""
    folder.mkdir()
    shutil.chown(folder, "postfix")
    return folder


def to_maildir(mailboxes: Path) -> str:
    """Lines of a main.cf: every domain is its own, every mailbox the same Maildir, `box` in this folder."""
    owner = pwd.getpwnam("postfix")
    return (
        "virtual_mailbox_domains = static:all\n"
        f"virtual_mailbox_base = {mailboxes}\n"
        "virtual_mailbox_maps = static:box/\n"
        f"virtual_uid_maps = static:{owner.pw_uid}\n"
        f"virtual_gid_maps = static:{owner.pw_gid}\n"
    )


def take(maildir: Path) -> list[bytes]:
    """The messages in a Maildir, which is empty then."""
    taken = []
    for file in sorted((maildir / "new").iterdir()) if maildir.exists() else ():
        taken.append(file.read_bytes())
        file.unlink()
    return taken


@dataclass
class Chain:
    """The whole way of a message. `maildir` is where the back one delivers."""

    front: Postfix
    server: Server
    back: Postfix
    maildir: Path

    def take(self) -> list[bytes]:
        """The messages delivered so far. The Maildir is empty then."""
        return take(self.maildir)


@pytest.fixture(scope="session")
def ports() -> Callable[[], int]:
    """See `free_port`."""
    return free_port


@pytest.fixture(scope="session")
def short_folder() -> Iterator[Path]:
    """A folder that daemons without privileges may enter, with a path short enough for their sockets."""
    folder = Path(tempfile.mkdtemp(prefix="mr-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def new_server() -> Callable[[Path], Server]:
    """`new_server(folder)` is a server that is initialised and not started yet."""

    def make(folder: Path) -> Server:
        made = Server(folder)
        made.folder.parent.mkdir()
        made.init()
        return made

    return make


@pytest.fixture(scope="session")
def server(short_folder: Path) -> Iterator[Server]:
    """A server of its own, before a Maildir."""
    made = Server(short_folder / "alone" / "data")
    made.folder.parent.mkdir()
    made.init()
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def lasting_chain(short_folder: Path, requires: Callable[[str], Path]) -> Iterator[Chain]:
    """Front, Mailreeve and back. The front one brings bounces straight to the back one."""
    requires("postfix")
    as_root()
    mailboxes = mailbox_folder(short_folder / "mail")
    back = Postfix(short_folder / "back", "back", to_maildir(mailboxes))
    server = Server(short_folder / "chain" / "data")
    server.folder.parent.mkdir()
    server.init()
    server.start("--next-hop", f"127.0.0.1:{back.port}")
    front = Postfix(
        short_folder / "front",
        "front",
        f"relay_domains = {DOMAIN}\n"
        f"relay_transport = smtp:[127.0.0.1]:{server.port}\n"
        f"default_transport = smtp:[127.0.0.1]:{back.port}\n",
    )
    try:
        back.start()
        front.start()
        yield Chain(front, server, back, mailboxes / "box")
    finally:
        front.stop()
        back.stop()
        server.stop()


@pytest.fixture
def chain(lasting_chain: Chain) -> Iterator[Chain]:
    """Front, Mailreeve and back, with nothing left over from another test."""
    lasting_chain.take()
    lasting_chain.front.forget_log()
    lasting_chain.back.forget_log()
    yield lasting_chain
    if not lasting_chain.back.running():
        lasting_chain.back.start()


@dataclass
class Placement:
    """One of the places that the guide has for Mailreeve, made of the guide's own files. `port` is where senders
    connect, `postfix` the one that stands beside Mailreeve, `last` the one that delivers."""

    postfix: Postfix
    server: Server
    last: Postfix
    maildir: Path
    port: int
    submission: int = 0  # the port of Postfix for its own users, before the queue
    second: int = 0  # the port of Postfix for what comes back

    def take(self) -> list[bytes]:
        return take(self.maildir)

    def stop(self) -> None:
        for postfix in (self.postfix, self.last):
            postfix.stop()
        self.server.stop()


PLACES = ("milter", "before", "behind", "between", "front")  # in the order of the guide


def guide_files() -> dict[str, dict[str, str]]:
    """The files of each place, by name. A file of Mailreeve ends a place; `submission` is a part by itself."""
    found: dict[str, dict[str, str]] = {}
    files: dict[str, str] = {}
    blocks = re.finditer(r"^```(?:ini|toml)\n# (\S+?\.(?:cf|toml))(.*)\n", GUIDE.read_text("utf-8"), re.MULTILINE)
    for block in blocks:
        text = block.string[block.end() : block.string.index("\n```", block.end()) + 1]
        if "submission" in block[2]:
            found["submission"] = found.get("submission", {}) | {block[2]: text}
            continue
        files[Path(block[1]).name] = text
        if block[1] == "mailreeve.toml":
            found[PLACES[len(found.keys() - {"submission"})]] = files
            files = {}
    return found


def _placed(folder: Path, name: str) -> Placement:
    files = guide_files()
    ports = {place: free_port() for place in ("front", "door", "second", "submission")}
    in_front = name == "front"  # Mailreeve has the port of the world, Postfix the one in the middle
    to_mailreeve, to_postfix = (ports["front"], ports["door"]) if in_front else (ports["door"], ports["front"])
    mailboxes = mailbox_folder(folder / "mail")
    back = Postfix(folder / "back", "back", to_maildir(mailboxes)) if name == "between" else None

    def here(text: str) -> str:
        for written, mine in (
            ("smtp      inet", f"127.0.0.1:{to_postfix} inet"),
            ("0.0.0.0:25", f"127.0.0.1:{to_mailreeve}"),
            ("10.0.0.5:25", f"127.0.0.1:{back.port if back else 0}"),
            ("127.0.0.1]:10025", f"127.0.0.1]:{to_mailreeve}"),
            ("127.0.0.1:10025", f"127.0.0.1:{to_postfix if in_front else to_mailreeve}"),
            ("127.0.0.1:10026", f"127.0.0.1:{ports['second']}"),
            ("/var/spool/postfix", str(folder / "mx" / "queue")),
            ("example.com", DOMAIN),
        ):
            text = text.replace(written, mine)
        return text

    written = {file: here(text) for file, text in files[name].items()}
    services = written["master.cf"]
    if name in ("before", "behind"):
        option, transport = map(here, files["submission"].values())
        services += f"127.0.0.1:{ports['submission']} inet n - n - - smtpd\n{option}{transport}"
    # Besides the guide's: what stands for the world, and a client that says where it comes from.
    settings = written.get("main.cf", "") + "smtpd_authorized_xclient_hosts = 127.0.0.1\n"
    if back is None:
        settings += to_maildir(mailboxes)
    else:
        settings += f"default_transport = smtp:[127.0.0.1]:{back.port}\n"
    listens = name in ("milter", "behind", "between")
    postfix = Postfix(folder / "mx", "mx", settings, services, port=to_postfix, listens=listens)
    # Where the guide leaves a listener to its default, each of the tests' servers has a port of its own.
    server = Server(folder / "reeve" / "data", listens=("--smtp", "127.0.0.1:0") if name == "milter" else ())
    server.folder.parent.mkdir()
    server.init()
    (server.folder / "mailreeve.toml").write_text(written["mailreeve.toml"])
    if name == "milter":
        (folder / "mx" / "queue" / "mailreeve").mkdir()
    maildir = mailboxes / "box"
    placement = Placement(
        postfix, server, back or postfix, maildir, ports["front"], ports["submission"], ports["second"]
    )
    server.start()
    postfix.start()
    if back is not None:
        back.start()
    return placement


@pytest.fixture(scope="session")
def placements(short_folder: Path, requires: Callable[[str], Path]) -> Iterator[Callable[[str], Placement]]:
    """Each place, made when first asked for."""
    requires("postfix")
    as_root()
    made: dict[str, Placement] = {}

    def get(name: str) -> Placement:
        if name not in made:
            folder = short_folder / f"place-{name}"
            folder.mkdir()
            made[name] = _placed(folder, name)
        return made[name]

    yield get
    for placement in made.values():
        placement.stop()


@pytest.fixture
def place(placements: Callable[[str], Placement]) -> Callable[[str], Placement]:
    """`place("before")`: Mailreeve in that place, with nothing left over from another test."""

    def get(name: str) -> Placement:
        placement = placements(name)
        placement.take()
        placement.postfix.forget_log()
        placement.last.forget_log()
        return placement

    return get


@dataclass
class Asked:
    """A Postfix that asks Mailreeve, and the Maildir it delivers to. At `back` it takes what Mailreeve hands in,
    and does not ask."""

    postfix: Postfix
    server: Server
    maildir: Path
    back: str

    @property
    def port(self) -> int:
        return self.postfix.port

    def take(self) -> list[bytes]:
        """The messages delivered so far. The Maildir is empty then."""
        return take(self.maildir)

    def swaks(self, *arguments: str, code: int | None = 0) -> str:
        """What swaks shows of a session. Its exit code is 0 where the message was taken, 24 where no recipient
        was, 26 where the content was not; with None it may be any of them."""
        command = ["swaks", "--server", f"127.0.0.1:{self.postfix.port}", "--helo", "client.test", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=60, check=False)
        assert done.returncode in ((0, 24, 26) if code is None else (code,)), done.stdout + done.stderr
        return done.stdout

    def ask_at(self, listen: str) -> None:
        """Have Mailreeve listen somewhere else, and Postfix ask it there."""
        self.server.stop()
        self.server.start("--milter", listen, "--next-hop", self.back)
        milter = self.server.milter if listen.startswith("unix:") else f"inet:{self.server.milter}"
        self.postfix.set("smtpd_milters", milter)

    def source(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Many messages at once, by Postfix' own generator."""
        command = ["smtp-source", *arguments, f"127.0.0.1:{self.postfix.port}"]
        return subprocess.run(
            command, capture_output=True, text=True, env=environment(), timeout=PATIENCE, check=False
        )

    def arrived(self, *recipients: str) -> list[bytes]:
        """The messages that these recipients got, once each has its own."""
        for recipient in recipients:
            self.postfix.wait_for(rf"to=<{re.escape(recipient)}>.*status=sent \(delivered to maildir\)")
        return take(self.maildir)


def milter_lines(milter: str) -> str:
    """The lines of the guide for Postfix' main.cf, with this address for the guide's."""
    guide = GUIDE.with_name("mail-door.md").read_text("utf-8")
    [lines] = re.findall(
        r"^```ini\n# /etc/postfix/main\.cf\n(smtpd_milters = .*?)^```", guide, re.MULTILINE | re.DOTALL
    )
    written = "unix:/var/spool/postfix/mailreeve/milter.sock"
    assert written in lines
    return lines.replace(written, milter)


def _asked(folder: Path, listen: str) -> Asked:
    folder.mkdir()
    folder.chmod(0o755)
    mailboxes = mailbox_folder(folder / "mail")
    server = Server(folder / "reeve" / "data")
    server.folder.parent.mkdir()
    server.init()
    (server.folder / "mailreeve.toml").write_text('milter_group = "postfix"\n')
    second = f"127.0.0.1:{free_port()}"
    server.start("--milter", listen, "--next-hop", second)
    milter = server.milter if listen.startswith("unix:") else f"inet:{server.milter}"
    # Besides the guide's: what stands for the world, and a client that says where it comes from.
    settings = to_maildir(mailboxes) + "smtpd_authorized_xclient_hosts = 127.0.0.1\n" + milter_lines(milter)
    back = f"{second} inet n - n - - smtpd\n -o receive_override_options=no_milters\n"
    postfix = Postfix(folder / "mx", "mx", settings, back)
    postfix.start()
    return Asked(postfix, server, mailboxes / "box", second)


@pytest.fixture(scope="session")
def lasting_asked(short_folder: Path, requires: Callable[[str], Path]) -> Iterator[Asked]:
    requires("postfix")
    as_root()
    folder = short_folder / "milter"
    made = _asked(folder, f"unix:{folder}/milter.sock")
    yield made
    made.postfix.stop()
    made.server.stop()


@pytest.fixture
def asked(lasting_asked: Asked) -> Asked:
    """Nothing is left over from another test."""
    take(lasting_asked.maildir)
    lasting_asked.postfix.forget_log()
    return lasting_asked


@pytest.fixture
def asked_over_tcp(asked: Asked) -> Iterator[Asked]:
    """The same with a socket of TCP, for one test."""
    before = asked.server.milter
    asked.ask_at("127.0.0.1:0")
    yield asked
    asked.ask_at(before)


SENDS_FOR = "bank.test"
"""A domain whose mail may come from `SENDS_FROM` alone, as its SPF record says."""
SENDS_FROM = "192.0.2.7"


@pytest.fixture(scope="session")
def rspamd(short_folder: Path, requires: Callable[[str], Path]) -> Iterator[Rspamd]:
    """An rspamd that runs, and asks an antivirus."""
    program = requires("rspamd")
    as_root()
    try:
        pwd.getpwnam("_rspamd")
    except KeyError:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("there is no user _rspamd")
    folder = short_folder / "rspamd"
    folder.mkdir()
    made = Rspamd(folder, program, free_port, {SENDS_FOR: f"v=spf1 ip4:{SENDS_FROM} -all"})
    made.start()
    yield made
    made.close()


@dataclass
class Whole(Asked):
    """All that is there in production: Postfix, Mailreeve as its milter, and rspamd. There is every mailbox but
    that of nobody, as Postfix finds when it delivers, and that of gone, whom it does not take from Mailreeve."""

    rspamd: Rspamd | None = None


NOBODY, GONE = f"nobody@{DOMAIN}", f"gone@{DOMAIN}"


@pytest.fixture(scope="session")
def lasting_whole(short_folder: Path, rspamd: Rspamd, requires: Callable[[str], Path]) -> Iterator[Whole]:
    requires("postfix")
    folder = short_folder / "whole"
    folder.mkdir()
    folder.chmod(0o755)
    mailboxes = mailbox_folder(folder / "mail")
    server = Server(folder / "reeve" / "data")
    server.folder.parent.mkdir()
    server.init()
    second = f"127.0.0.1:{free_port()}"
    milter = f"unix:{folder}/milter.sock"
    (server.folder / "mailreeve.toml").write_text(
        f'milter = "{milter}"\nmilter_group = "postfix"\nnext_hop = "{second}"\narchive = "on"\n'
        f'spam_engine = "{rspamd.url}"\nspam_engine_absent = "defer"\n'
    )
    server.start()
    settings = to_maildir(mailboxes) + milter_lines(milter) + "smtpd_authorized_xclient_hosts = 127.0.0.1\n"
    # What goes to `error`, which is there for it, smtpd refuses itself.
    settings += f"transport_maps = inline:{{ {{ {NOBODY} = late: }} }}\n"
    services = (
        "late unix - n n - - pipe\n user=nobody argv=/bin/false\n"
        f"{second} inet n - n - - smtpd\n -o receive_override_options=no_milters\n"
        f" -o {{ smtpd_recipient_restrictions = check_recipient_access inline:{{{GONE}=REJECT}}, permit }}\n"
    )
    postfix = Postfix(folder / "mx", "mx", settings, services)
    postfix.start()
    yield Whole(postfix, server, mailboxes / "box", second, rspamd)
    postfix.stop()
    server.stop()


@pytest.fixture
def whole(lasting_whole: Whole) -> Whole:
    """Nothing is left over from another test."""
    lasting_whole.take()
    lasting_whole.postfix.forget_log()
    return lasting_whole


SENDMAIL = Path(__file__).parents[2] / ".ci" / "sendmail"
"""Where `.ci/run` unpacks Debian's packages of Sendmail, which cannot be installed beside Postfix."""

SENDMAIL_MC = """\
divert(-1)
include(`{cf}/m4/cf.m4')
divert(0)
OSTYPE(`linux')
define(`confDOMAIN_NAME', `sm.test.invalid')
define(`QUEUE_DIR', `{folder}/queue')
define(`STATUS_FILE', `{folder}/statistics')
define(`confPID_FILE', `{folder}/pid')
define(`HELP_FILE', `{folder}/help')
define(`ALIAS_FILE', `')
define(`confCW_FILE', `-o {folder}/names')
define(`confSERVICE_SWITCH_FILE', `{folder}/switch')
define(`confTO_IDENT', `0')
define(`RELAY_MAILER_ARGS', `TCP $h {next_hop}')
define(`SMART_HOST', `relay:[127.0.0.1]')
FEATURE(`accept_unresolvable_domains')
FEATURE(`nocanonify')
FEATURE(`promiscuous_relay')
DAEMON_OPTIONS(`Name=MTA, Addr=127.0.0.1, Port={port}')
INPUT_MAIL_FILTER(`mailreeve', `S=inet:{milter}@127.0.0.1, F=T, T=S:30s;R:30s')
MAILER(`smtp')
"""


class Kept:
    """A next hop that keeps what it gets."""

    def __init__(self) -> None:
        self._messages: queue.Queue[tuple[str, list[str], bytes]] = queue.Queue()

    async def handle_DATA(self, server, session, envelope):  # noqa: N802  aiosmtpd's name
        self._messages.put((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return "250 2.0.0 kept"

    def next(self) -> tuple[str, list[str], bytes]:
        """Sender, recipients and content of the message that comes next."""
        return self._messages.get(timeout=PATIENCE)


@dataclass
class Sendmail:
    """A Sendmail that asks Mailreeve, and its next hop."""

    port: int
    server: Server
    next_hop: Kept


@pytest.fixture(scope="session")
def sendmail(short_folder: Path, requires: Callable[[str], Path]) -> Iterator[Sendmail]:
    """Sendmail of Debian's package, in the foreground, with files of its own."""
    as_root()
    program = SENDMAIL / "usr" / "libexec" / "sendmail" / "sendmail"
    if not program.exists():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"there is no {program}: see .ci/run")
    if subprocess.run(["unshare", "--uts", "true"], capture_output=True, check=False).returncode:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("needs leave to name a machine (unshare)")
    folder = short_folder / "sendmail"
    (folder / "queue").mkdir(parents=True, mode=0o700)
    # A copy without the bit that gives it a group, which would have it look for libraries nowhere else.
    shutil.copyfile(program, folder / "sendmail")
    (folder / "sendmail").chmod(0o755)
    (folder / "switch").write_text("hosts files\n")
    server = Server(folder / "reeve" / "data")
    server.folder.parent.mkdir()
    server.init()
    server.start("--milter", "127.0.0.1:0")
    next_hop = Kept()
    sink = Controller(next_hop, "127.0.0.1", free_port(), ready_timeout=PATIENCE)
    sink.start()
    port = free_port()
    cf = SENDMAIL / "usr" / "share" / "sendmail" / "cf"
    (folder / "sendmail.mc").write_text(
        SENDMAIL_MC.format(
            cf=cf, folder=folder, next_hop=sink.port, port=port, milter=server.milter.rpartition(":")[2]
        )
    )
    (folder / "sendmail.cf").write_text(run(requires("m4"), f"-D_CF_DIR_={cf}/", folder / "sendmail.mc"))
    # It waits for a minute where the machine's name has no dot.
    begin = f"hostname sm.test.invalid; exec {folder}/sendmail -C {folder}/sendmail.cf -bD"
    libraries = {"LD_LIBRARY_PATH": str(SENDMAIL / "usr" / "lib" / "x86_64-linux-gnu")}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            ["unshare", "--uts", "sh", "-c", begin], stdout=log, stderr=log, env=environment() | libraries
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while not (folder / "pid").exists():
            assert process.poll() is None and time.monotonic() < deadline, (folder / "log").read_text()  # noqa: PT018
            threading.Event().wait(0.05)
        yield Sendmail(port, server, next_hop)
    finally:
        process.terminate()
        process.wait(PATIENCE)
        sink.stop()
        server.stop()
