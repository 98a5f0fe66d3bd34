"""How each input is meant to be seen: as it is asked for, as it was planned, or as it is found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from matting.errors import MattingError
from matting.imaging.sample_format import Size
from matting.job_option import JobOption
from matting.media.probe import upright_size_px
from matting.media.view_detection import view_by_name, view_of
from matting.options import MattingOptions
from matting.progress import quantity
from matting.project.inputs import Input, InputFolder
from matting.project.plan import Plan
from matting.project.recorded_settings import settings_of
from matting.system.invocation import Command, program_line
from matting.view import AutoView, StereoLayout, View


def with_views(inputs: InputFolder, asked: View | AutoView) -> InputFolder:
    """Return the inputs with the view of each, and by whose eyes the automatic ratio is.

    One that cannot be looked at has no view: its own turn comes, and shows why.
    """
    if inputs.plan is not None:
        view = asked if isinstance(asked, View) else _planned_view(inputs, inputs.plan)
        size = inputs.plan.size_px or _size_of(inputs, inputs.plan)
        eyes = _eyes(asked, view, size)
        return replace(
            inputs, inputs=tuple(replace(i, view=view, eyes=eyes) for i in inputs.inputs)
        )
    return replace(inputs, inputs=tuple(_with_view(item, asked) for item in inputs.inputs))


def with_delivered_views(
    inputs: InputFolder, options: MattingOptions, asked: View | AutoView
) -> tuple[InputFolder, str]:
    """Return matted inputs with the views by which files are made of them, and a note on that.

    The mattes stay as they were found; the note is empty unless people would be looked for on a
    copy of another size by the view that is asked for.

    Args:
        options: by which they were matted.
        asked: the view of what is made.
    """
    matted, others = with_views(inputs, options.matte.view), with_views(inputs, asked)
    note, seen = "", []
    for own, other in zip(matted.inputs, others.inputs, strict=True):
        eyes = [settings_of(item, options, "").eyes for item in (own, other)]
        if eyes[0] != eyes[1] and other.view is not None and not note:
            words = (inputs.path, JobOption.VIEW.value, other.view, "--again")
            note = (
                f"The mattes stay as they are. For {other.view.describe()}, people would be looked "
                "for on a copy of another size; that takes the network's time again: "
                f"{program_line(Command.INFER, *words)}"
            )
        seen.append(replace(own, view=other.view))
    return replace(inputs, inputs=tuple(seen)), note


def views_in_words(items: Sequence[Input]) -> Iterator[str]:
    """Yield a sentence on each view among some inputs, but for flat pictures of one eye."""
    by_view: dict[View, list[Input]] = {}
    for item in items:
        if item.view is not None and not item.view.is_plain:
            by_view.setdefault(item.view, []).append(item)
    for view, own in by_view.items():
        which = "It is" if len(own) == len(items) else f"{own[0].name} is"
        if len(items) > len(own) > 1:
            which = f"{own[0].name} and {quantity(len(own) - 1, 'other')} are"
        yield f"{which} seen as {view.describe()}. If that is wrong, say so with --view."


def _planned_view(inputs: InputFolder, plan: Plan) -> View | None:
    """Return the view by the plan; where that is of an earlier version, as it is found."""
    if plan.view is not None:
        return plan.view
    for path in _pictures(inputs, plan):
        try:
            return view_of(path, plan.source.name).view
        except MattingError:
            continue
    return None


def _size_of(inputs: InputFolder, plan: Plan) -> Size | None:
    for path in _pictures(inputs, plan):
        try:
            return upright_size_px(path)
        except MattingError:
            continue
    return None


def _pictures(inputs: InputFolder, plan: Plan) -> Iterator[Path]:
    """Yield the files that show what was cut: the video, and any segment."""
    source = inputs.path.parent / plan.source.name
    return (p for p in chain([source], (i.path for i in inputs.inputs)) if p.is_file())


def _with_view(item: Input, asked: View | AutoView) -> Input:
    try:
        if item.is_sequence:
            size = item.open(None).size_px
            found = view_by_name(item.path.name, size)
        else:
            found, size = view_of(item.path), upright_size_px(item.path)
    except MattingError:
        return item
    view = asked if isinstance(asked, View) else found.view
    return replace(item, view=view, eyes=_eyes(asked, view, size))


def _eyes(asked: View | AutoView, view: View | None, size: Size | None) -> StereoLayout | None:
    """Return the layout by the size of one of whose eyes the automatic ratio is.

    None where it is by the whole picture's, or comes to the same.
    """
    if asked is AutoView.WHOLE or view is None or size is None:
        return None
    return None if min(view.eye_size(size)) == min(size) else view.stereo
