"""What was asked for on the command line, as the options that the stages take."""

from __future__ import annotations

import argparse

from matting.errors import InputError
from matting.options import (
    Chroma,
    CodecBackend,
    ComputeOptions,
    CuttingOptions,
    EncodingOptions,
    MatteOptions,
    MattingOptions,
    OnDamage,
    OutputKind,
    OutputOptions,
    Precision,
    RendererBackend,
    Subject,
    VideoCodec,
)

ALWAYS = OutputOptions().kinds
# What --save calls the kinds that are not always written.
SAVED = {kind.value.lower().replace("_", "-"): kind for kind in OutputKind if kind not in ALWAYS}


def cutting_options(arguments: argparse.Namespace) -> CuttingOptions:
    """Return the options of `segment`."""
    return CuttingOptions(
        seconds=arguments.seconds,
        reencode=arguments.reencode,
        overwrite=arguments.overwrite,
        damaged=OnDamage(arguments.damaged),
    )


def matting_options(arguments: argparse.Namespace) -> MattingOptions:
    """Return the options of `infer`.

    Raises:
        InputError: the quality is out of the codec's range.
    """
    return MattingOptions(
        matte=MatteOptions(
            checkpoint=arguments.checkpoint,
            precision=Precision(arguments.precision),
            ratio=arguments.downsample_ratio,
            subject=Subject(arguments.subject),
        ),
        output=_output_options(arguments),
        compute=ComputeOptions(
            device=arguments.device,
            decoder=CodecBackend(arguments.decoder),
            renderer=RendererBackend(arguments.full_size),
            largest_chunk=arguments.chunk,
            threads=arguments.threads,
            patience_seconds=float(arguments.patience),
        ),
        force=arguments.force,
    )


def _output_options(arguments: argparse.Namespace) -> OutputOptions:
    from matting.media.encoders import SOFTWARE_ENCODERS

    codec = VideoCodec(arguments.codec)
    worst = SOFTWARE_ENCODERS[codec].worst_quality
    if arguments.quality is not None and arguments.quality > worst:
        raise InputError(
            f"--quality {arguments.quality}: {codec} takes 0 to {worst}.", option="--quality"
        )
    return OutputOptions(
        background=arguments.background,
        kinds=(*ALWAYS, *(SAVED[name] for name in SAVED if name in arguments.save)),
        encoding=EncodingOptions(
            codec,
            arguments.quality,
            arguments.bitrate,
            chroma=Chroma(arguments.chroma),
            encoder=CodecBackend(arguments.encoder),
        ),
        frame_rate=arguments.frame_rate,
    )
