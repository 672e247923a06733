"""The zone door: what the web lists say, for resolvers that fetch it as a response policy zone."""
