"""Drives one server over HTTP and SMTP and by the command line, and notes every answer.

It knows the outside of the program only, so that a change of the inside does not touch it.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from placeholders import Placeholders

MAILREEVE = Path(sys.executable).with_name("mailreeve")
PATIENCE = 60  # seconds on a busy machine
WIDTH = 140  # characters of a line of a recording, where there is a choice
UNTOLD = {"date", "content-length"}  # headers that say when it was, and how long the body is
COUNTED = {"x-ratelimit-remaining", "x-ratelimit-reset", "retry-after"}  # by the clock, or by the calls before

LAYOUTS: dict[str, Any] = {"compact": {"separators": (",", ":")}, "indented": {"indent": 2}, "spaced": {}}

Item = dict[str, Any]


_RANDOM = re.compile(r"\b(account=|key=)(?:[0-9a-f]{32}|[\w-]{60,})")
"""Keys of rows and of callers that no answer told."""

_OF_EACH = re.compile(r' event=(?:mail |"api call" |"lines left out" of=mail )')


class Recorder:
    """Notes what a server answers. `live` is a started server, `keys` the credentials of its callers by name."""

    def __init__(self, live: Any, keys: Mapping[str, Mapping[str, str]]) -> None:
        self.live = live
        self.keys = keys
        self.account_code = live.credentials["account_code"]
        known = {"own account code": self.account_code, "data": str(live.data), "maildir": str(live.maildir)}
        for who, theirs in keys.items():
            for name in ("app_id", "app_key", "access_key", "secret_key", "client_id", "client_secret"):
                if len(theirs.get(name, "")) > 8:
                    known[f"{name} of {who}"] = theirs[name]
                    known[f"beginning of {name} of {who}"] = theirs[name][:64]  # as the log shows it
        self._placeholders = Placeholders(known)
        self._headers: dict[str, dict[str, str]] = {}
        self._steps: list[Item] = []

    # HTTP

    def call(
        self, title: str, path: str, *items: Item, who: str = "admin", page: Item | None = None
    ) -> list[dict[str, Any]]:
        """A signed call with these items, and the `data` that it was answered with."""
        envelope: Item = {"data": list(items)}
        if page is not None:
            envelope = {"meta": {"pagination": page}} | envelope
        body = json.dumps(envelope).encode()
        path = f"/api/{path}"
        answer = self._request(
            title, "POST", path, body, self.live.signed(path, keys=self.keys[who]), who, envelope
        )
        data: list[dict[str, Any]] = answer["data"]
        return data

    def pages(self, title: str, path: str, item: Item, size: int) -> None:
        """Every page of a list, forward to the last and one step back."""
        place: Item = {}
        earlier = ""
        number = 0
        while True:
            number += 1
            found = self._page(f"{title}, page {number}", path, item, {"pageSize": size, **place})
            earlier = found.get("previous", "")
            if "next" not in found:
                break
            place = {"pageToken": found["next"]}
        if earlier:
            self._page(f"{title}, back from the last", path, item, {"pageSize": size, "pageToken": earlier})

    def _page(self, title: str, path: str, item: Item, page: Item) -> Item:
        envelope = {"meta": {"pagination": page}, "data": [item]}
        path = f"/api/{path}"
        signed = self.live.signed(path)
        answer = self._request(title, "POST", path, json.dumps(envelope).encode(), signed, "admin", envelope)
        found: Item = answer["meta"]["pagination"]
        return found

    def send(
        self,
        title: str,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
        who: str = "nobody",
    ) -> Any:
        """A request with these headers; `who` says in the recording whose they are."""
        shown = None if body is None else body.decode("utf-8", "backslashreplace")
        return self._request(title, method, path, body, headers, who, shown)

    def _request(
        self,
        title: str,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
        who: str,
        shown: object,
    ) -> Any:
        reply = self.live.request(method, path, body, dict(headers))
        text = reply.body.decode()
        step: Item = {"title": title, "who": who, "request": f"{method} {path}"}
        if shown is not None:
            step["sent"] = self._masked(shown)
        told = {
            name: "<n>" if name in COUNTED else value
            for name, value in reply.headers.items()
            if name not in UNTOLD
        }
        step |= {"status": reply.status, "headers": self._headers_name(told), "answer": self._readable(text)}
        self._steps.append(step)
        try:
            return json.loads(text)
        except ValueError:  # `/healthz` and the answers to HEAD are no JSON.
            return text

    def permission(self, path: str, who: Sequence[str]) -> None:
        """Who of these may call an endpoint, in one step: the status, and the codes of what is refused."""
        said = {}
        path = f"/api/{path}"
        for name in who:
            body = b'{"data":[{"id":"none","unknown":1}]}'
            reply = self.live.request("POST", path, body, self.live.signed(path, keys=self.keys[name]))
            fail = [problem for entry in reply.json()["fail"] for problem in entry["errors"]]
            words = [p["message"] if reply.status == 403 else p["code"] for p in fail]
            said[name] = " ".join([str(reply.status), *words])
        self._steps.append({"title": f"who may call {path}", "request": f"POST {path}", "answer": said})

    # Mail

    def dialogue(self, title: str, *lines: str | bytes, greeted: bool = True) -> None:
        """An SMTP session: each line is sent, and its reply read. What is no command but a message is given as
        bytes: it is sent as the content, with the dot that ends it."""
        said: list[str] = []
        with socket.create_connection(self.live.smtp, timeout=PATIENCE) as connection:
            stream = connection.makefile("rwb")
            said += self._replies(stream)
            for line in lines if greeted else ():
                if isinstance(line, bytes):
                    if not said[-1].startswith("S: 354"):
                        continue  # Every recipient was refused, so nobody waits for the content.
                    content = line.replace(b"\r\n.", b"\r\n..")
                    stream.write(content + b".\r\n")
                    said.append(f"C: ({len(line)} octets of content)")
                else:
                    stream.write(line.encode() + b"\r\n")
                    said.append(f"C: {line}")
                stream.flush()
                try:
                    said += self._replies(stream)
                except TimeoutError as silence:
                    raise AssertionError(f"{title}: no reply after {said}") from silence
            if not greeted:
                said.append(f"S closes: {stream.read() == b''}")
        step: Item = {"title": title, "dialogue": [self._masked(line) for line in said]}
        copies = self._delivered()
        if copies:
            step["delivered"] = copies
        self._steps.append(step)

    @staticmethod
    def _replies(stream: Any) -> list[str]:
        found: list[str] = []
        while True:
            line = stream.readline().decode("utf-8", "backslashreplace")
            found.append(f"S: {line.rstrip()}")
            if line[3:4] != "-":
                return found

    def message(self, title: str, sender: str, *recipients: str, content: bytes) -> None:
        """A message in a session of its own, from the greeting to QUIT."""
        to = [f"RCPT TO:<{recipient}>" for recipient in recipients]
        lines = ["EHLO client.test", f"MAIL FROM:<{sender}>", *to, "DATA", content, "QUIT"]
        self.dialogue(title, *lines)

    def refused(self, title: str, sender: str, *recipients: str) -> None:
        """A session in which every recipient is refused."""
        to = [f"RCPT TO:<{recipient}>" for recipient in recipients]
        self.dialogue(title, "EHLO client.test", f"MAIL FROM:<{sender}>", *to, "QUIT")

    def _delivered(self) -> list[list[str]]:
        folder = self.live.maildir / "new"
        raw = []
        for file in folder.iterdir() if folder.exists() else ():
            raw.append(file.read_bytes().decode("utf-8", "backslashreplace"))
            file.unlink()
        # In the order of who got it: names of files are chance, and so are ids.
        raw.sort(key=lambda text: [line for line in text.splitlines() if line.startswith(("Delivered", "X-Orig"))])
        return [self._masked(text).replace("\r\n", "␍\n").split("\n") for text in raw]

    # The command line

    def command(self, title: str, *arguments: str, stdin: str = "") -> None:
        """What `mailreeve` prints for these arguments on the server's folder."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MAILREEVE_")}
        done = subprocess.run(
            [MAILREEVE, *arguments, "--data", self.live.data],
            capture_output=True,
            text=True,
            input=stdin,
            env=environment | self.live.environment | {"COLUMNS": "100"},
            timeout=PATIENCE,
            check=False,
        )
        step: Item = {"title": title, "command": self._masked(list(arguments)), "code": done.returncode}
        step["output"] = self._readable(done.stdout)
        step["errors"] = self._masked(done.stderr).split("\n")
        self._steps.append(step)

    # The recording

    def log(self) -> None:
        """What the server has logged so far, but for what is there for each call and outcome: how much of that is
        there depends on the minute (`doors.line_budget`)."""
        lines = [line for line in self.live.log().split("\n") if not _OF_EACH.search(line)]
        # What is known is told by its name; only what no answer told is random.
        masked = _RANDOM.sub(r"\1<random>", self._masked("\n".join(lines)))
        self._steps.append({"title": "the log", "log": masked.split("\n")})

    def recording(self) -> Item:
        """All that was noted."""
        return {"headers": self._headers, "steps": self._steps}

    def _headers_name(self, told: dict[str, str]) -> str:
        masked = {name: self._placeholders.in_text(value) for name, value in told.items()}
        for name, known in self._headers.items():
            if list(known.items()) == list(masked.items()):
                return name
        name = f"headers {len(self._headers) + 1}"
        self._headers[name] = masked
        return name

    def _masked(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._placeholders.in_text(value)
        if isinstance(value, list):
            return [self._masked(member) for member in value]
        if isinstance(value, dict):
            return {self._masked(name): self._masked(member) for name, member in value.items()}
        return value

    def _readable(self, text: str) -> object:
        """JSON as the value, if that stands for these very octets; otherwise the text, as lines."""
        masked: str = self._masked(text)
        for name, layout in LAYOUTS.items():
            try:
                value = json.loads(masked)
            except ValueError:
                break
            if json.dumps(value, ensure_ascii=False, **layout) == masked.removesuffix("\n"):
                return value if name == "compact" else {name: value, "line end": masked.endswith("\n")}
        return masked.split("\n")


def written(value: object, indent: int = 0) -> str:
    """JSON to be read by people: in one line what fits into one, otherwise a line for each member."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) + indent <= WIDTH or not isinstance(value, dict | list) or not value:
        return line
    space = " " * (indent + 1)
    if isinstance(value, dict):
        names = {name: json.dumps(name, ensure_ascii=False) + ": " for name in value}
        members = [names[name] + written(member, indent + 1) for name, member in value.items()]
        begin, end = "{}"
    else:
        members = [written(member, indent + 1) for member in value]
        begin, end = "[]"
    inside = ",\n".join(space + member for member in members)
    return f"{begin}\n{inside}\n{' ' * indent}{end}"
