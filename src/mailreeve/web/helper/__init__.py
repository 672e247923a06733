"""Programs that stand beside a proxy and ask the server for it. They load little and start quickly."""
