"""The least that takes mail: aiosmtpd with a handler that throws each message away."""

from __future__ import annotations

import asyncio
import signal

import uvloop
from aiosmtpd.smtp import SMTP


class Discard:
    """Takes everything, keeps nothing."""

    async def handle_DATA(self, server: SMTP, session: object, envelope: object) -> str:  # noqa: N802 - its name
        """The answer to a whole message."""
        return "250 2.0.0 Discarded"


async def main() -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    server = await loop.create_server(lambda: SMTP(Discard(), hostname="sink.test"), "127.0.0.1", 0)
    print(f"smtp 127.0.0.1:{server.sockets[0].getsockname()[1]}\nready", flush=True)
    await stopping.wait()
    server.close()


if __name__ == "__main__":
    uvloop.run(main())
