"""Files beside a result for headsets say what a player has to know, and never replace its own."""

from __future__ import annotations

import json
import os
import struct
import zlib
from pathlib import Path

import pytest

from matting.delivery.finished_place import FinishedPlace
from matting.delivery.formats import FORMATS
from matting.delivery.vr_plan import VrPlan
from matting.delivery.vr_sidecars import write_sidecars
from matting.errors import InputError
from matting.options import FormatName
from matting.project.paths import MattedFolder
from matting.view import parse_view
from matting.vr_options import VrOptions
from tests.support.clips import make_clip
from tests.support.recorder import Recorder

GREEN, ALPHA = FormatName.VR_GREEN, FormatName.VR_ALPHA
COLOUR = (0, 177, 64)


class Hsp:
    """Reads such a file from its start to its end, by the description of its fields."""

    def __init__(self, content: bytes) -> None:
        magic, chunk_bytes, packed, raw = struct.unpack_from("<4q", content)
        assert (magic, chunk_bytes) == (0x9E2A83C1, 131_072)
        chunks = -(-raw // chunk_bytes)
        sizes = [struct.unpack_from("<2q", content, 32 + 16 * n) for n in range(chunks)]
        at, parts = 32 + 16 * chunks, []
        for packed_bytes, raw_bytes in sizes:
            parts.append(zlib.decompress(content[at : at + packed_bytes]))
            assert len(parts[-1]) == raw_bytes
            at += packed_bytes
        assert at == len(content)
        assert sum(own for own, _ in sizes) == packed
        self._content, self._at = b"".join(parts), 0
        assert len(self._content) == raw
        assert self.take("I") == (raw - 4,)
        self.version = self.take("I")[0]
        _, self.title, _ = (self.text() for _ in range(3))
        self.times = self.take("8q")
        self.counts, self.favourite = self.take("3I"), self.take("I")[0]
        self.rating, self.audio_track = self.take("fI")
        self.tags = self.array(lambda: None)
        self.format = self.array(lambda: self.take("2B5IB5fB"))
        self.lens = self.array(lambda: (self.text(), self.text(), self.take("10f")))
        self.stitch = self.array(lambda: self.take("20f"))
        self.alignment = self.array(lambda: self.take("6f"))
        self.orientation, self.origin = (self.array(lambda: self.take("3f")) for _ in range(2))
        self.motion = self.array(lambda: self.take("f"))
        self.focus = self.array(lambda: self.take("7f"))
        self.sync = self.array(lambda: self.take("2q"))
        self.transition = self.array(lambda: self.take("Bq"))
        self.picture = self.array(lambda: self.take("27f"))
        self.audio = self.array(lambda: self.take("2f"))
        self.environment = self.array(lambda: (*self.take("B4f"), self.text(), *self.take("B41f")))
        assert self._at == len(self._content)

    def take(self, fields: str) -> tuple:  # type: ignore[type-arg]
        values = struct.unpack_from(f"<{fields}", self._content, self._at)
        self._at += struct.calcsize(f"<{fields}")
        return values

    def text(self) -> str:
        (length,) = self.take("i")
        content: bytes = self.take(f"{-2 * length if length < 0 else length}s")[0]
        return content.decode("utf-16-le" if length < 0 else "ascii").rstrip("\0")

    def array(self, read) -> list:  # type: ignore[no-untyped-def, type-arg]
        (count,) = self.take("I")
        return [(self.take("q"), read())[1] for _ in range(count)]


def sidecars(
    folder: Path, name: FormatName, view: str = "left-right,180", stem: str = "film"
) -> dict[str, bytes]:
    plan = VrPlan.of(name, parse_view(view), VrOptions(), folder)
    video = make_clip(folder / f"{stem}.mp4", 3)
    written = write_sidecars(video, plan, COLOUR, Recorder())
    return {path.suffix: path.read_bytes() for path in written}


@pytest.mark.parametrize("stem", ["film", "Фильм_größer"])
def test_heresphere_is_told_of_packed_alpha(stem: str, tmp_path: Path) -> None:
    hsp = Hsp(sidecars(tmp_path, ALPHA, stem=stem)[".hsp"])
    assert (hsp.version, hsp.title) == (7, stem)
    assert 0 < hsp.times[4] < 10_000_000
    [form] = hsp.format
    assert form[:2] == (2, 1)  # fisheye, side by side
    assert form[8:13] == (2, 1, 1, 0, 0)
    [(true, export, numbers)] = hsp.lens
    assert (true, export) == ("Linear", "Linear")
    assert numbers[0] == numbers[4] == pytest.approx(0.63662)
    assert numbers[8:] == (190, 190)
    [environment] = hsp.environment
    assert (environment[0], environment[6]) == (2, 2)  # passthrough, by packed alpha
    assert environment[-4:] == pytest.approx((0.25, -0.5, 0.4, 0.4))


def test_heresphere_is_told_of_the_key_colour(tmp_path: Path) -> None:
    hsp = Hsp(sidecars(tmp_path, GREEN)[".hsp"])
    assert hsp.format[0][:2] == (1, 1)
    assert hsp.lens == []
    [environment] = hsp.environment
    assert (environment[0], environment[6]) == (2, 1)
    key = environment[8:12]
    assert [round(255 * value) for value in key[:3]] == list(COLOUR)


def test_of_a_lens_that_players_know_by_name_no_model_is_made_up(tmp_path: Path) -> None:
    hsp = Hsp(sidecars(tmp_path, ALPHA, "left-right,vrca220")[".hsp"])
    assert hsp.format[0][0] == 2
    assert hsp.lens == []


@pytest.mark.parametrize(
    ("name", "view", "screen"),
    [
        (GREEN, "left-right,180", "dome"),
        (ALPHA, "left-right,180", "rf52"),
        (ALPHA, "left-right,fisheye180", "fisheye"),
        (ALPHA, "left-right,mkx200", "mkx200"),
        (ALPHA, "left-right,mkx220", None),
    ],
)
def test_deovr_is_told_in_its_own_words_where_it_has_any(
    name: FormatName, view: str, screen: str | None, tmp_path: Path
) -> None:
    written = sidecars(tmp_path, name, view)
    if screen is None:
        assert ".json" not in written
        return
    said = json.loads(written[".json"])
    assert (said["screenType"], said["stereoMode"], said["is3d"]) == (screen, "sbs", True)
    assert said["encodings"][0]["videoSources"][0]["url"] == "film.mp4"
    assert said.get("chromaKey", {}).get("hasAlpha", False) is (name is ALPHA)


def test_what_a_player_has_written_there_stays(tmp_path: Path) -> None:
    theirs = tmp_path / "film.hsp"
    theirs.write_bytes(b"my settings")
    assert list(sidecars(tmp_path, ALPHA)) == [".json"]
    assert theirs.read_bytes() == b"my settings"


@pytest.mark.skipif(os.name != "posix", reason="elsewhere a file's size takes room on the disk")
def test_what_somebody_put_there_is_not_read_into_memory(tmp_path: Path) -> None:
    theirs = tmp_path / "film.hsp"
    theirs.touch()
    os.truncate(theirs, 1 << 38)
    (tmp_path / "film.json").mkdir()
    assert sidecars(tmp_path, ALPHA) == {}


def test_names_of_such_files_are_not_too_long_either(tmp_path: Path) -> None:
    plan = VrPlan.of(GREEN, parse_view("left-right,180"), VrOptions(), tmp_path)

    def error(letters: int) -> InputError | None:
        video, matted = tmp_path / f"{'x' * letters}.mp4", MattedFolder(tmp_path)
        place = FinishedPlace.of_video(matted, FORMATS[GREEN], video, None, plan)
        return place.length_error(video)

    longest = max(letters for letters in range(200, 256) if error(letters) is None)
    assert len(plan.stem("x" * longest)) + len(".json") == 255


def test_what_was_made_before_is_not_spoken_of_and_what_is_other_is(tmp_path: Path) -> None:
    sidecars(tmp_path, GREEN)
    plan = VrPlan.of(GREEN, parse_view("left-right,180"), VrOptions(), tmp_path)
    again, other = Recorder(), Recorder()
    assert write_sidecars(tmp_path / "film.mp4", plan, COLOUR, again) == []
    assert again.said == []
    write_sidecars(tmp_path / "film.mp4", plan, (255, 0, 255), other)
    assert other.mentions("film.hsp stays as it is")
