"""One thing that was looked at: whether it is well, what was found, and what to do."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class State(StrEnum):
    """How it is. With `fail` a server does not start, or mail or calls go wrong; `warn` is what soon may be so, or
    what nobody should leave."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Check(Struct, frozen=True):
    """What was found of one thing. `advice` is empty where there is nothing to do."""

    name: str
    state: State
    found: str
    advice: str = ""


def ok(name: str, found: str) -> Check:
    """It is well."""
    return Check(name, State.OK, found)


def warn(name: str, found: str, advice: str) -> Check:
    """It is not as it should be."""
    return Check(name, State.WARN, found, advice)


def fail(name: str, found: str, advice: str) -> Check:
    """It does not work."""
    return Check(name, State.FAIL, found, advice)
