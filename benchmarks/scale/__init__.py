"""The scale bench: what each segment of a job costs beside its matting, by how many there are."""
