"""Internal users, their aliases and attributes (api.md section 3.6)."""
