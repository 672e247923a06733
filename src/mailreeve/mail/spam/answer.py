"""What did the engine say? Its JSON as values, within bounds: the message that it is about was a stranger's."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct, field

from mailreeve.formats.header_text import printable
from mailreeve.mail.scan import Scan
from mailreeve.mail.spam.symbols import authentication_of, virus_of
from mailreeve.policy.model.content import SpamAction, SpamSymbol, SpamVerdict

MAX_SYMBOLS: Final = 50
MAX_NAME: Final = 64

_ACTIONS: Final = {action.value: action for action in SpamAction} | {
    # Mail that nobody gets and nobody is told of is no verdict of ours: such mail is refused, or held.
    "discard": SpamAction.REJECT,
    "quarantine": SpamAction.ADD_HEADER,
}


class _Symbol(Struct, frozen=True):
    score: float = 0.0
    options: list[str] = []


class _Messages(Struct, frozen=True):
    smtp_message: str = ""


class _Answer(Struct, frozen=True):
    action: str
    score: float
    required_score: float | None = None
    symbols: dict[str, _Symbol] = {}
    messages: _Messages = field(default_factory=_Messages)


_decode: Final = msgspec.json.Decoder(_Answer, strict=False).decode


def read_answer(text: bytes) -> Scan:
    """The answer to `/checkv2`. Raises `ValueError` for what is none. An action of the engine's own making counts
    as none."""
    try:
        answer = _decode(text.decode("utf-8", "replace"))
    except msgspec.DecodeError as problem:
        raise ValueError(f"the engine answered what is no verdict: {problem}") from problem
    options = {name: symbol.options for name, symbol in answer.symbols.items()}
    weighty = sorted(answer.symbols.items(), key=lambda item: abs(item[1].score), reverse=True)
    verdict = SpamVerdict(
        action=_ACTIONS.get(answer.action, SpamAction.NO_ACTION),
        score=round(answer.score, 2),
        required=round(answer.required_score or 0.0, 2),
        symbols=tuple(
            SpamSymbol(printable(name, MAX_NAME), round(symbol.score, 2)) for name, symbol in weighty[:MAX_SYMBOLS]
        ),
        virus=virus_of(options, answer.messages.smtp_message),
    )
    return Scan(verdict, authentication=authentication_of(options))
