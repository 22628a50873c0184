"""Carrying out erasures and corrections: a list of tasks per source system, with evidence."""
