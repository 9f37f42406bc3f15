"""HTTP: Lambda events in, proxy responses out. This package never sees pixels."""
