"""A provider of identity checks that looks at nobody: for development, demonstrations and tests.

A person presses what the outcome is to be. Its keys begin with ``simulator-``, and what they sign counts in
development and demonstrations alone.
"""
