"""Errors of web locations and clients."""

from __future__ import annotations

from typing import Final

from mailreeve.wire.errors import Fault

LOCATION_NOT_FOUND: Final = Fault("err_web_location_not_found", "There is no such location")
LOCATION_EXISTS: Final = Fault("err_web_location_already_exists", "There is a location of this name already")
LOCATION_IN_USE: Final = Fault("err_web_location_in_use", "The location is in use")
LOCATION_LIMIT: Final = Fault("err_web_location_limit", "The account holds too many locations")
CLIENT_NOT_FOUND: Final = Fault("err_web_client_not_found", "There is no such client")
CLIENT_LIMIT: Final = Fault("err_web_client_limit", "The account holds too many clients")
