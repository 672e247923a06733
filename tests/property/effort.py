"""How many examples do the property tests try? So many as each of them says, times `SOAK`.

A thorough run, of hours if need be: `SOAK=50 .venv/bin/python -m pytest tests/property --timeout 0`.
"""

from __future__ import annotations

import os
from typing import Final

FACTOR: Final = int(os.environ.get("SOAK", "1"))


def examples(usual: int) -> int:
    """The number of examples, where it is usually so many."""
    return usual * FACTOR
