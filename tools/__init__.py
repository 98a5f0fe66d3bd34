"""The programs that draw the documentation's pictures, and what joins its pages into a site."""
