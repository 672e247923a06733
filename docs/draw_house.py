"""Draws docs/house.svg, the picture of the packages of Mailreeve, from the code.

    .venv/bin/python docs/draw_house.py            draw it
    .venv/bin/python docs/draw_house.py --check    say whether it is out of date, and fail if it is

Floors are those of the import contract in pyproject.toml. Rooms, their files and what they import are read from
the source; what a room holds is the first line of its docstring.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from textwrap import wrap
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[1]
SOURCE: Final = ROOT / "src" / "mailreeve"
PICTURE: Final = Path(__file__).resolve().parent / "house.svg"

WIDTH: Final = 860
MARGIN: Final = 16
GAP: Final = 10
LINE: Final = 17  # from one line of text to the next
CHARACTER: Final = 6.3  # the width of one, at 12 pixels
CHIP: Final = 26  # the height of a room inside a room, with the space below it
CHIP_WIDTH: Final = 190
ALONE: Final = "client"  # stands beside the house

_STYLE: Final = """\
  .card { fill: #ffffff; stroke: #c8ccd2; }
  .room { fill: #f3f5f7; stroke: #8a929c; stroke-width: 1.5; }
  .inner { fill: #ffffff; stroke: #8a929c; }
  text { font: 12px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1c2128; }
  .name { font-size: 15px; font-weight: 600; }
  .small { fill: #4a525c; }
  @media (prefers-color-scheme: dark) {
    .card { fill: #12161c; stroke: #363d47; }
    .room { fill: #1b2129; stroke: #6a737f; }
    .inner { fill: #12161c; stroke: #6a737f; }
    text { fill: #e6eaef; }
    .small { fill: #aab3be; }
  }
"""


class Room(NamedTuple):
    """A package: its files without those of the rooms inside it, those rooms, and the rooms that it imports."""

    name: str
    holds: str
    files: int
    inner: Sequence[tuple[str, int]]
    imports: Sequence[str]


def floors() -> list[list[str]]:
    """The rooms of each floor that exist, the highest floor first."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    layers = next(c for c in settings["tool"]["importlinter"]["contracts"] if c["id"] == "floors")["layers"]
    found = [[name for name in re.findall(r"\w+", layer) if (SOURCE / name).is_dir()] for layer in layers]
    return [floor for floor in found if floor]


def room(name: str) -> Room:
    """The room of this name."""
    folder = SOURCE / name
    docstring = ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8"))) or ""
    inner = sorted(path.parent for path in folder.rglob("__init__.py") if path.parent != folder)
    return Room(
        name,
        docstring.partition("\n")[0],
        _files(folder),
        [(str(path.relative_to(folder)), _files(path)) for path in inner],
        sorted({other for path in folder.rglob("*.py") for other in _imports(path)} - {name}),
    )


def _files(folder: Path) -> int:
    return sum(1 for path in folder.glob("*.py") if path.name != "__init__.py")


def _imports(path: Path) -> Iterator[str]:
    """The rooms that a module imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            top, _, rest = name.partition(".")
            if top == "mailreeve" and rest:
                yield rest.partition(".")[0]


def _draw_room(one: Room, x: float, y: float, width: float) -> tuple[list[str], float]:
    """The room with its upper left corner at (x, y), and its height."""
    imports = f"imports {', '.join(one.imports)}" if one.imports else "imports no other room"
    texts = [*wrap(one.holds, int((width - 24) / CHARACTER)), *wrap(imports, int((width - 24) / CHARACTER))]
    columns = max(1, int((width - 24 + GAP) / (CHIP_WIDTH + GAP)))
    rows = -(-len(one.inner) // columns)
    height = 34 + LINE * len(texts) + CHIP * rows + (4 if rows else 0)
    count = f"{one.files} file{'' if one.files == 1 else 's'}"
    parts = [
        f'<rect class="room" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="3"/>',
        _text(x + 12, y + 22, one.name, "name"),
        _text(x + width - 12, y + 22, count, "small", "end"),
        *(_text(x + 12, y + 40 + LINE * i, line, "small") for i, line in enumerate(texts)),
    ]
    top = y + 34 + LINE * len(texts)
    for i, (name, files) in enumerate(one.inner):
        left, upper = x + 12 + (CHIP_WIDTH + GAP) * (i % columns), top + CHIP * (i // columns)
        parts += [
            f'<rect class="inner" x="{left:g}" y="{upper:g}" width="{CHIP_WIDTH}" height="{CHIP - 4}" rx="3"/>',
            _text(left + 8, upper + 15, name),
            _text(left + CHIP_WIDTH - 8, upper + 15, str(files), "small", "end"),
        ]
    return parts, height


def _text(x: float, y: float, text: str, style: str = "", anchor: str = "start") -> str:
    kind = f' class="{style}"' if style else ""
    return f'<text{kind} x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(text)}</text>'


def picture() -> str:
    """The whole picture."""
    parts: list[str] = []
    y: float = MARGIN
    house = floors()
    for floor in [*house, [ALONE]]:
        width = (WIDTH - 2 * MARGIN - GAP * (len(floor) - 1)) / len(floor)
        drawn = [_draw_room(room(name), MARGIN + (width + GAP) * i, y, width) for i, name in enumerate(floor)]
        parts += [part for lines, _ in drawn for part in lines]
        y += max(height for _, height in drawn) + GAP
        if floor is house[-1]:
            y += GAP
    height = y - GAP + MARGIN
    order = "; ".join(" and ".join(floor) for floor in house)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" '
            f'height="{height:g}" role="img" aria-labelledby="t d">',
            "<!-- Drawn by docs/draw_house.py. Change the code, not this picture. -->",
            '<title id="t">The packages of Mailreeve, floor by floor</title>',
            f'<desc id="d">From the top: {order}. Imports run downward only. {ALONE} stands alone.</desc>',
            f"<style>\n{_STYLE}</style>",
            f'<rect class="card" x="1" y="1" width="{WIDTH - 2}" height="{height - 2:g}" rx="10"/>',
            *parts,
            "</svg>",
            "",
        ]
    )


def main(arguments: Sequence[str]) -> int:
    """Draw or check; the exit code."""
    text = picture()
    if "--check" in arguments:
        stale = not PICTURE.is_file() or PICTURE.read_text("utf-8") != text
        if stale:
            sys.stderr.write(f"{PICTURE} is out of date: run make house\n")
        return int(stale)
    PICTURE.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
