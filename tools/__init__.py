"""Pages beside the README, and the program that draws the README's pictures."""
