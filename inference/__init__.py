"""Pictures: bytes or arrays in, objects and classes out. No module here knows HTTP."""
