"""The tests of the contracts."""

# The tutorial's tests belong to a package of its reader's, which test_tutorial.py installs and runs as its reader does.
collect_ignore = ["tutorial"]
