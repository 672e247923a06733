"""Commands about the folder and the server as a whole: make, serve, keep, look after."""
