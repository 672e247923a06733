"""How is what is written for threads said for asyncio? Calls that wait are awaited, classes are named `Async…`.

Only classes that wait are written anew; what else a module holds is imported from it.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final

SOURCES: Final = ("api", "client", "blocked_senders", "web_lists", "address_alteration", "delegates")
RENAMED: Final = {
    "Api": "AsyncApi",
    "Client": "AsyncClient",
    "BaseTransport": "AsyncBaseTransport",
    "Functions": "AsyncFunctions",
    "BlockedSenders": "AsyncBlockedSenders",
    "WebLists": "AsyncWebLists",
    "AddressAlteration": "AsyncAddressAlteration",
    "Delegates": "AsyncDelegates",
    "BlockedSendersFunctions": "AsyncBlockedSendersFunctions",
    "WebListsFunctions": "AsyncWebListsFunctions",
    "AddressAlterationFunctions": "AsyncAddressAlterationFunctions",
    "DelegatesFunctions": "AsyncDelegatesFunctions",
    "Iterator": "AsyncIterator",
    "__enter__": "__aenter__",
    "__exit__": "__aexit__",
}
SAID: Final = {
    "Threads may share it": "Tasks may share it",
    "in a `with` statement": "in an `async with` statement",
}
WAITING: Final = {"Api", "Client", "BlockedSenders", "WebLists", "AddressAlteration", "Delegates"}
ITERATING: Final = {"every", "every_of", "pages", "_following"}  # give one thing after the other


def hand_written(client: Path, room: str) -> set[str]:
    """The methods of the class that a room has by hand, if it has one."""
    path = client / f"{room}.py"
    if not path.exists():
        return set()
    return {
        function.name
        for found in ast.parse(path.read_text("utf-8")).body
        if isinstance(found, ast.ClassDef) and found.name in WAITING
        for function in found.body
        if isinstance(function, ast.FunctionDef)
    }


def made_asynchronous(client: Path, notice: str) -> dict[Path, str]:
    """The modules for asyncio, and their sources."""
    made = {client / "aio" / "__init__.py": f'"""The client for asyncio. {notice}"""\n'}
    for name in SOURCES:
        made[client / "aio" / f"{name}.py"] = _module(client / f"{name}.py", name, notice)
    return made


def _module(path: Path, name: str, notice: str) -> str:
    tree = ast.parse(path.read_text("utf-8"))
    classes = [one for one in tree.body if isinstance(one, ast.ClassDef) and one.name in WAITING]
    imports = [one for one in tree.body if isinstance(one, ast.Import | ast.ImportFrom)]
    others = sorted(_names(tree) - {one.name for one in classes})
    said = (ast.get_docstring(tree) or "").partition("\n")[0]
    lines = [f'"""{said}\n\nFor asyncio. {notice}\n"""', "from __future__ import annotations", "import asyncio"]
    lines.append("from collections.abc import AsyncIterator, Awaitable")
    lines += [ast.unparse(_Imports().visit(one)) for one in imports]
    if others:
        lines.append(f"from mailreeve.client.{name} import ({', '.join(others)})")
    lines += [ast.unparse(ast.fix_missing_locations(_class(one))) for one in classes]
    return "\n".join(lines) + "\n"


def _names(tree: ast.Module) -> set[str]:
    """What a module defines."""
    found = set[str]()
    for one in tree.body:
        if isinstance(one, ast.ClassDef | ast.FunctionDef):
            found.add(one.name)
        elif isinstance(one, ast.Assign | ast.AnnAssign):
            targets = one.targets if isinstance(one, ast.Assign) else [one.target]
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


class _Imports(ast.NodeTransformer):
    """Imports of what is written anew come from what is written anew."""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        module = node.module or ""
        last = module.rpartition(".")[2]
        here = module.startswith("mailreeve.client.")
        waiting = [alias for alias in node.names if here and alias.name in RENAMED]
        plain = [alias for alias in node.names if alias not in waiting]
        if not waiting:
            return node
        where = f"mailreeve.client.aio.{last}" if last == "by_room" or "functions" not in module else module
        renamed = ast.ImportFrom(where, [ast.alias(RENAMED[alias.name]) for alias in waiting], 0)
        return ast.Module([renamed, *([ast.ImportFrom(module, plain, 0)] if plain else [])], [])


def _class(node: ast.ClassDef) -> ast.ClassDef:
    names = set[str]()
    for one in node.body:
        if isinstance(one, ast.FunctionDef) and not _is_plain(one):
            names.add(one.name)
    return _Waits(names).visit(node)


def _is_plain(function: ast.FunctionDef) -> bool:
    decorators = {one.id for one in function.decorator_list if isinstance(one, ast.Name)}
    return function.name == "__init__" or bool(decorators & {"staticmethod", "property", "cached_property"})


class _Waits(ast.NodeTransformer):
    """A class whose methods wait."""

    def __init__(self, names: set[str]) -> None:
        self._names = names | {"call", "call_for", "send", "whole", "octets", "one_of", "all_of"}

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.name = RENAMED.get(node.name, node.name)
        self.generic_visit(node)
        said = node.body[0]
        if isinstance(said, ast.Expr) and isinstance(said.value, ast.Constant):
            for here, there in SAID.items():
                said.value.value = str(said.value.value).replace(here, there)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.name = RENAMED.get(node.name, node.name)
        yields = any(isinstance(one, ast.Yield | ast.YieldFrom) for one in ast.walk(node))
        if _is_plain(node) or (node.name in ITERATING and not yields):
            return node
        return ast.AsyncFunctionDef(**{name: getattr(node, name) for name in node._fields if hasattr(node, name)})

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(RENAMED.get(node.id, node.id), node.ctx)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        text = ast.unparse(node)
        if text in ("httpx2.Client", "httpx2.BaseTransport"):
            node.attr = RENAMED[node.attr]
        if text == "time.sleep":
            return ast.parse("asyncio.sleep", mode="eval").body
        if text == "self._http.close":
            node.attr = "aclose"
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        if ast.unparse(node) == "Callable[[float], None]":
            return ast.parse("Callable[[float], Awaitable[None]]", mode="eval").body
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.func, ast.Attribute) or ast.unparse(node.func.value) not in _OWNERS:
            return node
        owner, name = ast.unparse(node.func.value), node.func.attr
        waits = owner == "self._http" or (name in self._names and name not in ITERATING)
        return ast.Await(node) if waits or name == "_sleep" else node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        """`yield from` has no counterpart: a loop says the same."""
        if not isinstance(node.value, ast.YieldFrom):
            self.generic_visit(node)
            return node
        one = ast.Name("one", ast.Load())
        loop = ast.For(ast.Name("one", ast.Store()), node.value.value, [ast.Expr(ast.Yield(one))], [])
        return self.visit_For(loop)

    def visit_For(self, node: ast.For) -> ast.AST:
        self.generic_visit(node)
        if _iterates(node.iter):
            return ast.AsyncFor(node.target, node.iter, node.body, node.orelse)
        return node

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        self.generic_visit(node)
        node.is_async = int(_iterates(node.iter))
        return node


_OWNERS: Final = ("self", "self._api", "self._http")


def _iterates(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ITERATING
