"""A running server: its sockets, what serves on them, its periodic work, reloading."""
