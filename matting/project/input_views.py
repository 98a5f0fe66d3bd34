"""How each input is meant to be seen: as it is asked for, as it was planned, or as it is found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from matting.errors import MattingError
from matting.imaging.sample_format import Size
from matting.job_option import JobOption
from matting.options import MatteOptions, MattingOptions
from matting.progress import quantity
from matting.project.inputs import Input, InputFolder
from matting.project.plan import Plan
from matting.project.recorded_settings import settings_of
from matting.system.invocation import Command, program_line
from matting.view import BOTH_EYES, EACH_EYE, AutoView, StereoLayout, View


def with_views(inputs: InputFolder, options: MatteOptions) -> InputFolder:
    """Return the inputs with the view of each, and how its eyes are matted.

    One that cannot be looked at has no view: its own turn comes, and shows why.
    """
    if inputs.plan is not None:
        asked = options.view
        view = asked if isinstance(asked, View) else _planned_view(inputs, inputs.plan)
        size = inputs.plan.size_px or _size_of(inputs, inputs.plan)
        made = (_seen_as(item, view, size, options) for item in inputs.inputs)
    else:
        made = (_with_view(item, options) for item in inputs.inputs)
    return replace(inputs, inputs=tuple(made))


def with_delivered_views(
    inputs: InputFolder, options: MattingOptions, asked: View | AutoView
) -> tuple[InputFolder, str]:
    """Return matted inputs with the views by which files are made of them, and a note on that.

    The mattes stay as they were found; the note is empty unless people would be looked for
    otherwise by the view that is asked for.

    Args:
        options: by which they were matted.
        asked: the view of what is made.
    """
    matted = with_views(inputs, options.matte)
    others = with_views(inputs, replace(options.matte, view=asked))
    note, seen = "", []
    for own, other in zip(matted.inputs, others.inputs, strict=True):
        eyes = [(s.eyes, s.apart) for s in (settings_of(i, options, "") for i in (own, other))]
        if eyes[0] != eyes[1] and other.view is not None and not note:
            words = (inputs.path, JobOption.VIEW.value, other.view, "--again")
            note = (
                f"The mattes stay as they are. For {other.view.describe()}, people would be looked "
                "for otherwise; that takes the network's time again: "
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


def eyes_in_words(items: Sequence[Input]) -> Iterator[str]:
    """Yield a sentence on how the eyes of some inputs are matted, where there are two."""
    stereo = [i for i in items if i.view is not None and i.view.stereo is not StereoLayout.MONO]
    apart = sum(item.apart is not None for item in stereo)
    if stereo:
        words = EACH_EYE if apart else BOTH_EYES
        some = (
            f" in {apart:,} of {quantity(len(stereo), 'video')}" if 0 < apart < len(stereo) else ""
        )
        yield f"{words.capitalize()}{some}."


def _planned_view(inputs: InputFolder, plan: Plan) -> View | None:
    """Return the view by the plan; where that is of an earlier version, as it is found."""
    if plan.view is not None:
        return plan.view
    from matting.media.view_detection import view_of

    for path in _pictures(inputs, plan):
        try:
            return view_of(path, plan.source.name).view
        except MattingError:
            continue
    return None


def _size_of(inputs: InputFolder, plan: Plan) -> Size | None:
    from matting.media.probe import upright_size_px

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


def _with_view(item: Input, options: MatteOptions) -> Input:
    from matting.media.probe import upright_size_px
    from matting.media.view_detection import view_by_name, view_of

    try:
        if item.is_sequence:
            size = item.open(None).size_px
            found = view_by_name(item.path.name, size)
        else:
            found, size = view_of(item.path), upright_size_px(item.path)
    except MattingError:
        return item
    view = options.view if isinstance(options.view, View) else found.view
    return _seen_as(item, view, size, options)


def _seen_as(item: Input, view: View | None, size: Size | None, options: MatteOptions) -> Input:
    """Return an input with its view, and with the eyes that count where it is matted."""
    if view is None or options.view is AutoView.WHOLE:
        return replace(item, view=view)
    layout = view.stereo
    finer = size is not None and min(view.eye_size(size)) != min(size)
    return replace(
        item,
        view=view,
        eyes=layout if finer else None,
        apart=layout if options.eyes.apart(layout) else None,
    )
