"""What operators do from the command line: apply a configuration, rehearse a request, make a demonstration."""
