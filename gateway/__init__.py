"""The HTTP wing: Lambda events in, proxy responses out. Knows no pixels."""
