"""What can be chosen on the command line, and the defaults that more than one room needs."""

from __future__ import annotations

AUTO = "auto"
# Who decodes, and who encodes: FFmpeg on the CPU, or NVDEC and NVENC.
SOFTWARE, HARDWARE = "software", "hardware"
# How full-size pictures are made: in one pass by a kernel, or in bands by torch.
FUSED, PLAIN = "fused", "plain"
WAYS = AUTO, FUSED, PLAIN
CODEC_CHOICES = "hevc", "h264", "av1"
# Chroma samples and bits: the source's, or what all players take.
SOURCE, C420 = "source", "4:2:0"
# At damage in a video.
STOP, REPEAT = "stop", "repeat"
PRECISION_CHOICES = AUTO, "fp32", "fp16", "bf16"
# The small copy's short side for each kind of shot: the authors' guide to the ratio.
SHORT_SIDE_PX = {"full-body": 432, "portrait": 270}
# A software encoder that is told to end may work on dozens of large pictures before it answers.
PATIENCE_SECONDS = 120.0
