"""Would a mail server that asks by milter have an answer?"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mailreeve.app.doctor.checks import Check, fail, ok, warn
from mailreeve.app.doctor.listener_checks import PATIENCE
from mailreeve.app.server.sockets import ANYWHERE
from mailreeve.app.settings import Settings

_OFFER: Final = struct.pack("!IcIII", 13, b"O", 6, 0x1FF, 0x1FFFFF)
"""The first packet of Postfix: version 6 of the protocol, all actions, all steps."""


def milter_checks(settings: Settings, *, served: bool) -> Iterator[Check]:
    """What is found where the milter door listens, if there is to be one: with a server there, whether it answers,
    else whether it could begin to listen."""
    at = settings.milter_at()
    if at is None:
        return
    if served:
        yield _answers(settings.milter, at)
    elif isinstance(at, Path) and not at.parent.is_dir():
        yield fail(
            "milter", f"there is no folder {at.parent}", "make it, so that the server and postfix may enter it"
        )
    else:
        yield ok("milter", f"{settings.milter}; no server works on the folder now")
    if isinstance(at, tuple) and at[0] in ANYWHERE:
        yield warn(
            "milter", "strangers may reach it, and it believes whoever asks", "use loopback or a Unix socket"
        )


def _answers(shown: str, at: Path | tuple[str, int]) -> Check:
    try:
        with (
            socket.socket(socket.AF_UNIX)
            if isinstance(at, Path)
            else socket.create_connection(at, PATIENCE) as asked
        ):
            asked.settimeout(PATIENCE)
            if isinstance(at, Path):
                asked.connect(str(at))
            asked.sendall(_OFFER)
            said = asked.recv(5)
    except OSError as problem:
        return fail(
            "milter",
            f"a server works on the folder, and {shown} does not answer: {problem}",
            "see its log; was it given another --milter or MAILREEVE_MILTER?",
        )
    if said[4:] != b"O":
        return fail("milter", f"{shown} is answered by something else", "see what listens there")
    return ok("milter", f"{shown} answers")
