"""Pictures of identity documents: taken in, cleaned, kept under keys of their own, shown to reviewers, destroyed."""
