"""Why a message or a web request, real or imagined, is decided as it is."""
