"""Relational databases, searched by their dataset description through SQLAlchemy Core."""
