"""The audit log says of itself whether it is as it was written."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from mailreeve.wire.errors import ItemRefused

VERIFY = "ext/verify-audit"


def test_it_is_whole_until_somebody_changes_a_row(account, other_account) -> None:
    """It names the event that was changed; another account's log has nothing to do with it."""
    account.call("directory/create-group", {"description": "Partners"}, {"description": "Friends"})
    other_account.call("directory/create-group", {"description": "Theirs"})
    (found,) = account.call(VERIFY, {})
    assert (found["whole"], found["events"], found["broken"]) == (True, 2, [])
    newest, _ = account.call("ext/find-audit-events", {})
    with account.services.store._engine.writing() as connection:
        connection.execute(
            text(
                "UPDATE audit_event SET actor = 'nobody'"
                " WHERE id = (SELECT max(id) FROM audit_event WHERE account_id = :a)"
            ),
            {"a": account.id},
        )
    (found,) = account.call(VERIFY, {})
    assert (found["whole"], [one["id"] for one in found["broken"]]) == (False, [newest["id"]])
    (theirs,) = other_account.call(VERIFY, {})
    assert theirs["whole"]


def test_a_digest_that_was_noted_is_there_still(account) -> None:
    """And what is no digest is told so."""
    account.call("directory/create-group", {"description": "Partners"})
    (noted,) = account.call(VERIFY, {})
    account.call("directory/create-group", {"description": "Friends"})
    assert account.call(VERIFY, {"known": noted["head"]})[0]["whole"]
    assert not account.call(VERIFY, {"known": "0" * 64})[0]["whole"]
    with pytest.raises(ItemRefused):
        account.call(VERIFY, {"known": "yesterday"})
