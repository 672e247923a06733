"""What a resolver can be told of the web lists: the names of a response policy zone, and what it cannot say."""
