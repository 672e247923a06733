"""`mailreeve call`: one signed call of the API from the shell."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import click
from msgspec import Struct
from msgspec.structs import replace

from mailreeve.app.settings import SettingsError
from mailreeve.app.settings import read as read_settings
from mailreeve.app.terminal import escaped_line, said_of
from mailreeve.cli.calling import (
    ca_option,
    credentials_option,
    own_url,
    profile_client,
    profile_counts,
    profile_option,
    reasons,
    server_client,
)
from mailreeve.cli.confirming import CONFIRM, REACH, UNCONFIRMED, yes_option
from mailreeve.cli.options import data_option, fail
from mailreeve.cli.output import echo, say
from mailreeve.cli.profiles import ProfileError
from mailreeve.client import ApiError, Client, ClientError, Failure

GUARDED: Final = frozenset(
    (
        "policy/blockedsenders/create-policy",
        "policy/blockedsenders/update-policy",
        "directory/add-group-member",
        "directory/update-group",
    )
)
HIDDEN: Final = "********"  # what a server repeats of a password

TOO_MANY: Final = "err_data_too_many_items"
MAX_ITEMS: Final = 500  # of one call; some functions take fewer, and say so

_AT_MOST: Final = re.compile(r"at most (\d{1,9}) ")
_PLACE: Final = re.compile(r'"data\[(\d{1,9})\]\.')
_BLANKS: Final = re.compile(r"\s*")

Item = dict[str, object]
Numbered = tuple[int, Failure]


class _Error(Struct, frozen=True):
    """Why an item was not carried out, by its number; 0 where it is about no item. With `last` it is about all up
    to that one."""

    number: int
    said: str
    last: int = 0

    def line(self, several: bool) -> str:
        """It in a line, which names the item where there are `several`."""
        if self.last:
            return f"items {self.number} to {self.last}: {self.said}"
        return f"item {self.number}: {self.said}" if several and self.number else self.said


class _Outcome(Struct, frozen=True):
    """What became of a call."""

    rows: list[Item]
    warnings: tuple[str, ...] = ()
    errors: tuple[_Error, ...] = ()


@click.command("call")
@click.argument("path")
@click.argument("items", nargs=-1)
@yes_option(REACH)
@data_option
@click.option(
    "--url",
    envvar="MAILREEVE_URL",
    show_envvar=True,
    help="The server.  [default: where the setting http of DATA has it listen]",
)
@credentials_option
@ca_option
@profile_option
def command(
    path: str,
    items: tuple[str, ...],
    data: Path,
    credentials: Path | None,
    url: str | None,
    ca: str | None,
    profile: str | None,
    yes: bool,
) -> None:
    """Call an API endpoint, signed with saved credentials.

    PATH is the endpoint without /api/; each of ITEMS is a JSON object or a list of them, or - for standard input,
    where objects may also follow each other, a line each. More than 500 are sent in batches, each of which is
    told. What the items that were carried out gave is printed as JSON, all pages of a list. Exit code 1 when a
    call or one of its items was refused, with a line for each error that names the item by its number, from 1.

    A blocked sender policy that would hit a whole organisation, or comes to do so by a change of a group, is asked
    about first; where nobody can answer, it is refused unless --yes is given.

    \b
    mailreeve call managedsender/permit-or-block-sender \\
        '{"sender": "news@shop.test", "to": "ann@example.com", "action": "block"}'
    """
    parsed = [item for text in items for item in _read(text)]
    guarded = path.removeprefix("/api/") in GUARDED
    if guarded:
        # An answer of false has the server refuse what it would otherwise only warn of.
        parsed = [{CONFIRM: yes, **item} for item in parsed]
    url, connection = _connection(data, url, credentials, ca, profile)
    with connection as client:
        outcome = _Caller(client, path, guarded, url).outcome(dict(enumerate(parsed, 1)))
    if outcome.rows or not outcome.errors:
        echo(json.dumps(outcome.rows, indent=2, ensure_ascii=False))
    for warning in outcome.warnings:
        say(f"Warning: {warning}")
    if outcome.errors:
        in_order = sorted(outcome.errors, key=lambda error: error.number)
        fail(*(error.line(len(parsed) > 1) for error in in_order))


def _connection(
    data: Path, url: str | None, credentials: Path | None, ca: str | None, profile: str | None
) -> tuple[str, Client]:
    """The server to call, in words, and a client of it."""
    try:
        if profile is not None and profile_counts():
            return f"the server of {profile}", profile_client(profile, data, ca, credentials)
        settings = read_settings(data, {"ca": ca})
        return (named := url or own_url(settings)), server_client(
            named, settings, data, credentials, own=url is None
        )
    except (SettingsError, ProfileError) as problem:
        fail(str(problem))
    except (ValueError, OSError) as problem:
        fail(said_of(problem))


class _Caller:
    """Calls one function of a server, with many items in batches."""

    def __init__(self, client: Client, path: str, guarded: bool, url: str) -> None:
        self._client = client
        self._path = path
        self._guarded = guarded
        self._url = url
        self._most = MAX_ITEMS

    def outcome(self, items: Mapping[int, Item]) -> _Outcome:
        """What became of all items. A batch that comes to nothing does not stop the next, unless those would fare
        alike."""
        numbers = list(items)
        done = _Outcome([])
        start = 0
        while start < max(len(numbers), 1):
            batch = {number: items[number] for number in numbers[start : start + self._most]}
            try:
                found = self._carried_out(batch)
            except ClientError as problem:
                least = _fewer(problem)
                if least is not None and least < len(batch):
                    self._most = least
                    continue
                last = max(batch) if len(batch) < len(numbers) else 0
                first = min(batch) if last else 0
                found = _Outcome(
                    [], errors=tuple(_Error(first, said, last) for said in reasons(problem, self._url))
                )
                if _for_all(problem) and max(batch, default=0) < len(numbers):
                    unsent = _Error(max(batch) + 1, "not sent", len(numbers))
                    found = replace(found, errors=(*found.errors, unsent))
                    start = len(numbers)
            if len(numbers) > self._most:
                _report(batch, found)
            warnings = (*done.warnings, *(_renumbered(text, list(batch)) for text in found.warnings))
            done = _Outcome([*done.rows, *found.rows], warnings, (*done.errors, *found.errors))
            start += len(batch) or 1
        return done

    def _carried_out(self, items: Mapping[int, Item]) -> _Outcome:
        """The outcome of a batch, after asking about each item that was refused for want of a confirmation. Raises
        `ClientError` when nothing at all came of it."""
        answer = self._client.whole(self._path, *items.values())
        meant: dict[int, Item] = {}
        errors: list[_Error] = []
        for number, failure in _numbered(items, answer.failures):
            if self._guarded and failure.code == UNCONFIRMED:
                if not sys.stdin.isatty():
                    failure = replace(failure, message=f"{failure.message}, or give --yes")
                elif click.confirm(f"{escaped_line(failure.message)}.\nIs it meant?", err=True):
                    meant[number] = {**failure.item, CONFIRM: True}
                    continue
            errors.append(_Error(number, failure.described(200)))
        if not meant:
            return _Outcome(answer.data, answer.warnings, tuple(errors))
        try:
            again = self._client.send(self._path, *meant.values())
        except ClientError as problem:
            # The others were carried out before, and must not be passed over in silence.
            errors += [_Error(0, said) for said in reasons(problem, self._url)]
            return _Outcome(answer.data, answer.warnings, tuple(errors))
        errors += [_Error(number, failure.described(200)) for number, failure in _numbered(meant, again.failures)]
        later = [_renumbered(text, list(meant)) for text in again.warnings]
        return _Outcome([*answer.data, *again.data], (*answer.warnings, *later), tuple(errors))


def _fewer(problem: ClientError) -> int | None:
    """How many items the function takes at once, where the call had too many."""
    if not isinstance(problem, ApiError) or problem.code != TOO_MANY:
        return None
    found = _AT_MOST.search(problem.message)
    return max(int(found[1]), 1) if found else None


def _for_all(problem: ClientError) -> bool:
    """Whether other items would fare no better."""
    return not isinstance(problem, ApiError) or problem.status in (401, 403, 404, 405)


def _report(batch: Mapping[int, Item], found: _Outcome) -> None:
    alone = {error.number for error in found.errors if not error.last and error.number}
    refused = len(batch) if any(error.last for error in found.errors) else len(alone)
    done = f"{len(batch) - refused:,} carried out" + (f", {refused:,} refused" if refused else "")
    say(f"items {min(batch)} to {max(batch)}: {done}")


def _renumbered(warning: str, numbers: Sequence[int]) -> str:
    """A warning that names its item as errors do: by its number, from 1."""
    found = _PLACE.match(warning)
    if found is None or int(found[1]) >= len(numbers):
        return warning
    return f'item {numbers[int(found[1])]}: "{warning[found.end() :]}'


def _numbered(items: Mapping[int, Item], failures: Iterable[Failure]) -> list[Numbered]:
    """Each failure with the number of its item, or 0.

    The server repeats the item and not its place. Of items that are alike the last is taken: it is refused
    because the first was carried out.
    """
    left = list(items.items())
    found: list[Numbered] = []
    number, key = 0, None
    for failure in reversed(list(failures)):
        # The errors of one item share its mapping.
        if failure.item is not key:
            key = failure.item
            number = next((n for n, item in reversed(left) if _repeats(key, item)), 0)
            left = [(n, item) for n, item in left if n != number]
        found.append((number, failure))
    return found[::-1]


def _repeats(key: Mapping[str, object], item: Item) -> bool:
    return key.keys() == item.keys() and all(key[name] in (item[name], HIDDEN) for name in key)


def _read(text: str) -> list[Item]:
    """The items in an argument, or on standard input: objects, a line each or over several lines, or lists of
    them."""
    whole = sys.stdin.read() if text == "-" else text
    where = "standard input" if text == "-" else "ITEMS"
    decoder = json.JSONDecoder()
    found: list[Item] = []
    place = _BLANKS.match(whole)
    while place is not None and place.end() < len(whole):
        line = whole.count("\n", 0, place.end()) + 1
        at = f" (line {line} of {where})" if "\n" in whole.strip() else ""
        try:
            value, end = decoder.raw_decode(whole, place.end())
        except (ValueError, RecursionError) as problem:
            told = problem.msg if isinstance(problem, json.JSONDecodeError) else str(problem)
            line = problem.lineno if isinstance(problem, json.JSONDecodeError) else line
            at = (
                f": line {line} of {where}"
                if "\n" in whole.strip()
                else f": {problem}".replace(f": {told}", "", 1)
            )
            raise click.BadParameter(f"not JSON: {told}{at}", param_hint="ITEMS") from problem
        for item in value if isinstance(value, list) else [value]:
            if not isinstance(item, dict):
                raise click.BadParameter(f"not a JSON object{at}", param_hint="ITEMS")
            found.append(item)
        place = _BLANKS.match(whole, end)
    if not found:
        raise click.BadParameter(f"no JSON object in {where}", param_hint="ITEMS")
    return found
