"""What do a helper and the server say to each other over the local socket? Frames: their form and their limits.

A frame is four octets that say how long it is, the highest first, and so many octets of MessagePack. The helper
says `Hello` first and is told `Welcome`; then it sends batches, as many as it likes before the first is answered.
Answers come in the order of the batches. A helper loads this and little else, so it imports nothing of ours.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

VERSION: Final = 1
HEAD: Final = 4  # octets that say how long a frame is
MAX_FRAME: Final = 8 * 1024 * 1024
MAX_HELLO: Final = 1_024  # octets, of whoever has not yet said who it is
MAX_BATCH: Final = 500  # requests; a batch keeps an event loop busy for some milliseconds


class FrameError(ValueError):
    """The other side does not speak as it should."""


class Hello(Struct, frozen=True, array_like=True):
    """Who asks: the version of this protocol, the code of the account, empty for the only one, and the name of the
    door, for records."""

    version: int
    account: str
    door: str


class Welcome(Struct, frozen=True, array_like=True):
    """Whether the server answers this helper; if not, why not."""

    ok: bool
    why: str


class Ask(Struct, frozen=True, array_like=True, gc=False):
    """One request; members as in `web.requests.WebRequest`."""

    url: str
    method: str
    user: str
    client: str
    host_only: bool


class Batch(Struct, frozen=True, array_like=True):
    """Requests that are asked about together."""

    number: int
    asks: list[Ask]


class Told(Struct, frozen=True, array_like=True, gc=False):
    """What becomes of one request: the verdict as `WebVerdict` has it, why, and the decision id, if any."""

    verdict: str
    sentence: str
    decision_id: str


class Answers(Struct, frozen=True, array_like=True):
    """What becomes of the requests of a batch, in their order."""

    number: int
    told: list[Told]


_encoder: Final = msgspec.msgpack.Encoder()
_hello: Final = msgspec.msgpack.Decoder(Hello).decode
_welcome: Final = msgspec.msgpack.Decoder(Welcome).decode
_batch: Final = msgspec.msgpack.Decoder(Batch).decode
_answers: Final = msgspec.msgpack.Decoder(Answers).decode


def written(said: Hello | Welcome | Batch | Answers) -> bytes:
    """The frame that says this."""
    body = _encoder.encode(said)
    return len(body).to_bytes(HEAD, "big") + body


def length_of(head: bytes, most: int = MAX_FRAME) -> int:
    """How many octets follow. Raises `FrameError` where that is too much."""
    length = int.from_bytes(head, "big")
    if length > most:
        raise FrameError(f"a frame of {length} octets")
    return length


def read_hello(body: bytes) -> Hello:
    """Raises `FrameError`."""
    try:
        return _hello(body)
    except msgspec.MsgspecError as problem:
        raise FrameError(str(problem)) from problem


def read_welcome(body: bytes) -> Welcome:
    """Raises `FrameError`."""
    try:
        return _welcome(body)
    except msgspec.MsgspecError as problem:
        raise FrameError(str(problem)) from problem


def read_batch(body: bytes) -> Batch:
    """Raises `FrameError`, also for more requests than a batch may hold."""
    try:
        batch = _batch(body)
    except msgspec.MsgspecError as problem:
        raise FrameError(str(problem)) from problem
    if len(batch.asks) > MAX_BATCH:
        raise FrameError(f"a batch of {len(batch.asks)} requests")
    return batch


def read_answers(body: bytes) -> Answers:
    """Raises `FrameError`."""
    try:
        return _answers(body)
    except msgspec.MsgspecError as problem:
        raise FrameError(str(problem)) from problem
