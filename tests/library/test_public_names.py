"""What is public stays: its names and parameters, and that importing it costs next to nothing."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from enum import Enum

import rvm_segments as rvm
from tests.support.repository import ROOT

# With a star before what is given by its name only, and an equals sign where there is a default.
CALLS = {
    "MattingSession": "options= * device= progress=",
    "MattingSession.matte": "self frames",
    "MattingSession.reset": "self opening=",
    "Mattes": "alpha foreground",
    "matte_video": "video output= * matting= cutting= progress= clean_up=",
    "deliver": "matted formats output= * matting= progress=",
    "read_job": "matted output=",
    "JobRecord": "folder segments",
    "SegmentRecord": "name is_done frames error files",
    "BackgroundFile": "path sha256=",
    "MattingOptions": "matte= output= compute= formats= force= then_joined= typed= again=",
    "MatteOptions": "checkpoint= precision= ratio= subject= shots= foreground= model= quality= "
    "small_people= view= eyes=",
    "OutputOptions": "background= kinds= encoding= frame_rate= keep_matte= key_cutoff= "
    "key_contrast= despill= vr=",
    "EncodingOptions": "codec= quality= bitrate_bps= preset= chroma= encoder= tags_assumed= "
    "most_bps= key_frame_seconds=",
    "ComputeOptions": "device= decoder= renderer= largest_chunk= threads= isolated= "
    "patience_seconds= cluster=",
    "CuttingOptions": "seconds= reencode= overwrite= damaged= view=",
    "Progress.start": "self title total unit segments=",
    "Progress.advance": "self units",
    "Progress.say": "self text",
    "Progress.confirm": "self question",
    "Progress.report": "self segment",
    "SegmentReport": "name frames seconds remark=",
}
CHOICES = {
    "Chroma": "source 4:2:0",
    "CleanUp": "ask no yes all",
    "CodecBackend": "auto software hardware",
    "Foreground": "fused network",
    "FormatName": "green background prores4444 webm-alpha hevc-alpha png exr matte stacked "
    "side-by-side ffv1 vr-green vr-alpha",
    "MatteQuality": "normal best",
    "Model": "mobilenetv3 resnet50",
    "OnDamage": "show stop repeat",
    "Precision": "auto fp32 fp16 bf16",
    "Shots": "auto off",
    "SmallPeople": "auto off",
    "Subject": "full-body portrait",
    "VideoCodec": "hevc h264 av1",
}
ERRORS = {
    "MattingError": 70,
    "SegmentsFailedError": 1,
    "InputError": 2,
    "MediaError": 2,
    "DecodeError": 2,
    "MissingError": 3,
    "StorageError": 4,
    "BusyError": 5,
    "EncodeError": 70,
    "UnforeseenError": 70,
    "MachineError": 70,
    "MachineUnusableError": 70,
    "OutOfMemoryError": 70,
}
OTHERS = {"Notice", "OutputKind", "Progress", "__version__"}
HEAVY = {"torch", "numpy", "av", "msgspec", "tqdm", "OpenImageIO", "multiprocessing"}


def parameters(name: str) -> str:
    called: object = rvm
    for part in name.split("."):
        called = getattr(called, part)
    assert callable(called)
    words: list[str] = []
    for one in inspect.signature(called).parameters.values():
        if one.kind is one.KEYWORD_ONLY and "*" not in words:
            words.append("*")
        words.append(one.name + ("" if one.default is one.empty else "="))
    return " ".join(words)


def test_the_public_names_are_these() -> None:
    listed = {name.partition(".")[0] for name in (*CALLS, *CHOICES, *ERRORS, *OTHERS)}
    assert set(rvm.__all__) == listed
    assert {name: parameters(name) for name in CALLS} == CALLS
    for name, values in CHOICES.items():
        kind: type[Enum] = getattr(rvm, name)
        assert " ".join(one.value for one in kind) == values, name
    for name, exit_code in ERRORS.items():
        error = getattr(rvm, name)
        assert issubclass(error, rvm.MattingError)
        assert error.exit_code == exit_code


def test_every_public_name_says_what_it_is() -> None:
    for name in set(rvm.__all__) - {"__version__"}:
        assert inspect.getdoc(getattr(rvm, name)), name


def test_importing_it_loads_nothing_heavy_and_says_nothing() -> None:
    """Not even what `multiprocessing` brings: a program's start may be waited for."""
    program = "import rvm_segments, sys; print(sorted(name for name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-S", "-W", "error", "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {name.partition(".")[0] for name in ast.literal_eval(done.stdout)}
    assert not loaded & HEAVY
    assert done.stderr == ""
