"""Rows: containers and codecs, depths and layouts, colour tags."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.fidelity.clip import FINE, H264, HEVC, Clip, Tags
from benchmarks.fidelity.row import Row
from matting.network_choice import SmallPeople
from matting.options import VideoCodec

AV1 = ("-c:v", "libsvtav1", "-crf", "8", "-preset", "10", "-g", "15", "-svtav1-params", "lp=1")
VP8 = (
    "-c:v",
    "libvpx",
    "-b:v",
    "8M",
    "-qmin",
    "2",
    "-qmax",
    "8",
    "-g",
    "15",
    "-deadline",
    "realtime",
)
VP9_FINE = (
    "-c:v",
    "libvpx-vp9",
    "-crf",
    "6",
    "-b:v",
    "0",
    "-deadline",
    "realtime",
    "-cpu-used",
    "8",
)
VP9 = (*VP9_FINE, "-g", "15")
MPEG2 = ("-c:v", "mpeg2video", "-q:v", "2", "-g", "15", "-bf", "2")
MPEG4 = ("-c:v", "mpeg4", "-q:v", "2", "-g", "15", "-bf", "0")
PRORES = ("-c:v", "prores_ks", "-profile:v", "3")
PRORES_4444 = ("-c:v", "prores_ks", "-profile:v", "4")
FFV1 = ("-c:v", "ffv1", "-level", "3", "-g", "1")
PCM = ("-c:a", "pcm_s16le")
TAGS = ("depth", "layout", "matrix", "primaries", "transfer", "range")
COLOUR = ("matrix", "primaries", "transfer", "range")
PAL = Tags("bt470bg", primaries="bt470bg", transfer="bt470bg")
NTSC = Tags("smpte170m", primaries="smpte170m", transfer="smpte170m")
WIDE = Tags("bt2020nc", primaries="bt2020", transfer="bt2020-10")
PQ = Tags("bt2020nc", primaries="bt2020", transfer="smpte2084")
HLG = Tags("bt2020nc", primaries="bt2020", transfer="arib-std-b67")
SD_UNTAGGED = Tags("smpte170m", untagged=True)
HD_UNTAGGED = Tags("bt709", untagged=True)
MASTERED = (
    "log-level=none:keyint=15:min-keyint=15:master-display="
    "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50):max-cll=1000,400"
)
HDR = ("mastering display", "light level")

CONTAINERS = [
    Row("MP4, H.264", Clip(), about=TAGS, short=True),
    Row("MP4, HEVC", Clip(video=HEVC), about=TAGS),
    Row("MP4, AV1", Clip(video=AV1), about=TAGS),
    Row("MP4, VP9", Clip(video=VP9), about=TAGS),
    Row("MP4, MPEG-4", Clip(video=MPEG4, tags=SD_UNTAGGED)),
    Row("MOV, H.264", Clip("mov"), about=TAGS),
    Row("MOV, ProRes 422", Clip("mov", PRORES, "yuv422p10le", audio=PCM), about=TAGS, short=True),
    Row("MOV, MPEG-2", Clip("mov", MPEG2), about=TAGS),
    Row("MKV, H.264", Clip("mkv"), about=TAGS),
    Row("MKV, HEVC 10 bits", Clip("mkv", HEVC, "yuv420p10le"), about=TAGS),
    Row("MKV, AV1 10 bits", Clip("mkv", AV1, "yuv420p10le"), about=TAGS),
    Row("MKV, FFV1", Clip("mkv", FFV1), about=TAGS),
    Row("MKV, FFV1 4:4:4, 10 bits", Clip("mkv", FFV1, "yuv444p10le"), about=TAGS),
    Row(
        "MKV, FFV1 RGB",
        Clip("mkv", FFV1, "gbrp", tags=HD_UNTAGGED),
        expect={"depth": "10 bits", "layout": "4:4:4", "matrix": "", "range": ""},
        said="10 bits",
    ),
    Row("MKV, MPEG-2", Clip("mkv", MPEG2), about=TAGS),
    Row("WebM, VP8", Clip("webm", VP8, tags=SD_UNTAGGED), short=True),
    Row("WebM, VP9", Clip("webm", VP9), about=TAGS),
    Row("WebM, VP9 4:4:4, 12 bits", Clip("webm", VP9, "yuv444p12le"), about=TAGS),
    Row("WebM, AV1", Clip("webm", AV1), about=TAGS),
    Row("MPEG-TS, H.264", Clip("ts"), about=TAGS, short=True),
    Row("MPEG-TS, MPEG-2", Clip("ts", MPEG2), about=TAGS),
    Row("MPEG-TS, HEVC", Clip("ts", HEVC), about=TAGS),
    Row("AVI, MPEG-4", Clip("avi", MPEG4, tags=SD_UNTAGGED)),
    Row("AVI, H.264", Clip("avi", (*H264, "-bf", "0"), audio=PCM), about=TAGS),
    Row("AVI, FFV1", Clip("avi", FFV1, tags=SD_UNTAGGED, audio=PCM)),
]

# In all layouts and depths, what is seen a second time is blended in.
DEPTHS = [
    replace(row, small_people=SmallPeople.AUTO)
    for row in (
        Row("8 bits 4:2:2", Clip(pixel_format="yuv422p"), about=TAGS),
        Row("8 bits 4:4:4", Clip(pixel_format="yuv444p"), about=TAGS),
        Row("10 bits 4:2:0", Clip(video=HEVC, pixel_format="yuv420p10le"), about=TAGS, short=True),
        Row("10 bits 4:2:2", Clip(pixel_format="yuv422p10le"), about=TAGS),
        Row("10 bits 4:4:4", Clip(video=HEVC, pixel_format="yuv444p10le"), about=TAGS),
        Row("12 bits 4:2:0", Clip(video=HEVC, pixel_format="yuv420p12le"), about=TAGS),
        Row("12 bits 4:2:2", Clip(video=HEVC, pixel_format="yuv422p12le"), about=TAGS),
        Row("12 bits 4:4:4", Clip(video=HEVC, pixel_format="yuv444p12le"), about=TAGS, short=True),
    )
]

CODECS = [
    Row("8 bits 4:2:0 to H.264", Clip(), codec=VideoCodec.H264, about=TAGS),
    Row("8 bits 4:2:0 to AV1", Clip(), codec=VideoCodec.AV1, about=TAGS),
    Row("10 bits 4:2:0 to AV1", Clip(video=HEVC, pixel_format="yuv420p10le"), codec=VideoCodec.AV1),
    Row(
        "12 bits 4:2:2 to H.264: 10 bits, said",
        Clip(video=HEVC, pixel_format="yuv422p12le"),
        codec=VideoCodec.H264,
        expect={"depth": "10 bits"},
        said="10.bits?",
    ),
    Row(
        "12 bits 4:4:4 to AV1: 10 bits 4:2:0, said",
        Clip(video=HEVC, pixel_format="yuv444p12le"),
        codec=VideoCodec.AV1,
        expect={"depth": "10 bits", "layout": "4:2:0"},
        said="4:2:0",
    ),
]

COLOURS = [
    Row("BT.601 625 lines, limited", Clip(tags=PAL), about=COLOUR),
    Row("BT.601 525 lines, limited", Clip(tags=NTSC), about=COLOUR),
    Row("BT.601, full", Clip(tags=Tags("smpte170m", full=True)), about=COLOUR),
    Row("BT.709, full", Clip(tags=Tags(full=True)), about=COLOUR, short=True),
    Row(
        "BT.709, full, 10 bits",
        Clip(video=HEVC, pixel_format="yuv420p10le", tags=Tags(full=True)),
        about=COLOUR,
    ),
    Row(
        "BT.2020, limited, 10 bits",
        Clip(video=HEVC, pixel_format="yuv420p10le", tags=WIDE),
        about=COLOUR,
    ),
    Row("BT.2020, limited, 8 bits", Clip(tags=WIDE), about=COLOUR),
    Row("untagged, 64 lines", Clip(tags=SD_UNTAGGED)),
    Row(
        "untagged, 584 lines",
        Clip(tags=HD_UNTAGGED, size=(64, 584), frames=8, every=4),
    ),
    Row(
        "PQ, mastering display, light level",
        Clip(
            video=("-c:v", "libx265", *FINE, "-x265-params", MASTERED),
            pixel_format="yuv420p10le",
            tags=PQ,
        ),
        about=(*COLOUR, *HDR),
        short=True,
    ),
    Row(
        "PQ in MKV, mastering display, light level",
        Clip(
            "mkv",
            video=("-c:v", "libx265", *FINE, "-x265-params", MASTERED),
            pixel_format="yuv420p10le",
            tags=PQ,
        ),
        about=(*COLOUR, *HDR),
    ),
    Row("HLG", Clip(video=HEVC, pixel_format="yuv420p10le", tags=HLG), about=COLOUR),
    *(
        Row(
            f"chroma location {place}",
            Clip(video=H264, tags=Tags(chroma=place)),
            about=("chroma location",),
            short=place == "topleft",
        )
        for place in ("left", "center", "topleft")
    ),
]
