"""Measurements of the program: run by hand, their results written down in RESULTS.md."""
