"""Where do logs go? To standard error, a line each; standard output belongs to the command's answers."""

from __future__ import annotations

import logging
import sys

import structlog

from mailreeve.settings import SettingsError


def configure(level: str) -> None:
    """Log from `level` (debug, info, warning, error) on. Raises `SettingsError`."""
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise SettingsError(f"log_level: {level!r} is none of debug, info, warning, error")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Libraries log through the standard module; their warnings are wanted, their chatter is not.
    logging.basicConfig(
        level=max(number, logging.WARNING), stream=sys.stderr, format="%(asctime)s %(name)s %(message)s"
    )


def configure_quietly() -> None:
    """For a command or a program that gives an answer: nothing but warnings, and none of them among the answers.

    Whoever has configured the log already is left alone.
    """
    if not structlog.is_configured():
        structlog.configure(
            wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
            # Asked for every line: who replaces standard error gets the lines that follow.
            logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),
        )
