"""How much of the parts of a message is looked at, by whoever looks: who reads what they hold, and who says what
is broken in them. With two readings of this, a message would be in form for the one and cut off for the other."""

from __future__ import annotations

from typing import Final

MAX_DEPTH: Final = 20
"""So deep may parts be nested. Mail that is forwarded and forwarded again has five."""
MAX_PARTS: Final = 500
"""So many parts are looked at."""
MAX_PART_HEADER: Final = 16 * 1024
"""So many octets of the header of a part are read; what follows is taken for its content."""
