"""What can go wrong with a call? The server refused it, or it could not be reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct


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


class ApiError(ClientError):
    """The server refused the call, or some of its items.

    `code`, `message` and `field` are those of the first error; `failures` holds all of them. `status` is the
    HTTP status, which is 200 where only items were refused; `data` holds the rows of the items that were
    carried out all the same.
    """

    def __init__(
        self, status: int, failures: Sequence[Failure], data: Sequence[Mapping[str, object]] = ()
    ) -> None:
        first = failures[0]
        at = f" in {first.field}" if first.field else ""
        super().__init__(f"{first.message} ({first.code}{at}, HTTP status {status})")
        self.status = status
        self.code = first.code
        self.message = first.message
        self.field = first.field
        self.failures = tuple(failures)
        self.data = tuple(data)
