"""A connector to the practice help desk."""
