"""Playlists of HLS over byte ranges."""

from worker.media.renditions.fragments import Segments
from worker.media.renditions.hls_playlists import HlsTrack, master_playlist, media_playlist

SEGMENTS = Segments(700, 800, ((4000, 20_000), (4000, 10_000), (1500, 3000)))
PICTURE = HlsTrack("https://a/360p?ticket=1", "avc1.4d401f", (640, 360), SEGMENTS)
SOUND = HlsTrack("https://a/audio?ticket=2", "mp4a.40.2", None, Segments(600, 650, ((10_000, 20_000),)))


def test_a_media_playlist_names_each_byte_behind_the_index_once() -> None:
    assert media_playlist(SEGMENTS, "https://b2/file?x=1").splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        "#EXT-X-TARGETDURATION:4",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        '#EXT-X-MAP:URI="https://b2/file?x=1",BYTERANGE="700@0"',
        "#EXTINF:4.000,",
        "#EXT-X-BYTERANGE:20000@800",
        "https://b2/file?x=1",
        "#EXTINF:4.000,",
        "#EXT-X-BYTERANGE:10000@20800",
        "https://b2/file?x=1",
        "#EXTINF:1.500,",
        "#EXT-X-BYTERANGE:3000@30800",
        "https://b2/file?x=1",
        "#EXT-X-ENDLIST",
    ]


def test_pictures_share_one_sound_which_can_be_played_alone() -> None:
    assert master_playlist([PICTURE], SOUND).splitlines()[3:] == [
        (
            '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="sound",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="1",'
            'URI="https://a/audio?ticket=2"'
        ),
        (
            "#EXT-X-STREAM-INF:BANDWIDTH=56000,AVERAGE-BANDWIDTH=43790,"
            'CODECS="avc1.4d401f,mp4a.40.2",RESOLUTION=640x360,AUDIO="sound"'
        ),
        "https://a/360p?ticket=1",
        '#EXT-X-STREAM-INF:BANDWIDTH=16000,AVERAGE-BANDWIDTH=16000,CODECS="mp4a.40.2",AUDIO="sound"',
        "https://a/audio?ticket=2",
    ]


def test_a_page_turn_just_before_a_key_frame_does_not_raise_the_rate_of_a_board() -> None:
    board = Segments(700, 800, ((10_000, 30_000), (9800, 20_000), (200, 35_000), (10_000, 35_000), (10_000, 30_000)))
    lines = master_playlist([HlsTrack("https://a/board", "avc1.4d401f", (1280, 720), board)], None).splitlines()
    # 70 000 bytes in 10.2 s; the segment of 0.2 s alone would be 1.4 Mbit/s.
    assert lines[3].startswith("#EXT-X-STREAM-INF:BANDWIDTH=54902,AVERAGE-BANDWIDTH=30000,")


def test_a_picture_or_a_sound_alone() -> None:
    assert "AUDIO" not in master_playlist([PICTURE], None)
    assert master_playlist([], SOUND).splitlines()[3:] == [
        '#EXT-X-STREAM-INF:BANDWIDTH=16000,AVERAGE-BANDWIDTH=16000,CODECS="mp4a.40.2"',
        "https://a/audio?ticket=2",
    ]
