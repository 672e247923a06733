"""Commands about what the API manages: policies, lists, users, groups, and any function of it by its path."""
