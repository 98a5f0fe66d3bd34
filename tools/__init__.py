"""The program that draws the README's pictures."""
