"""Archives from the command line: start, watch, read."""
