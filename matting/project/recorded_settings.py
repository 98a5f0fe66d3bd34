"""Everything that shapes a result, as it is recorded; and what changes make it another one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace as replace_field
from typing import TYPE_CHECKING

from msgspec import UNSET, UnsetType
from msgspec.structs import asdict, replace

from matting.background import Background, BackgroundFile, hex_colour
from matting.media.encoder_table import preset_of, quality_of
from matting.network_choice import Foreground, MatteQuality, Shots, SmallPeople
from matting.options import CodecBackend, EncodingOptions, MattingOptions, OutputKind, Precision
from matting.project.entry import PICTURES, AutoRatio, Entry, RecordedSettings

if TYPE_CHECKING:  # what joins results needs no torch
    from matting.project.inputs import Input

# What shapes the matte; all others shape what is made from it.
MATTE_SETTINGS = (
    "checkpoint",
    "ratio",
    "precision",
    "shots",
    "foreground",
    "matte_quality",
    "small_people",
    "eyes",
    "apart",
)
EDGE_SETTINGS = ("key_cutoff", "key_contrast", "despill")
# Unset, these are off; all others are unknown then.
OFF_UNLESS_SET = (
    "shots",
    "foreground",
    "matte_quality",
    "small_people",
    "eyes",
    "apart",
    *EDGE_SETTINGS,
)
# What the user calls them, where it is not the option of the same name.
WORDS = {
    "checkpoint": "the network's weights",
    "ratio": "--downsample-ratio or --subject",
    "eyes": "--view",
    "apart": "--eyes",
    "bitrate_bps": "--bitrate",
    "kinds": "--save or --keep-matte",
    "preset": "how carefully the encoder works",
    "frame_rate": "--frame-rate",
    "first_frame": "the numbers of the pictures",
    "tags_assumed": "colour tags for videos that have none",
}


def settings_of(item: Input, options: MattingOptions, checkpoint_sha256: str) -> RecordedSettings:
    """Return all that shapes the results of one input."""
    matte, output = options.matte, options.output
    pictures = not item.gives_video(output.frame_rate)
    if pictures:  # nothing of the encoding counts
        rate: str | None = PICTURES
    else:  # a video has its own
        rate = str(output.frame_rate) if item.is_sequence else None
    recorded = RecordedSettings(
        checkpoint=checkpoint_sha256,
        ratio=AutoRatio(f"auto, {matte.subject}") if matte.ratio is None else matte.ratio,
        precision=UNSET if matte.precision is Precision.AUTO else matte.precision,
        shots=_recorded_shots(item, matte.shots),
        foreground=UNSET if matte.foreground is Foreground.NETWORK else Foreground.FUSED,
        matte_quality=UNSET if matte.quality is MatteQuality.NORMAL else matte.quality,
        small_people=UNSET if matte.small_people is SmallPeople.OFF else SmallPeople.AUTO,
        eyes=UNSET if matte.ratio is not None or item.eyes is None else item.eyes,
        apart=item.apart or UNSET,
        background=_recorded_background(output.background),
        kinds=output.written,
        frame_rate=rate,
        first_frame=item.first_frame if OutputKind.ALPHA_PNG in output.kinds else UNSET,
        key_cutoff=output.key_cutoff or UNSET,
        key_contrast=UNSET if output.key_contrast == 1 else output.key_contrast,
        despill=output.despill or UNSET,
    )
    return recorded if pictures else _with_encoding(recorded, output.encoding)


class SettingsOf:
    """What shapes the results of a folder's inputs by some options; found once for those alike."""

    def __init__(self, options: MattingOptions, checkpoint_sha256: str) -> None:
        self._options = options
        self._checkpoint_sha256 = checkpoint_sha256
        self._by_name: dict[str, RecordedSettings] = {}
        self._by_traits: dict[object, RecordedSettings] = {}

    def __call__(self, item: Input) -> RecordedSettings:
        """Return what shapes the results of an input."""
        known = self._by_name.get(item.name)
        if known is None:
            known = self._by_name[item.name] = self._of_those_alike(item)
        return known

    def _of_those_alike(self, item: Input) -> RecordedSettings:
        numbered = OutputKind.ALPHA_PNG in self._options.output.kinds
        first_frame = item.first_frame if numbered else 0
        traits = (item.is_sequence, item.shot_starts, item.eyes, item.apart, first_frame)
        known = self._by_traits.get(traits)
        if known is None:
            known = settings_of(item, self._options, self._checkpoint_sha256)
            self._by_traits[traits] = known
        return known


def _recorded_shots(item: Input, shots: Shots) -> tuple[int, ...] | UnsetType:
    return UNSET if shots is Shots.OFF or item.shot_starts is None else item.shot_starts


def _recorded_background(background: Background) -> str | UnsetType:
    if isinstance(background, BackgroundFile):
        # Nobody has looked at it where only formats are delivered that it is not seen in.
        return f"sha256:{background.sha256}" if background.sha256 else UNSET
    return hex_colour(background)


def _with_encoding(recorded: RecordedSettings, encoding: EncodingOptions) -> RecordedSettings:
    constant = encoding.quality is not None or encoding.bitrate_bps is None
    return replace(
        recorded,
        codec=encoding.codec,
        encoder=CodecBackend.HARDWARE if encoding.by_hardware else CodecBackend.SOFTWARE,
        quality=quality_of(encoding) if constant else None,
        bitrate_bps=encoding.bitrate_bps,
        preset=preset_of(encoding),
        chroma=encoding.chroma,
        tags_assumed=True if encoding.tags_assumed else UNSET,
    )


def with_tags_as_before(options: MattingOptions, entries: Iterable[Entry]) -> MattingOptions:
    """Return options by which new results can be joined with a job's own.

    Earlier versions wrote no assumed colour tags, and streams of other tags cannot be joined.
    """
    earlier = any(
        entry.outputs
        and not isinstance(entry.settings.codec, UnsetType)
        and isinstance(entry.settings.tags_assumed, UnsetType)
        for entry in entries
    )
    if not earlier:
        return options
    encoding = replace_field(options.output.encoding, tags_assumed=False)
    return replace_field(options, output=replace_field(options.output, encoding=encoding))


def in_words(setting: str) -> str:
    """Return what the user calls a setting: mostly the option that sets it."""
    return WORDS.get(setting, f"--{setting.replace('_', '-')}")


def encoder_of(recorded: RecordedSettings) -> CodecBackend:
    """Return SOFTWARE or HARDWARE."""
    if isinstance(recorded.encoder, UnsetType):
        return CodecBackend.SOFTWARE
    return recorded.encoder


def changed_settings(recorded: RecordedSettings, wanted: RecordedSettings) -> list[str]:
    """Return the names of the settings that differ so that a result has to be matted again.

    A result of more output kinds than are wanted will do.
    """
    if recorded == wanted:  # as those of nearly all segments
        return []
    have = {"encoder": encoder_of(recorded), **_set_fields(recorded)}
    want = _set_fields(wanted)
    compared = dict.fromkeys((*want, *OFF_UNLESS_SET))
    changed = [name for name in compared if have.get(name) != want.get(name)]
    if "kinds" in changed and _kinds(wanted) <= _kinds(recorded):
        changed.remove("kinds")
    if recorded.frame_rate == PICTURES:
        # There was no encoding yet: what has changed is that there is one.
        known = {*_set_fields(recorded), *OFF_UNLESS_SET}
        return [name for name in changed if name in known]
    return changed


def _set_fields(settings: RecordedSettings) -> dict[str, object]:
    return {name: value for name, value in asdict(settings).items() if value is not UNSET}


def _kinds(settings: RecordedSettings) -> set[OutputKind]:
    return set() if isinstance(settings.kinds, UnsetType) else set(settings.kinds)
