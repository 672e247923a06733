"""What are errors of the API, how do they look on the wire, and which can any family give?

Those of one family are in its own module `errors`. Codes and texts seen in the wild are used as they are (api.md
section 1.6); where none was ever seen, ours follow the same pattern `err_<family>_<what>` (api.md section 7.2,
row 4).

An item that is refused becomes an entry of `fail` in an answer with HTTP status 200; a request that is
refused as a whole has the fault's own status. Three exceptions carry them, and nothing but the API's
front door turns them into bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct


class Fault(Struct, frozen=True):
    """A kind of error: its code, its text, the HTTP status when it refuses a whole request, and whether
    the very same call may succeed later, without anybody changing what it is about. `echoes` says that the item it
    refuses comes back with it as `key`, as all but few do (api.md section 1.4)."""

    code: str
    message: str
    status: int = 200
    retryable: bool = False
    echoes: bool = True


class Problem(Struct, frozen=True, omit_defaults=True):
    """One error on the wire. `field` names the offending member of the item (api.md section 1.4)."""

    code: str
    message: str
    retryable: bool
    field: str | None = None


class ItemRefused(Exception):
    """One item of `data` is refused; the others go on."""

    def __init__(self, problems: Sequence[Problem], *, echoes: bool = True) -> None:
        super().__init__("; ".join(f"{p.field or '-'}: {p.message}" for p in problems))
        self.problems = tuple(problems)
        self.echoes = echoes


class RequestRefused(Exception):
    """The whole request is refused with `status`. `retry_after` is in milliseconds, `field` the offending member
    of the envelope. `retryable` is for a case that differs from the others of its kind; `key` is what the refusal
    is about, where clients read that."""

    def __init__(
        self,
        fault: Fault,
        message: str = "",
        *,
        retry_after: int | None = None,
        field: str | None = None,
        retryable: bool | None = None,
        key: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message or fault.message)
        self.status = fault.status
        again = fault.retryable if retryable is None else retryable
        self.problem = Problem(fault.code, message or fault.message, again, field)
        self.retry_after = retry_after
        self.key = key


def problem(fault: Fault, field: str | None = None, message: str = "") -> Problem:
    """The fault as it appears on the wire, with a more telling message where there is one."""
    return Problem(fault.code, message or fault.message, fault.retryable, field)


def refused(fault: Fault, field: str | None = None, message: str = "") -> ItemRefused:
    """The exception that refuses one item for one reason."""
    return ItemRefused([problem(fault, field, message)], echoes=fault.echoes)


# Whole requests: transport and authentication (api.md sections 1.5, 1.6).
BAD_REQUEST: Final = Fault("err_deserialise", "The request body is not a JSON object", 400)
TOO_MANY_ITEMS: Final = Fault("err_data_too_many_items", "Too many items in data", 400)
BAD_PAGINATION: Final = Fault("err_pagination_invalid", "The pagination object is not valid", 400)
NO_CREDENTIALS: Final = Fault("err_xdk_authorization_missing", "0001 Authorization is missing or incomplete", 401)
INVALID_SIGNATURE: Final = Fault("err_xdk_invalid_signature", "0004 Invalid Signature", 401)
DATE_OUT_OF_RANGE: Final = Fault(
    "err_xdk_date_out_of_range", "0005 The x-mc-date header is too far from the server's time", 401
)
FORBIDDEN: Final = Fault("err_xdk_forbidden", "0002 Access denied", 403)
UNKNOWN_PATH: Final = Fault("err_xdk_not_found", "There is no such function", 404)
NOT_OFFERED: Final = Fault("err_xdk_not_offered", "This function of the API 1.0 is not offered here", 404)
WRONG_METHOD: Final = Fault("err_xdk_method_not_allowed", "The path has other methods; see Allow", 405)
TOO_SLOW: Final = Fault("err_request_timeout", "The request body took too long to arrive", 408, True)
TOO_LARGE: Final = Fault("err_request_too_large", "The request body is too large", 413)
QUOTA: Final = Fault("err_rate_limit_exceeded", "Too many calls; the call was not executed", 429, True)
BUSY: Final = Fault("err_busy", "Another call of this kind is under way; the call was not executed", 429, True)
BAD_KEY: Final = Fault(
    "err_idempotency_key_invalid", "Idempotency-Key must be 1 to 255 printable ASCII characters", 400
)
KEY_OTHER: Final = Fault(
    "err_idempotency_key_reused", "The Idempotency-Key belongs to a call with another path or body", 422
)
KEY_DONE: Final = Fault(
    "err_idempotency_answer_not_kept",
    "The change was made by an earlier call with this Idempotency-Key; its answer is not kept",
    409,
)
TOO_MANY_KEYS: Final = Fault(
    "err_idempotency_too_many_keys",
    "The account has too many calls with an Idempotency-Key in a day; the call was not executed",
    429,
    True,
)
NO_VIEW: Final = Fault(
    "err_header_not_offered",
    "This path takes neither Idempotency-Key nor If-Match; the call was not executed",
    400,
)
BAD_IF_MATCH: Final = Fault(
    "err_if_match_invalid", 'If-Match must be the revision of an answer in quotes, as "17"', 400
)
CHANGED: Final = Fault(
    "err_revision_changed",
    "The account was changed after the revision that If-Match names; the call was not executed",
    412,
)
INTERNAL: Final = Fault("err_internal", "The call failed inside the server", 500, True)

# Items: their form (api.md section 1.6).
NULL: Final = Fault("err_validation_null", "Field is required")
BLANK: Final = Fault("err_validation_blank", "Field may not be blank")
WRONG_TYPE: Final = Fault("err_validation_wrong_type", "Field has the wrong type")
NOT_ALLOWED: Final = Fault("err_validation_value_not_allowed", "Field value is not allowed")
AT_LEAST_ONE: Final = Fault("err_validation_at_least_one_not_null", "At least one of the fields is required")
EXACTLY_ONE: Final = Fault("err_validation_exactly_one", "Exactly one of the fields is required")
BAD_ADDRESS: Final = Fault("err_validation_invalid_email_address", "Email address is not valid")
BAD_DOMAIN: Final = Fault("err_validation_invalid_domain", "Domain is not valid")
BAD_DATE: Final = Fault("err_validation_invalid_date", "Date is not valid")
BAD_RANGE: Final = Fault("err_validation_invalid_range", "The start is not before the end")
BAD_NETWORK: Final = Fault("err_validation_invalid_cidr", "IP range is not valid")
BAD_IP: Final = Fault("err_validation_invalid_ip", "IP address is not valid")
BAD_URL: Final = Fault("err_validation_invalid_url", "URL is not valid")
TOO_LONG: Final = Fault("err_validation_too_long", "Field is too long")
INVALID_TOKEN: Final = Fault("xdk_failure", "0007 Invalid token")
RESTORE_CONFLICT: Final = Fault("err_restore_conflict", "The object cannot become what it was")
