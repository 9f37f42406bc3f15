"""The picture wing: bytes and arrays in, objects and classes out. Knows no HTTP."""
