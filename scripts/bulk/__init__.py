"""Archives from the command line, for who runs the stack."""
