"""What the API refuses, said in the terms of a command: the option that is at fault, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from mailreeve.cli.options import fail
from mailreeve.client import ApiError


@contextmanager
def refusals_named(options: Mapping[str, str], ending: str = "") -> Iterator[None]:
    """A refusal that names a member of the item is said of the option that it came from; `ending` is added. Any
    other goes on."""
    try:
        yield
    except ApiError as problem:
        if not all(failure.field in options for failure in problem.failures):
            raise
        said = (
            ": ".join(part for part in (options[failure.field or ""], failure.message) if part)
            for failure in problem.failures
        )
        fail(*(f"{line}{ending}" for line in said))
