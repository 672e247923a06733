"""Skeletons of new endpoints and families: declared, listed, tested, and ready to be filled in.

    tools/new_code.py endpoint policies/blocked_senders policy/blockedsenders/foo
    tools/new_code.py family held

The first makes an endpoint in families/policies/blocked_senders, the second a family in families/held.

What is made answers an item with its id. It is in form and keeps to the layers, so whatever fails of those later
is due to what was written into it; the tests then ask for the samples that CONTRIBUTING.md names. `--root DIR`
works on another checkout than this one.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, NoReturn

ROOT: Final = Path(__file__).resolve().parents[1]
PATH: Final = re.compile(r"[a-z0-9-]+(/[a-z0-9-]+)+")
FAMILY: Final = re.compile(r"[a-z][a-z0-9_]*")

_FUTURE: Final = r"(from __future__ import annotations\n)"

_TYPES: Final = '''

class {camel}(Struct, frozen=True, rename="camel"):
    """What {path} is asked for."""

    id: str


class {camel}Answer(Struct, frozen=True, rename="camel"):
    """What {path} answers."""

    id: str
'''

_OPERATION: Final = '''

def {function}(call: Call, id_: str) -> str:
    """What {path} does, with the item's id."""
    del call  # Its transaction is call.work, its caller call.caller; refuse with refused(FAULT, "field").
    return id_
'''

_ENDPOINT: Final = '''@endpoint("{path}", Permission.GATEWAY_POLICIES_READ)
def {function}(call: Call, item: {camel}) -> {camel}Answer:
    """Answer an item with its id."""
    return {camel}Answer(operations.{function}(call, item.id))


'''

_TEST: Final = '''"""POST /api/{path}."""

from __future__ import annotations


def test_an_item_is_answered_with_its_id(account):
    assert account.call("{path}", {{"id": "one"}}) == [{{"id": "one"}}]
'''

_HEADS: Final = {
    "__init__.py": '"""What the family {family} is for."""\n',
    "types.py": '"""Items and answers of the endpoints of {family}."""\n\nfrom __future__ import annotations\n',
    "operations.py": '"""What can be done with {family}."""\n\nfrom __future__ import annotations\n',
    "endpoints.py": (
        '"""The endpoints of {family}."""\n\nfrom __future__ import annotations\n\nfrom typing import Final\n\n\n'
        "ENDPOINTS: Final = ()\n"
    ),
}


class Checkout:
    """The files of a checkout that a skeleton goes into."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._families = root / "src" / "mailreeve" / "families"

    def add_family(self, name: str) -> None:
        """A family with one endpoint, listed in the registry and in the import contract."""
        if not FAMILY.fullmatch(name):
            fail(f"{name!r} is no name for a package: lower case, digits, underscores")
        folder = self._families / name
        if folder.exists():
            fail(f"{folder} exists already")
        folder.mkdir()
        for file, head in _HEADS.items():
            (folder / file).write_text(head.format(family=name), "utf-8")
        _replace(
            self._families / "registry.py",
            (_FUTURE, rf"\1\nfrom mailreeve.families.{name} import endpoints as {name}"),
            (r"(\nENDPOINTS: Final.*?)\n\)\n", rf"\1\n    *{name}.ENDPOINTS,\n)\n"),
        )
        # Beside the other capabilities, none of which may import another. In parentheses: it may not exist yet.
        contract = self._root / "pyproject.toml"
        if f"({name})" in contract.read_text("utf-8"):
            _replace(contract, (rf"\({name}\)", name))
        else:
            _replace(contract, (r"( \| lint \| audit)", rf" | {name}\1"))
        self.add_endpoint(name, f"{name.replace('_', '-')}/get-{name.replace('_', '-')}")

    def add_endpoint(self, family: str, path: str) -> None:
        """An endpoint in a family: its item and answer, its operation, its declaration, and a test."""
        folder = self._families / family
        if not (folder / "endpoints.py").is_file():
            fail(f"{folder} is no family with endpoints")
        if not PATH.fullmatch(path):
            fail(f"{path!r} is no path: lower case, digits, hyphens, with a slash")
        function = path.rpartition("/")[2].replace("-", "_")
        if not function.isidentifier():
            fail(f"{function} cannot be the name of a function")
        for file in ("endpoints.py", "operations.py"):
            if re.search(rf"\bdef {function}\b", (folder / file).read_text("utf-8")):
                fail(f"{folder / file} has a function {function} already")
        words = {"path": path, "function": function, "camel": function.title().replace("_", "")}
        test = self._root / "tests" / "unit" / "families" / f"test_{path.replace('/', '_').replace('-', '_')}.py"
        test.write_text(_TEST.format(**words), "utf-8")
        module = "mailreeve.families." + family.replace("/", ".")
        _append(folder / "types.py", "from msgspec import Struct", _TYPES.format(**words))
        call = "from mailreeve.families.machinery.call import Call"
        _append(folder / "operations.py", call, _OPERATION.format(**words))
        needed = [
            "from mailreeve.access.permissions import Permission",
            f"from {module} import operations",
            call,
            f"from {module}.types import {words['camel']}, {words['camel']}Answer",
            "from mailreeve.wire.endpoint import endpoint",
        ]
        _replace(
            folder / "endpoints.py",
            (_FUTURE, r"\1\n" + "\n".join(needed) + "\n"),
            (r"\nENDPOINTS: Final = \((.*?)\)\n", _listed(function, _ENDPOINT.format(**words))),
        )
        made = [str(one) for one in (*folder.glob("*.py"), self._families / "registry.py", test)]
        ruff = Path(sys.executable).with_name("ruff")
        for command in (["check", "--fix", "--select", "I,RUF022", "--quiet"], ["format", "--quiet"]):
            subprocess.run([ruff, *command, *made], cwd=self._root, check=True)  # noqa: S603 - our own program


def _listed(function: str, declaration: str) -> Callable[[re.Match[str]], str]:
    """Puts a declaration before the list of endpoints, and its function at the end of the list."""

    def listed(found: re.Match[str]) -> str:
        names = ", ".join([*re.findall(r"\w+", found[1]), function])
        return f"\n{declaration}ENDPOINTS: Final = ({names},)\n"

    return listed


def _append(file: Path, needed: str, text: str) -> None:
    _replace(file, (_FUTURE, rf"\1\n{needed}\n"))
    file.write_text(file.read_text("utf-8").rstrip("\n") + "\n" + text, "utf-8")


def _replace(file: Path, *pairs: tuple[str, str | Callable[[re.Match[str]], str]]) -> None:
    """Replace what each expression finds once. Ends the program where one finds nothing: the file has changed."""
    text = file.read_text("utf-8")
    for expression, new in pairs:
        text, number = re.subn(expression, new, text, count=1, flags=re.DOTALL)
        if not number:
            fail(f"{file} has no place for it: nothing like {expression}")
    file.write_text(text, "utf-8")


def fail(message: str) -> NoReturn:
    """Say why nothing more is made, and end."""
    raise SystemExit(f"tools/new_code.py: {message}")


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description="Make the skeleton of an endpoint or of a family.")
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout")
    kinds = parser.add_subparsers(dest="kind", required=True)
    endpoint = kinds.add_parser("endpoint")
    endpoint.add_argument("family")
    endpoint.add_argument("path")
    kinds.add_parser("family").add_argument("name")
    given = parser.parse_args()
    checkout = Checkout(given.root)
    if given.kind == "family":
        checkout.add_family(given.name)
    else:
        checkout.add_endpoint(given.family, given.path)
    print("now add a sample in tests/unit/families/test_account_isolation.py, a step in a scene of")
    print("tests/wire/recording/scenes, and run `make pages`")


if __name__ == "__main__":
    main()
