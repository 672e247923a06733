"""Make `mailreeve.formats.confusables` of `confusables.txt` beside this: `python tools/make_confusables.py`.

The decisions of `policy/` read no file, so the table is code. The text is Unicode's, and the one to change.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

TEXT: Final = Path(__file__).with_name("confusables.txt")
MODULE: Final = Path(__file__).parents[1] / "src/mailreeve/formats/confusables.py"


def module_of(text: str) -> str:
    """The source of the module: the notices of the text, and its table."""
    lines = text.splitlines()
    table = []
    for line in lines:
        source, semicolon, prototype = line.partition(";")
        if semicolon and not line.startswith("#"):
            codes = [int(code, 16) for code in prototype.split()]
            table.append(f'    0x{int(source, 16):04X}: "{"".join(map(_escaped, codes))}",')
    notices = [line for line in lines if line.startswith("#")]
    return "\n".join(
        (
            '"""From a character to what UTS 39 puts in its place. Made by tools/make_confusables.py."""',
            "",
            *notices,
            "",
            "from __future__ import annotations",
            "",
            "from typing import Final",
            "",
            "PROTOTYPES: Final[dict[int, str]] = {",
            *table,
            "}",
            "",
        )
    )


def _escaped(code: int) -> str:
    if 0x20 <= code < 0x7F and chr(code) not in '"\\':
        return chr(code)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


if __name__ == "__main__":
    MODULE.write_text(module_of(TEXT.read_text("ascii")), "ascii")
