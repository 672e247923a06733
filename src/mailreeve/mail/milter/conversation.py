"""What does a mail server tell its filter? Octets in, events out, and which of them want an answer. No I/O.

What Postfix 3.7 really does, and nothing here may trip over:

- macros come in a packet of their own before every event, each header field included, and hold for that event
- the queue id, macro `i`, is absent at MAIL and at the first RCPT
- the parameters of MAIL and RCPT follow the address as further texts
- ABORT follows every message, also one that was accepted, and may come twice: it means that nothing is under way
- its own Received field is not shown

Whatever comes raises nothing but `ProtocolError`, and is kept in memory no longer than its packet, but for the few
macros that are asked for.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Final

from msgspec import Struct

from mailreeve.mail.milter.packets import (
    VERSION,
    Actions,
    PacketReader,
    ProtocolError,
    Steps,
    negotiated,
    texts,
)

NEEDED: Final = Actions.ADD_HEADERS | Actions.ADD_RECIPIENTS | Actions.DELETE_RECIPIENTS | Actions.CHANGE_HEADERS
"""Without these no plan could be carried out. Sendmail offers them since version 2 of the protocol."""

WANTED: Final = NEEDED | Actions.CHANGE_SENDER | Actions.NAME_MACROS
STEPS: Final = (  # and `NO_REPLY_CONNECT`, see `Conversation`
    Steps.NO_UNKNOWN
    | Steps.NO_DATA
    | Steps.NO_REPLY_HEADER
    | Steps.NO_REPLY_HELO
    | Steps.NO_REPLY_END_OF_HEADER
    | Steps.NO_REPLY_BODY
    | Steps.LEADING_SPACE
)

QUEUE_ID: Final = "i"
LOGIN: Final = "{auth_authen}"
_PASSED_OVER: Final = frozenset({b"DC", b"DH", b"DL", b"DN", b"DB"})
"""The macros of events with which none of those comes for the first time that are asked for. A server sends some
with every field of the header."""
_STAGES: Final = ((2, b"i {auth_authen}"), (3, b"i"), (4, b"i"), (5, b"i"))
"""Which macros are wanted at MAIL, RCPT, DATA and the end of the message, whatever the server's settings name."""

MAX_MACRO: Final = 1_024  # octets that are kept of the value of a macro


class Connected(Struct, frozen=True):
    """A client came. `name` is its host's by DNS, or what the server says where there is none; `address` as it was
    given, empty where the server does not know it. `family` is `4`, `6`, `L` or `U`."""

    name: str
    family: str
    address: str
    port: int | None = None


class Introduced(Struct, frozen=True):
    """The client said HELO or EHLO."""

    name: str


class SenderNamed(Struct, frozen=True):
    """MAIL, with its path as it came, and its parameters."""

    path: bytes
    parameters: tuple[bytes, ...]
    login: str


class RecipientNamed(Struct, frozen=True):
    """RCPT, with its path as it came, and its parameters."""

    path: bytes
    parameters: tuple[bytes, ...] = ()


class HeaderField(Struct, frozen=True):
    """One field of the header, without its line end: what stands before its colon, and all that is behind it."""

    name: bytes
    value: bytes


class HeaderEnded(Struct, frozen=True):
    """The header is over."""


class BodyPart(Struct, frozen=True):
    """What comes next of the body. With the `last` one the end of the message came, and that is answered."""

    data: bytes
    last: bool = False


class MessageEnded(Struct, frozen=True):
    """The message is over, and wants its answer. `queue_id` is empty where the server does not tell it."""

    queue_id: str


class Aborted(Struct, frozen=True):
    """Nothing is under way."""


class ClientGone(Struct, frozen=True):
    """The client is gone. The connection is for another one, or, if it is `last`, over."""

    last: bool


class Unheeded(Struct, frozen=True):
    """Something that decides nothing, and wants an answer all the same."""


Event = (
    Connected
    | Introduced
    | SenderNamed
    | RecipientNamed
    | HeaderField
    | HeaderEnded
    | BodyPart
    | MessageEnded
    | Aborted
    | ClientGone
    | Unheeded
)


_UNANSWERED: Final[frozenset[type[Event]]] = frozenset({Aborted, ClientGone})
_NO_REPLY: Final[Mapping[Steps, type[Event]]] = {
    Steps.NO_REPLY_HEADER: HeaderField,
    Steps.NO_REPLY_CONNECT: Connected,
    Steps.NO_REPLY_HELO: Introduced,
    Steps.NO_REPLY_END_OF_HEADER: HeaderEnded,
    Steps.NO_REPLY_BODY: BodyPart,
}


def _always() -> bool:
    return True


class Conversation:
    """What one mail server says over one connection. `feed` gives events; `answer` is what is to be sent first.

    `answers_connect` is asked in the negotiation whether a client may be refused as soon as it comes. Where none
    is, the server need not wait for an answer about each.
    """

    def __init__(self, answers_connect: Callable[[], bool] = _always) -> None:
        self._reader = PacketReader()
        self._answers_connect = answers_connect
        self._macros: dict[str, str] = {}
        self._unanswered = _UNANSWERED
        self._keeps_space = False
        self._can_change_sender = False
        self._agreed = False
        self.answer = b""

    @property
    def keeps_space(self) -> bool:
        """Whether values of fields that are sent have the space behind the colon, as those that come do then."""
        return self._keeps_space

    @property
    def can_change_sender(self) -> bool:
        """Whether the server lets a filter name another envelope sender."""
        return self._can_change_sender

    def wants_reply(self, event: Event) -> bool:
        """Whether the server waits for an answer to this event."""
        return type(event) not in self._unanswered and not (type(event) is BodyPart and event.last)

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events of what has come in. Raises `ProtocolError`."""
        for letter, told in self._reader.feed(data):
            if not self._agreed and letter != b"O":
                raise ProtocolError(f"{letter!r} before the negotiation")
            if letter == b"D":
                self._keep_macros(told)
            elif letter == b"L":
                name, value = (*told.split(b"\0", 2), b"", b"")[:2]
                yield HeaderField(name, value if self._keeps_space else b" " + value)
            else:
                yield from self._events(letter, told)

    def _events(self, letter: bytes, data: bytes) -> Iterator[Event]:
        match letter:
            case b"O":
                self._negotiate(data)
            case b"C":
                self._macros = {}
                yield _connected(data)
            case b"H":
                yield Introduced(_text(b"".join(texts(data)[:1])))
            case b"M":
                path, *parameters = texts(data) or [b""]
                yield SenderNamed(path, tuple(parameters), self._macros.get(LOGIN, ""))
            case b"R":
                path, *parameters = texts(data) or [b""]
                yield RecipientNamed(path, tuple(parameters))
            case b"N":
                yield HeaderEnded()
            case b"B":
                yield BodyPart(data)
            case b"E":
                if data:
                    yield BodyPart(data, last=True)
                yield MessageEnded(self._macros.get(QUEUE_ID, ""))
                self._macros = {}
            case b"A":
                self._macros = {}
                yield Aborted()
            case b"Q" | b"K":
                self._macros = {}
                yield ClientGone(last=letter == b"Q")
            case b"T" | b"U":
                yield Unheeded()
            case _:
                raise ProtocolError(f"{letter!r} is no command")

    def _negotiate(self, data: bytes) -> None:
        if len(data) < 12:
            raise ProtocolError("a negotiation that is cut off")
        agreed = _agreement(*struct.unpack("!III", data[:12]), self._answers_connect())
        self._unanswered = agreed.unanswered
        self._keeps_space = agreed.keeps_space
        self._can_change_sender = agreed.can_change_sender
        self._agreed = True
        self._reader.passed_over = _PASSED_OVER
        self.answer += agreed.answer

    def _keep_macros(self, data: bytes) -> None:
        """Keep what is asked for; of the rest nothing. Names are with or without braces where they have one letter
        (`i`, `{i}`)."""
        told = texts(data[1:])
        if data[:1] == b"M":
            self._macros = {}
        for name, value in zip(told[::2], told[1::2], strict=False):
            if name in (b"i", b"{i}"):
                self._macros[QUEUE_ID] = _text(value)
            elif name == b"{auth_authen}":
                self._macros[LOGIN] = _text(value)


class _Agreement(Struct, frozen=True):
    """What comes of a negotiation, and what is answered."""

    unanswered: frozenset[type[Event]]
    keeps_space: bool
    can_change_sender: bool
    answer: bytes


@lru_cache(maxsize=16)  # a server offers the same with each connection
def _agreement(version: int, actions: int, steps: int, answers_connect: bool) -> _Agreement:
    """What is used of an offer. Raises `ProtocolError` where that is not enough."""
    wanted = STEPS if answers_connect else STEPS | Steps.NO_REPLY_CONNECT
    agreed_actions, agreed_steps = WANTED & Actions(actions & WANTED), wanted & Steps(steps & wanted)
    if version < 2 or agreed_actions & NEEDED != NEEDED:
        raise ProtocolError(f"version {version} with the actions {actions:#x} is not enough")
    macros = _STAGES if agreed_actions & Actions.NAME_MACROS else ()
    return _Agreement(
        _UNANSWERED.union(kind for step, kind in _NO_REPLY.items() if agreed_steps & step),
        bool(agreed_steps & Steps.LEADING_SPACE),
        bool(agreed_actions & Actions.CHANGE_SENDER),
        negotiated(min(version, VERSION), agreed_actions, agreed_steps, macros),
    )


def _text(data: bytes) -> str:
    return data[:MAX_MACRO].decode("utf-8", "surrogateescape")


def _connected(data: bytes) -> Connected:
    name, _, rest = data.partition(b"\0")
    family = rest[:1].decode("ascii", "replace") or "U"
    if family == "U" or len(rest) < 3:
        return Connected(_text(name), "U", "")
    port = int.from_bytes(rest[1:3], "big")
    address = _text(b"".join(texts(rest[3:])[:1]))
    if address[:5].lower() == "ipv6:":
        address = address[5:]
    return Connected(_text(name), family, address, port)
