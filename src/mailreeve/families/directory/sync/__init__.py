"""Users and groups that are taken over from a directory server, by LDAP."""
