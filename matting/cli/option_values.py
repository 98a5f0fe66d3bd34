"""From the command line's parsed arguments to the options that the stages take."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from matting.cli.cluster_arguments import cluster_options
from matting.errors import InputError
from matting.job_option import CleanUp, JobOption
from matting.network_choice import Foreground, MatteQuality, Shots, SmallPeople, Subject
from matting.options import (
    INFERRED,
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
    VideoCodec,
)
from matting.view import Eyes
from matting.vr_options import FisheyeView, Headset, VrOptions

ALWAYS = OutputOptions().kinds
# What --save calls the kinds that are not always written.
SAVED = {
    kind.value.lower().replace("_", "-"): kind
    for kind in OutputKind
    if kind in INFERRED - {*ALWAYS, OutputKind.MATTE}
}


def cutting_options(arguments: argparse.Namespace) -> CuttingOptions:
    """Return the options of `segment`."""
    return CuttingOptions(
        seconds=arguments.seconds,
        reencode=arguments.reencode,
        overwrite=arguments.overwrite,
        damaged=OnDamage(arguments.damaged),
        view=vars(arguments).get(JobOption.VIEW.field),
    )


def clean_up(arguments: argparse.Namespace) -> CleanUp:
    """Return what `run` removes at the end; nobody is asked where the computer is shut down."""
    cleaning = CleanUp(vars(arguments).get("clean", CleanUp.ASK))
    return CleanUp.NO if cleaning is CleanUp.ASK and arguments.shutdown else cleaning


def matting_options(arguments: argparse.Namespace) -> MattingOptions:
    """Return the options of `infer`, and which of them were typed.

    Raises:
        InputError: the quality is out of the codec's range.
    """
    typed = {
        option: vars(arguments)[option.field]
        for option in JobOption
        if option.field in vars(arguments)
    }
    default = MattingOptions()
    matte = default.matte
    return MattingOptions(
        matte=MatteOptions(
            checkpoint=typed.get(JobOption.CHECKPOINT, matte.checkpoint),
            precision=Precision(typed.get(JobOption.PRECISION, matte.precision)),
            ratio=typed.get(JobOption.DOWNSAMPLE_RATIO, matte.ratio),
            subject=Subject(typed.get(JobOption.SUBJECT, matte.subject)),
            shots=Shots(typed.get(JobOption.SHOTS, matte.shots)),
            foreground=Foreground(typed.get(JobOption.FOREGROUND, matte.foreground)),
            quality=MatteQuality(typed.get(JobOption.MATTE_QUALITY, matte.quality)),
            model=typed.get(JobOption.MODEL, matte.model),
            small_people=SmallPeople(typed.get(JobOption.SMALL_PEOPLE, matte.small_people)),
            view=typed.get(JobOption.VIEW, matte.view),
            eyes=Eyes(typed.get(JobOption.EYES, matte.eyes)),
        ),
        output=_output_options(typed, default.output),
        compute=ComputeOptions(
            device=arguments.devices[0],
            decoder=CodecBackend(arguments.decoder),
            renderer=RendererBackend(arguments.full_size),
            largest_chunk=arguments.chunk,
            threads=arguments.threads,
            patience_seconds=float(arguments.patience),
            cluster=cluster_options(arguments),
        ),
        formats=typed.get(JobOption.FORMATS, default.formats),
        force=vars(arguments).get("force", False),
        typed=frozenset(typed),
        again=vars(arguments).get("again", False),
    )


def _output_options(typed: Mapping[JobOption, Any], default: OutputOptions) -> OutputOptions:
    encoding = default.encoding
    codec = VideoCodec(typed.get(JobOption.CODEC, encoding.codec))
    quality = typed.get(JobOption.QUALITY, encoding.quality)
    # Without a codec that is typed, the job may have one of another scale.
    codecs = [codec] if JobOption.CODEC in typed else list(VideoCodec)
    worst = max(one.worst_quality for one in codecs)
    if quality is not None and quality > worst:
        raise InputError(
            f"--quality {quality}: {codec} takes 0 to {codec.worst_quality}.", option="--quality"
        )
    saved = typed.get(JobOption.SAVE, ())
    return OutputOptions(
        background=typed.get(JobOption.BACKGROUND, default.background),
        kinds=(*ALWAYS, *(SAVED[name] for name in SAVED if name in saved)),
        encoding=EncodingOptions(
            codec,
            quality,
            typed.get(JobOption.BITRATE, encoding.bitrate_bps),
            chroma=Chroma(typed.get(JobOption.CHROMA, encoding.chroma)),
            encoder=CodecBackend(typed.get(JobOption.ENCODER, encoding.encoder)),
        ),
        frame_rate=typed.get(JobOption.FRAME_RATE, default.frame_rate),
        keep_matte=typed.get(JobOption.KEEP_MATTE, default.keep_matte),
        key_cutoff=typed.get(JobOption.KEY_CUTOFF, default.key_cutoff),
        key_contrast=typed.get(JobOption.KEY_CONTRAST, default.key_contrast),
        despill=typed.get(JobOption.DESPILL, default.despill),
        vr=_vr_options(typed, default.vr),
    )


def _vr_options(typed: Mapping[JobOption, Any], default: VrOptions) -> VrOptions:
    return VrOptions(
        headset=Headset(typed.get(JobOption.HEADSET, default.headset)),
        fisheye=FisheyeView(typed.get(JobOption.FISHEYE, default.fisheye)),
        fringe=typed.get(JobOption.FRINGE, default.fringe),
        sidecar=typed.get(JobOption.SIDECAR, default.sidecar),
    )
