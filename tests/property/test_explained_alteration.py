"""What an explanation says of alterations is what the door does, whatever the From header looks like."""

from __future__ import annotations
