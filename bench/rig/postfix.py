"""A private Postfix that throws away what it takes, with a port for each way of asking milters."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from rig.servers import TICKS

MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log/mail.log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.test.invalid
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_recipient_maps =
relay_domains = corp.test
relay_transport = discard:
default_transport = discard:
smtp_dns_support_level = disabled
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
milter_protocol = 6
milter_default_action = tempfail
"""
MASTER = """\
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """A running instance. `ports` are those of the ways, by their names."""

    def __init__(self, folder: Path, ways: Mapping[str, str]) -> None:
        self.folder = folder
        for part in ("conf", "queue", "data", "log"):
            (folder / part).mkdir(parents=True)
        shutil.chown(folder / "data", "postfix")
        self.ports = {name: free_port() for name in ways}
        (folder / "conf" / "main.cf").write_text(MAIN.format(folder=folder))
        lines = (
            f"127.0.0.1:{self.ports[name]} inet n - n - - smtpd -o {{ smtpd_milters = {asked} }}\n"
            for name, asked in ways.items()
        )
        (folder / "conf" / "master.cf").write_text("".join(lines) + MASTER)

    def do(self, what: str) -> None:
        """`start` or `stop`."""
        with (self.folder / "log" / "control.log").open("a") as output:
            subprocess.run(
                ["postfix", "-c", str(self.folder / "conf"), what],
                check=True,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def cpu(self) -> float:
        """Seconds of processor time used so far by all its programs, those that have ended among them."""
        return cpu_of(int((self.folder / "queue" / "pid" / "master.pid").read_text()))


def cpu_of(parent: int) -> float:
    """Seconds of processor time of a process, its children, and those that it had."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    ticks = 0
    for pid in (str(parent), *children):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except FileNotFoundError:
            continue
        ticks += sum(map(int, fields[11:15] if pid == str(parent) else fields[11:13]))
    return ticks / TICKS


def free_port() -> int:
    """A port that nobody listens on now."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def postfix(folder: Path, ways: Mapping[str, str]) -> Iterator[Postfix]:
    """A Postfix; `ways` are the milters of each port, as `smtpd_milters` names them."""
    made = Postfix(folder, ways)
    made.do("start")
    try:
        yield made
    finally:
        made.do("stop")
