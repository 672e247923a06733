"""Writes the reference pages that follow from the code: endpoints, which are offered, errors, roles,
the command line.

    .venv/bin/python docs/generate.py            write the pages
    .venv/bin/python docs/generate.py --check    say which are out of date, and fail if any is

The pages are made from the declarations that the server itself runs by, so they cannot say something else.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import sys
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Annotated, Final, Literal, Union, get_args, get_origin

import click
import msgspec
from msgspec import NODEFAULT, Struct, UnsetType

import mailreeve.families
from mailreeve.access.permissions import ROLE_PERMISSIONS, Permission, Role
from mailreeve.api import catalogue
from mailreeve.api.views.table import VIEWS
from mailreeve.cli.main import main as command_line
from mailreeve.families.registry import ENDPOINTS
from mailreeve.policy.model.targets import TargetType
from mailreeve.wire import errors, policy_object
from mailreeve.wire.endpoint import Endpoint
from mailreeve.wire.errors import Fault

REFERENCE: Final = Path(__file__).resolve().parent / "reference"
NOTICE: Final = "<!-- Written by docs/generate.py. Change the code, not this page. -->\n"
HELP_WIDTH: Final = 100
BAR: Final = "\\|"  # a bar inside a table's cell

# Comments in the code name their sources; those are not part of the repository, so the pages leave them out.
_SOURCE: Final = re.compile(r"\s*\([^()]*(?:\b(?:api|behaviour|clients|design|stack)\.md|\bD-\d\d)[^()]*\)")
_SECTION: Final = re.compile(r"^# (.+)$")
_FAULT: Final = re.compile(r"^([A-Z_]+): Final = Fault\(")


def pages() -> dict[Path, str]:
    """Every generated page and its text."""
    return {
        REFERENCE / "api.md": api_page(ENDPOINTS),
        REFERENCE / "coverage.md": coverage_page(ENDPOINTS),
        REFERENCE / "errors.md": errors_page(),
        REFERENCE / "roles.md": roles_page(ENDPOINTS),
        REFERENCE / "cli.md": cli_page(),
    }


# ---------------------------------------------------------------------------------------------------- endpoints

_API_TEXT: Final = """\
# The API, endpoint by endpoint

Every function is called with `POST /api/<path>`, signed or with an access token ([API
clients](../guides/api-clients.md)), and answers with the same envelope:

```json
{"meta": {"status": 200}, "data": [], "fail": []}
```

- The request body is `{"meta": {...}, "data": [item, ...]}`. Each item is carried out by itself; what became
  of it stands in `data`, or in `fail` with the item as `key` and its errors ([all codes](errors.md)). No
  body, `{}`, `{"data": []}` and `{"data": [{}]}` are alike: one empty item.
- Empty texts and nulls count as absent, unless a member is said to keep them. Unknown members are ignored.
  Numbers and booleans may be written as text. Dates are ISO 8601; answers write `2026-01-31T12:00:00+0000`.
- *Paged* answers carry `meta.pagination`; ask with `meta.pagination.pageSize` (at most 500) and `pageToken`, a
  `next` or `previous` of an earlier answer to the same `data`. Other functions refuse a token.
- Ids are opaque texts. One id always means the same object, and nothing in another account.
- The same in machine-readable form: `GET /openapi.json`.
"""


def api_page(endpoints: Sequence[Endpoint]) -> str:
    """Each endpoint with its item and its answer, then the objects that several of them share."""
    objects = _Objects()
    sections = [objects.endpoint(endpoint) for endpoint in endpoints]
    rows = [
        (
            f"[`{endpoint.path}`](#{_anchor(_heading(endpoint))})",
            endpoint.summary,
            _permissions(endpoint),
        )
        for endpoint in endpoints
    ]
    return "\n".join(
        [
            NOTICE + _API_TEXT,
            "## All endpoints\n",
            *_table(("Path, after `/api/`", "What it does", "Permission"), rows),
            "## Item and answer of each\n",
            *sections,
            _POLICY_TEXT,
            *_policy_rules(),
            "## Objects inside items and answers\n",
            *objects.sections(),
        ]
    )


_POLICY_TEXT: Final = """\
## The policy object in each family

Three families share the policy object, with these differences. What is not required takes its default: a target
that is left out is everyone. On the `to` side `header_display_name` is never allowed. The flat spelling
(`fromType` with `fromValue`, `toType` with `toValue`) counts where the nested one is absent.
"""


def _policy_rules() -> list[str]:
    families = {
        "Blocked senders": policy_object.BLOCKED_SENDERS,
        "Address alteration": policy_object.ADDRESS_ALTERATION,
        "Web lists": policy_object.WEB_SECURITY,
    }
    rows = [
        (
            family,
            "yes" if rules.description_required else "no",
            "yes" if rules.targets_required else "no",
            ", ".join(f"`{type_}`" for type_ in TargetType if type_ in rules.types),
            "far dates, 1900 and 2100" if rules.far_dates else "absent",
        )
        for family, rules in families.items()
    ]
    head = ("Family", "`description` required", "`from` and `to` required", "Target types", "Dates when eternal")
    return _table(head, rows)


class _Objects:
    """The struct types of a page. What stands inside an item or an answer gets a section of its own, once."""

    def __init__(self) -> None:
        self._names: dict[type[Struct], str] = {}

    def endpoint(self, endpoint: Endpoint) -> str:
        """The section of one endpoint."""
        facts = [f"Permission: {_permissions(endpoint)}.", f"Items in one request: at most {endpoint.most}."]
        if endpoint.lists:
            facts.append("Paged.")
        return "\n".join(
            [
                f"### {_heading(endpoint)}\n",
                f"{endpoint.summary}\n",
                " ".join(facts) + "\n",
                f"**Item.** {_about(endpoint.item)}\n",
                *self._item_table(endpoint.item),
                f"**Answer.** {_about(endpoint.answer)}\n",
                *self._answer_table(endpoint.answer),
            ]
        )

    def sections(self) -> Iterator[str]:
        """The sections of the objects named so far. Writing one may name further ones."""
        done: set[type[Struct]] = set()
        while waiting := [type_ for type_ in self._names if type_ not in done]:
            for type_ in waiting:
                done.add(type_)
                written = type_.__name__.endswith("Item")
                table = self._item_table(type_) if written else self._answer_table(type_)
                yield "\n".join([f"### {self._names[type_]}\n", f"{_about(type_)}\n", *table])

    def _item_table(self, type_: type[Struct]) -> list[str]:
        rows = [
            (f"`{field.encode_name}`", self._type(field.type), "yes" if field.required else "no", _default(field))
            for field in msgspec.structs.fields(type_)
        ]
        return _table(("Member", "Type", "Required", "Default"), rows) if rows else ["No members.\n"]

    def _answer_table(self, type_: type[Struct]) -> list[str]:
        omits = type_.__struct_config__.omit_defaults
        rows = [
            (
                f"`{field.encode_name}`",
                self._type(field.type) + (" or null" if type(None) in get_args(field.type) else ""),
                "if there is one" if _may_be_absent(field, omits) else "always",
            )
            for field in msgspec.structs.fields(type_)
        ]
        return _table(("Member", "Type", "Present"), rows) if rows else ["No members.\n"]

    def _type(self, annotation: object) -> str:
        """An annotation in the words of JSON."""
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            metas = [extra for extra in arguments if isinstance(extra, msgspec.Meta)]
            for meta in metas:
                if values := (meta.extra_json_schema or {}).get("enum"):
                    return ", ".join(f"`{value}`" for value in values)
            keeps = any((meta.extra or {}).get("empty") == "kept" for meta in metas)
            return self._type(arguments[0]) + (", may be empty" if keeps else "")
        if origin in (Union, types.UnionType):
            kinds = [self._type(a) for a in arguments if a not in (type(None), UnsetType)]
            return " or ".join(dict.fromkeys(kinds))
        if origin is Literal:
            return ", ".join(f"`{value}`" for value in arguments)
        if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
            return f"object: text to {self._type(arguments[1])}"
        if origin is not None and isinstance(origin, type) and issubclass(origin, Iterable):
            inner = [a for a in arguments if a is not Ellipsis]
            return f"array of {self._type(inner[0])}" if inner else "array"
        if isinstance(annotation, type) and issubclass(annotation, Enum):
            return ", ".join(f"`{member.value}`" for member in annotation)
        if isinstance(annotation, type) and issubclass(annotation, Struct):
            name = self._name(annotation)
            return f"[{name}](#{_anchor(name)})"
        return _JSON.get(annotation, "any")

    def _name(self, type_: type[Struct]) -> str:
        if type_ not in self._names:
            name = type_.__name__
            if name in self._names.values():
                *_, package, module = type_.__module__.split(".")
                name = f"{name} ({(package if module == 'types' else module).replace('_', ' ')})"
            self._names[type_] = name
        return self._names[type_]


_JSON: Final[dict[object, str]] = {
    str: "text",
    int: "number",
    float: "number",
    bool: "boolean",
    dict: "object",
    object: "any",
}


def _heading(endpoint: Endpoint) -> str:
    return f"POST /api/{endpoint.path}"


def _permissions(endpoint: Endpoint) -> str:
    named = " or ".join(f"`{name}`" for name in endpoint.permissions) or "none"
    return f"{named}; none for a user's own mailbox, or one opened to the user" if endpoint.own else named


def _about(type_: type[Struct]) -> str:
    """The type's docstring in one paragraph, its members named as on the wire."""
    wire = {field.name: field.encode_name for field in msgspec.structs.fields(type_)}
    text = _SOURCE.sub("", inspect.cleandoc(type_.__doc__ or ""))
    text = re.sub(r"`([a-z_]+)`", lambda found: f"`{wire.get(found[1], found[1])}`", text)
    return " ".join(text.split())


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.default_factory is not NODEFAULT:
        return "`[]`" if field.default_factory is list else "`{}`"
    value = field.default
    if value is NODEFAULT or value is None:
        return ""
    if isinstance(value, Struct):
        return "`{}`"
    return "" if value is msgspec.UNSET else f"`{msgspec.json.encode(value).decode()}`"


def _may_be_absent(field: msgspec.structs.FieldInfo, omits_defaults: bool) -> bool:
    return UnsetType in get_args(field.type) or (omits_defaults and not field.required)


# ----------------------------------------------------------------------------------------------------- coverage

_COVERAGE_TEXT: Final = """\
# Which functions are offered

The functions of the Mimecast API 1.0, as far as they are known from its clients and from public catalogues, and
whether this version offers them. What is not offered is answered with HTTP 404 and `err_xdk_not_offered`; a path
that is none of the API's, with `err_xdk_not_found`.
"""


_VIEWS_TEXT: Final = """\
## Paths of the API 2.0

The same objects under the paths of the API 2.0 that public clients call, with an access token. Permissions, limits
and error codes are those of the functions above. Lists have 100 rows on a page, or as many as `pageSize` says; the
next page is asked for with `pageToken`.
"""


def _first(text: str | None) -> str:
    return (text or "").partition("\n")[0]


def coverage_page(endpoints: Sequence[Endpoint]) -> str:
    """Every function of the catalogue, the paths of the API 2.0, then the functions that are ours alone."""
    families = catalogue.families()
    offered = {endpoint.path: endpoint for endpoint in endpoints}
    known = [path for family in families for path in family["paths"]]
    done = [path for path in known if path in offered]
    parts = [NOTICE + _COVERAGE_TEXT, f"Offered: {len(done)} of {len(known)}.\n"]
    head = ("Path, after `/api/`", "What it is for", "Offered")
    for family in families:
        paths: dict[str, str] = family["paths"]
        rows = [
            (_linked(path, offered), about, "yes" if path in offered else "no") for path, about in paths.items()
        ]
        parts += [f"## {family['title']}\n", *_table(head, rows)]
    ours = [(_linked(e.path, offered), e.summary) for e in endpoints if e.path not in known]
    views = [(f"`{view.method} {view.path}`", _first(view.answer.__doc__)) for view in VIEWS]
    parts += [_VIEWS_TEXT, *_table(("Method and path", "What it is for"), views)]
    return "\n".join([*parts, "## Ours alone\n", *_table(head[:2], ours)])


def _linked(path: str, offered: Mapping[str, Endpoint]) -> str:
    return f"[`{path}`](api.md#{_anchor(_heading(offered[path]))})" if path in offered else f"`{path}`"


# ------------------------------------------------------------------------------------------------------- errors

_ERRORS_TEXT: Final = """\
# Error codes

An error is an object with `code`, `message`, `retryable` and, where one member of the item is at fault,
`field`.

- A request that is refused as a whole has the HTTP status named below, the same number in `meta.status`, an
  empty `data`, and one entry in `fail` with the error. An unknown application id is the exception: it is
  answered with status 200.
- An item that is refused alone is an entry of `fail` in an answer with status 200: `key` is the item as it
  came (passwords, keys, secrets and tokens masked), `errors` says what is wrong, everything that is missing or not
  allowed at once.
- The two errors of access tokens, `token_expired` and `token_verification_failed`, stand right in the entry
  of `fail`, where clients of the newer authentication look for them.
- *Retryable* means that the very same call may succeed later.

Codes that clients of the Mimecast API 1.0 know are spelled as those clients expect; where none was known,
ours follow the same pattern. The message may say more than the text below; the code is what to compare with.

`/oauth/token` answers errors as RFC 6749 has them, `{"error": ...}`, with `invalid_request`,
`invalid_client`, `unsupported_grant_type` or `slow_down`, and repeats them in `fail`.
"""


def faults() -> dict[str, list[Fault]]:
    """The catalogue: what all families share, under the headings that its source has, then what each has in a
    module `errors` of its own, under what that says of itself."""
    found: dict[str, list[Fault]] = {}
    for module in (errors, *_errors_of_families()):
        heading = (inspect.getdoc(module) or "").partition("\n")[0].rstrip(".")
        for line in inspect.getsource(module).splitlines():
            if section := _SECTION.match(line):
                heading = _SOURCE.sub("", section[1]).rstrip(".")
            elif name := _FAULT.match(line):
                found.setdefault(heading, []).append(getattr(module, name[1]))
    return found


def _errors_of_families() -> Iterator[types.ModuleType]:
    for found in pkgutil.walk_packages(mailreeve.families.__path__, "mailreeve.families."):
        if found.name.endswith(".errors"):
            yield importlib.import_module(found.name)


def errors_page() -> str:
    """Every code of the catalogue, whichever module it stands in."""
    parts = [NOTICE + _ERRORS_TEXT]
    for heading, codes in faults().items():
        head = ["Code", "Message", "Retryable"]
        rows = [[f"`{fault.code}`", fault.message, "yes" if fault.retryable else "no"] for fault in codes]
        if any(fault.status != 200 for fault in codes):
            head.append("Status")
            rows = [[*row, str(fault.status)] for row, fault in zip(rows, codes, strict=True)]
        parts += [f"## {heading}\n", *_table(head, rows)]
    return "\n".join(parts)


# -------------------------------------------------------------------------------------------------------- roles

_ROLES_TEXT: Final = """\
# Roles and permissions

A permission is spelled `Menu | Item | Level`. Each endpoint asks for one; where two are named, either will
do. A caller without it is refused with HTTP 403, and the message names what is missing.

A signed call may do what its user's role and its application's role both permit. A call with an access token
acts as the application itself and may do what the application's role permits. What is about a user's own
mailbox, or one that was [opened to the user](../guides/delegates.md), needs no permission: the user may do it with
any keys that were not made for less than the user may do.

`mailreeve init` makes one administrator and one application, both with the role Super Administrator. Roles of
one's own are made of the permissions below, by their names: [keys, administrators, roles,
accounts](../guides/people.md).
"""


def roles_page(endpoints: Sequence[Endpoint]) -> str:
    """Which role holds which permission, and what each permission opens."""
    holders = [
        (
            f"`{permission}`",
            *("yes" if permission in ROLE_PERMISSIONS[role] else "" for role in Role),
        )
        for permission in Permission
    ]
    opens = [
        (
            f"`{permission}`",
            "<br>".join(f"`{e.path}`" for e in endpoints if permission in e.permissions) or "nothing yet",
        )
        for permission in Permission
    ]
    return "\n".join(
        [
            NOTICE + _ROLES_TEXT,
            "## Who holds what\n",
            *_table(("Permission", *Role), holders),
            "## What each opens\n",
            *_table(("Permission", "Endpoints"), opens),
        ]
    )


# ------------------------------------------------------------------------------------------------- command line

_CLI_TEXT: Final = """\
# The command line

Answers go to standard output, logs and complaints to standard error. Exit codes: 0 done, 1 it could not be
done, 2 the command was not understood. Settings are explained in [settings](../settings.md).
"""


def cli_page() -> str:
    """The help of every command, as the command prints it."""
    return "\n".join([NOTICE + _CLI_TEXT, *_help("mailreeve", command_line, None)])


def _help(name: str, command: click.Command, parent: click.Context | None) -> Iterator[str]:
    """The sections of a command and of those below it."""
    context = command.make_context(name, [], parent, resilient_parsing=True, terminal_width=HELP_WIDTH)
    lines = (line.rstrip() for line in command.get_help(context).splitlines())
    yield "\n".join([f"## {context.command_path}\n", "```text", *lines, "```\n"])
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            if found is not None:
                yield from _help(below, found, context)


# ------------------------------------------------------------------------------------------------------ writing


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", f"| {' | '.join('---' for _ in head)} |"]
    lines += [f"| {' | '.join(cell.replace('|', BAR) for cell in row)} |" for row in rows]
    return [*lines, ""]


def _anchor(heading: str) -> str:
    """The anchor that a heading gets where Markdown is shown: lower case, punctuation dropped, dashes."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def main(arguments: Sequence[str]) -> int:
    """Write or check the pages; the exit code."""
    stale = [path for path, text in pages().items() if not path.is_file() or path.read_text("utf-8") != text]
    if "--check" in arguments:
        for path in stale:
            sys.stderr.write(f"{path} is out of date: run docs/generate.py\n")
        return 1 if stale else 0
    for path, text in pages().items():
        path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
