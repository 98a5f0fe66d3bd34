"""From the command line's parsed arguments to the options that the stages take."""

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
    codec = VideoCodec(arguments.codec)
    if arguments.quality is not None and arguments.quality > codec.worst_quality:
        raise InputError(
            f"--quality {arguments.quality}: {codec} takes 0 to {codec.worst_quality}.",
            option="--quality",
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
