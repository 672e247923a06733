"""How does a user with a password get keys? Discovery, signing in and out, one's own keys (api.md section 2.4)."""
