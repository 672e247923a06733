"""A spam engine behind HTTP, as rspamd speaks it: asked once per message."""
