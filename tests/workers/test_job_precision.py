"""What a trial has chosen for a job stays, on the same kind of computer."""

from __future__ import annotations

from pathlib import Path

import pytest

from matting.inference.precision_record import PrecisionChoice
from matting.options import Precision
from matting.project.ledger import Ledger
from matting.project.paths import MattedFolder
from matting.workers import job_precision
from matting.workers.executor import Failure
from matting.workers.job_precision import keep_precision, with_precision_of_job
from tests.support.recorder import Recorder
from tests.support.scripted_workers import Script, supervisor, task
from tests.support.stages import matting_options, with_matte

WEIGHTS, OTHERS = "a" * 64, "b" * 64
CHOICE = PrecisionChoice(Precision.BF16, "bf16, which took half as long", WEIGHTS)


def test_a_job_keeps_what_a_trial_has_chosen(
    tmp_path: Path, progress: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, options = Ledger(MattedFolder(tmp_path)), matting_options(None)
    assert with_precision_of_job(options, "cpu", ledger, WEIGHTS) == options
    keep_precision(CHOICE, ledger, progress)
    assert progress.mentions("The network computes in bf16, which took half as long.")
    ledger.save()

    again = Ledger(MattedFolder(tmp_path))
    known = with_precision_of_job(options, "cpu", again, WEIGHTS)
    assert known == with_matte(options, precision=Precision.BF16)
    asked = with_matte(options, precision=Precision.FP32)
    assert with_precision_of_job(asked, "cpu", again, WEIGHTS) == asked
    assert with_precision_of_job(options, "cuda:0", again, WEIGHTS) == options
    assert with_precision_of_job(options, "cpu", again, OTHERS) == options

    monkeypatch.setattr(job_precision, "processor_kind", lambda: "another")
    assert with_precision_of_job(options, "cpu", again, WEIGHTS) == options


@pytest.mark.parametrize("choice", [None, PrecisionChoice(Precision.FP16)])
def test_what_no_trial_has_chosen_is_not_kept(
    choice: PrecisionChoice | None, tmp_path: Path, progress: Recorder
) -> None:
    ledger = Ledger(MattedFolder(tmp_path))
    keep_precision(choice, ledger, progress)
    assert not ledger.precisions
    assert not progress.said


def test_a_worker_that_replaces_another_is_tried_no_more(
    tmp_path: Path, progress: Recorder
) -> None:
    script = Script({"a": 1}, choice=CHOICE)
    executor = supervisor(script, progress, tmp_path)
    assert executor.prepare(network=True) == CHOICE
    executor.submit(task("a", tmp_path))
    assert not isinstance(executor.outcome(), Failure)
    assert script.precisions == [Precision.AUTO, Precision.BF16]
