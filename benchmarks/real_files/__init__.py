"""Real files through the program, compared with what the ffmpeg program shows of them."""
