"""Which kinds of files are opened, by PyAV and by the ffmpeg program."""

from __future__ import annotations

# Only real media files: no playlist or script that makes FFmpeg open other files.
FORMATS = "mov,matroska,mpegts,avi,mpeg,mpegvideo,ogg,flv,asf,mxf,gxf,ivf,h264,hevc,nut,image2,wav"
SAFE_INPUT = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
