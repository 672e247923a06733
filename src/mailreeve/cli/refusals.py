"""How is a refusal of the API told to whoever gave options? By the option of the refused member, and its value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from mailreeve.cli.options import fail, misused
from mailreeve.cli.output import say
from mailreeve.client import ApiError, Failure


@contextmanager
def said_of(options: Mapping[str, tuple[str, object]], *, misusing: bool = True) -> Iterator[None]:
    """What is refused within is said of options: from each member, or what it begins with, to the option that it
    came from, and the value that was given.

    It ends the command with exit code 2 where options alone are wrong, with 1 where anything else is, or where
    `misusing` says that they are not misused though they are refused: an object may be one that cannot be changed.
    """
    try:
        yield
    except ApiError as problem:
        told = [_told(failure, options, problem.status) for failure in problem.failures]
        for text, _ in told[:-1]:
            # All but the last, with which the command ends.
            say(f"Error: {text}")
        last = told[-1][0]
        if misusing and problem.status == 200 and all(is_option for _, is_option in told):
            misused(last)
        fail(last)


def _told(failure: Failure, options: Mapping[str, tuple[str, object]], status: int) -> tuple[str, bool]:
    member = failure.field or ""
    while member and member not in options:
        member = member.rpartition(".")[0] if "." in member else ""
    if not member:
        return failure.described(status), False
    option, value = options[member]
    return f"{option}{'' if value is None else f' {value!r}'}: {failure.message}", True
