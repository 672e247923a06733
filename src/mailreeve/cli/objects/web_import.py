"""`mailreeve web import`: lists of others, in the formats that these are written in."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, BinaryIO, Final, cast

import click
from msgspec import Struct

from mailreeve.app.terminal import escaped_line
from mailreeve.cli.calling import calls_api
from mailreeve.cli.options import fail, json_option
from mailreeve.cli.output import echo, say
from mailreeve.cli.progress import progress_bar
from mailreeve.client import Client
from mailreeve.client.api import convert, only
from mailreeve.formats.filter_lists.reading import FilterFormat, Rule, Untaken, read_filter_list
from mailreeve.policy.decide.web import WebEntryError, canonical_entry
from mailreeve.policy.model.policies import WebEntryType

IMPORT: Final = "ext/import-web-entries"
CHUNK: Final = 5_000  # entries of a call
SAID: Final = 50  # lines that are named one by one, where no report is written
_LONGEST: Final = 80  # characters of a line that are shown
_SUFFIX: Final = "err_web_public_suffix"


class _Entry(Struct, frozen=True):
    """An entry to send, and the line that it comes from."""

    line: int
    type: WebEntryType
    text: str
    allows: bool


class _Refused(Struct, frozen=True):
    n: int
    code: str
    message: str


class _Answer(Struct, frozen=True, rename="camel"):
    added: int
    changed: int
    unchanged: int
    refused: Sequence[_Refused]
    lists: int
    count: int


class _Found(Struct):
    """What a file holds: entries by what they name, lines that are not taken, and what is to be said besides."""

    entries: dict[tuple[WebEntryType, str], _Entry] = {}
    untaken: list[Untaken] = []
    repeated: int = 0
    narrow: int = 0


@click.command("import")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True))
@click.option("--into", metavar="LIST", help="The list that is filled.  [default: what the file is called]")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["auto", *(one.value for one in FilterFormat)]),
    default="auto",
    show_default=True,
    help="How the file is written; auto looks at its first lines.",
)
@click.option(
    "--action",
    type=click.Choice(["block", "allow"]),
    default="block",
    show_default=True,
    help="What to do about what the file blocks.",
)
@click.option("--dry-run", is_flag=True, help="Say what would come of it, and change nothing.")
@click.option("--confirm-suffixes", is_flag=True, help="Take whole top-level domains and public suffixes too.")
@click.option(
    "--report", type=click.File("w", encoding="utf-8", lazy=True), help="Write every line that is not taken here."
)
@json_option
@calls_api
def import_(
    api: Client,
    file: str,
    into: str | None,
    format_: str,
    action: str,
    dry_run: bool,
    confirm_suffixes: bool,
    report: IO[str] | None,
    as_json: bool,
) -> None:
    """Add the entries of somebody's filter list to a list, from a FILE or, where that is -, standard input.

    Formats are plain domains and URLs, hosts files, AdBlock rules about domains, response policy zones, and the
    CSV of URLhaus. A list that is not there is made, for everyone. To import the same again changes nothing.

    Lines that a web list cannot say are named with their number and the reason, and left out. Exit code 1 where
    none of the lines was taken.

    \b
    mailreeve web import hosts.txt --into "Ads" --dry-run
    """
    name = into or ("Imported" if file == "-" else Path(file).stem)
    try:
        with click.open_file(file, "rb") as stream:
            told, found = _read(cast(BinaryIO, stream), None if format_ == "auto" else FilterFormat(format_))
    except OSError as problem:
        fail(f"{file} cannot be read: {problem.strerror}")
    done: Counter[str] = Counter()
    last = _Answer(0, 0, 0, (), 0, 0)
    entries = list(found.entries.values())
    with progress_bar("entries checked" if dry_run else "entries imported", len(entries)) as progress:
        for start in range(0, len(entries), CHUNK):
            chunk = entries[start : start + CHUNK]
            last = _sent(api, name, chunk, action, dry_run=dry_run, confirmed=confirm_suffixes)
            done.update(added=last.added, changed=last.changed, unchanged=last.unchanged)
            found.untaken += [_told(one, chunk) for one in last.refused]
            progress(start + len(chunk))
    found.untaken.sort(key=lambda one: one.line)
    if as_json:
        echo(json.dumps(_as_json(name, told, found, done, last, dry_run=dry_run), indent=2, ensure_ascii=False))
    _say_untaken(file, found, report, quiet=as_json)
    if not as_json:
        _say_done(name, told, found, done, last, dry_run=dry_run)
    if found.untaken and not done.total():
        fail(f"{file}: none of its lines was taken")


def _read(stream: BinaryIO, format_: FilterFormat | None) -> tuple[FilterFormat, _Found]:
    told, rules = read_filter_list(stream, format_)
    found = _Found()
    for rule in rules:
        if isinstance(rule, Untaken):
            found.untaken.append(rule)
            continue
        try:
            _add(found, rule)
        except WebEntryError as reason:
            found.untaken.append(Untaken(rule.line, rule.text, str(reason)))
    return told, found


def _add(found: _Found, rule: Rule) -> None:
    """Keep what a line names. Of two lines that say the opposite of the same the one that allows is taken."""
    type_ = WebEntryType.URL if rule.is_url else WebEntryType.DOMAIN
    key = type_, canonical_entry(type_, rule.text)
    before = found.entries.get(key)
    if before is not None and before.allows != rule.allows:
        lost, kept = (before, rule) if rule.allows else (rule, before)
        found.untaken.append(Untaken(lost.line, lost.text, f"line {kept.line} allows the same"))
    elif before is not None:
        found.repeated += 1
    if before is None or (rule.allows and not before.allows):
        found.narrow += not rule.wide
        found.entries[key] = _Entry(rule.line, type_, rule.text, rule.allows)


def _sent(
    api: Client, name: str, chunk: Sequence[_Entry], action: str, *, dry_run: bool, confirmed: bool
) -> _Answer:
    item = {
        "name": name,
        "urls": [
            {"action": "allow" if one.allows else action, "type": one.type, "value": one.text} for one in chunk
        ],
        "dryRun": dry_run,
        "confirmSuffixes": confirmed,
    }
    answer = api.send(IMPORT, item)
    return convert(only(answer.rows()), _Answer)


def _told(one: _Refused, chunk: Sequence[_Entry]) -> Untaken:
    entry = chunk[one.n]
    reason = one.message.partition("; confirmSuffixes")[0]
    return Untaken(
        entry.line, entry.text, f"{reason}; --confirm-suffixes takes it" if one.code == _SUFFIX else reason
    )


def _say_untaken(file: str, found: _Found, report: IO[str] | None, *, quiet: bool) -> None:
    lines = _lines(file, found.untaken)
    if report is not None:
        for line in lines:
            report.write(f"{line}\n")
        return
    if quiet:
        return
    for _, line in zip(range(SAID), lines, strict=False):
        say(line)
    if len(found.untaken) > SAID:
        say(f"{file}: and {len(found.untaken) - SAID:,} more lines not taken; --report FILE writes them all")
        for reason, number in Counter(one.reason for one in found.untaken).most_common(5):
            say(f"  {number:,}: {escaped_line(reason)}")


def _lines(file: str, untaken: Sequence[Untaken]) -> Iterator[str]:
    for one in untaken:
        text = one.text if len(one.text) <= _LONGEST else f"{one.text[:_LONGEST]}…"
        yield f"{file} line {one.line}: {escaped_line(text)}: {escaped_line(one.reason)}"


def _say_done(
    name: str, told: FilterFormat, found: _Found, done: Mapping[str, int], last: _Answer, *, dry_run: bool
) -> None:
    counts = f"{done['added']:,} added, {done['changed']:,} changed, {done['unchanged']:,} there already"
    others = [f"{found.repeated:,} repeated"] if found.repeated else []
    others += [f"{len(found.untaken):,} not taken"] if found.untaken else []
    dry = " (dry run: nothing was changed)" if dry_run else ""
    echo(f"{escaped_line(name)}, read as {told}: {', '.join([counts, *others])}{dry}")
    if found.narrow:
        say(f"{found.narrow:,} lines name a host alone; an entry covers what is below it as well")
    if last.lists > 1:
        say(f"{last.count:,} entries in {last.lists} lists, {escaped_line(name)} and the same with numbers")


def _as_json(
    name: str, told: FilterFormat, found: _Found, done: Mapping[str, int], last: _Answer, *, dry_run: bool
) -> Mapping[str, object]:
    return {
        "list": name,
        "format": told.value,
        "added": done["added"],
        "changed": done["changed"],
        "unchanged": done["unchanged"],
        "repeated": found.repeated,
        "untaken": [{"line": one.line, "text": one.text, "reason": one.reason} for one in found.untaken],
        "lists": last.lists,
        "count": last.count,
        "dryRun": dry_run,
    }
