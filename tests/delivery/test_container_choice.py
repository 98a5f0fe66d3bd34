"""Whatever audio a file holds: one container takes all of it that can be decoded at all."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from matting.delivery.container_codecs import COPIED_AUDIO, COPY, PCM_CONTAINERS
from matting.delivery.stream_mapping import Fallback, Fallbacks, map_streams
from matting.media.tracks import Contents, Track, TrackKind
from matting.project.paths import Container

RARE = ["aac_latm", "nellymoser", "s302m", "adpcm_g726", "cook", "sipr", "pcm_dvd", "pcm_u24be"]
CODECS = sorted(set().union(*COPIED_AUDIO.values())) + RARE
AUDIO = st.builds(
    Track,
    index=st.just(0),
    kind=st.just(TrackKind.AUDIO),
    codec=st.sampled_from(CODECS),
    tags=st.just({}),
    flags=st.just(frozenset[str]()),
    decodable=st.booleans(),
    sample_format=st.sampled_from(["", "s16", "s32p", "fltp"]),
)


@given(
    st.lists(st.tuples(AUDIO, st.sampled_from(Fallback)), max_size=4),
    st.sampled_from(["hevc", "h264", "av1"]),
)
@settings(max_examples=150, deadline=None)
def test_all_that_can_be_decoded_is_carried(
    audio: list[tuple[Track, Fallback]], picture_codec: str
) -> None:
    tracks = tuple(
        Track(number, own.kind, own.codec, {}, own.flags, own.decodable, own.sample_format)
        for number, (own, _) in enumerate(audio)
    )
    fallbacks = Fallbacks({number: fallback for number, (_, fallback) in enumerate(audio)})
    contents = Contents(tracks, {}, (), "", None)
    mapping = map_streams(contents, picture_codec, fallbacks)
    assert picture_codec != "av1" or mapping.container is not Container.MOV
    assert {own.index for own in mapping.left_out} | {
        own.track.index for own in mapping.tracks
    } == {own.index for own in tracks}
    for own in mapping.tracks:
        if own.codec == COPY:
            assert fallbacks.of(own.track) is Fallback.NONE
            assert own.track.codec in COPIED_AUDIO[mapping.container]
        else:
            assert own.codec in COPIED_AUDIO[mapping.container]
            assert mapping.container in PCM_CONTAINERS
    for track in mapping.left_out:
        assert not track.decodable or fallbacks.of(track) is Fallback.LEAVE_OUT


@given(st.lists(AUDIO, max_size=3))
@settings(max_examples=50, deadline=None)
def test_another_container_than_mp4_has_its_reason(audio: list[Track]) -> None:
    mapping = map_streams(Contents(tuple(audio), {}, (), "", None), "hevc")
    note = mapping.container_note("final.mov")
    assert bool(note) == (mapping.container is not Container.MP4)
    in_mp4 = [track for track in audio if track.codec in COPIED_AUDIO[Container.MP4]]
    assert note == "" or len(in_mp4) < len(audio)
