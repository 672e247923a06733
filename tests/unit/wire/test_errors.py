"""The catalogue of errors: one code for one thing, shown as clients read it."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

import mailreeve
from mailreeve.wire import errors
from mailreeve.wire.errors import Fault, ItemRefused, RequestRefused, problem, refused

SOURCE = Path(mailreeve.__file__).parent
DECLARED = [
    (path, name)
    for path in sorted(SOURCE.rglob("*.py"))
    for name in re.findall(r"^(\w+)(?:: Final)? = Fault\(", path.read_text("utf-8"), re.MULTILINE)
]
"""Each fault: the file that declares it, and its name there."""


def declared(path: Path, name: str) -> Fault:
    module = ".".join(path.with_suffix("").relative_to(SOURCE.parent).parts)
    return getattr(importlib.import_module(module), name)


CATALOGUE = {name: declared(path, name) for path, name in DECLARED}


def test_codes_are_unique() -> None:
    """Two faults with one code could not be told apart."""
    codes = [fault.code for fault in CATALOGUE.values()]
    assert len(CATALOGUE) == len(DECLARED) > 40
    assert sorted(codes) == sorted(set(codes))


def test_faults_stand_where_they_are_looked_for() -> None:
    """In the `errors` of the wire, which all share, or of the family that raises them: the page lists these."""
    assert {path for path, _ in DECLARED if path.name != "errors.py"} == set()


@pytest.mark.parametrize("fault", CATALOGUE.values(), ids=CATALOGUE)
def test_faults_are_well_formed(fault: Fault) -> None:
    """A code in small letters, a message, a status that HTTP knows; only codes seen live lack the `err_`."""
    seen_live = {"xdk_failure", "token_expired", "token_verification_failed"}
    assert re.fullmatch(r"[a-z0-9_]+", fault.code)
    assert fault.code.startswith("err_") or fault.code in seen_live
    assert fault.message
    assert not fault.message.endswith(".")
    assert fault.status in {200, 400, 401, 403, 404, 405, 408, 409, 412, 413, 418, 422, 429, 500, 503}


@pytest.mark.parametrize(
    ("code", "message", "status"),
    [
        ("err_developer_key", "App ID is invalid", 200),
        ("err_xdk_invalid_signature", "0004 Invalid Signature", 401),
        ("err_xdk_binding_expired", "AccessKey Has Expired", 418),
        (
            "err_xdk_operation_forbidden_for_address",
            "0003 Forbidden To Perform Operation For Address",
            200,
        ),
        ("xdk_failure", "0007 Invalid token", 200),
        ("err_validation_invalid_email_address", "Email address is not valid", 200),
        ("err_folder_group_member_already_exists", "Group member already exists", 200),
        ("err_folder_email_address_not_found", "Error email address not found", 200),
    ],
)
def test_errors_seen_live_are_as_they_were_seen(code: str, message: str, status: int) -> None:
    """Code, text and status of api.md section 1.6, to the letter."""
    (fault,) = (fault for fault in CATALOGUE.values() if fault.code == code)
    assert (fault.message, fault.status) == (message, status)


def test_a_problem_takes_its_text_from_the_fault_unless_told_better() -> None:
    """And names the field it is given."""
    assert problem(errors.NULL, "a.b").message == errors.NULL.message
    assert problem(errors.NULL, "a.b", "better").message == "better"
    assert problem(errors.QUOTA).retryable
    assert not problem(errors.NULL).retryable


LATER = {
    *("TOO_SLOW", "QUOTA", "BUSY", "INTERNAL", "TOO_MANY_ATTEMPTS", "SIGN_IN_BUSY", "UNAVAILABLE"),
    # Time changes what these are about: the DNS, a directory, imports that end, keys that are forgotten.
    *("DOMAIN_NOT_VERIFIED", "DOMAIN_UNREACHABLE", "DIRECTORY_UNREACHABLE", "IMPORT_LIMIT", "TOO_MANY_KEYS"),
}


@pytest.mark.parametrize("name", CATALOGUE)
def test_only_what_the_very_same_call_may_pass_later_is_retryable(name: str) -> None:
    """All of it is about us, and nothing of it about what was sent: an expired token stays expired, a wrong
    signature wrong, and a full list full until somebody takes something out of it."""
    assert CATALOGUE[name].retryable == (name in LATER)


def test_a_refused_item_carries_its_problems() -> None:
    """As a tuple; its text names the fields, for logs."""
    refusal = refused(errors.BAD_DATE, "policy.toDate")
    assert isinstance(refusal, ItemRefused)
    assert refusal.problems == (problem(errors.BAD_DATE, "policy.toDate"),)
    assert str(refusal) == "policy.toDate: Date is not valid"


def test_a_refused_request_carries_status_and_delay() -> None:
    """`retry_after` in milliseconds, for the header."""
    refusal = RequestRefused(errors.QUOTA, retry_after=1500)
    assert (refusal.status, refusal.problem.code, refusal.retry_after) == (429, errors.QUOTA.code, 1500)
    assert RequestRefused(errors.QUOTA, "later").problem.message == "later"
