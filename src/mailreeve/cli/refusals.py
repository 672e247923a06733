"""How is a refusal of the API told to whoever gave options? By the option of the refused member, and its value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from mailreeve.cli.options import fail, misused
from mailreeve.cli.output import say
from mailreeve.client import ApiError, Failure

Options = Mapping[str, tuple[str, object]]
"""From a member of an item, or what members begin with, to the option that it came from, and the value that was
given; None for one that is not repeated."""

_VALIDATION: Final = "err_validation"


@contextmanager
def said_of(options: Options, *, ending: str = "") -> Iterator[None]:
    """What is refused within is said of options, with an `ending`.

    It ends the command with exit code 2 where only what was given is wrong, with 1 where what there is forbids it.
    """
    try:
        yield
    except ApiError as problem:
        told = [f"{_told(failure, options, problem.status)}{ending}" for failure in problem.failures]
        for text in told[:-1]:
            # All but the last, with which the command ends.
            say(f"Error: {text}")
        if problem.status == 200 and all(_is_misuse(failure, options) for failure in problem.failures):
            misused(told[-1])
        fail(told[-1])


def _told(failure: Failure, options: Options, status: int) -> str:
    member = _member(failure, options)
    if not member:
        return failure.described(status)
    option, value = options[member]
    return f"{option}{'' if value is None else f' {value!r}'}: {failure.message}"


def _is_misuse(failure: Failure, options: Options) -> bool:
    return bool(_member(failure, options)) and failure.code.startswith(_VALIDATION)


def _member(failure: Failure, options: Options) -> str:
    """The member of `options` that a failure is about, or that it is within; empty for none."""
    member = failure.field or ""
    while member and member not in options:
        # `networks[0].name` is within `networks[0]`, and that within `networks`.
        member = member.rpartition("[" if member.endswith("]") else ".")[0]
    return member
