"""Errors of imports."""

from __future__ import annotations

from typing import Final

from mailreeve.wire.errors import Fault

IMPORT_UNKNOWN_COLUMN: Final = Fault("err_import_unknown_column", "There is no such column")
IMPORT_CONTRADICTION: Final = Fault("err_import_contradiction", "An earlier row says otherwise")
IMPORT_AMBIGUOUS: Final = Fault("err_import_ambiguous", "Several objects are called so")
