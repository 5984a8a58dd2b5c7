"""Why a video is refused."""

from ascension.problems import Problem


class VideoNotFound(Problem):
    """The same for a video of somebody else's as for one that never was."""

    type = "video-not-found"
    title = "There is no such video"
    status = 404
    detail = "There is no such video. Unsaved videos are deleted after 24 hours."


class VideoTooLarge(Problem):
    type = "video-too-large"
    title = "The video is too large"
    # Not 413: that request is small, what it announces is not.
    status = 422
    detail = "A video may have at most 500 MB. Please shorten it or record it at a lower resolution."


class VideoTooLong(Problem):
    type = "video-too-long"
    title = "The video is too long"
    status = 422
    detail = "A video may be at most five minutes long. Please cut out the climb."


class UnsupportedVideoType(Problem):
    type = "unsupported-video-type"
    title = "This kind of file cannot be analysed"
    status = 415
    detail = "Please send a video as phones record it: MP4, MOV, M4V, HEVC, 3GP, MKV or WebM."


class SavingNeedsPro(Problem):
    type = "saving-needs-pro"
    title = "Keeping videos needs Pro"
    status = 403
    detail = "Keeping a video past 24 hours is part of Pro. Please upgrade, or download it in time."


class VideoNotUploaded(Problem):
    type = "video-not-uploaded"
    title = "The video has not arrived yet"
    status = 409
    detail = "The video has not been uploaded yet. Please upload it first."
