"""A picture of an identity document, looked at by a person."""
