"""A Windows under Wine, to run the batch files in."""
