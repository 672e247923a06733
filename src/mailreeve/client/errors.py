"""What can go wrong with a call? The server refused it, or it could not be reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

_NAMED: Final = 10  # failures that the text of an error names


class ClientError(Exception):
    """Anything that this client raises about a call."""


class Unreachable(ClientError):
    """No answer came. Whether the call was carried out is not known, unless no connection was made."""


class Failure(Struct, frozen=True):
    """One error of an answer. `item` is the item it is about, empty where the whole call was refused."""

    code: str
    message: str
    retryable: bool = False
    field: str | None = None
    item: Mapping[str, object] = {}

    def described(self, status: int) -> str:
        """The error for a reader; `status` is the HTTP status it came with."""
        at = f" in {self.field}" if self.field else ""
        return f"{self.message} ({self.code}{at}, HTTP status {status})"


class ApiError(ClientError):
    """The server refused the call, or some of its items.

    `code`, `message` and `field` are those of the first error; `failures` holds all of them. `status` is the
    HTTP status, which is 200 where only items were refused; `data` holds the rows of the items that were
    carried out all the same. As text it names every failure, or the first ten of more.
    """

    def __init__(
        self, status: int, failures: Sequence[Failure], data: Sequence[Mapping[str, object]] = ()
    ) -> None:
        first = failures[0]
        named = [failure.described(status) for failure in failures[:_NAMED]]
        if len(failures) > _NAMED:
            named.append(f"and {len(failures) - _NAMED} more")
        super().__init__("; ".join(named))
        self.status = status
        self.code = first.code
        self.message = first.message
        self.field = first.field
        self.failures = tuple(failures)
        self.data = tuple(data)
