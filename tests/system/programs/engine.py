"""A real rspamd for tests, with a name server and an antivirus of ours to ask: neither needs the world outside."""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from shutil import chown

PATIENCE = 40  # seconds until what has not happened is not going to
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
EICAR = r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
LIKE_GTUBE = "much like GTUBE"
"""In a text, gives a message a score as GTUBE has it. Of what has that itself nothing else is looked at."""
ENOUGH = "more than enough"
"""In a text, gives a message a score that rejects it before anything is looked at that takes time."""
FIRST_TEST = f"""
rspamd_config:register_symbol({{
  name = "ENOUGH", type = "prefilter", score = 20.0, priority = 10,
  callback = function(task) return tostring(task:get_content()):find("{ENOUGH}", 1, true) ~= nil end,
}})
"""
NO_SUCH_NAME, TEXT = 3, 16  # RFC 1035 sections 4.1.1 and 3.2.2


class Names:
    """A name server that knows these texts by name, and says of every other name that there is none: without one
    every scan waits for it."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
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
            self._socket.sendto(self._answer_to(question), who)

    def _answer_to(self, question: bytes) -> bytes:
        """The same id and question, and what is known (RFC 1035 section 4.1)."""
        end = question.index(b"\0", 12) + 5
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1 : at + 1 + question[at]].decode("ascii", "replace").lower())
            at += 1 + question[at]
        (kind,) = struct.unpack("!H", question[end - 4 : end - 2])
        text = self._texts.get(".".join(labels))
        record = b""
        if text is not None and kind == TEXT:
            data = bytes([len(text)]) + text.encode("ascii")
            # The name is that of the question; it may be kept for a minute.
            record = struct.pack("!HHHIH", 0xC00C, TEXT, 1, 60, len(data)) + data
        flags = 0x8180 | (NO_SUCH_NAME if text is None else 0)
        counts = struct.pack("!HHHHH", flags, 1, 1 if record else 0, 0, 0)
        return question[:2] + counts + question[12:end] + record

    def close(self) -> None:
        self._socket.sendto(b"stop", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()


class Antivirus:
    """Speaks as clamd does to `INSTREAM`: content in pieces behind their lengths, and one answer. It finds one
    thing, the test file of EICAR."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.asked = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            # One that breaks off is no reason to answer nobody else.
            with client, client.makefile("rb") as stream, suppress(OSError, struct.error):
                self._answer(client, stream)

    def _answer(self, client: socket.socket, stream) -> None:
        command = b""
        while not command.endswith((b"\0", b"\n")):
            command += stream.read(1)
        assert command[1:-1] == b"INSTREAM", command
        content = b""
        while length := struct.unpack("!I", stream.read(4))[0]:
            content += stream.read(length)
        self.asked += 1
        said = b"Eicar-Test-Signature FOUND" if EICAR.encode() in content else b"OK"
        client.sendall(b"stream: " + said + command[-1:])

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


class Rspamd:
    """An rspamd of its own, with a list of public suffixes that is short enough to start at once."""

    def __init__(
        self, folder: Path, program: Path, ports: Callable[[], int], texts: Mapping[str, str] | None = None
    ) -> None:
        self._program = program
        self._folder = folder
        self.port = ports()
        self.process: subprocess.Popen[bytes] | None = None
        self._names = Names(texts or {})
        self.antivirus = Antivirus()
        local = folder / "lc" / "local.d"
        local.mkdir(parents=True)
        (folder / "tld.dat").write_text("com\norg\nnet\ntest\ninvalid\n")
        for name in ("db", "run", "log"):
            (folder / name).mkdir()
            chown(folder / name, "_rspamd", "_rspamd")
        for name, text in {
            "options.inc": f'dns {{ nameserver = ["127.0.0.1:{self._names.port}"]; timeout = 0.1s; '
            f'retransmits = 1; }}\nlocal_addrs = [];\nurl_tld = "{folder}/tld.dat";\n',
            "antivirus.conf": f'clamav {{ type = "clamav"; servers = "127.0.0.1:{self.antivirus.port}"; '
            'symbol = "CLAM_VIRUS"; scan_mime_parts = false; }\n',
            # Our hosts have no names in DNS, nor has anything else; that would make spam of every message.
            "hfilter.conf": "enabled = false;\n",
            "rbl.conf": "enabled = false;\n",
            "regexp.conf": f'"LIKE_GTUBE" = {{ re = "/{LIKE_GTUBE}/{{mime}}"; score = 20.0; }}\n',
            "worker-normal.inc": f'bind_socket = "127.0.0.1:{self.port}"; count = 1;\n',
            "worker-controller.inc": f'bind_socket = "127.0.0.1:{ports()}"; count = 1;\n',
            "worker-proxy.inc": "enabled = false;\n",
            "worker-fuzzy.inc": "enabled = false;\n",
            "logging.inc": 'type = "console"; level = "warning";\n',
        }.items():
            (local / name).write_text(text)
        (folder / "lc" / "rspamd.local.lua").write_text(FIRST_TEST)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it; it answers by the time this returns."""
        paths = {"LOCAL_CONFDIR": "lc", "DBDIR": "db", "RUNDIR": "run", "LOGDIR": "log"}
        options = [f"--var={name}={self._folder / path}" for name, path in paths.items()]
        with (self._folder / "rspamd.log").open("ab") as log:
            self.process = subprocess.Popen(
                [self._program, "-f", "-u", "_rspamd", "-g", "_rspamd", *options],
                stdout=log,
                stderr=log,
                start_new_session=True,
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

    def kill(self) -> None:
        """Let it die at once, with its workers, whatever they were doing."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)

    def close(self) -> None:
        if self.process.poll() is None:
            self.stop()
        self._names.close()
        self.antivirus.close()
