"""Why an analysis fails. The worker finds some of these itself (ascension_vision.problems) and reports them in the same form."""

from ascension.problems import Problem


class EmptyFile(Problem):
    type = "empty-file"
    title = "The file is empty"
    status = 422
    detail = "The file has no content. Please choose the video again."


class LargerThanAnnounced(Problem):
    type = "larger-than-announced"
    title = "The file is not the one announced"
    status = 422
    detail = "The uploaded file is larger than was announced. Please request a new upload and send the whole file."


class UploadMissing(Problem):
    type = "upload-missing"
    title = "The video never arrived"
    status = 408
    detail = "The video was not uploaded in time. Please upload it again."


class TimedOut(Problem):
    type = "timed-out"
    title = "The analysis took too long"
    status = 504
    detail = "The analysis was stopped because it took too long. Please try again, or with a shorter video."


class Interrupted(Problem):
    type = "interrupted"
    title = "The analysis was interrupted"
    status = 500
    detail = "The analysis was interrupted on our side and could not be taken up again. Please start it anew."
