"""Credentials are remembered between calls, and never a moment longer than they hold."""

from __future__ import annotations

import pytest

from mailreeve.families.login import known
from mailreeve.families.login.known import Credentials, KnownCredentials
from mailreeve.families.login.rows import ApplicationRow, BindingRow
from mailreeve.policy.model.policy_types import PolicyType
from mailreeve.store.changes import Part


def credentials(account_id: str, name: str = "k", revision: int = 0) -> Credentials:
    application = ApplicationRow(account_id, "a", "Playbooks", "Help Desk", b"", "")
    return Credentials(
        application, BindingRow("b", b"", None, "u", "u@corp.test", None, False, False), name, b"", revision
    )


def commit(account) -> None:
    account.write(lambda work: work.changed(Part.CREDENTIALS, "update", "user", "u"))


@pytest.fixture
def memory(account) -> KnownCredentials:
    return KnownCredentials(account.services.store.feed)


def test_what_was_kept_is_found_by_both_keys_together(memory, account) -> None:
    kept = credentials(account.id)
    memory.keep("app", "access", kept)
    assert memory.find("app", "access") is kept
    assert memory.find("app", "other") is None
    assert memory.find("other", "access") is None


def test_a_commit_of_the_account_forgets_its_credentials(memory, account, other_account) -> None:
    """A user who is locked, or has lost a role, is so for the next call."""
    memory.keep("app", "1", credentials(account.id))
    memory.keep("app", "2", credentials(account.id))
    theirs = credentials(other_account.id)
    memory.keep("app", "3", theirs)
    commit(account)
    assert [memory.find("app", key) for key in "123"] == [None, None, theirs]


def test_other_commits_of_the_account_forget_nothing(memory, account) -> None:
    """Only what becomes of the rows themselves matters: the user's, the binding's, the application's."""
    commit(account)  # the first that is heard of an account forgets everything
    memory.find("app", "access")
    memory.keep("app", "access", credentials(account.id, revision=1))
    for kind, key in (("user", "another"), ("binding", "another"), ("application", "another")):
        account.write(lambda work, k=kind, i=key: work.changed(Part.CREDENTIALS, "update", k, i))
    account.write(lambda work: work.changed(PolicyType.BLOCKED_SENDERS, "create", "user", "u"))
    account.write(lambda work: work.changed(None, "update", "user", "u"))
    assert memory.find("app", "access") is not None


@pytest.mark.parametrize(("kind", "key"), [("user", "u"), ("binding", "b"), ("application", "a"), ("", "")])
def test_what_they_depend_on_forgets_them(memory, account, kind, key) -> None:
    """The last stands for whatever there is."""
    commit(account)  # the first that is heard of an account forgets everything
    memory.find("app", "access")
    memory.keep("app", "access", credentials(account.id, revision=1))
    assert memory.find("app", "access") is not None
    account.write(lambda work: work.changed(Part.CREDENTIALS, "delete", kind, key))
    assert memory.find("app", "access") is None


def test_what_was_looked_up_before_a_commit_is_not_kept_after_it(memory, account) -> None:
    """Else a call that overlaps the locking of its user would keep the user unlocked."""
    commit(account)
    assert memory.find("app", "access") is None
    memory.keep("app", "access", credentials(account.id))
    assert memory.find("app", "access") is None
    memory.keep("app", "access", credentials(account.id, revision=1))
    assert memory.find("app", "access") is not None


def test_a_write_that_changes_nothing_forgets_nothing(memory, account) -> None:
    """Mail outcomes are written all the time and say nothing about callers."""
    memory.keep("app", "access", credentials(account.id))
    account.write(lambda work: None)
    assert memory.find("app", "access") is not None


def test_memory_is_bounded(account, monkeypatch) -> None:
    monkeypatch.setattr(known, "MOST", 3)
    memory = KnownCredentials(account.services.store.feed)
    for n in range(10):
        memory.keep("app", str(n), credentials(account.id))
    assert sum(memory.find("app", str(n)) is not None for n in range(10)) <= 3
    assert memory.find("app", "9") is not None
    commit(account)
    assert memory.find("app", "9") is None
