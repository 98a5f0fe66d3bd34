"""RVM on Segments: long videos of people, matted segment by segment."""
