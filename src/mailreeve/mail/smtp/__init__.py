"""The SMTP door: a server that refuses, marks and alters mail while its sender waits."""
