"""How well signs that need no truth tell which frames are wrong."""
