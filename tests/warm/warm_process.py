"""A process that has loaded the program once, and is the command whenever one is asked for.

    python warm_process.py DESCRIPTOR

It listens on that socket. Half a second of processor goes into loading the program, and the tests start it a
thousand times. Each request is a literal of Python with `arguments`, `directory`, `environment` and `umask`,
and has the descriptors 0 to 2 beside it. This process forks; the child takes all of these over and calls what
`mailreeve` calls. The answer is the child's id at once, and its status when it has ended, each as four
octets. Where whoever asked goes away before that, the child is killed.
"""

from __future__ import annotations

import array
import ast
import atexit
import gc
import importlib
import io
import os
import pkgutil
import random
import selectors
import signal
import socket
import struct
import sys
import threading
import time
from typing import NamedTuple, NoReturn

from cheap_passwords import make_passwords_cheap

MOST = 1 << 20  # octets of a request
NUMBER = struct.Struct("=i")
# It finds out where the numbers are kept as it is loaded.
NOT_LOADED = "mailreeve.app.metrics"


class Request(NamedTuple):
    """A command as it is to be started."""

    arguments: list[str]
    directory: str
    environment: dict[str, str]
    umask: int
    descriptors: list[int]


def load() -> None:
    """Load all of the program. Nothing of it may run by itself: a fork takes no threads along."""
    import mailreeve

    for module in pkgutil.walk_packages(mailreeve.__path__, "mailreeve."):
        if not module.name.startswith((NOT_LOADED, "mailreeve.store.migrations.")):
            importlib.import_module(module.name)
    importlib.import_module("alembic.command")
    make_passwords_cheap()
    assert threading.active_count() == 1
    gc.collect()
    gc.freeze()


def next_command(listener: socket.socket) -> Request:
    """Returns in a child that is to be a command, with what was asked for."""
    running: dict[int, tuple[int, socket.socket]] = {}  # from a process' descriptor to its id and who asked
    with selectors.DefaultSelector() as ready:
        ready.register(listener, selectors.EVENT_READ, None)
        while True:
            for key, _ in ready.select():
                if key.fileobj is listener:
                    asking, _ = listener.accept()
                    request = received(asking)
                    if request is None:
                        asking.close()
                        continue
                    child = os.fork()
                    if not child:
                        return request
                    for descriptor in request.descriptors:
                        os.close(descriptor)
                    ended = os.pidfd_open(child)
                    running[ended] = child, asking
                    ready.register(ended, selectors.EVENT_READ, ended)
                    ready.register(asking, selectors.EVENT_READ, ended)
                    told(asking, child)
                elif key.data in running:
                    child, asking = running[key.data]
                    if key.fileobj is asking:
                        os.kill(child, signal.SIGKILL)
                        ready.unregister(asking)
                        continue
                    del running[key.data]
                    told(asking, os.waitpid(child, 0)[1])
                    ready.unregister(key.data)
                    if asking in [one.fileobj for one in ready.get_map().values()]:
                        ready.unregister(asking)
                    os.close(key.data)
                    asking.close()


def received(asking: socket.socket) -> Request | None:
    """What is asked for; None where whoever asked went away."""
    said, ancillary, _, _ = asking.recvmsg(MOST, socket.CMSG_SPACE(3 * array.array("i").itemsize))
    descriptors = array.array("i")
    for _, _, data in ancillary:
        descriptors.frombytes(data)
    while said and not said.endswith(b"\n"):
        more = asking.recv(MOST)
        said = said + more if more else b""
    return Request(**ast.literal_eval(said.decode()), descriptors=list(descriptors)) if said else None


def told(asking: socket.socket, number: int) -> None:
    try:
        asking.sendall(NUMBER.pack(number))
    except OSError:
        return  # whoever asked is gone, and the loop hears of it


def become(request: Request) -> None:
    """Take over where and how the command is started."""
    low = [os.dup(one) if one < 3 else one for one in request.descriptors]
    for place, descriptor in enumerate(low):
        os.dup2(descriptor, place)
    # Those of the loop, and of who waits for other commands.
    os.closerange(3, max(map(int, os.listdir("/proc/self/fd"))) + 1)
    os.chdir(request.directory)
    os.environ.clear()
    os.environ.update(request.environment)
    os.umask(request.umask)
    time.tzset()
    random.seed()
    sys.argv = request.arguments
    sys.stdin = sys.__stdin__ = opened_again(sys.stdin, 0)
    sys.stdout = sys.__stdout__ = opened_again(sys.stdout, 1)
    sys.stderr = sys.__stderr__ = opened_again(sys.stderr, 2)


def opened_again(stream: io.TextIOWrapper, descriptor: int) -> io.TextIOWrapper:
    """A stream as Python opens it when it starts."""
    raw = io.FileIO(descriptor, "r" if descriptor == 0 else "w", closefd=False)
    if descriptor == 0:
        buffer = io.BufferedReader(raw)
    else:
        buffer = raw if stream.write_through else io.BufferedWriter(raw)
    return io.TextIOWrapper(
        buffer,
        encoding=stream.encoding,
        errors=stream.errors,
        newline="\n" if descriptor else None,
        line_buffering=descriptor == 2 or raw.isatty(),
        write_through=stream.write_through,
    )


def end(code: object) -> NoReturn:
    """As `sys.exit` ends a process, but nothing in memory is taken apart: that would copy all that is shared."""
    threading._shutdown()
    atexit._run_exitfuncs()
    if code is not None and not isinstance(code, int):
        print(code, file=sys.stderr)
        code = 1
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        code = code or 120
    os._exit(code or 0)


if __name__ == "__main__":
    load()
    become(next_command(socket.socket(fileno=int(sys.argv[1]))))
    from mailreeve.cli.main import main

    try:
        main()
    except SystemExit as ended:
        end(ended.code)
    end(None)
