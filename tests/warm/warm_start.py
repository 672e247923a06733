"""`mailreeve` without the half second that loading it takes: what tests start is forked off `warm_process`.

`use` puts a class in the place of `subprocess.Popen` that starts `mailreeve` like this and everything else as
ever. Id, descriptors, signals, directory, environment and exit code are those of the command. What differs is
that it was not loaded anew, whose child it is, and that Python does not take itself apart at its end: a test
that is about any of these, or about what a crash leaves, is marked `cold` and gets the program as its users
do. With COLD in the environment every test does.
"""

from __future__ import annotations

import array
import atexit
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from warm_process import NUMBER

MAILREEVE = Path(sys.executable).with_name("mailreeve")
PROMISED = 0.1
"""Seconds in which what a command changed holds in a server beside it (ADR 0031). So long after its end the
command is waited for: a real one takes longer to start, so nobody meets it sooner with what was before."""

_READ_AT_START = ("PYTHON", "LC_", "LANG", "LD_")
_cold = False

Environment = frozenset[tuple[str, str]]
_real = subprocess.Popen


class WarmProcess:
    """A process that is forked off. It was started with what Python reads of an environment as it starts, and ends
    when this one does."""

    def __init__(self, of_start: Environment) -> None:
        theirs = socket.socket(socket.AF_UNIX)
        self.address = f"mailreeve-tests-{os.getpid()}-{len(_warm)}"
        theirs.bind(f"\0{self.address}")  # a name that is no file
        theirs.listen(128)
        self._process = _real(
            [sys.executable, Path(__file__).with_name("warm_process.py"), str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env={name: value for name, value in os.environ.items() if not name.startswith(_READ_AT_START)}
            | dict(of_start),
        )
        theirs.close()
        atexit.register(self.stop)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


def _of_start(environment: Mapping[str, str]) -> Environment:
    return frozenset(item for item in environment.items() if item[0].startswith(_READ_AT_START))


_warm: dict[Environment, WarmProcess | None] = {}


def warm(environment: Mapping[str, str]) -> WarmProcess:
    """The one for such an environment; it loads the program while the tests go on."""
    of_start = _of_start(environment)
    found = _warm.get(of_start)
    if found is None:
        found = _warm[of_start] = WarmProcess(of_start)
    return found


def _is_used_again(environment: Mapping[str, str]) -> bool:
    """Whether there is a process for such an environment, or ought to be: it is not asked for once only."""
    of_start = _of_start(environment)
    if of_start in _warm or of_start == _of_start(os.environ):
        return True
    _warm[of_start] = None
    return False


class Popen(_real):
    """As `subprocess.Popen`, of which it uses what the versions from 3.11 to 3.14 have in common."""

    _waited: socket.socket | None = None

    def _execute_child(  # type: ignore[override]
        self, args, executable, preexec_fn, close_fds, pass_fds, cwd, env, *rest
    ) -> None:
        places = rest[3:9]
        environment = os.environ if env is None else env
        plain = (
            isinstance(args, list | tuple)
            and str(args[0]) == str(MAILREEVE)
            and not (_cold or executable or preexec_fn or pass_fds)
            and not any(rest[:3])  # startupinfo, creationflags, shell
            and _is_used_again(environment)
        )
        if not plain:
            return super()._execute_child(args, executable, preexec_fn, close_fds, pass_fds, cwd, env, *rest)
        read, _, _, written, _, told = places
        descriptors = [own if given == -1 else given for own, given in enumerate((read, written, told))]
        umask = os.umask(0)
        os.umask(umask)
        request = {
            "arguments": [os.fspath(one) for one in args],
            "directory": os.fspath(cwd or os.getcwd()),
            "environment": {os.fspath(k): os.fspath(v) for k, v in environment.items()},
            "umask": umask,
        }
        waited = socket.socket(socket.AF_UNIX)
        waited.connect(f"\0{warm(environment).address}")
        waited.sendmsg(
            [repr(request).encode() + b"\n"],
            [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))],
        )
        (self.pid,) = NUMBER.unpack(waited.recv(NUMBER.size))
        self._waited = waited
        self._child_created = True
        self._close_pipe_fds(*places)
        return None

    def _try_wait(self, wait_flags: int) -> tuple[int, int]:
        if self._waited is None:
            return super()._try_wait(wait_flags)
        if wait_flags & os.WNOHANG and not select.select([self._waited], [], [], 0)[0]:
            return 0, 0
        said = self._waited.recv(NUMBER.size)
        self._waited.close()
        time.sleep(PROMISED)
        return self.pid, NUMBER.unpack(said)[0] if said else 9

    def _internal_poll(self, _deadstate: int | None = None, **more: object) -> int | None:
        if self._waited is None:
            return super()._internal_poll(_deadstate, **more)
        if self.returncode is None and self._waitpid_lock.acquire(blocking=False):
            try:
                if self.returncode is None:
                    found, status = self._try_wait(os.WNOHANG)
                    if found:
                        self._handle_exitstatus(status)
            finally:
                self._waitpid_lock.release()
        return self.returncode


def in_a_shell() -> str:
    """What a shell calls that is to start `mailreeve` like this. It may not be sent signals."""
    if not _possible():
        return str(MAILREEVE)
    launcher = Path(__file__).with_name("launcher.py")
    return f"{sys.executable} -ISE {launcher} {warm(os.environ).address}"


def _possible() -> bool:
    return sys.platform == "linux" and "COLD" not in os.environ


def use() -> None:
    """Have `subprocess` start `mailreeve` like this, where the system can."""
    if _possible():
        subprocess.Popen = Popen  # type: ignore[misc]


def start_anew(yes: bool) -> None:
    """Whether from now on the program is started as its users start it."""
    global _cold
    _cold = yes
