"""What is changed through one process is in force in another on the same folder, 0.1 seconds later at the most.

The other process is this one: it opens the folder of a running server and follows the feed of changes as that
does.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailreeve.access.permissions import Role
from mailreeve.app.folder import Opened
from mailreeve.app.settings import Settings
from mailreeve.client import Client, Credentials, Policy, Target
from mailreeve.families.directory.account import operations as accounts
from mailreeve.families.directory.domains import operations as domains
from mailreeve.families.directory.routing import MailPolicies
from mailreeve.families.directory.users import operations as users
from mailreeve.families.login.authenticate import Authenticator
from mailreeve.families.login.issue import issue_application
from mailreeve.families.registry import seed_account
from mailreeve.formats.addresses import parse_address
from mailreeve.formats.networks import parse_ip
from mailreeve.policy.decide.mail import decide_mail
from mailreeve.policy.model.decisions import Action
from mailreeve.policy.model.facts import MessageFacts
from mailreeve.store.transactions import Origin, Work
from mailreeve.wire.errors import RequestRefused
from mailreeve.wire.signing import SignedCall

MAILREEVE = Path(sys.executable).with_name("mailreeve")
PROMISED = 0.1
PATIENCE = 30.0
TRIALS = 9
"""The middle one of so many must keep the promise: the machine has other things to do as well."""
PATH = "/api/account/get-account"


class Beside:
    """A process beside the server: it decides and authenticates as a worker does."""

    def __init__(self, live) -> None:
        self.live = live
        self.opened = Opened(live.data, Settings())
        self.policies = MailPolicies(self.opened.store, self.opened.services.follower)
        self.authenticator = Authenticator(self.opened.store, self.opened.vault, self.opened.token_key, 900.0)

    def refuses(self, sender: str, recipient: str) -> bool:
        """Whether mail is refused; that of nobody is not."""
        policies = self.policies.policies_for(parse_address(recipient), parse_address(sender))
        if policies is None:
            return False
        facts = MessageFacts(
            parse_address(sender), parse_address(recipient), time.time(), None, parse_ip("198.51.100.7")
        )
        return decide_mail(policies, facts).action is Action.REJECT

    def admits(self, keys: dict[str, str]) -> bool:
        """Whether a call signed with these keys is somebody's who may call."""
        headers = self.live.signed(PATH, keys=keys)
        access_key, _, signature = headers["Authorization"].removeprefix("MC ").partition(":")
        date, request_id = headers["x-mc-date"], headers["x-mc-req-id"]
        call = SignedCall(access_key, signature, keys["app_id"], date, request_id, PATH)
        try:
            self.authenticator.signed(call, datetime.now(UTC))
        except RequestRefused:
            return False
        return True


def until(condition: Callable[[], bool]) -> float:
    """The seconds until it holds."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < PATIENCE
        time.sleep(0.001)
    return time.monotonic() - began


def kept(took: list[float]) -> None:
    assert statistics.median(took) < PROMISED, took


@pytest.fixture
def beside(fresh_server) -> Iterator[Beside]:
    made = Beside(fresh_server())
    with made.opened.store.feed.watched():
        yield made
    made.opened.close()


def block(sender: str) -> Policy:
    return Policy(sender, Target.address(sender), Target.internal())


def test_a_block_made_in_one_process_refuses_in_the_other(beside: Beside) -> None:
    """And no longer once it is deleted."""
    took = []
    with beside.live.client() as client:
        for number in range(TRIALS):
            sender = f"s{number}@bad.test"
            assert not beside.refuses(sender, "ann@corp.test")
            made = client.blocked_senders.create(block(sender))
            took.append(until(lambda s=sender: beside.refuses(s, "ann@corp.test")))
            client.blocked_senders.delete(made.id)
            took.append(until(lambda s=sender: not beside.refuses(s, "ann@corp.test")))
    kept(took)


def test_a_change_of_the_follower_itself_is_in_force_at_once(beside: Beside) -> None:
    """Mixed with those of the other process, each from the answer on."""
    account_id = beside.opened.account_id(None)
    with beside.live.client() as client:
        for number in range(5):
            client.blocked_senders.create(block(f"theirs{number}@bad.test"))
            name = f"own{number}.test"
            beside.opened.store.write(account_id, Origin("test"), lambda work, n=name: domains.register(work, n))
            directory = beside.opened.services.follower.current(account_id).directory
            assert name in directory.internal_domains
            # It has the revision after that of the other's commit, and so that commit as well.
            assert beside.refuses(f"theirs{number}@bad.test", "ann@corp.test")


def test_a_user_who_is_locked_in_one_process_is_locked_in_the_other(beside: Beside) -> None:
    """And let in again when unlocked."""
    keys = beside.live.credentials
    made = _keys(beside.live.data, "new", "--user", keys["admin"])
    second = "second@corp.test"
    account_id = beside.opened.account_id(None)

    def another(work: Work) -> dict[str, str]:
        role = Role.SUPER_ADMINISTRATOR
        user_id = users.create_administrator(work, parse_address(second), "a good password", role)
        issued = issue_application(work, beside.opened.vault, "second", role, user_id)
        return {name: getattr(issued, name) for name in ("app_id", "app_key", "access_key", "secret_key")}

    theirs = beside.opened.store.write(account_id, Origin("test"), another)
    assert beside.admits(theirs)
    took = []
    with Client(beside.live.http, _signed(made)) as client:
        for _ in range(TRIALS):
            client.call("user/update-user", {"emailAddress": second, "accountLocked": True})
            took.append(until(lambda: not beside.admits(theirs)))
            client.call("user/update-user", {"emailAddress": second, "accountLocked": False})
            took.append(until(lambda: beside.admits(theirs)))
    assert beside.admits(keys)
    kept(took)


def test_a_key_that_is_revoked_is_refused_in_the_other_process(beside: Beside) -> None:
    """From the end of the command on; the others are good as before."""
    took = []
    for by in ("app_id", "access_key", "app_id"):
        made = _keys(beside.live.data, "new")
        assert beside.admits(made)
        _keys(beside.live.data, "revoke", made[by])
        took.append(until(lambda m=made: not beside.admits(m)))
    assert beside.admits(beside.live.credentials)
    kept(took)


def test_a_domain_that_one_process_makes_is_routed_by_the_other(beside: Beside) -> None:
    """With two accounts: else all mail would be the only one's."""
    second, code = accounts.new_identity()

    def another_account(work: Work) -> None:
        accounts.create(work, code, "Other Limited", "root@other.test")
        domains.register(work, "other.test")
        seed_account(work)

    beside.opened.store.write(second, Origin("test"), another_account)
    took = []
    with beside.live.client() as client:
        first = beside.opened.account_id(client.call("account/get-account")[0]["accountCode"])
        for number in range(TRIALS):
            recipient = parse_address(f"ann@new{number}.test")
            sender = parse_address("bob@far.test")
            assert beside.policies.policies_for(recipient, sender) is None
            client.call("domain/create-domain", {"domain": recipient.domain, "inboundType": "any"})

            def routed(to=recipient, by=sender) -> bool:
                policies = beside.policies.policies_for(to, by)
                return policies is not None and policies.account_id == first

            took.append(until(routed))
    kept(took)


def _keys(data: Path, *arguments: str) -> dict[str, str]:
    done = subprocess.run(
        [MAILREEVE, "keys", *arguments, "--data", data, "--json"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def _signed(made: dict[str, str]) -> Credentials:
    return Credentials(**{name: made[name] for name in Credentials.__struct_fields__})
