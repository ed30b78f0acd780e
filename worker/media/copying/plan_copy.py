"""Plan the fast copy of a recording: which tracks of which part are copied, and which are encoded. Pure functions."""

from dataclasses import replace

from worker.media.containers.container import Part
from worker.media.copying.concat import packet_filters
from worker.media.copying.copy_plan import CopyPlan
from worker.media.copying.encode import is_affordable, is_too_expensive
from worker.media.errors import MediaRejected
from worker.media.limits import Demuxer
from worker.media.probing.header import Header
from worker.media.probing.playable import Encoder, PlayableForm, playable_form
from worker.media.probing.probe import Probe
from worker.media.probing.streams import AudioStream, VideoStream, audio_stream, video_stream
from worker.media.probing.track import Track


def plan_copy(probed: Probe) -> CopyPlan:
    """Plan the copy of a recording all of whose packets were read.

    Raises MediaRejected when no browser plays its tracks and encoding them would take too long.
    """
    plan = _plan(probed.demuxer, probed.size_bytes, probed.parts[0].part, probed.video, probed.audio)
    if probed.mixed:
        encoder: Encoder = "aac" if plan.form.container == "mp4" else "opus"
        plan = replace(plan, sounds=probed.mixed, form=replace(plan.form, audio_encoder=encoder))
    if len(probed.parts) > 1:
        plan = _plan_joined(plan, probed)
    else:
        plan = replace(plan, packet_filters=tuple(packet_filters(probed.parts[0]).items()))
    if _changes_hevc(probed) and is_affordable(probed, picture=True):
        # Safari reads HEVC parameters only from the header, which has room for one picture size.
        plan = replace(plan, form=replace(plan.form, video_encoder="h264"), hevc=False)
    form = plan.form
    if not form.video_encoder and not form.audio_encoder:
        return plan
    if not is_affordable(probed, picture=form.video_encoder is not None):
        if probed.unjoinable:
            raise _mixed(probed)
        stream = probed.video if form.video_encoder and probed.video else probed.audio
        raise is_too_expensive(stream.codec if stream else "unknown")
    return replace(plan, probe_to_encode=probed)


def _plan_joined(plan: CopyPlan, probed: Probe) -> CopyPlan:
    """The plan for several recordings: tracks whose codecs differ are encoded into one."""
    form, unjoinable = plan.form, probed.unjoinable
    if "video" in unjoinable:
        form = replace(playable_form("h264", probed.audio.codec if probed.audio else None), video_encoder="h264")
    if "audio" in unjoinable:
        form = replace(form, audio_encoder="aac" if form.container == "mp4" else "opus")
    if form.video_encoder:
        plan = replace(plan, alpha=False, hevc=False, copied_picture=None)
    return replace(plan, probe_to_join=probed, form=form)


def _mixed(probed: Probe) -> MediaRejected:
    codecs = ", ".join(sorted({*probed.codecs("video"), *probed.codecs("audio")}))
    return MediaRejected(
        "mixed-codecs",
        f"The file holds several recordings in different formats ({codecs}), and is too long to be converted here. "
        "Upload them one by one.",
    )


def _changes_hevc(probed: Probe) -> bool:
    """Whether HEVC recordings with different picture sizes are joined."""
    videos = [part.video for part in probed.parts if part.video]
    return len({(v.width, v.height) for v in videos}) > 1 and videos[0].codec == "hevc"


def plan_encoded_copy(probed: Probe) -> CopyPlan | None:
    """The plan that encodes everything, for when the plain copy does not play; None if that would take too long."""
    if not is_affordable(probed, picture=True):
        return None
    plan = plan_copy(probed)
    form = PlayableForm("mp4", "h264" if probed.video else None, "aac" if probed.audio else None)
    return replace(plan, form=form, probe_to_encode=probed, alpha=False, hevc=False)


def plan_promised_copy(header: Header) -> CopyPlan | None:
    """The plan that the headers suggest, before packets are read; None when it depends on the packets."""
    first, *others = header.parts
    if others or first.more_sounds:
        return None
    nothing_yet = Track(is_video=False)
    video, audio = first.tracks.get("video"), first.tracks.get("audio")
    try:
        plan = _plan(
            header.demuxer,
            header.size_bytes,
            first.part,
            video_stream(video, nothing_yet) if video else None,
            audio_stream(audio, nothing_yet) if audio else None,
        )
    except MediaRejected:
        return None  # one of the tracks may be empty
    return None if plan.form.video_encoder or plan.form.audio_encoder else plan


def _plan(
    demuxer: Demuxer, size_bytes: int, part: Part, video: VideoStream | None, audio: AudioStream | None
) -> CopyPlan:
    form = playable_form(video.codec if video else None, audio.codec if audio else None)
    return CopyPlan(
        form=form,
        demuxer=demuxer,
        size_bytes=size_bytes,
        part=part,
        video=video.index if video else None,
        sounds=(audio.index,) if audio else (),
        alpha=video is not None and video.alpha and form.container == "webm",
        hevc=video is not None and video.codec == "hevc" and form.video_encoder is None,
        aspect=f"{video.width}:{video.height}" if video and video.aspect_is_wrong else None,
        copied_picture=video.codec if video and not form.video_encoder else None,
    )
