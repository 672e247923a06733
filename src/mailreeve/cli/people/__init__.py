"""Commands about who may do what: keys, administrators, roles, accounts."""
