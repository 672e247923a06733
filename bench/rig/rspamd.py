"""A private rspamd as a milter, without the internet: a DNS server of ours knows of no name."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.request import urlopen

from rig.postfix import free_port

PATIENCE = 60.0  # seconds until it answers

# By folder and name: what differs from what comes with it. A short list of suffixes, since the whole one takes it
# half a minute to read.
FILES = {
    "options.inc": 'dns {{ nameserver = ["127.0.0.1:{dns}"]; timeout = 0.1s; retransmits = 1; }}\n'
    'local_addrs = [];\nurl_tld = "{folder}/tld.dat";\n',
    "worker-normal.inc": 'bind_socket = "127.0.0.1:{normal}"; count = 1;\n',
    "worker-controller.inc": 'bind_socket = "127.0.0.1:{controller}"; count = 1; secure_ip = "127.0.0.1";\n',
    "worker-proxy.inc": 'bind_socket = "127.0.0.1:{milter}"; milter = yes; timeout = 20s;\n'
    'upstream "local" {{ default = yes; hosts = "127.0.0.1:{normal}"; }}\n',
    "worker-fuzzy.inc": "enabled = false;\n",
    "logging.inc": 'type = "console"; level = "error";\n',
}


@contextmanager
def rspamd(folder: Path) -> Iterator[tuple[str, int] | None]:
    """Its milter's address, as Postfix names it, and its process; None where it is not installed."""
    program = shutil.which("rspamd")
    if program is None:
        yield None
        return
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as names:
        names.bind(("127.0.0.1", 0))
        threading.Thread(target=_say_no, args=(names,), daemon=True).start()
        ports = {name: free_port() for name in ("normal", "controller", "milter")}
        (folder / "lc" / "local.d").mkdir(parents=True)
        for name, text in FILES.items():
            filled = text.format(folder=folder, dns=names.getsockname()[1], **ports)
            (folder / "lc" / "local.d" / name).write_text(filled)
        (folder / "tld.dat").write_text("com\norg\nnet\ntest\ninvalid\n")
        for part in ("db", "run", "log"):
            (folder / part).mkdir()
            shutil.chown(folder / part, "_rspamd", "_rspamd")
        places = {"LOCAL_CONFDIR": "lc", "DBDIR": "db", "RUNDIR": "run", "LOGDIR": "log"}
        variables = [f"--var={name}={folder / part}" for name, part in places.items()]
        with open(os.devnull, "w") as nowhere:
            process = subprocess.Popen(
                [program, "-f", "-u", "_rspamd", "-g", "_rspamd", *variables], stdout=nowhere, stderr=nowhere
            )
        try:
            _wait(f"http://127.0.0.1:{ports['normal']}/ping")
            yield f"inet:127.0.0.1:{ports['milter']}", process.pid
        finally:
            process.terminate()
            process.wait()


def _wait(url: str) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            with urlopen(url, timeout=1):  # noqa: S310 - our own
                return
        except OSError:
            if time.monotonic() > until:
                raise SystemExit("rspamd does not answer") from None
            time.sleep(0.1)


def _say_no(names: socket.socket) -> None:
    while True:
        try:
            query, asker = names.recvfrom(4096)
        except OSError:
            return
        # The question as it came; of the flags that it is an answer, and that there is no such name.
        end = query.index(b"\0", 12) + 5
        names.sendto(query[:2] + b"\x81\x83\0\1\0\0\0\0\0\0" + query[12:end], asker)
