"""An SMTP server that reads each content as fast as it comes and keeps nothing of it: plain sockets, no library.

aiosmtpd parts a content at its line ends, which takes it longer than the server under test.
"""

from __future__ import annotations

import socket
import threading


def serve(connection: socket.socket) -> None:
    """One conversation."""
    connection.sendall(b"220 sink.test\r\n")
    waiting = b""
    while True:
        while b"\r\n" not in waiting:
            came = connection.recv(1 << 16)
            if not came:
                return
            waiting += came
        line, _, waiting = waiting.partition(b"\r\n")
        verb = line[:4].upper()
        if verb == b"DATA":
            connection.sendall(b"354 go\r\n")
            end = waiting[-5:]
            while end != b"\r\n.\r\n":
                came = connection.recv(1 << 18)
                if not came:
                    return
                end = (end + came[-5:])[-5:]
            waiting = b""
        connection.sendall(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")
        if verb == b"QUIT":
            return


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"smtp 127.0.0.1:{listener.getsockname()[1]}\nready", flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    main()
