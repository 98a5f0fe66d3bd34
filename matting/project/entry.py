"""What the ledger records of one segment."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import replace

from matting.network_choice import Foreground, MatteQuality, SmallPeople
from matting.options import (
    MOST_KEY_CONTRAST,
    Chroma,
    CodecBackend,
    OutputKind,
    Precision,
    VideoCodec,
)
from matting.project.records import Count, FileName
from matting.system import atomic_files
from matting.system.fingerprint import Fingerprint, Sha256
from matting.view import StereoLayout, View
from matting.vr_options import Headset

PICTURES = "pictures"  # what stands for their frame rate
BackgroundText = Annotated[str, Meta(pattern=r"\A(#[0-9A-F]{6}|sha256:[0-9a-f]{64})\Z")]
RateText = Annotated[str, Meta(pattern=rf"\A({PICTURES}|[0-9]{{1,100}}(/[0-9]{{1,100}})?)\Z")]

MOST_RANGES = 10_000  # in a job
MOST_SHOTS = 1 << 24  # in a segment: each of its frames, at the most
MOST_MOMENTS = 20  # of doubt that are pictured in a segment

Share = Annotated[float, Meta(ge=0, le=1)]
KeyContrast = Annotated[float, Meta(ge=1, le=MOST_KEY_CONTRAST)]


class AutoRatio(str, Enum):
    """A downsample ratio by the picture's size and the subject."""

    FULL_BODY = "auto, full-body"
    PORTRAIT = "auto, portrait"


class RecordedSettings(Struct, frozen=True):
    """Everything that shapes the results of one input.

    Where it is computed is not part of it. A field is unset where it plays no part in a result, and
    in records of earlier versions that did not know it.

    Attributes:
        checkpoint: the hash of the network's weights.
        precision: unset for the one that suits the device (AUTO).
        shots: the numbers of the segment's frames at which a shot starts, each of which is run up;
            unset where all frames are matted as one shot.
        foreground: unset where soft edges have the colours that the network found.
        matte_quality: unset where it is NORMAL.
        small_people: unset where nobody is seen a second time (OFF).
        eyes: the layout of two eyes by the size of one of which the ratio is; unset where it is by
            the whole picture's, or that is the same.
        apart: the layout of two eyes that are matted each by itself; unset where the picture is
            matted as one.
        background: as "#78FF9B"; of a file "sha256:" and the hash of its content.
        encoder: where it is unset, SOFTWARE: there was no choice then.
        frame_rate: "30000/1001" for a video made of pictures; "pictures" for pictures; None for a
            video that has its own.
        first_frame: the number of the first picture, where pictures are numbered.
        tags_assumed: unset where results carry no other colour tags than their source.
        key_cutoff, key_contrast, despill: unset where edges are as they are.
        view, lens, headset: of files for headsets: the source's view, how players are told of the
            result's projection, and by what it is to be played.
        fringe: unset where half-transparent pixels are as they were filmed.
    """

    checkpoint: Sha256 | UnsetType = UNSET
    ratio: Annotated[float, Meta(gt=0, le=1)] | AutoRatio | UnsetType = UNSET
    precision: Precision | UnsetType = UNSET
    shots: Annotated[tuple[Count, ...], Meta(max_length=MOST_SHOTS)] | UnsetType = UNSET
    foreground: Foreground | UnsetType = UNSET
    matte_quality: MatteQuality | UnsetType = UNSET
    small_people: SmallPeople | UnsetType = UNSET
    eyes: StereoLayout | UnsetType = UNSET
    apart: StereoLayout | UnsetType = UNSET
    background: BackgroundText | UnsetType = UNSET
    kinds: Annotated[tuple[OutputKind, ...], Meta(max_length=16)] | UnsetType = UNSET
    codec: VideoCodec | UnsetType | None = UNSET
    encoder: CodecBackend | UnsetType = UNSET
    quality: Count | UnsetType | None = UNSET
    bitrate_bps: Count | UnsetType | None = UNSET
    preset: Annotated[str, Meta(max_length=100)] | UnsetType | None = UNSET
    chroma: Chroma | UnsetType = UNSET
    frame_rate: RateText | UnsetType | None = UNSET
    first_frame: Count | UnsetType = UNSET
    tags_assumed: Literal[True] | UnsetType = UNSET
    key_cutoff: Share | UnsetType = UNSET
    key_contrast: KeyContrast | UnsetType = UNSET
    despill: Share | UnsetType = UNSET
    view: View | UnsetType = UNSET
    lens: Annotated[str, Meta(max_length=100)] | UnsetType = UNSET
    headset: Headset | UnsetType = UNSET
    fringe: Literal[True] | UnsetType = UNSET


class InitialState(str, Enum):
    """Where the network's state at a segment's first frame came from."""

    FRESH = "fresh"  # no frame before it was looked at
    CARRIED = "carried"  # from the segment before
    WARMED_UP = "warmed up"  # by some frames before it
    RESET = "reset"  # the state before did not fit its pictures

    def __str__(self) -> str:
        return str(self.value)


class Lineage(Struct, frozen=True):
    """What the network had seen before a segment.

    Attributes:
        start: the identity of the state at its first frame, by the segments before it in its shot;
            None: a shot starts here.
        exact: whether the state was indeed that of one uncut pass from the start of the shot.
        ahead: the identity of the frames after it that its last shot's run-up took; None: it took
            none.
    """

    start: Sha256 | None
    exact: bool
    ahead: Sha256 | None = None


class OutputFile(Struct, frozen=True):
    """A result of a segment: a file, or a folder of pictures.

    Attributes:
        file: its name in the folder of its kind.
        size_bytes, sha256: its fingerprint.
    """

    file: FileName
    size_bytes: Count
    sha256: Sha256

    @classmethod
    def of(cls, path: Path, fingerprint: Fingerprint) -> OutputFile:
        """Return the record of the result at `path`."""
        return cls(path.name, fingerprint.size_bytes, fingerprint.sha256)

    @property
    def fingerprint(self) -> Fingerprint:
        return Fingerprint(self.size_bytes, self.sha256)


class Delivered(OutputFile, frozen=True, kw_only=True):
    """A segment in a delivered format, made of its stored matte.

    It is what it should be only of that matte, and by these settings.

    Attributes:
        matte_sha256: of the matte that it was made of.
        settings: what shapes it beside the matte.
    """

    matte_sha256: Sha256
    settings: RecordedSettings


class SideFile(Enum):
    """What comes of a segment beside its outputs."""

    STATE = "state"  # the network's, at its end
    SIGNS = "signs"  # of doubt, of its frames


class ProvenFile(NamedTuple):
    """A finished, checked and flushed file or folder that waits for its final name.

    Attributes:
        kind: what it is.
    """

    kind: OutputKind | SideFile
    temporary: Path
    path: Path

    def give_name(self) -> None:
        """Rename it over what has its name.

        Raises:
            StorageError: it cannot be renamed.
        """
        is_folder = self.temporary.is_dir()
        publish = atomic_files.publish_folder if is_folder else atomic_files.publish
        publish(self.temporary, self.path)


class Entry(Struct, frozen=True):
    """What came of one segment.

    A field that is added needs a default, so that earlier versions' entries can still be read.

    Attributes:
        source: the fingerprint of the segment itself.
        settings: everything that shapes the result, the checkpoint's hash included.
        start_state: None while nothing is matted.
        lineage: None while nothing is matted, and in records of earlier versions.
        outputs: its results; empty while it is not done.
        end_state: the fingerprint of the file with the network's state after it; None: there is
            none.
        error: what went wrong; empty if nothing did.
        waiting: whether the program itself has said that it is not done, until it has other outputs
            of the same matte.
        undone: whether it was said not to be done, by somebody else, when it left the folder.
        delivered: what was made of its stored matte, in formats of their own.
        spliced: the numbers of the ranges that are in its stored matte, in order.
        base: its matte without any of them, in a folder of its own; None: it has been none yet.
        signs: what was seen of its matte; None: nothing yet.
        base_signs: what was seen of `base`, beside it; None where that is not known.
    """

    source: Fingerprint | None = None
    settings: RecordedSettings = RecordedSettings()
    start_state: InitialState | None = None
    frames: Count = 0
    outputs: dict[OutputKind, OutputFile] = {}
    end_state: Fingerprint | None = None
    error: str = ""
    lineage: Lineage | None = None
    waiting: bool = False
    undone: bool = False
    delivered: dict[OutputKind, Delivered] = {}
    spliced: Annotated[tuple[Count, ...], Meta(max_length=MOST_RANGES)] = ()
    base: OutputFile | None = None
    signs: OutputFile | None = None
    base_signs: OutputFile | None = None

    def away(self, *, done: bool) -> Entry:
        """Return it as it is remembered while the segment is no part of the folder.

        Args:
            done: whether it was said to be done.
        """
        return replace(self, undone=not (done or self.waiting))

    def back(self) -> tuple[Entry, bool]:
        """Return it as that of a part of the folder again, and whether that is done."""
        return replace(self, undone=False), not (self.undone or self.waiting)

    @property
    def has_outputs(self) -> bool:
        """Whether it has results, and waits for no others."""
        return bool(self.outputs) and not self.waiting

    @property
    def files(self) -> dict[OutputKind, OutputFile]:
        """All its results."""
        return {**self.outputs, **self.delivered}
