"""Where do logs go? To standard error, a line each; standard output belongs to the command's answers."""

from __future__ import annotations

import io
import logging
import os
import select
import sys
import threading
from typing import Final, TextIO, cast

import structlog
from structlog.typing import EventDict, WrappedLogger

from mailreeve.access.masking import masked
from mailreeve.app.settings import SettingsError
from mailreeve.app.terminal import escaped, escaped_line

_STANDARD_ERROR: Final = 2


class LogWriter(io.TextIOBase):
    """Writes to a descriptor what it takes at once: whoever logs neither waits for the log nor fails by it.

    The log may be a full disk, or a pipe whose reader is gone or asleep. None of that may stand between a message
    that was delivered and its 250, or the sender would send it for ever. What cannot be written is dropped and
    counted, and the log says how much as soon as it takes a line again.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()
        self._reported = 0
        self.dropped = 0
        """How many texts were dropped so far; each is a line as a rule."""

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, text: str) -> int:
        """Write a text, or drop it. Never raises, and never waits."""
        with self._lock:
            missing = self.dropped - self._reported
            if missing and self._written(f'level=warning event="log lines were dropped" number={missing}\n'):
                self._reported = self.dropped
            if not self._written(text):
                self.dropped += 1
        return len(text)

    def _written(self, text: str) -> bool:
        data = text.encode("utf-8", "backslashreplace")
        try:
            while data:
                # A pipe that takes anything takes as much as this without a wait (pipe(7)).
                if not select.select((), (self._descriptor,), (), 0)[1]:
                    return False
                data = data[os.write(self._descriptor, data[: select.PIPE_BUF]) :]
        except OSError:
            return False
        return True


def fill_standard_descriptors() -> None:
    """See to it that the descriptors 0 to 2 are open. Where the caller closed one, the next file would get its
    number, perhaps the database, and what is printed would be written into it."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _STANDARD_ERROR:
        pass
    os.close(descriptor)


def known_level(level: str) -> int:
    """The number of a level. Raises `SettingsError`."""
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise SettingsError(f"log_level: {level!r} is none of debug, info, warning, error")
    return number


def configure(level: str) -> LogWriter:
    """Log from `level` (debug, info, warning, error) on, and let all of standard error go through the writer that
    is returned, unless somebody put another stream in its place. Raises `SettingsError`."""
    number = known_level(level)
    writer = LogWriter(_STANDARD_ERROR)
    if sys.stderr is None or sys.stderr is sys.__stderr__:
        sys.stderr = cast(TextIO, writer)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            _line,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, writer)),
        cache_logger_on_first_use=True,
    )
    # Libraries log through the standard module; their warnings are wanted, their chatter is not.
    handler = logging.StreamHandler(writer)
    handler.setFormatter(_Escaping("%(asctime)s %(name)s %(message)s"))
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[handler])
    return writer


_logfmt: Final = structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"])


def _line(logger: WrappedLogger, name: str, event: EventDict) -> str:
    """The line of an event. One that cannot be put into a line says at least that it was there."""
    try:
        return escaped(_logfmt(logger, name, masked(event)))
    except Exception as problem:
        return f'level={name} event="an event could not be logged" problem={type(problem).__name__}'


def _no_secrets(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """The event without what its members say is secret."""
    return masked(event)


class _Escaping(logging.Formatter):
    """As the standard one, with what would act on a terminal written out."""

    def format(self, record: logging.LogRecord) -> str:
        return escaped(super().format(record))


def _escaped_values(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """For a renderer that colours its lines, which could not be told from the colours of others afterwards."""
    return {key: escaped_line(value) if isinstance(value, str) else value for key, value in event.items()}


def configure_quietly() -> None:
    """For a command or a program that gives an answer: nothing but warnings, and none of them among the answers.

    Whoever has configured the log already is left alone.
    """
    if not structlog.is_configured():
        *before, render = structlog.get_config()["processors"]
        structlog.configure(
            processors=[*before, _no_secrets, _escaped_values, render],
            wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
            # Asked for every line: who replaces standard error gets the lines that follow.
            logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),
        )
