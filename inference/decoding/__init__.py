"""Decode image files to upright RGB pixels, within bounds read from the header."""
