"""A throw-away server for tests of integrations: fixed credentials, seeded people and mail, faults on demand."""
