"""A milter that does nothing: what it costs Postfix to ask anybody at all. It listens on the Unix socket that is
its argument, and wants no reply where that can be had."""

from __future__ import annotations

import asyncio
import os
import struct
import sys

import uvloop

CONTINUE = b"\0\0\0\1c"
NO_REPLIES = 0x80 | 0x1000 | 0x2000 | 0x4000 | 0x8000 | 0x10000 | 0x20000 | 0x40000 | 0x80000
SILENT = frozenset(b"DACHMRTULNBKQ")  # what is answered by nothing then


class Noop(asyncio.Protocol):
    """One connection of a mail server."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        self.waiting = b""

    def data_received(self, data: bytes) -> None:
        waiting = self.waiting + data
        at = 0
        while len(waiting) - at >= 4:
            (length,) = struct.unpack_from("!I", waiting, at)
            if len(waiting) - at - 4 < length:
                break
            letter = waiting[at + 4]
            if letter == ord("O"):
                _, _, steps = struct.unpack_from("!III", waiting, at + 5)
                self.transport.write(struct.pack("!IcIII", 13, b"O", 6, 0, steps & NO_REPLIES))
            elif letter == ord("Q"):
                self.transport.close()
            elif letter not in SILENT:
                self.transport.write(CONTINUE)
            at += 4 + length
        self.waiting = waiting[at:]


async def main(path: str) -> None:
    server = await asyncio.get_running_loop().create_unix_server(Noop, path)
    os.chmod(path, 0o666)  # noqa: S103 - Postfix has a user of its own
    print(f"milter unix:{path}\nready", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
