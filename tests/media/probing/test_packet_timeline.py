import math

import pytest

from worker.media.errors import MediaRejected
from worker.media.limits import Limits
from worker.media.probing.packet_timeline import Gap, Timeline
from worker.media.probing.track import Track


def read(*lines: str, limits: Limits | None = None) -> Timeline:
    """Stream 0 is the picture, 1 the sound, others are none of ours."""
    timeline = Timeline({"0": Track(is_video=True), "1": Track(is_video=False)}, limits or Limits())
    timeline.read([",100,N/A,".join(line.rsplit(",", 1)) for line in (line.rstrip(",") for line in lines)])
    return timeline


def test_the_length_spans_both_tracks() -> None:
    timeline = read(
        "0,1.000,1.000,N/A,K__,", "1,1.040,1.040,0.060,K__", "0,2.000,2.000,0.001,___,", "1,1.980,1.980,0.060,K__"
    )
    assert timeline.seconds == pytest.approx(1.04)


def test_the_first_time_need_not_be_zero() -> None:
    assert read("1,100.0,100.0,0.5,K__", "1,100.5,100.5,0.5,K__").seconds == pytest.approx(1.0)


def test_an_empty_recording_lasts_nothing() -> None:
    assert read().seconds == 0


def test_pictures_before_the_first_key_frame_do_not_count() -> None:
    timeline = read("0,0.0,0.0,0.04,___", "0,0.5,0.5,0.04,K__", "0,0.54,0.54,0.04,___")
    assert timeline.tracks["0"].packets == 2
    assert timeline.seconds == pytest.approx(0.08)


def test_packets_that_an_edit_list_hides_do_not_count() -> None:
    assert read("1,-0.023,-0.023,0.023,KD_", "1,0.0,0.0,0.023,K__").seconds == pytest.approx(0.023)


def test_other_streams_and_nonsense_are_passed_over() -> None:
    assert read("7,0.0,0.0,99,K__", "", "0,N/A,N/A,N/A,K__", "nonsense").seconds == 0


def test_reordered_frames_are_put_in_order() -> None:
    track = read("0,0.00,0,0.04,K__", "0,0.16,0,0.04,___", "0,0.08,0,0.04,___", "0,0.04,0,0.04,___").tracks["0"]
    assert (track.first, track.last) == (0.0, 0.16)
    assert track.end == pytest.approx(0.2)


def test_a_hole_in_both_tracks_is_a_gap() -> None:
    timeline = read("0,5.0,5.0,0.04,K__", "1,5.0,5.0,0.06,K__", "1,8.0,8.0,0.06,K__", "0,8.02,8.02,0.04,___")
    assert timeline.gaps_in_ms() == (Gap(60, 2940),)


def test_a_still_picture_with_sound_is_no_gap() -> None:
    sound = [f"1,{second / 2},{second / 2},0.5,K__" for second in range(20)]
    assert read("0,0.0,0.0,0.04,K__", *sound, "0,9.9,9.9,0.04,___").gaps_in_ms() == ()


def test_the_number_of_gaps_kept_is_bounded() -> None:
    assert len(read(*(f"1,{second * 5},0,0.1,K__" for second in range(3000))).gaps) == 1000


def test_the_longest_stretch_without_a_key_frame_may_be_the_last() -> None:
    lines = [f"0,{second},0,1.0,{'K__' if second in (0, 2) else '___'}" for second in range(10)]
    assert read(*lines).tracks["0"].longest_key_interval == pytest.approx(8)


def test_the_frame_rate_is_the_average() -> None:
    assert read(*(f"0,{n * 0.04},0,0.04,K__" for n in range(51))).tracks["0"].packet_rate == pytest.approx(25)


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(max_seconds=5), "too-long"),
        (Limits(max_packets=3), "too-many-frames"),
        (Limits(max_seconds=math.inf), None),
    ],
)
def test_limits_hold(limits: Limits, reason: str | None) -> None:
    lines = [f"1,{n * 2},0,2.0,K__" for n in range(4)]
    if reason is None:
        assert read(*lines, limits=limits).seconds == 8
        return
    with pytest.raises(MediaRejected) as caught:
        read(*lines, limits=limits)
    assert caught.value.reason == reason
