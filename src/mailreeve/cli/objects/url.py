"""`mailreeve url`: managed URLs, which are blocked or permitted for everybody before any web list is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import IO, Final

import click
import msgspec

from mailreeve.app.terminal import escaped_line
from mailreeve.cli.calling import calls_api
from mailreeve.cli.confirming import confirm_removal, yes_option
from mailreeve.cli.ids import IdCommand, Listed, resolve_all
from mailreeve.cli.listing import Object, Table, limit_option, page_size, show, text
from mailreeve.cli.options import fail, json_option, misused
from mailreeve.cli.output import echo
from mailreeve.cli.progress import progress_bar
from mailreeve.cli.tables import Column
from mailreeve.client import Client

CREATE: Final = "ttp/url/create-managed-url"
LIST: Final = "ttp/url/get-all-managed-urls"
DELETE: Final = "ttp/url/delete-managed-url"
EXISTS: Final = "err_managed_url_exists_code"
AT_ONCE: Final = 500  # items of a call
MANAGED: Final = Listed("managed URL", LIST, says=("url",))

_DOMAIN: Final = click.option("--domain", is_flag=True, help="Mean the host of each and all below it.")
_COMMENT: Final = click.option("--comment", metavar="TEXT", help="What is said about them.")


@click.group("url")
def command() -> None:
    """Block and permit single URLs, or domains, for everybody.

    A managed URL comes before every web list. It means just itself, or with --domain its host and all below it.
    """


@command.command("list")
@click.argument("text_", metavar="[TEXT]", required=False)
@click.option("--exact", is_flag=True, help="Only those that name just this domain or URL.")
@limit_option
@json_option
@calls_api
def list_(api: Client, text_: str | None, exact: bool, limit: int, as_json: bool) -> None:
    """List the managed URLs, or those that hold a TEXT.

    \b
    mailreeve url list shop.test
    """
    if exact and not text_:
        misused("--exact: give a TEXT, the domain or URL")
    item = {} if text_ is None else {"domainOrUrl": text_, "exactMatch": exact}
    pages = api.pages(LIST, item, page_size=page_size(limit))
    show(pages, _TABLE, limit, as_json=as_json, is_filtered=bool(item))


@command.command("block")
@click.argument("urls", nargs=-1, required=True, metavar="URL...")
@_DOMAIN
@_COMMENT
@json_option
@calls_api
def block(api: Client, urls: Sequence[str], domain: bool, comment: str | None, as_json: bool) -> None:
    """Block URLs for everybody.

    \b
    mailreeve url block https://shop.test/offer --comment "Ticket 4711"
    """
    _make(api, urls, "block", domain=domain, comment=comment, as_json=as_json)


@command.command("permit")
@click.argument("urls", nargs=-1, required=True, metavar="URL...")
@_DOMAIN
@_COMMENT
@json_option
@calls_api
def permit(api: Client, urls: Sequence[str], domain: bool, comment: str | None, as_json: bool) -> None:
    """Permit URLs for everybody, whatever the web lists say.

    \b
    mailreeve url permit bank.test --domain
    """
    _make(api, urls, "permit", domain=domain, comment=comment, as_json=as_json)


@command.command("import")
@click.argument("file", type=click.File(encoding="utf-8-sig"))
@click.option(
    "--action", type=click.Choice(["block", "permit"]), default="block", show_default=True, help="What to do."
)
@_DOMAIN
@_COMMENT
@json_option
@calls_api
def import_(api: Client, file: IO[str], action: str, domain: bool, comment: str | None, as_json: bool) -> None:
    """Block or permit the URLs of a FILE, or of standard input, where that is -.

    It has one on each line; what is empty or begins with # is left out. Those that are managed already stay as
    they are.

    \b
    mailreeve url import bad-urls.txt --comment "Feed of today"
    """
    named = getattr(file, "name", "-")
    name = named if isinstance(named, str) and named not in ("-", "<stdin>") else "standard input"
    try:
        lines = {n: line.strip() for n, line in enumerate(file, 1)}
    except UnicodeDecodeError:
        fail(f"{name} is no text in UTF-8")
    except OSError as problem:
        fail(f"{name} cannot be read: {problem.strerror}")
    wanted = {f"{name} line {n}: {url}": url for n, url in lines.items() if url and not url.startswith("#")}
    if not wanted:
        fail(f"{name}: there is no URL in it")
    _make_named(api, wanted, action, domain=domain, comment=comment, as_json=as_json, keep=True)


@command.command("remove", cls=IdCommand)
@click.argument("which", nargs=-1, required=True, metavar="URL|ID...")
@yes_option()
@json_option
@calls_api
def remove(api: Client, which: Sequence[str], yes: bool, as_json: bool) -> None:
    """Remove managed URLs, each by its id, the beginning of that, or as it is listed. It asks first.

    A URL that is managed twice, as itself and with all below it, is named by an id.

    \b
    mailreeve url remove https://shop.test/offer
    """
    found = _named(api, which)
    confirm_removal([_said(one) for one in found], yes=yes)
    rows: list[Object] = []
    for start in range(0, len(found), AT_ONCE):
        rows += api.call(DELETE, *({"id": one["id"]} for one in found[start : start + AT_ONCE]))
    if as_json:
        echo(msgspec.json.encode({"removed": rows}))
        return
    for one in found:
        echo(f"removed {escaped_line(_said(one))}")


def _make(
    api: Client, urls: Sequence[str], action: str, *, domain: bool, comment: str | None, as_json: bool
) -> None:
    wanted = {url: url for url in urls}
    _make_named(api, wanted, action, domain=domain, comment=comment, as_json=as_json)


def _make_named(
    api: Client,
    wanted: Mapping[str, str],
    action: str,
    *,
    domain: bool,
    comment: str | None,
    as_json: bool,
    keep: bool = False,
) -> None:
    """Make those URLs managed ones, each named in errors by its key. With `keep` one that is there is no error."""
    items = [
        {"url": url, "action": action, "matchType": "domain" if domain else "explicit", "comment": comment}
        for url in wanted.values()
    ]
    names = list(wanted)
    made: list[Object] = []
    there = 0
    errors: list[str] = []
    with progress_bar("URLs sent", len(items)) as progress:
        for start in range(0, len(items), AT_ONCE):
            chunk = items[start : start + AT_ONCE]
            answer = api.send(CREATE, *chunk)
            made += answer.data
            # Refused ones come in the order of what was sent, each with its item.
            left = list(zip(names[start:], chunk, strict=False))
            for failure in answer.failures:
                while left and left[0][1]["url"] != failure.item.get("url"):
                    left.pop(0)
                name = left.pop(0)[0] if left else str(failure.item.get("url", ""))
                if keep and failure.code == EXISTS:
                    there += 1
                else:
                    errors.append(f"{escaped_line(name)}: {failure.message}")
            progress(start + len(chunk))
    if as_json:
        echo(msgspec.json.encode({"made": made, "there": there}))
    elif keep:
        done = "blocked" if action == "block" else "permitted"
        echo(f"{len(made):,} {done}" + (f", {there:,} there already" if there else ""))
    else:
        for one in made:
            echo(escaped_line(_said(one)))
    if errors:
        fail(*errors)


def _named(api: Client, which: Sequence[str]) -> list[Object]:
    """The managed URLs that are meant by ids, beginnings of ids, or URLs."""
    every = [{**one, "url": _url(one)} for one in api.every(LIST)]
    by_url: dict[str, list[Object]] = {}
    for one in every:
        by_url.setdefault(text(one, "url").casefold(), []).append(one)
        by_url.setdefault(text(one, "url").partition("://")[2].casefold(), []).append(one)
    by_id = {text(one, "id"): one for one in every}
    found: dict[str, Object] = {}
    for given in which:
        meant = by_url.get(given.removesuffix("/").casefold()) or by_url.get(given.casefold())
        if meant is not None and len({one["id"] for one in meant}) > 1:
            shown = ", ".join(_said(one) for one in meant)
            fail(f"{escaped_line(given)} may be any of: {escaped_line(shown)}; give an id of `url list --json`")
        if meant is not None:
            found[text(meant[0], "id")] = meant[0]
            continue
        (id_,) = resolve_all(api, MANAGED, [given], "URL|ID")
        if id_ not in by_id:
            fail(f"{given}: there is no such managed URL")
        found[id_] = by_id[id_]
    return list(found.values())


def _url(one: Object) -> str:
    """A managed URL in one piece."""
    port = one.get("port")
    at = f":{port}" if isinstance(port, int) and port >= 0 else ""
    query = text(one, "queryString")
    return f"{text(one, 'scheme')}://{text(one, 'domain')}{at}{text(one, 'path')}{'?' if query else ''}{query}"


def _said(one: Object) -> str:
    """A managed URL in words."""
    url = _url(one)
    means = f"{text(one, 'domain')} and all below it" if one.get("matchType") == "domain" else url
    return f"{text(one, 'action')} {means}"


def _cells(one: Object, ids: Mapping[str, str]) -> tuple[str, ...]:
    below = one.get("matchType") == "domain"
    return (
        ids[text(one, "id")],
        text(one, "action"),
        "domain" if below else "url",
        text(one, "domain") if below else _url(one),
        text(one, "comment"),
    )


_TABLE: Final = Table(
    ("managed URL", "managed URLs"),
    (Column("id"), Column("does"), Column("means"), Column("URL", 4), Column("comment", 2, if_any=True)),
    _cells,
)
