"""A generated film with its exact alpha, and a checkpoint trained on such films alone."""
