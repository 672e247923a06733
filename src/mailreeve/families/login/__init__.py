"""Who is calling? Applications, their keys, and the bindings of users to them (api.md section 2)."""
