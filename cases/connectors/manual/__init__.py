"""A source that a person searches, because it has no way in for programs."""
