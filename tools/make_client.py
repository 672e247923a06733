"""Make the client's functions of the server's declarations: `python tools/make_client.py`, or `--check`.

The client imports nothing of the server, so what it knows of the functions is written down here, from the very
declarations by which the server answers. Two things are made:

- `client/functions`: a module for each room of `families`, with its items, its answers, and a method for each
  function, once for threads and once for asyncio;
- `client/aio`: what is written by hand for threads (`Api`, `Client`, the rooms of the capabilities), for asyncio.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import textwrap
import typing
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Final, Literal, NamedTuple, Union, get_args, get_origin

import msgspec
from asynchronous import hand_written, made_asynchronous
from msgspec import Struct, UnsetType

from mailreeve.families.registry import ENDPOINTS
from mailreeve.wire.endpoint import Endpoint
from mailreeve.wire.pagination import Page
from mailreeve.wire.policy_object import PolicyItem
from mailreeve.wire.raw_answer import RawAnswer

ROOT: Final = Path(__file__).parents[1]
CLIENT: Final = ROOT / "src/mailreeve/client"
SHARED: Final = "shapes"  # the module of what several rooms have in common
NOTICE: Final = "Made by tools/make_client.py."
WIDTH: Final = 108

sys.path.insert(0, str(ROOT / "docs"))
from generate import _SOURCE  # noqa: E402 - what docstrings say of notes that are not part of the repository


class Shape(NamedTuple):
    """A struct of the server's, as something that is asked or something that is answered."""

    type: type[Struct]
    asked: bool


class Room(NamedTuple):
    """The functions of one folder of `families`."""

    name: str
    endpoints: list[Endpoint]

    @property
    def title(self) -> str:
        """The beginning of its classes' names."""
        return "".join(word.capitalize() for word in self.name.split("_"))


def room_of(endpoint: Endpoint) -> str:
    """The folder of `families` that has the function."""
    return endpoint._run.__module__.split(".")[-2]


def rooms() -> list[Room]:
    """The rooms by name, each with its functions in the order in which they are declared."""
    found = defaultdict[str, list[Endpoint]](list)
    for endpoint in ENDPOINTS:
        found[room_of(endpoint)].append(endpoint)
    return [Room(name, found[name]) for name in sorted(found)]


# ------------------------------------------------------------------------------------------------------- shapes


def structs_in(annotation: object) -> Iterator[type[Struct]]:
    """The structs that an annotation names."""
    if isinstance(annotation, type) and issubclass(annotation, Struct):
        yield annotation
    for argument in get_args(annotation):
        yield from structs_in(argument)


def shapes_of(endpoint: Endpoint) -> Iterator[Shape]:
    """What is inside an item, and the answer with what is inside. An item itself is a method's parameters."""
    waiting = [Shape(t, True) for f in msgspec.structs.fields(endpoint.item) for t in structs_in(f.type)]
    if endpoint.answer is not RawAnswer:
        waiting.append(Shape(endpoint.answer, False))
    seen = set[Shape]()
    while waiting:
        shape = waiting.pop(0)
        if shape in seen:
            continue
        seen.add(shape)
        yield shape
        fields = msgspec.structs.fields(shape.type)
        waiting += [Shape(inner, shape.asked) for field in fields for inner in structs_in(field.type)]


class Names:
    """What each shape is called, and in which module it stands: in its room's, or where several have it in
    common. A name that is taken has the room of the server's type before it, or `Item` behind."""

    def __init__(self, rooms: Sequence[Room]) -> None:
        users: dict[Shape, dict[str, None]] = {}
        for room in rooms:
            for endpoint in room.endpoints:
                for shape in shapes_of(endpoint):
                    users.setdefault(shape, {})[room.name] = None
        self.module = {shape: next(iter(by)) if len(by) == 1 else SHARED for shape, by in users.items()}
        self.name: dict[Shape, str] = {}
        taken: set[tuple[str, str]] = set()
        for shape in sorted(self.module, key=lambda s: (self.module[s] != SHARED, s.asked)):
            for name in self._candidates(shape):
                if (self.module[shape], name) not in taken and (SHARED, name) not in taken:
                    break
            else:
                raise SystemExit(f"{shape.type} has no name that is free")
            taken.add((self.module[shape], name))
            self.name[shape] = name

    @staticmethod
    def _candidates(shape: Shape) -> Iterable[str]:
        plain = shape.type.__name__
        room = shape.type.__module__.split(".")[-2]
        ours = "".join(word.capitalize() for word in room.split("_"))
        return plain, f"{plain}Item" if shape.asked else f"{plain}Answer", f"{ours}{plain}", f"{ours}{plain}Item"

    def of(self, module: str) -> list[Shape]:
        """The shapes of a module, by name."""
        return sorted((s for s, where in self.module.items() if where == module), key=lambda s: self.name[s])


def about(text: str | None, indent: str) -> str:
    """A docstring without the names of its sources."""
    words = " ".join(_SOURCE.sub("", text or "").split()).replace("\\", "\\\\")
    lines = textwrap.wrap(words, WIDTH - len(indent), break_on_hyphens=False) or ["As the server has it."]
    if len(lines) == 1:
        return f'{indent}"""{lines[0]}"""'
    return f'{indent}"""' + f"\n{indent}".join(lines) + f'\n{indent}"""'


def struct(shape: Shape, names: Names) -> str:
    """The source of a shape."""
    fields = msgspec.structs.fields(shape.type)
    renamed = {field.name: field.encode_name for field in fields if field.name != field.encode_name}
    options = f", rename={renamed!r}" if renamed else ""
    lines = [
        f"class {names.name[shape]}(Struct, frozen=True, kw_only=True, omit_defaults=True{options}):",
        about(shape.type.__doc__, "    "),
        "",
        *(f"    {member(field, shape.asked, names)}" for field in fields),
    ]
    return "\n".join(lines)


def member(field: msgspec.structs.FieldInfo, asked: bool, names: Names) -> str:
    """One line of a struct. What an answer leaves out is the empty value of its type; in an item only what has
    to be there must be given."""
    if asked:
        text = annotation(field.type, True, names)
        return f"{field.name}: {text}" if field.required else f"{field.name}: {_or_none(text)} = None"
    text = annotation(field.type, False, names)
    if text.endswith("| None"):
        return f"{field.name}: {text} = None"
    for start, empty in _EMPTY.items():
        if text.startswith(start):
            return f"{field.name}: {text} = {empty}"
    return f"{field.name}: {text} = field(default_factory=lambda: {text}())"


_EMPTY: Final = {
    "str": '""',
    "bool": "False",
    "int": "0",
    "float": "0.0",
    "tuple": "()",
    "Mapping": "field(default_factory=dict)",
    "object": "None",
}


def annotation(given: object, asked: bool, names: Names) -> str:
    """An annotation of the server's as the client has it. A word out of several is any text in an answer, since a
    later server may know more words."""
    origin, arguments = get_origin(given), get_args(given)
    if origin is Annotated:
        return annotation(arguments[0], asked, names)
    if origin in (Union, UnionType):
        empty = any(a in (NoneType, UnsetType) for a in arguments)
        inner = [annotation(a, asked, names) for a in arguments if a not in (NoneType, UnsetType)]
        text = " | ".join(dict.fromkeys(inner))
        return _or_none(text) if empty else text
    if origin is Literal:
        return _words(arguments) if asked else "str"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"Mapping[str, {annotation(arguments[1], asked, names)}]"
    if isinstance(origin, type) and issubclass(origin, Iterable):
        inner_text = annotation(next(a for a in arguments if a is not Ellipsis), asked, names)
        return f"Sequence[{inner_text}]" if asked else f"tuple[{inner_text}, ...]"
    if isinstance(given, type) and issubclass(given, Enum):
        return _words([one.value for one in given]) if asked else "str"
    if isinstance(given, type) and issubclass(given, Struct):
        text = names.name[Shape(given, asked)]
        if asked and given is PolicyItem:
            text = f"{text} | Policy"
        return f"{text} | Mapping[str, object]" if asked else text
    if given in (dict, Mapping):
        return "Mapping[str, object]"
    if given in (str, bytes):
        return "str"  # octets are base64 text in JSON
    if given in (int, float, bool):
        return typing.cast(type, given).__name__
    if given is object:
        return "object"
    raise SystemExit(f"{given!r}: the client has no words for this type")


def _or_none(text: str) -> str:
    return text if text in ("object",) or text.endswith("| None") else f"{text} | None"


def _words(values: Iterable[object]) -> str:
    return f"Literal[{', '.join(repr(value) for value in values)}]"


# -------------------------------------------------------------------------------------------------------- rooms


def method(endpoint: Endpoint, names: Names, asynchronous: bool) -> str:
    """The source of one function's method."""
    returns = typing.get_type_hints(endpoint._run)["return"]
    fields = sorted(msgspec.structs.fields(endpoint.item), key=lambda field: not field.required)
    parameters = [f"{member(field, True, names)}" for field in fields]
    item = "{" + ", ".join(f'"{field.encode_name}": {field.name}' for field in fields) + "}"
    call = f'"{endpoint.path}", {item}'
    keyword = "async def" if asynchronous else "def"
    wait = "await " if asynchronous else ""
    if endpoint.answer is RawAnswer:
        result, body = "bytes", f"{wait}self._api.octets({call.partition(', ')[0]}, given({item}))"
    else:
        answer = names.name[Shape(endpoint.answer, False)]
        if get_origin(returns) is Page:
            keyword = "def"
            parameters.append("page_size: int | None = None")
            result = f"{'AsyncIterator' if asynchronous else 'Iterator'}[{answer}]"
            body = f"self._api.every_of({answer}, {call}, page_size=page_size)"
        elif get_origin(returns) in (list, Sequence, tuple):
            result, body = f"list[{answer}]", f"{wait}self._api.all_of({answer}, {call})"
        else:
            result, body = answer, f"{wait}self._api.one_of({answer}, {call})"
    star = ", *, " + ", ".join(parameters) if parameters else ""
    return "\n".join(
        [
            f"    {keyword} {method_name(endpoint)}(self{star}) -> {result}:",
            about(endpoint.summary, "        "),
            f"        return {body}",
        ]
    )


def method_name(endpoint: Endpoint) -> str:
    """What a function is called: the end of its path; behind the word before that, where another function of its
    room ends so as well."""
    before, _, end = endpoint.path.rpartition("/")
    if _ends()[room_of(endpoint), end] > 1:
        end = f"{before.rpartition('/')[2]}-{end}"
    return end.replace("-", "_")


@cache
def _ends() -> Counter[tuple[str, str]]:
    """How many functions of a room have paths that end so."""
    return Counter((room_of(one), one.path.rpartition("/")[2]) for one in ENDPOINTS)


def room_module(room: Room, names: Names) -> str:
    """The source of a room's module. What is written by hand under the same name is left out here."""
    own = names.of(room.name)
    written = hand_written(CLIENT, room.name)
    endpoints = [endpoint for endpoint in room.endpoints if method_name(endpoint) not in written]
    if len({method_name(endpoint) for endpoint in endpoints}) < len(endpoints):
        raise SystemExit(f"{room.name}: two functions have paths with the same end")
    parts = [f'"""The functions of {room.name.replace("_", " ")}. {NOTICE}"""', _HEAD]
    parts += [struct(shape, names) for shape in own]
    for asynchronous in (False, True):
        before = "Async" if asynchronous else ""
        parts.append(
            "\n".join(
                [
                    f"class {before}{room.title}Functions:",
                    f'    """What can be asked about {room.name.replace("_", " ")}."""',
                    "",
                    f"    def __init__(self, api: {before}Api) -> None:",
                    "        self._api = api",
                    "",
                    *("\n" + method(endpoint, names, asynchronous) for endpoint in endpoints),
                ]
            )
        )
    return "\n\n\n".join([*parts[:1], _shared_import(names), *parts[1:]])


def _shared_import(names: Names) -> str:
    shared = ", ".join(names.name[shape] for shape in names.of(SHARED))
    return f"from __future__ import annotations\nfrom mailreeve.client.functions.{SHARED} import ({shared})"


_HEAD: Final = """\
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field

from mailreeve.client.api import given
from mailreeve.client.policies import Policy

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api
"""


def shared_module(names: Names) -> str:
    """What several rooms have in common."""
    head = f'"""Items and answers that several rooms have in common. {NOTICE}"""'
    return "\n\n\n".join(
        [head, "from __future__ import annotations", _HEAD, *(struct(shape, names) for shape in names.of(SHARED))]
    )


def index_module(rooms: Sequence[Room], before: str) -> str:
    """All rooms by name, each loaded when it is asked for; `before` is before the names of classes."""
    rooms = [room for room in rooms if not hand_written(CLIENT, room.name)]  # else it stands on what is made
    lines = [
        f'"""Which rooms has the API? Each is loaded when it is asked for. {NOTICE}"""',
        "from __future__ import annotations",
        "from functools import cached_property",
        "from typing import TYPE_CHECKING",
        f"from mailreeve.client.{'aio.' if before else ''}api import {before}Api",
        "if TYPE_CHECKING:",
        *(f"    from mailreeve.client.functions.{r.name} import {before}{r.title}Functions" for r in rooms),
        f"class {before}Functions({before}Api):",
        '    """A method for every function, by room."""',
    ]
    for room in rooms:
        kind = f"{before}{room.title}Functions"
        lines += [
            "    @cached_property",
            f"    def {room.name}(self) -> {kind}:",
            f'        """The functions of {room.name.replace("_", " ")}."""',
            f"        from mailreeve.client.functions.{room.name} import {kind}",
            "",
            f"        return {kind}(self)",
        ]
    return "\n".join(lines)


def modules() -> dict[Path, str]:
    """Every module that is made, and its source before it is put in form."""
    found = rooms()
    names = Names(found)
    made = {CLIENT / "functions" / f"{room.name}.py": room_module(room, names) for room in found}
    made[CLIENT / "functions" / f"{SHARED}.py"] = shared_module(names)
    made[CLIENT / "functions" / "by_room.py"] = index_module(found, "")
    made[CLIENT / "aio" / "by_room.py"] = index_module(found, "Async")
    made[CLIENT / "functions" / "__init__.py"] = f'"""The functions of the API, room by room. {NOTICE}"""\n'
    return made | made_asynchronous(CLIENT, NOTICE)


def in_form(sources: Mapping[Path, str]) -> dict[Path, str]:
    """The sources without imports that nobody uses, sorted and formatted as the rest of the house."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        for path, text in sources.items():
            copy = base / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(text, "utf-8")
        ruff = [sys.executable, "-m", "ruff"]
        config = ["--config", str(ROOT / "pyproject.toml"), "--no-cache", "--quiet", str(base)]
        check = [*ruff, "check", "--fix-only", "--unsafe-fixes", "--select", "F401,I", *config]
        subprocess.run(check, check=True, cwd=base)  # noqa: S603 - the house's own checker
        subprocess.run([*ruff, "format", *config], check=True, cwd=base)  # noqa: S603
        return {path: (base / path.relative_to(ROOT)).read_text("utf-8") for path in sources}


def main(arguments: Sequence[str]) -> int:
    """Write the modules, or with `--check` say which are out of date."""
    made = in_form(modules())
    there = [*(CLIENT / "functions").glob("*.py"), *(CLIENT / "aio").glob("*.py")]
    stale = [path for path in there if path not in made]
    changed = [path for path, text in made.items() if not path.exists() or path.read_text("utf-8") != text]
    if "--check" in arguments:
        for path in [*changed, *stale]:
            print(f"{path.relative_to(ROOT)} is out of date: make client")
        return 1 if changed or stale else 0
    for path in changed:
        path.parent.mkdir(exist_ok=True)
        path.write_text(made[path], "utf-8")
    for path in stale:
        path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
