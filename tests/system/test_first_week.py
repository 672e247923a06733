"""The administrator's first week, from an empty machine, by commands alone: no call of Python, no file but those
that an administrator writes. What a day leaves behind is what the next one begins with."""

from __future__ import annotations

import json
import os
import shutil
import smtplib
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

MAILREEVE = Path(sys.executable).with_name("mailreeve")
START_TIME = 60  # seconds that a start may take on a busy machine
USERS = ("ann", "ben", "cat")


class Office:
    """A folder to work in, a terminal of 80 columns, and the server that runs on the data folder."""

    def __init__(self, folder: Path, ports: Callable[[], int]) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.serving: subprocess.Popen[str] | None = None
        self.smtp = ("", 0)
        self.url = ""
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith("MAILREEVE_")}
        self._environment |= {"MAILREEVE_DATA": str(self.data), "COLUMNS": "80"}
        # Known beforehand, so that `doctor` finds the server where the settings have it.
        for door in ("HTTP", "SMTP"):
            self._environment[f"MAILREEVE_{door}"] = f"127.0.0.1:{ports()}"

    def run(self, *arguments: str, code: int = 0, text: str = "", data: Path | None = None) -> str:
        """What a command says on standard output; with an exit code other than 0, what it complains of."""
        environment = self._environment | ({} if data is None else {"MAILREEVE_DATA": str(data)})
        done = subprocess.run(
            [MAILREEVE, *arguments], capture_output=True, text=True, env=environment, input=text, cwd=self.folder
        )
        assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout if code == 0 else done.stdout + done.stderr

    def asked(self, *arguments: str) -> dict:
        """What a command answers with `--json`."""
        return json.loads(self.run(*arguments, "--json"))

    def file(self, name: str, *lines: str) -> str:
        """A file that the administrator writes."""
        (self.folder / name).write_text("".join(f"{line}\n" for line in lines))
        return name

    def serve(self) -> None:
        log = (self.folder / "serve.log").open("a")
        with log:
            self.serving = subprocess.Popen(
                [MAILREEVE, "serve"],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=self._environment,
                cwd=self.folder,
            )
        late = threading.Timer(START_TIME, self.serving.kill)
        late.start()
        said = {}
        for line in self.serving.stdout:
            name, _, address = line.strip().partition(" ")
            said[name] = address
            if name == "ready":
                break
        late.cancel()
        assert "ready" in said, (self.folder / "serve.log").read_text()
        host, _, port = said["smtp"].rpartition(":")
        self.smtp, self.url = (host, int(port)), said["http"]

    def close(self) -> None:
        if self.serving is None:
            return
        self.serving.terminate()
        assert self.serving.wait(30) == 0
        self.serving.stdout.close()
        self.serving = None

    def send(self, sender: str, recipient: str, subject: str = "hello") -> str:
        """A message from outside, as another server would send it: the refusal, or nothing."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = sender, recipient, subject
        message["Message-ID"] = f"<{subject}.{sender.replace('@', '.')}@mx.test>"
        message.set_content("Hello.")
        with smtplib.SMTP(*self.smtp, local_hostname="mx.test") as client:
            try:
                client.sendmail(sender, [recipient], message.as_bytes())
            except smtplib.SMTPRecipientsRefused as refused:
                ((number, line),) = refused.recipients.values()
                return f"{number} {line.decode()}"
        return ""

    def log(self) -> str:
        return (self.folder / "serve.log").read_text()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, ports: Callable[[], int]) -> Iterator[Office]:
    found = Office(tmp_path_factory.mktemp("week"), ports)
    yield found
    found.close()


def test_monday_a_folder_is_made_and_the_staff_taken_in(office: Office) -> None:
    office.run("init", "--domain", "old.test", "--save", "data/credentials.json")
    office.serve()
    staff = office.file("staff.csv", "address,name", *(f"{name}@old.test,{name.title()}" for name in USERS))
    assert "3 added" in office.run("import", "users", staff)
    assert "3 unchanged" in office.run("import", "users", staff)
    # Who is not known gets no mail from now on.
    office.run("domain", "set", "old.test", "--inbound-type", "known")
    assert office.send("x@shop.test", "ann@old.test") == ""
    assert office.send("x@shop.test", "nobody@old.test").startswith("550")


def test_tuesday_somebody_asks_where_a_message_is(office: Office) -> None:
    office.run("policy", "block", "bad.test", "--reason", "Ticket 1")
    assert "bad.test" in office.run("policy", "list")
    reply = office.send("sales@bad.test", "ann@old.test", "offer")
    assert reply.startswith("550")
    (found,) = office.asked("log", "--from", "bad.test", "--to", "ann@old.test")["records"]
    decision = found["decisionId"]
    assert f"[{decision}]" in reply
    shown = office.run("log", "show", reply)
    assert "sales@bad.test" in shown
    assert decision in office.log()
    # It was a mistake: the policy goes, and the next message comes.
    policy = found["policy"]["id"]
    assert "Ticket 1" in office.run("policy", "show", policy)
    office.run("policy", "remove", "--yes", policy)
    assert office.send("sales@bad.test", "ann@old.test", "again") == ""
    actions = [one["action"] for one in office.asked("audit", "--text", "Ticket 1")["events"]]
    assert sorted(actions) == ["create", "delete"]


def test_wednesday_colleagues_and_programs_are_let_in(office: Office) -> None:
    office.run("role", "create", "List keeper", "-p", "Gateway | Managed Senders | Edit")
    office.run("admin", "add", "ben@old.test", "--role", "Help Desk")
    assert "ben@old.test" in office.run("admin", "list")
    office.run("keys", "new", "--role", "List keeper", "--name", "shop bot", "--save", "bot.json")
    remote = ("--url", office.url, "--credentials", "bot.json")
    office.run("sender", "block", "news.test", "--to", "ann@old.test", "--reason", "too much", *remote)
    assert office.send("a@news.test", "ann@old.test").startswith("550")
    assert "permission" in office.run("policy", "block", "x.test", *remote, code=1)
    assert "shop bot" in office.run("keys", "list")
    office.run("keys", "revoke", json.loads((office.folder / "bot.json").read_text())["app_id"])
    assert "App ID is invalid" in office.run("sender", "list", *remote, code=1)
    office.run("sender", "remove", "--to", "ann@old.test", "--sender", "news.test")
    assert office.send("a@news.test", "ann@old.test") == ""


def test_thursday_many_things_at_once(office: Office) -> None:
    rows = office.file("lists.csv", "to,sender,action", *(f"cat@old.test,shop{n}.test,block" for n in range(50)))
    office.run("import", "senders", rows)
    assert office.send("x@shop7.test", "cat@old.test").startswith("550")
    bad = office.file("bad.csv", "to,sender,action", "cat@old.test,good.test,block", "nobody,shop.test,block")
    assert "line 3" in office.run("import", "senders", bad, code=1)
    assert office.send("x@good.test", "cat@old.test") == ""
    office.run("web", "create", "Not at work", "video.test")
    office.run("web", "add", "Not at work", "films.test", "--block")
    assert "films.test" in office.run("explain", "web", "https://films.test/new")
    whole = office.run("export", "senders")
    again = office.file("again.csv", *whole.splitlines())
    assert "50 unchanged" in office.run("import", "senders", again)


def test_friday_the_company_changes_its_name_and_everything_is_kept(office: Office) -> None:
    office.run("domain", "add", "new.test", "--inbound-type", "known")
    for name in USERS:
        office.run("user", "rename", f"{name}@old.test", f"{name}@new.test")
    assert office.send("x@shop7.test", "cat@new.test").startswith("550")
    assert office.send("x@shop7.test", "cat@old.test").startswith("550")
    assert office.send("x@shop.test", "ann@new.test") == ""
    assert office.send("x@shop.test", "nobody@new.test").startswith("550")
    lists = office.run("export", "senders")
    assert lists.count("cat@new.test") == 50
    office.run("backup", "kept")
    office.run("verify", "kept")
    office.close()
    shutil.rmtree(office.data)
    office.run("restore", "kept")
    office.serve()
    assert office.send("x@shop7.test", "cat@new.test").startswith("550")
    assert office.send("x@shop.test", "ann@new.test") == ""
    assert office.run("export", "senders") == lists
    # What was asked on Tuesday can still be asked.
    assert office.asked("log", "--from", "bad.test", "--verdict", "rejected")["records"]
    assert "fail" not in {one["state"] for one in office.asked("doctor")["checks"]}


def test_saturday_another_company_moves_in(office: Office) -> None:
    office.run("account", "add", "--domain", "other.test", "--save", "other.json")
    assert office.send("x@shop.test", "who@other.test") == ""
    code = json.loads((office.folder / "other.json").read_text())["account_code"]
    office.run("account", "lock", code)
    assert office.send("x@shop.test", "who@other.test").startswith("4")
    office.run("account", "remove", code, "--yes")
    assert "relay" in office.send("x@shop.test", "who@other.test")
    assert office.send("x@shop.test", "ann@new.test") == ""
