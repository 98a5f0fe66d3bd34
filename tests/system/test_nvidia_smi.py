"""What is read from nvidia-smi, new, old and broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from matting.system import nvidia_smi
from matting.system.nvidia_smi import Driver, Gpu, candidates, query_nvidia_smi
from tests.support.stand_in_programs import RTX_3060, listing, posix_only, stand_in_nvidia_smi

GIB = 1 << 30
RTX = Gpu("NVIDIA GeForce RTX 3060", 12 * GIB, (8, 6))
GTX = Gpu("NVIDIA GeForce GTX 1080", 8 * GIB, (6, 1))


@posix_only
@pytest.mark.parametrize(
    ("rows", "gpus"),
    [
        (RTX_3060, (RTX,)),
        (
            RTX_3060 + "NVIDIA GeForce GTX 1080, 8192 MiB, 551.23, 6.1\n",
            (RTX, GTX),
        ),
        ("NVIDIA GB10, [N/A], 551.23, 12.1\n", (Gpu("NVIDIA GB10", None, (12, 1)),)),
    ],
)
def test_gpus_as_nvidia_smi_lists_them(
    rows: str, gpus: tuple[Gpu, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in_nvidia_smi(tmp_path / "bin", listing(rows), monkeypatch)
    assert query_nvidia_smi() == Driver(gpus, "551.23", "12.4")


@posix_only
def test_an_older_nvidia_smi_knows_no_capabilities(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = (
        'case "$1" in *compute_cap*) echo \'Field "compute_cap" is not a valid field to query.\'; '
        "exit 2;; --query*) echo 'Tesla K80, 11441 MiB, 450.80';; esac"
    )
    stand_in_nvidia_smi(tmp_path / "bin", script, monkeypatch)
    assert query_nvidia_smi() == Driver((Gpu("Tesla K80", 11441 << 20),), "450.80")


@posix_only
@pytest.mark.parametrize(
    ("script", "trouble"),
    [
        ("echo 'No devices were found'; exit 6", ""),
        ("echo 'No devices were found'", ""),
        ("echo 'NVIDIA-SMI has failed.'; echo more; exit 9", "NVIDIA-SMI has failed"),
        ("exit 3", "it ended with code 3"),
        ("exec sleep 60", "it did not answer within 0.2 seconds"),
    ],
)
def test_a_driver_that_does_not_answer(
    script: str, trouble: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in_nvidia_smi(tmp_path / "bin", script, monkeypatch)
    if "sleep" in script:
        monkeypatch.setattr(nvidia_smi, "LIMIT_SECONDS", 0.2)
    driver = query_nvidia_smi()
    assert (driver.gpus, driver.trouble) == ((), trouble)
    assert driver.seems_present == bool(trouble)


def test_where_it_lies_on_windows() -> None:
    environment = {"SYSTEMROOT": "D:\\Win", "PATH": ".;C:\\tools;relative"}
    assert candidates("win32", environment) == [
        "D:\\Win\\System32\\nvidia-smi.exe",
        "C:\\Program Files\\NVIDIA Corporation\\NVSMI\\nvidia-smi.exe",
        "C:\\tools\\nvidia-smi.exe",
    ]


def test_the_current_folder_is_never_searched() -> None:
    assert candidates("linux", {"PATH": ":.:bin:/opt/bin"})[0] == "/opt/bin/nvidia-smi"
