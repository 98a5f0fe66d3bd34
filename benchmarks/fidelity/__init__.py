"""The fidelity bench: what goes through all four stages, held against what comes out."""
