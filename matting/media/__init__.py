"""The only door to PyAV, and to pims for image sequences."""
