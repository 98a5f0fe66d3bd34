"""The fault bench: what goes wrong on people's machines, done on purpose, and what must hold."""
