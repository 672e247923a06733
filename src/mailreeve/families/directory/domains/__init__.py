"""The domains that an account receives mail for."""
