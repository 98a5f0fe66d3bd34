"""RVM on Segments as a library: people in videos, with their alpha, by Robust Video Matting.

Importing this loads nothing that takes long, and nothing here prints: what there is to tell goes to
a `Progress`, and what goes wrong is raised as a `MattingError`. See docs/library.md.
"""

from __future__ import annotations

from matting.background import BackgroundFile
from matting.errors import (
    BusyError,
    DecodeError,
    EncodeError,
    InputError,
    MachineError,
    MachineUnusableError,
    MattingError,
    MediaError,
    MissingError,
    OutOfMemoryError,
    SegmentsFailedError,
    StorageError,
    UnforeseenError,
)
from matting.job_option import CleanUp
from matting.network_choice import Foreground, MatteQuality, Model, Shots, SmallPeople, Subject
from matting.options import (
    Chroma,
    CodecBackend,
    ComputeOptions,
    CuttingOptions,
    EncodingOptions,
    FormatName,
    MatteOptions,
    MattingOptions,
    OnDamage,
    OutputKind,
    OutputOptions,
    Precision,
    VideoCodec,
)
from matting.progress import Notice, Progress, SegmentReport
from matting.system.invocation import VERSION
from rvm_segments.job import JobRecord, SegmentRecord, read_job
from rvm_segments.session import Mattes, MattingSession
from rvm_segments.video import deliver, matte_video

__version__ = VERSION
__all__ = [
    "BackgroundFile",
    "BusyError",
    "Chroma",
    "CleanUp",
    "CodecBackend",
    "ComputeOptions",
    "CuttingOptions",
    "DecodeError",
    "EncodeError",
    "EncodingOptions",
    "Foreground",
    "FormatName",
    "InputError",
    "JobRecord",
    "MachineError",
    "MachineUnusableError",
    "MatteOptions",
    "MatteQuality",
    "Mattes",
    "MattingError",
    "MattingOptions",
    "MattingSession",
    "MediaError",
    "MissingError",
    "Model",
    "Notice",
    "OnDamage",
    "OutOfMemoryError",
    "OutputKind",
    "OutputOptions",
    "Precision",
    "Progress",
    "SegmentRecord",
    "SegmentReport",
    "SegmentsFailedError",
    "Shots",
    "SmallPeople",
    "StorageError",
    "Subject",
    "UnforeseenError",
    "VideoCodec",
    "__version__",
    "deliver",
    "matte_video",
    "read_job",
]
