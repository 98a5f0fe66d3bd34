"""Stored mattes come out as they went in, or are refused by name."""

from __future__ import annotations

import random
import sys
import zlib
from collections.abc import Callable
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from matting.errors import EncodeError, InputError, MediaError, StorageError
from matting.imaging.matte_planes import MAX_ALPHA, MattePlanes
from matting.imaging.planes import signed_view
from matting.imaging.sample_format import SampleFormat, Size, TransferFunction, surface_format
from matting.media import matte_layout
from matting.media.matte_file import MatteFile, MatteWriter
from matting.media.matte_header import TAG, MatteHeader
from matting.media.matte_layout import MatteLayout
from matting.media.media_index import forget_index
from tests.support.clips import make_clip
from tests.support.file_size_limit import largest_file
from tests.support.mattes import (
    BT709,
    SIZE_PX,
    TIME_BASE,
    YUV420,
    random_mattes,
    sample_bytes,
    store,
    stored,
)
from tests.support.open_files import open_files

PTS = [-7, -6, 2996]  # the first two fall on one tick of Matroska's own
FLIPS, CUTS = 80, 25
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at files as Linux lists them")


@st.composite
def sample_formats(draw: st.DrawFn) -> SampleFormat:
    bits = draw(st.sampled_from([8, 10, 12, 16]))
    if draw(st.booleans()) and draw(st.booleans()):
        return SampleFormat(bits)
    return SampleFormat(
        bits,
        draw(st.sampled_from([BT709, (0.299, 0.114), (0.2627, 0.0593)])),
        draw(st.booleans()),
        draw(st.sampled_from([(2, 2), (2, 1), (1, 1), (4, 1), (1, 2), (4, 4)])),
        draw(st.sampled_from([(0.0, 0.0), (0.0, 0.5), (0.5, 0.5), (-0.5, 1.5)])),
        draw(st.sampled_from(TransferFunction)),
    )


sizes = st.builds(Size, st.integers(16, 70), st.integers(16, 70))


@settings(max_examples=20)
@given(
    size_px=sizes,
    sample_format=sample_formats(),
    grey=st.booleans(),
    start=st.integers(-(2**60), 2**60),
    gaps=st.lists(st.integers(1, 10**6), max_size=3),
    chunk=st.integers(1, 5),
    picture_size=st.sampled_from([matte_layout.PICTURE, Size(128, 64)]),
    seed=st.integers(0, 99),
)
def test_every_sample_and_time_comes_out_as_it_went_in(
    size_px: Size,
    sample_format: SampleFormat,
    *,
    grey: bool,
    start: int,
    gaps: list[int],
    chunk: int,
    picture_size: Size,
    seed: int,
) -> None:
    pts = list(accumulate(gaps, initial=start))
    mattes = random_mattes(size_px, sample_format, len(pts), grey=grey, seed=seed)
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(matte_layout, "PICTURE", picture_size)
        path = store(Path(folder) / "matte.mkv", mattes, pts)
        file = MatteFile.open(path)
        assert (file.size_px, file.sample_format) == (size_px, sample_format)
        assert (file.time_base, file.frames) == (TIME_BASE, len(pts))
        samples, times = stored(path, chunk)
    assert times == pts
    for name, frames in samples.items():
        expected = getattr(mattes, name)
        assert frames == (None if expected is None else sample_bytes(expected)), name


@pytest.mark.parametrize("size_px", [Size(4096, 1040), Size(16384, 64), Size(64, 65535)])
def test_large_pictures_that_are_flat_but_for_a_spot_take_little(
    size_px: Size, tmp_path: Path
) -> None:
    width, height = size_px
    columns, rows = YUV420.chroma_size(size_px)
    mattes = MattePlanes(
        torch.full((1, 1, height, width), MAX_ALPHA, dtype=torch.uint16),
        torch.zeros(1, 1, height, width, dtype=torch.int8),
        torch.zeros(1, 2, rows, columns, dtype=torch.int8),
        YUV420,
    )
    mattes.alpha[0, 0, height // 2, width // 2] = 3
    path = store(tmp_path / "matte.mkv", mattes, [0])
    assert path.stat().st_size < 20_000
    (chunk,) = MatteFile.open(path).chunks(1)
    assert torch.equal(signed_view(chunk.matte.alpha), signed_view(mattes.alpha))


def test_every_alpha_between_flat_ones_comes_out_as_it_went_in(tmp_path: Path) -> None:
    alpha = torch.arange(MAX_ALPHA + 1, dtype=torch.int16).view(torch.uint16).reshape(1, 1, 32, 32)
    none = torch.zeros(1, 1, 32, 32, dtype=torch.int8)
    path = store(tmp_path / "matte.mkv", MattePlanes(alpha, none, None, YUV420), [0])
    assert stored(path)[0]["alpha"] == sample_bytes(alpha)


def test_how_a_decoder_places_samples_is_not_stored(tmp_path: Path) -> None:
    ten_bits = SampleFormat(10, BT709, full_range=False, subsampling=(2, 2))
    path = store(tmp_path / "matte.mkv", random_mattes(sample_format=surface_format(ten_bits)), [0])
    assert MatteFile.open(path).sample_format == ten_bits


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of three mattes."""
    path = tmp_path_factory.mktemp("matte") / "matte.mkv"
    return store(path, random_mattes(frames=len(PTS)), PTS)


def test_a_flipped_byte_is_noticed_or_harmless(whole: Path, tmp_path: Path) -> None:
    content, before = whole.read_bytes(), stored(whole)
    places = [*range(40), *random.Random(1).sample(range(len(content)), FLIPS)]
    refused = 0
    for place in places:
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        path = tmp_path / f"{place}.mkv"
        path.write_bytes(damaged)
        try:
            assert stored(path) == before, place
        except InputError as error:
            refused += 1
            assert path.name in error.what
    assert refused > FLIPS / 2


def test_a_file_that_is_cut_off_is_refused(whole: Path, tmp_path: Path) -> None:
    content = whole.read_bytes()
    cues = len(content) - content.index(bytes.fromhex("1c53bb6b"))  # which nobody needs
    for length in random.Random(1).sample(range(1, len(content) - cues), CUTS):
        path = tmp_path / f"{length}.mkv"
        path.write_bytes(content[:length])
        with pytest.raises(InputError, match=path.name):
            stored(path)


@pytest.mark.parametrize(
    ("order", "times"),
    [
        ([0, 1], [0, 1]),
        ([1, 2], [0, 1]),
        ([0, 2], [0, 1]),
        ([0, 2, 1], [0, 1, 2]),
        ([0, 1, 2], [0, 1, 1]),
        ([0, 1, 2], [0, 0, 1]),
        ([0, 1, 1, 2], [0, 1, 2, 3]),
        ([0, 1, 1, 2], [0, 1, 1, 2]),
        ([0, 1, 2, 2], [0, 1, 2, 3]),
        ([0, 1, 2, 2], [0, 1, 2, 2]),
        ([0, 1, 2], [0, 0, 0]),
        ([0], [0]),
        ([], []),
    ],
)
def test_mattes_that_are_missing_or_out_of_order_are_refused(
    whole: Path, tmp_path: Path, order: list[int], times: list[int]
) -> None:
    path = tmp_path / "matte.mkv"
    with av.open(str(whole)) as source, av.open(str(path), "w") as target:
        packets = [packet for packet in source.demux() if packet.size]
        stream = target.add_stream_from_template(source.streams.video[0])
        target.metadata[TAG] = source.metadata[TAG]
        target.start_encoding()
        for time, number in zip(times, order, strict=True):
            packet = av.Packet(bytes(packets[number]))
            packet.stream, packet.pts, packet.dts = stream, time, time
            packet.time_base = stream.time_base
            target.mux(packet)
    with pytest.raises(MediaError, match=path.name):
        stored(path)


def header_text(size_px: Size = SIZE_PX) -> str:
    layout = MatteLayout(size_px, YUV420, has_chroma=True)
    return MatteHeader(layout, TIME_BASE).to_text()


def with_header(whole: Path, path: Path, text: str | None) -> Path:
    """Write the same pictures under another header."""
    with av.open(str(whole)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        if text is not None:
            target.metadata[TAG] = text
        for packet in source.demux():
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    return path


def test_the_same_header_under_the_same_pictures_is_taken(whole: Path, tmp_path: Path) -> None:
    assert stored(with_header(whole, tmp_path / "again.mkv", header_text())) == stored(whole)


def signed(change: Callable[[str], str]) -> str:
    """Return a changed header with the right checksum."""
    content = change(header_text().partition(" ")[2])
    return f"{zlib.crc32(content.encode()):08x} {content}"


@pytest.mark.parametrize(
    "text",
    [
        None,
        "x",
        "0" * 100_000,
        header_text()[:-1],
        header_text().replace("false", "true"),
        header_text(Size(SIZE_PX.width, SIZE_PX.height * 2)),
        header_text(Size(SIZE_PX.width * 4, SIZE_PX.height * 4)),
        header_text(Size(60_000, 60_000)),
        signed(lambda text: text.replace('"bits":8', '"bits":64')),
        signed(lambda text: text.replace('"bits":8', '"bits":8,"more":1')),
        signed(lambda text: text.replace("[48,32]", "[-48,32]")),
        signed(lambda text: text.replace("[48,32]", "[1e400,32]")),
        signed(lambda text: text.replace("[1,90000]", "[1,0]")),
        signed(lambda text: text.replace("[2,2]", "[0,2]")),
        signed(lambda text: text.replace('"has_chroma":true', '"has_chroma":false')),
        signed(lambda text: text.replace("[0.2126,0.0722]", "null")),
        signed(lambda text: text.replace("sdr", "log")),
        signed(lambda _: "[" * 900),
        signed(lambda text: text.replace('"version":1', '"version":2')),
    ],
)
def test_a_header_that_does_not_fit_is_refused(
    whole: Path, tmp_path: Path, text: str | None
) -> None:
    path = with_header(whole, tmp_path / "other.mkv", text)
    with pytest.raises(InputError, match=r"other\.mkv"):
        stored(path)


def test_a_newer_version_is_called_so(whole: Path, tmp_path: Path) -> None:
    newer = signed(lambda _: '{"version":7,"planes":["alpha"]}')
    with pytest.raises(InputError, match="version 7"):
        MatteFile.open(with_header(whole, tmp_path / "matte.mkv", newer))


def test_other_files_are_refused(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mkv", 3)
    text, empty = tmp_path / "text.mkv", tmp_path / "empty.mkv"
    text.write_text("no video")
    empty.touch()
    for path in (clip, text, empty, tmp_path, tmp_path / "missing.mkv"):
        with pytest.raises(InputError, match=path.name):
            MatteFile.open(path)


def writer_to(path: Path) -> MatteWriter:
    return MatteWriter(
        path, size_px=SIZE_PX, time_base=TIME_BASE, rate=Fraction(30), sample_format=YUV420
    )


@pytest.mark.parametrize("pts", [[5, 5], [5, 4]])
def test_a_time_that_does_not_rise_is_refused(tmp_path: Path, pts: list[int]) -> None:
    with (
        writer_to(tmp_path / "matte.mkv") as writer,
        pytest.raises(EncodeError, match="not later"),
    ):
        writer.write(random_mattes(frames=2), pts)


def test_mattes_that_are_not_as_was_said_are_refused(tmp_path: Path) -> None:
    other_format = SampleFormat(10, BT709)
    with writer_to(tmp_path / "matte.mkv") as writer:
        for mattes, pts in [
            (random_mattes(frames=2), [0]),
            (random_mattes(Size(SIZE_PX.width, SIZE_PX.height - 1)), [0]),
            (random_mattes(sample_format=other_format), [0]),
        ]:
            with pytest.raises(ValueError, match="no mattes"):
                writer.write(mattes, pts)
        writer.write(random_mattes(), [0])
        with pytest.raises(ValueError, match="chroma"):
            writer.write(random_mattes(grey=True), [1])


@pytest.mark.parametrize("rate", [Fraction(1, 10**6), Fraction(10**6)])
def test_times_and_rates_may_be_odd(tmp_path: Path, rate: Fraction) -> None:
    path, pts = tmp_path / "matte.mkv", [-(2**62), 0, 1, 2**62]
    with MatteWriter(
        path, size_px=SIZE_PX, time_base=Fraction(1001), rate=rate, sample_format=YUV420
    ) as writer:
        writer.write(random_mattes(frames=len(pts)), pts)
        writer.finish()
    assert stored(path, 3)[1] == pts


def test_a_file_without_mattes_is_refused(tmp_path: Path) -> None:
    with writer_to(tmp_path / "matte.mkv") as writer, pytest.raises(EncodeError, match="no matte"):
        writer.finish()


def test_every_matte_is_checked_and_told_of(tmp_path: Path) -> None:
    told: list[int] = []
    with writer_to(tmp_path / "matte.mkv") as writer:
        for time in PTS:
            writer.write(random_mattes(), [time])
        writer.finish(told.append)
    assert sum(told) == len(PTS)


def test_the_same_mattes_make_the_same_file_however_many_threads_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = set()
    for threads in (1, 3):
        monkeypatch.setattr(torch, "get_num_threads", lambda count=threads: count)
        path = store(tmp_path / f"{threads}.mkv", random_mattes(frames=2), [0, 1])
        files.add(path.read_bytes())
    assert len(files) == 1


def test_what_was_there_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "matte.mkv"
    for seed in range(3):
        mattes = random_mattes(seed=seed)
        assert stored(store(path, mattes, [0]))[0]["alpha"] == sample_bytes(mattes.alpha)


def test_what_comes_out_damaged_is_no_stored_matte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "matte.mkv"

    def damage(written: Path) -> None:
        content = bytearray(written.read_bytes())
        content[content.index(bytes.fromhex("1f43b675")) + 200] ^= 1  # in the first frame
        written.write_bytes(content)
        forget_index(written)

    monkeypatch.setattr("matting.media.matte_file.forget_index", damage)
    with pytest.raises(EncodeError, match="came out damaged"):
        store(path, random_mattes(), [0])


@on_linux
@pytest.mark.parametrize("frames", [0, 1, 2])
@pytest.mark.parametrize("error", [ValueError("wrong"), KeyboardInterrupt()])
def test_what_breaks_off_closes_its_file(tmp_path: Path, frames: int, error: BaseException) -> None:
    with pytest.raises(type(error)), writer_to(tmp_path / "matte.mkv") as writer:
        for time in range(frames):
            writer.write(random_mattes(), [time])
        raise error
    assert open_files(tmp_path) == []


@on_linux
def test_reading_that_breaks_off_closes_its_file(whole: Path) -> None:
    chunks = MatteFile.open(whole).chunks(1)
    next(chunks)
    assert open_files(whole.parent)
    chunks.close()
    assert open_files(whole.parent) == []


@pytest.mark.skipif(sys.platform == "win32", reason="limits files as POSIX can")
@pytest.mark.parametrize("size_bytes", [0, 300, 3000])
def test_a_full_disk_is_told_of(tmp_path: Path, size_bytes: int) -> None:
    path = tmp_path / "matte.mkv"
    with pytest.raises(StorageError, match=path.name), largest_file(size_bytes):
        store(path, random_mattes(frames=8), range(8))
    assert sys.platform != "linux" or open_files(tmp_path) == []


def test_a_place_that_cannot_be_written_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "matte.mkv").mkdir()
    with pytest.raises((StorageError, EncodeError), match=r"matte\.mkv"):
        store(tmp_path / "matte.mkv", random_mattes(frames=2), [0, 1])
