"""Groups and their members (api.md section 3.7)."""
