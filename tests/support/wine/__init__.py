"""Runs the batch files for Windows, wherever Wine is."""
