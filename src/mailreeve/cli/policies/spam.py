"""`mailreeve policy spam` and `spam-change`: what is done about spam, viruses and malformed mail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, ParamSpec, TypeVar

import click

from mailreeve.cli import ids
from mailreeve.cli.calling import calls_api
from mailreeve.cli.confirming import carried_out
from mailreeve.cli.ids import IdCommand
from mailreeve.cli.options import json_option
from mailreeve.cli.policies.new_policy import policy_item, policy_options, said_of_options, tell
from mailreeve.cli.policies.targets import FORMS
from mailreeve.cli.refusals import said_of
from mailreeve.client import Client
from mailreeve.policy.model.content import OnGreylist, OnMalformed, OnReject, OnSpam, OnVirus

P = ParamSpec("P")
R = TypeVar("R")

_ACTIONS: Final = {
    "reject": "reject",
    "spam": "spam",
    "greylist": "greylist",
    "virus": "virus",
    "malformed": "malformed",
    "reject_score": "rejectScore",
    "spam_score": "spamScore",
    "subject_prefix": "subjectPrefix",
}


def _action_options(function: Callable[P, R]) -> Callable[P, R]:
    """What is done."""
    for option in reversed(
        (
            click.option("--reject", type=_choice(OnReject), help="Mail that the engine would reject."),
            click.option("--spam", type=_choice(OnSpam), help="Mail that it takes for spam."),
            click.option("--greylist", type=_choice(OnGreylist), help="Mail that it wants to come again."),
            click.option("--virus", type=_choice(OnVirus), help="Mail in which an antivirus found something."),
            click.option("--malformed", type=_choice(OnMalformed), help="Mail whose form is broken."),
            click.option("--reject-score", type=float, metavar="N", help="It counts as such from this score on."),
            click.option("--spam-score", type=float, metavar="N", help="It counts as spam from this score on."),
            click.option("--subject-prefix", metavar="TEXT", help="Before the subject of what is tagged."),
        )
    ):
        function = option(function)
    return function


def _choice(of: type[OnReject | OnSpam | OnGreylist | OnVirus | OnMalformed]) -> click.Choice[str]:
    return click.Choice([one.value for one in of])


@click.command("spam", epilog=f"FROM and WHO are {FORMS}.")
@policy_options()
@_action_options
@json_option
@calls_api
def spam(api: Client, /, as_json: bool, **given: object) -> None:
    """Say what is done about spam from a sender: make a spam scanning policy.

    What is left out is done as without any policy: what the engine would reject is refused, spam is held, what
    shall come again is put off, what holds a virus is refused, and that mail is malformed is noted.

    \b
    mailreeve policy spam external --reject hold
    mailreeve policy spam everyone --spam tag --subject-prefix "[Spam?]"
    """
    actions = _taken(given)
    with said_of_options(given, _NAMED):
        item = {"policy": policy_item(api, given, "Spam scanning of"), "actions": actions}
        answer = carried_out(api, "ext/spam-policies/create-policy", item)
    tell(api, answer, as_json=as_json)


@click.command("spam-change", cls=IdCommand)
@click.argument("id_", metavar="ID")
@_action_options
@json_option
@calls_api
def spam_change(api: Client, /, id_: str, as_json: bool, **given: object) -> None:
    """Change what a spam scanning policy does. A score of 0 leaves that to the engine again.

    \b
    mailreeve policy spam-change 3f9a01bc --spam tag
    """
    actions = _taken(given)
    if not actions:
        raise click.UsageError("say what to change")
    policy = ids.resolve(api, ids.POLICY, id_)
    with said_of({"id": ("ID", id_), **_NAMED}):
        answer = carried_out(api, "ext/spam-policies/update-policy", {"id": policy, "actions": actions})
    tell(api, answer, as_json=as_json)


def _taken(given: dict[str, object]) -> Mapping[str, object]:
    """The actions among the options, which are taken out of them."""
    found = {member: given.pop(name) for name, member in _ACTIONS.items()}
    return {member: value for member, value in found.items() if value is not None}


_NAMED: Final = {f"actions.{member}": (f"--{name.replace('_', '-')}", None) for name, member in _ACTIONS.items()}
