"""The page of screens shows what commands print: made anew, it is the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_of_screens_is_up_to_date() -> None:
    """A command, a column or a word that changed is seen in docs/reference/screens.md."""
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "screens.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
