"""Finds the pictures and requests that take the most processor time."""
