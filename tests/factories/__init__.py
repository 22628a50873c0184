"""Objects for tests, made as the application makes them."""
