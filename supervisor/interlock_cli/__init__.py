"""The command line: the only package that imports the others together."""
