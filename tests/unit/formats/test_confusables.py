"""The table of characters that look alike is Unicode's, as its text has it."""

from __future__ import annotations

from pathlib import Path
from runpy import run_path

from mailreeve.formats import confusables
from mailreeve.formats.confusables import PROTOTYPES

TOOLS = Path(__file__).parents[3] / "tools"


def test_the_module_is_what_the_script_makes_of_the_text():
    """A newer text without `python tools/make_confusables.py` would change nothing."""
    text = (TOOLS / "confusables.txt").read_text("ascii")
    made = run_path(str(TOOLS / "make_confusables.py"))["module_of"](text)
    assert Path(confusables.__file__).read_text("ascii") == made
    rows = [line.split(";") for line in text.splitlines() if line and not line.startswith("#")]
    table = {int(source, 16): "".join(chr(int(code, 16)) for code in to.split()) for source, to in rows}
    assert table == PROTOTYPES


def test_the_notice_of_the_licence_is_kept():
    assert "UNICODE LICENSE V3" in Path(confusables.__file__).read_text("ascii")
