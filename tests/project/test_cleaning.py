"""Cleaning up after a finished job: what is ours goes, and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from matting.cli.option_values import clean_up as chosen
from matting.cli.parser import parse
from matting.errors import InputError
from matting.infer import infer
from matting.job_option import CleanUp
from matting.options import CuttingOptions, OutputKind, OutputOptions
from matting.project.cleaning import FinishedJob, clean_up, reason_to_keep
from matting.project.ledger import Ledger
from matting.project.paths import MattedFolder, final_file, segments_folder
from matting.range_options import RangeOptions, Rectangle
from matting.rematte import rematte
from matting.run import clean, run
from matting.segment import segment
from tests.support.clips import make_clip
from tests.support.recorder import Recorder
from tests.support.stages import FAST, SECOND, matting_options, processed

KINDS = (OutputKind.COMPOSITE, OutputKind.ALPHA_PNG)
OUTPUT = OutputOptions(encoding=FAST, kinds=KINDS)
SIGNS = {f"clip_segments_matted/SIGNS/output_00{number}.mp4.npz" for number in (0, 1)}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, light_checkpoint: Path) -> Path:
    """Return the folder of a job that is finished."""
    folder = tmp_path_factory.mktemp("finished")
    video = make_clip(folder / "clip.mp4", 40)
    run(video, SECOND, matting_options(light_checkpoint, OUTPUT), None, Recorder())
    return folder


@pytest.fixture
def job(finished: Path, tmp_path: Path) -> FinishedJob:
    """Return a copy of that job."""
    shutil.copytree(finished, tmp_path / "job")
    video = tmp_path / "job" / "clip.mp4"
    segments = segments_folder(video)
    return FinishedJob(video, segments, MattedFolder.of(segments), final_file(video))


def contents(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def videos(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.m*") if path.is_file()}


def test_only_the_mattes_the_records_and_the_result_stay(job: FinishedJob) -> None:
    before = sum(path.stat().st_size for path in job.video.parent.rglob("*.*") if path.is_file())
    mattes = {
        path: path.read_bytes() for path in job.matted.output_folder(OutputKind.MATTE).iterdir()
    }
    done = clean_up(job, Recorder())
    assert videos(job.video.parent) == {
        "clip.mp4",
        "clip_MATTED.mp4",
        *(
            path.relative_to(job.video.parent).as_posix()
            for path in mattes
            if path.suffix == ".mkv"
        ),
        *SIGNS,
    }
    assert not list(job.matted.root.rglob("*.png"))
    assert {path: path.read_bytes() for path in mattes} == mattes
    after = sum(path.stat().st_size for path in job.video.parent.rglob("*.*") if path.is_file())
    assert 0 < done.freed_bytes <= before - after + 4096  # lists go, and a record grows
    assert (done.stayed, done.segments_stay) == ([], "")
    assert not any(processed(job.matted).values())  # what is gone is not said to be there


def test_ranges_stay_with_the_mattes_and_go_with_them(
    job: FinishedJob, light_checkpoint: Path
) -> None:
    options = matting_options(light_checkpoint, OUTPUT)
    asked = RangeOptions(keep_out=(Rectangle(0, 0, 9, 9),))
    rematte(job.matted.root, asked, options, None, Recorder())
    before = {path: path.read_bytes() for path in job.matted.bases.iterdir()}
    assert before
    assert not clean_up(job, Recorder()).stayed
    assert {path: path.read_bytes() for path in job.matted.bases.iterdir()} == before
    run(job.video, SECOND, options, None, Recorder())
    assert not clean_up(job, Recorder(), mattes_too=True).stayed
    assert not job.matted.bases.exists()


def test_the_mattes_go_where_that_is_asked_for(job: FinishedJob) -> None:
    assert clean_up(job, Recorder(), mattes_too=True).stayed == []
    assert videos(job.video.parent) == {"clip.mp4", "clip_MATTED.mp4"}


def test_cutting_again_gives_the_segments_of_the_mattes(
    job: FinishedJob, light_checkpoint: Path
) -> None:
    """So other looks are made without the network, equal to what they were."""
    composites = job.matted.output_folder(OutputKind.COMPOSITE)
    before = {path.name: path.read_bytes() for path in composites.glob("*.mp4")}
    segments = {path.name: path.read_bytes() for path in job.segments.glob("*.mp4")}
    clean_up(job, Recorder())
    segment(job.video, SECOND, None, Recorder())
    assert {path.name: path.read_bytes() for path in job.segments.glob("*.mp4")} == segments
    progress = Recorder()
    infer(job.segments, matting_options(light_checkpoint, OUTPUT), None, progress)
    assert not progress.mentions("Loading the network")
    assert {path.name: path.read_bytes() for path in composites.glob("*.mp4")} == before
    assert all(processed(job.matted).values())


def test_what_is_not_ours_stays_and_is_named(job: FinishedJob, tmp_path: Path) -> None:
    composites = job.matted.output_folder(OutputKind.COMPOSITE)
    pictures = job.matted.output_folder(OutputKind.ALPHA_PNG) / "output_000"
    elsewhere = tmp_path / "elsewhere.mp4"
    shutil.copyfile(job.segments / "output_000.mp4", elsewhere)
    (job.segments / "output_000.mp4").unlink()
    (job.segments / "output_000.mp4").symlink_to(elsewhere)
    edited = composites / "output_000.mp4"
    edited.write_bytes(edited.read_bytes()[:-1] + b"!")  # of the same size
    protected = composites / "output_001.mp4"
    protected.chmod(0o444)
    foreign = [
        job.segments / "holiday.mp4",
        job.matted.root / "my notes" / "notes.txt",
        composites / "notes.txt",
        pictures / "notes.txt",
        job.matted.output_folder(OutputKind.MATTE) / "mine.mkv",
    ]
    for path in foreign:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    done = clean_up(job, Recorder())
    assert {path.read_text() for path in foreign} == {"mine"}
    assert edited.is_file() and protected.is_file() and elsewhere.is_file()
    assert {path.relative_to(job.video.parent).as_posix() for path in done.stayed} == {
        "clip_segments/output_000.mp4",
        "clip_segments/holiday.mp4",
        "clip_segments_matted/my notes",
        "clip_segments_matted/ALPHA_PNG/output_000",
        "clip_segments_matted/COMPOSITE/notes.txt",
        "clip_segments_matted/COMPOSITE/output_000.mp4",
        "clip_segments_matted/COMPOSITE/output_001.mp4",
        "clip_segments_matted/COMPOSITE/file_list.txt",
        "clip_segments_matted/MATTE/mine.mkv",
    }


def test_a_link_in_place_of_a_folder_is_not_followed(job: FinishedJob, tmp_path: Path) -> None:
    composites = job.matted.output_folder(OutputKind.COMPOSITE)
    elsewhere = tmp_path / "elsewhere"
    composites.rename(elsewhere)
    composites.symlink_to(elsewhere, target_is_directory=True)
    before = contents(elsewhere)
    assert clean_up(job, Recorder()).stayed == [composites]
    assert contents(elsewhere) == before


def test_stopped_half_way_and_done_again(job: FinishedJob) -> None:
    progress = Recorder()
    removed = 0

    def stop(_: int) -> None:
        nonlocal removed
        removed += 1
        if removed == 2:
            raise KeyboardInterrupt

    progress.on_advance = stop
    with pytest.raises(KeyboardInterrupt):
        clean_up(job, progress)
    assert not any(processed(job.matted).values())
    assert reason_to_keep(job) == ""
    clean_up(job, Recorder())
    assert {name for name in videos(job.video.parent) if "MATTE/" not in name} == {
        "clip.mp4",
        "clip_MATTED.mp4",
        *SIGNS,
    }


@pytest.mark.parametrize("fault", ["unfinished", "no result", "another result", "another video"])
def test_nothing_changes_where_the_result_is_not_proven(job: FinishedJob, fault: str) -> None:
    if fault == "unfinished":
        Ledger(job.matted).reopen(["output_001.mp4"])
    elif fault == "no result":
        job.final.unlink()
    elif fault == "another result":
        job.final.write_bytes(b"mine")
    else:
        job.video.write_bytes(b"another")
    before = contents(job.video.parent)
    assert reason_to_keep(job)
    with pytest.raises(InputError):
        clean_up(job, Recorder())
    assert contents(job.video.parent) == before


@pytest.mark.parametrize("answer", [None, False])
def test_without_a_yes_everything_stays(job: FinishedJob, answer: bool | None) -> None:
    progress = Recorder()
    progress.answer = answer
    before = contents(job.video.parent)
    clean(job, CleanUp.ASK, progress)
    clean(job, CleanUp.NO, progress)
    assert len(progress.asked) == 1
    assert contents(job.video.parent) == before


def test_a_yes_cleans_up_and_says_what_stays(job: FinishedJob) -> None:
    (job.matted.root / "mine.txt").touch()
    progress = Recorder()
    progress.answer = True
    clean(job, CleanUp.ASK, progress)
    assert not list(job.segments.glob("*.mp4"))
    assert progress.mentions(str(job.matted.output_folder(OutputKind.MATTE)))
    assert progress.mentions(str(job.matted.root / "mine.txt"))


def test_nobody_is_asked_about_a_job_that_is_not_proven(job: FinishedJob) -> None:
    job.final.unlink()
    before = contents(job.video.parent)
    progress = Recorder()
    clean(job, CleanUp.ASK, progress)
    assert (progress.asked, progress.said) == ([], [])
    clean(job, CleanUp.ALL, progress)
    assert progress.mentions(str(job.final))
    assert contents(job.video.parent) == before


def test_segments_that_cannot_be_cut_again_stay(tmp_path: Path, light_checkpoint: Path) -> None:
    """The mattes are of these very files, which an encoder need not give again."""
    video = make_clip(tmp_path / "clip.mp4", 8)
    options = matting_options(light_checkpoint, OutputOptions(encoding=FAST))
    progress = Recorder()
    cutting = CuttingOptions(reencode=True)
    run(video, cutting, options, None, progress, cleaning=CleanUp.ALL_BUT_MATTE)
    assert videos(tmp_path) == {
        "clip.mp4",
        "clip_MATTED.mp4",
        "clip_segments/output_000.mp4",
        "clip_segments_matted/MATTE/output_000.mkv",
        min(SIGNS),
    }
    assert progress.mentions("The segments stay")


def test_what_is_typed_decides_what_goes() -> None:
    typed = {
        "": CleanUp.ASK,
        "--shutdown": CleanUp.NO,  # nobody is there any more
        "--clean": CleanUp.ALL_BUT_MATTE,
        "--clean yes --shutdown": CleanUp.ALL_BUT_MATTE,
        "--clean ALL": CleanUp.ALL,
        "--clean no": CleanUp.NO,
    }
    for words, cleaning in typed.items():
        assert chosen(parse(["run", "clip.mp4", *words.split()])) is cleaning
    for word in ("ask", "matte"):
        with pytest.raises(InputError):
            parse(["run", "clip.mp4", "--clean", word])
