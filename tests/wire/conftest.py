"""A server as its users have it: `mailreeve init` and `mailreeve serve` in processes of their own."""

from __future__ import annotations

import base64
import email.policy
import hashlib
import hmac
import http.client
import json
import os
import re
import shutil
import signal
import smtplib
import sqlite3
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path

import msgspec
import pytest

from mailreeve.access.permissions import Role
from mailreeve.app.folder import Opened
from mailreeve.app.settings import Settings
from mailreeve.client import (
    BlockedSenderPolicy,
    Client,
    Credentials,
    OAuthCredentials,
    Policy,
    Target,
)
from mailreeve.families.directory.account import operations as accounts
from mailreeve.families.directory.domains import operations as domains
from mailreeve.families.directory.users import operations as users
from mailreeve.families.login import rows as login
from mailreeve.families.login.issue import issue_application
from mailreeve.families.registry import seed_account
from mailreeve.formats.addresses import parse_address
from mailreeve.store.transactions import Origin, Work

MAILREEVE = Path(sys.executable).with_name("mailreeve")
START_TIME = 60  # seconds that a start may take on a busy machine
STOP_TIME = 30
DOMAIN = "corp.test"


@dataclass
class Reply:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict:
        return json.loads(self.body)

    def codes(self) -> list[str]:
        """The error codes in `fail`, of either shape."""
        return [e["code"] for entry in self.json()["fail"] for e in entry.get("errors", [entry])]


@dataclass
class LiveServer:
    """One `mailreeve serve`. `credentials` is what `init --json` printed."""

    data: Path
    credentials: dict[str, str]
    maildir: Path
    options: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    http: str = ""
    smtp: tuple[str, int] = ("", 0)
    process: subprocess.Popen[str] | None = None
    said: str = ""

    def start(self) -> None:
        """Start, and wait for `ready`."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MAILREEVE_")} | self.environment
        command = [MAILREEVE, "serve", "--data", self.data, "--http", "127.0.0.1:0", "--smtp", "127.0.0.1:0"]
        command += ["--next-hop", f"maildir:{self.maildir}", *self.options]
        with self._log.open("a") as log:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment
            )
        # A start that hangs is killed, which ends its output and so the loop.
        late = threading.Timer(START_TIME, self.process.kill)
        late.start()
        try:
            said = {}
            for line in self.process.stdout:
                name, _, address = line.strip().partition(" ")
                said[name] = address
                if name == "ready":
                    break
        finally:
            late.cancel()
        if "ready" not in said:
            self.kill()
            pytest.fail(f"the server did not start:\n{self.log()}")
        self.said = "".join(f"{name} {address}\n" for name, address in said.items())
        self.http = said["http"]
        host, _, port = said["smtp"].rpartition(":")
        self.smtp = host, int(port)

    def stop(self) -> None:
        """SIGTERM, which a server answers by finishing and exiting with 0."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_TIME)
        except subprocess.TimeoutExpired:
            self.kill()
            pytest.fail(f"the server did not stop within {STOP_TIME} s of SIGTERM:\n{self.log()}")
        self.process.stdout.close()
        self.process = None
        assert code == 0, f"exit code {code} after SIGTERM:\n{self.log()}"

    def kill(self) -> None:
        """SIGKILL: no chance to finish anything."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process = None

    @property
    def _log(self) -> Path:
        return self.data.with_name(f"{self.data.name}.log")

    def log(self) -> str:
        """What the server logged."""
        return self._log.read_text("utf-8", "replace")

    def client(self, keys: dict[str, str] | None = None, **options: object) -> Client:
        """A client with signed credentials, the administrator's unless others are given."""
        keys = keys or self.credentials
        return Client(self.http, Credentials(**{n: keys[n] for n in Credentials.__struct_fields__}), **options)

    def oauth_client(self, **options: object) -> Client:
        """A client that calls as the application, with access tokens."""
        keys = OAuthCredentials(self.credentials["client_id"], self.credentials["client_secret"])
        return Client(self.http, keys, **options)

    def signed(self, path: str, *, date: str | None = None, keys: dict[str, str] | None = None) -> dict[str, str]:
        """The headers of a signed call, made without the client: an independent reading of api.md section 2.2."""
        keys = keys or self.credentials
        date = date or datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S UTC")
        request_id = str(uuid.uuid4())
        text = ":".join([date, request_id, path, keys["app_key"]])
        digest = hmac.digest(base64.b64decode(keys["secret_key"]), text.encode(), hashlib.sha1)
        return {
            "Authorization": f"MC {keys['access_key']}:{base64.b64encode(digest).decode()}",
            "x-mc-app-id": keys["app_id"],
            "x-mc-date": date,
            "x-mc-req-id": request_id,
        }

    def connect(self, timeout: float = 30) -> http.client.HTTPConnection:
        """A bare HTTP connection."""
        return http.client.HTTPConnection(self.http.removeprefix("http://"), timeout=timeout)

    def request(self, method: str, path: str, body: bytes | None = None, headers: dict | None = None) -> Reply:
        """One request on a connection of its own, with these headers and no others but Host and Content-Length."""
        connection = self.connect()
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in (headers or {}).items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def post(self, path: str, body: bytes | None = b"{}", headers: dict | None = None) -> Reply:
        """A signed call, with further headers."""
        return self.request("POST", path, body, self.signed(path) | (headers or {}))


@pytest.fixture(scope="session")
def live_server_class() -> type[LiveServer]:
    """For a server on a folder of the test's own making."""
    return LiveServer


@pytest.fixture(scope="session")
def initialised_folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A data folder as `mailreeve init` leaves it, to be copied, and its credentials."""
    folder = tmp_path_factory.mktemp("init") / "data"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MAILREEVE_")}
    done = subprocess.run(
        [MAILREEVE, "init", "--data", folder, "--domain", DOMAIN, "--json"],
        capture_output=True,
        text=True,
        env=environment,
        timeout=START_TIME,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout)


StartServer = Callable[..., LiveServer]


@pytest.fixture(scope="session")
def new_folder(initialised_folder: tuple[Path, dict[str, str]]) -> Callable[[Path], tuple[Path, dict[str, str]]]:
    """`new_folder(parent)` gives an initialised data folder of one's own and its credentials."""
    template, credentials = initialised_folder

    def make(parent: Path) -> tuple[Path, dict[str, str]]:
        data = parent / "data"
        shutil.copytree(template, data)
        return data, dict(credentials)

    return make


@pytest.fixture(scope="session")
def server(new_folder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server shared by the tests that leave it usable. Nobody runs into its quota."""
    parent = tmp_path_factory.mktemp("server")
    live = LiveServer(*new_folder(parent), parent / "maildir", environment={"MAILREEVE_RATE_LIMIT": "100000000"})
    live.start()
    yield live
    live.stop()


@pytest.fixture
def fresh_server(new_folder, tmp_path: Path) -> Iterator[StartServer]:
    """`fresh_server(*options, **environment)` starts a server of the test's own; it is stopped at the end."""
    started: list[LiveServer] = []

    def start(*options: str, **environment: str) -> LiveServer:
        parent = tmp_path / f"server{len(started)}"
        parent.mkdir()
        live = LiveServer(*new_folder(parent), parent / "maildir", list(options), environment)
        started.append(live)
        live.start()
        return live

    yield start
    for live in started:
        live.stop()


@dataclass
class SharedServer:
    """A server whose database holds two accounts, and in the first one users of every kind.

    `roles` has the keys of a user for each built-in role, and for a user without one under None. `expired` are
    the keys of a binding that is over. `marker` is in everything that the second account holds but in its domain
    `foreign_domain` and the addresses there, so that those can be asked for.
    """

    live: LiveServer
    foreign: dict[str, str]
    foreign_domain: str
    marker: str
    roles: dict[Role | None, dict[str, str]]
    expired: dict[str, str]


def furnish(data: Path, credentials: dict[str, str]) -> dict[str, object]:
    """Put into a new folder what `SharedServer` says, and give its members but `live`."""
    opened = Opened(data, Settings())

    def keys_for(work: Work, address: str, role: Role | None) -> dict[str, str]:
        if role is None:
            user_id = users.add_user(work, address).id
        else:
            user_id = users.create_administrator(work, parse_address(address), "a good password", role)
        keys = issue_application(work, opened.vault, address, role or Role.HELP_DESK, user_id)
        return msgspec.structs.asdict(keys) | {"admin": address}

    def second_account(work: Work) -> dict[str, str]:
        accounts.create(work, second_code, "zqmarker Limited", "zqmarker@other.test")
        domains.register(work, "other.test")
        domains.register(work, "zqmarker.test")
        seed_account(work)
        return keys_for(work, "root@other.test", Role.SUPER_ADMINISTRATOR)

    def further_users(work: Work) -> dict[Role | None, dict[str, str]]:
        return {
            role: keys_for(work, f"{role.name.lower() if role else 'nobody'}@{DOMAIN}", role)
            for role in (*Role, None)
        }

    def expired_binding(work: Work) -> dict[str, str]:
        keys = keys_for(work, f"late@{DOMAIN}", Role.SUPER_ADMINISTRATOR)
        application = login.find_application(work.connection, keys["app_id"])
        user_id = login.find_binding(work.connection, application, keys["access_key"]).user_id
        application_id = login.find_client(work.connection, keys["client_id"]).id
        secret = opened.vault.seal(b"x" * 64, work.account_id)
        login.add_binding(work, application_id, user_id, "over", secret, work.now - timedelta(seconds=1))
        return keys | {"access_key": "over", "secret_key": base64.b64encode(b"x" * 64).decode()}

    first = opened.store.look_up(
        lambda connection: login.find_application(connection, credentials["app_id"]).account_id
    )
    second, second_code = accounts.new_identity()
    origin = Origin("test")
    foreign = opened.store.write(second, origin, second_account)
    roles = opened.store.write(first, origin, further_users)
    expired = opened.store.write(first, origin, expired_binding)
    opened.close()
    return {
        "foreign": foreign,
        "foreign_domain": "other.test",
        "marker": "zqmarker",
        "roles": roles,
        "expired": expired,
    }


@pytest.fixture(scope="session")
def shared_folder(new_folder, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict, dict[str, object]]:
    """A folder as `SharedServer` has it, to be copied; its credentials; and the members of `SharedServer`."""
    data, credentials = new_folder(tmp_path_factory.mktemp("shared-template"))
    return data, credentials, furnish(data, credentials)


@pytest.fixture(scope="session")
def shared_server(shared_folder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedServer]:
    template, credentials, members = shared_folder
    parent = tmp_path_factory.mktemp("shared")
    data = parent / "data"
    shutil.copytree(template, data)
    live = LiveServer(data, credentials, parent / "maildir", environment={"MAILREEVE_RATE_LIMIT": "100000000"})
    live.start()
    yield SharedServer(live, **members)
    live.stop()


# ----------------------------------------------------------------------------------------- mail and its policies

_DECIDED = re.compile(r"(.*) \[([a-z2-7]{16})\]", re.DOTALL)


@dataclass(frozen=True)
class Said:
    """A reply of the mail door: its code, its text without the decision id, and that id."""

    code: int
    text: str
    decision_id: str

    @classmethod
    def read(cls, code: int, text: bytes) -> Said:
        found = _DECIDED.fullmatch(text.decode())
        return cls(code, *(found.groups() if found else (text.decode(), "")))

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


@dataclass(frozen=True)
class Copy:
    """A message as it was delivered to one recipient. `sender` and `recipient` are the envelope's."""

    sender: str
    recipient: str
    original: str
    message: EmailMessage

    @property
    def spam_checks(self) -> str:
        return self.message["X-Mailreeve-Spam-Checks"]


@dataclass(frozen=True)
class Sent:
    """What became of one message: the refusals at RCPT, the answer to its content, and the copies that arrived.
    `answer` is None where every recipient was refused at RCPT."""

    refused: dict[str, Said]
    answer: Said | None
    copies: dict[str, Copy]

    def verdict(self, recipient: str) -> tuple[str, str | None, str | None]:
        """Verdict, stage and reply for one recipient, in the terms of an explanation. For a message with several
        recipients the answer to the content is nobody's in particular, so only a delivery can be told."""
        if recipient in self.refused:
            return "reject", "rcpt", str(self.refused[recipient])
        if recipient in self.copies:
            return "deliver", None, None
        return "reject", "data", str(self.answer)


class Gate:
    """One server, as its administrator and its correspondents have it: policies by signed calls, mail by SMTP.

    What was made through it is gone when the test is over.
    """

    def __init__(self, live: LiveServer, ending: ExitStack) -> None:
        self.live = live
        self.ending = ending
        self.client = ending.enter_context(live.client())
        self.smtp = self.connect()
        self._made: set[str] = set()

    # Policies

    def block(
        self, from_: Target, to: Target | None = None, option: str = "block_sender", **scope: object
    ) -> BlockedSenderPolicy:
        """A new blocked sender policy; to everyone unless it is said otherwise."""
        policy = Policy("a test's", from_, to or Target.everyone(), **scope)
        made = self.client.blocked_senders.create(policy, option)
        self._made.add(made.id)
        self.ending.callback(self.delete, made)
        return made

    def exempt(self, from_: Target, to: Target | None = None, **scope: object) -> BlockedSenderPolicy:
        """A new blocked sender policy with `no_action`."""
        return self.block(from_, to, "no_action", **scope)

    def delete(self, policy: BlockedSenderPolicy) -> None:
        """Delete a blocked sender policy, unless that was done before."""
        if policy.id in self._made:
            self._made.remove(policy.id)
            self.client.blocked_senders.delete(policy.id)

    def group(self, *members: str, parent: str | None = None) -> str:
        """The id of a new group with these addresses and domains."""
        item = {"description": f"group {uuid.uuid4()}", "parentId": parent}
        group_id = self.client.call("directory/create-group", item)[0]["id"]
        for member in members:
            self.join(group_id, member)
        return group_id

    def join(self, group_id: str, member: str) -> None:
        """Make an address or a domain a member of a group."""
        item = {"id": group_id, "emailAddress" if "@" in member else "domain": member}
        self.client.call("directory/add-group-member", item)
        self.ending.callback(self.client.call, "directory/remove-group-member", item)

    def permit_for_all(self, member: str) -> None:
        """Permit a sender for everybody, through the group that every account has for that (D-14)."""
        (found,) = self.client.call("directory/find-groups", {"query": "Permitted Senders"})
        self.join(found["folders"][0]["id"], member)

    def recipient(self) -> str:
        """An internal address that no other test uses: personal lists are kept for good."""
        return f"u{uuid.uuid4().hex}@{DOMAIN}"

    # Mail

    def connect(self) -> smtplib.SMTP:
        """A connection of its own to the mail door."""
        smtp = smtplib.SMTP(*self.live.smtp, local_hostname="client.test", timeout=30)
        self.ending.callback(smtp.close)
        smtp.ehlo()
        return smtp

    def send(
        self,
        sender: str,
        *recipients: str,
        header_from: str | None = None,
        fields: Sequence[str] = (),
        body: str = "Hello.",
    ) -> Sent:
        """Send a message. Its From field names the envelope sender unless `header_from` says otherwise; an empty
        one leaves the field out, as a bounce without an envelope sender does."""
        author = sender if header_from is None else header_from
        message_id = f"<{uuid.uuid4()}@client.test>"
        lines = [f"From: {author}"] if author else []
        lines += [f"Message-ID: {message_id}", "Subject: a test's", *fields, "", body, ""]
        code, text = self.smtp.mail(sender)
        assert code == 250, text
        refused = {}
        for recipient in recipients:
            reply = Said.read(*self.smtp.rcpt(recipient))
            if reply.code != 250:
                refused[recipient] = reply
        if len(refused) == len(recipients):
            self.smtp.rset()
            return Sent(refused, None, self.arrived(message_id))
        reply = Said.read(*self.smtp.data("\r\n".join(lines).encode()))
        return Sent(refused, reply, self.arrived(message_id))

    def arrived(self, message_id: str) -> dict[str, Copy]:
        """The copies of a message that were delivered, by original recipient. The Maildir is empty then."""
        copies = {}
        for file in (self.live.maildir / "new").iterdir():
            message = message_from_bytes(file.read_bytes(), policy=email.policy.default)
            file.unlink()
            # Nothing else is there: the server writes no bounces of its own (D-13).
            assert message["Message-ID"] == message_id, message.as_string()
            # Several originals where they lead to one mailbox.
            for original in message.get_all("X-Original-To"):
                assert original not in copies, f"{original} got it twice"
                sender = message["Return-Path"].strip("<>")
                copies[original] = Copy(sender, message["Delivered-To"], original, message)
        return copies

    def outcomes(self, decision_id: str) -> list[dict]:
        """What the server has recorded under a decision id."""
        return self._recorded(
            "SELECT document FROM message_outcome WHERE decision_id = ? ORDER BY id", decision_id
        )

    def last_outcome(self, recipient: str) -> dict:
        """What the server has recorded last for a recipient."""
        return self._recorded("SELECT document FROM message_outcome WHERE recipient = ? ORDER BY id", recipient)[
            -1
        ]

    def _recorded(self, query: str, value: str) -> list[dict]:
        with closing(sqlite3.connect(f"file:{self.live.data / 'mailreeve.db'}?mode=ro", uri=True)) as database:
            return [json.loads(row[0]) for row in database.execute(query, (value,))]

    # Explanations

    def explain(self, sender: str, recipient: str, header_from: str | None = None, **more: str) -> dict:
        """What the server says would become of such a message from this machine."""
        item = {"from": sender, "to": recipient, "sourceIp": "127.0.0.1", **more}
        if header_from is not None:
            item["headerFrom"] = header_from
        return self.client.call("ext/explain-message", item)[0]

    def run(self, *arguments: str) -> str:
        """What `mailreeve` prints for these arguments, with the server's data folder and environment."""
        done = subprocess.run(
            [MAILREEVE, *arguments, "--data", self.live.data],
            capture_output=True,
            text=True,
            env=os.environ | self.live.environment,
            timeout=START_TIME,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def explain_by_command(self, sender: str, recipient: str, header_from: str | None = None) -> dict:
        """As `explain`, by `mailreeve explain mail --json`."""
        command = ["explain", "mail", "--from", sender, "--to", recipient, "--ip", "127.0.0.1", "--json"]
        return json.loads(self.run(*command, *(() if header_from is None else ("--header-from", header_from))))

    def judge(self, sender: str, recipient: str, header_from: str | None = None) -> str:
        """The refusal of a message as the sender sees it, with its stage, or "delivered" and the mark of its copy.

        The message is sent, and what the server explains of such a message must be what became of it.
        """
        told = self.explain(sender, recipient, header_from)
        sent = self.send(sender, recipient, header_from=header_from)
        assert (told["verdict"], told["stage"], told["smtpReply"]) == sent.verdict(recipient)
        if told["verdict"] == "reject":
            said = sent.refused.get(recipient, sent.answer)
            assert [o["reply"] for o in self.outcomes(said.decision_id)] == [f"{said} [{said.decision_id}]"]
            assert sent.copies == {}
            return f"{said} at {told['stage']}"
        (copy,) = sent.copies.values()
        assert (told["recipient"], told["spamChecks"]) == (copy.recipient, copy.spam_checks)
        return f"delivered, spam checks {copy.spam_checks}"


@pytest.fixture(scope="session")
def mail_server(new_folder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server for tests that send mail through it, one after another."""
    parent = tmp_path_factory.mktemp("mail")
    live = LiveServer(*new_folder(parent), parent / "maildir", environment={"MAILREEVE_RATE_LIMIT": "100000000"})
    live.start()
    yield live
    live.stop()


@pytest.fixture
def gate(mail_server: LiveServer) -> Iterator[Gate]:
    with ExitStack() as ending:
        yield Gate(mail_server, ending)


@pytest.fixture
def fresh_gate(fresh_server: StartServer) -> Iterator[Callable[..., Gate]]:
    """`fresh_gate(*options, **environment)` is a gate to a server of the test's own."""
    with ExitStack() as ending:
        yield lambda *options, **environment: Gate(fresh_server(*options, **environment), ending)


AUTHSERV = "front.corp.test"


class Front(Gate):
    """A gate through a server in front, on this machine, which says for whom it speaks and what it found."""

    SOURCE = "192.0.2.7"

    def found(
        self,
        sender: str,
        recipient: str,
        header_from: str | None = None,
        *,
        results: dict[str, str] | None = None,
        source: str = SOURCE,
        fields: Sequence[str] = (),
    ) -> Sent:
        """Send a message from a source about which the server in front found these results, `{"spf": "pass
        smtp.mailfrom=x.test"}`."""
        code, text = self.smtp.docmd("XFORWARD", f"ADDR={source}")
        assert code == 250, text
        said = "; ".join(f"{method}={result}" for method, result in (results or {}).items()) or "none"
        own = f"Authentication-Results: {AUTHSERV}; {said}"
        return self.send(sender, recipient, header_from=header_from, fields=[own, *fields])


@pytest.fixture(scope="session")
def front_server(new_folder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server behind another one on this machine whose results of authentication count."""
    parent = tmp_path_factory.mktemp("front")
    environment = {
        "MAILREEVE_RATE_LIMIT": "100000000",
        "MAILREEVE_XCLIENT_HOSTS": "127.0.0.1/32",
        "MAILREEVE_TRUSTED_AUTHSERV_IDS": AUTHSERV,
    }
    live = LiveServer(*new_folder(parent), parent / "maildir", environment=environment)
    live.start()
    yield live
    live.stop()


@pytest.fixture
def front(front_server: LiveServer) -> Iterator[Front]:
    with ExitStack() as ending:
        yield Front(front_server, ending)
