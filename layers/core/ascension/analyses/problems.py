"""Why an analysis fails. What the worker finds (ascension_vision.problems) it reports in the same form."""

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


class GhostNeedsPro(Problem):
    type = "ghost-needs-pro"
    title = "The Ghost Climber needs Pro"
    status = 403
    detail = "The Ghost Climber is part of Pro. Please upgrade, or start the analysis without generate_ghost."


class MonthlyQuotaReached(Problem):
    type = "monthly-quota-reached"
    title = "This month's analyses are used up"
    status = 403
    detail = "The free tier includes ten analyses a calendar month. Please upgrade, or wait for the next month."


class AnalysisNotFound(Problem):
    """The same for an analysis of somebody else's as for one that never was."""

    type = "analysis-not-found"
    title = "There is no such analysis"
    status = 404
    detail = "There is no such analysis. Please check its id."


class AnalysisNotCompleted(Problem):
    type = "analysis-not-completed"
    title = "The analysis is not completed"
    status = 409
    detail = "This takes a completed analysis. Please wait until it is, or start it anew where it has failed."


class AnalysisChanging(Problem):
    type = "analysis-changing"
    title = "The analysis has just changed"
    status = 503
    detail = "The analysis was changed at this very moment. Please ask again."

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "1"})


class CorrectionRunning(Problem):
    type = "correction-running"
    title = "A correction is at work already"
    status = 409
    detail = "A correction of this analysis is at work. Please wait until the analysis is completed again."


class InvalidCorrection(Problem):
    """The same as the worker answers where it is the one to see it."""

    type = "invalid-correction"
    title = "The correction cannot be carried out"
    status = 422
    detail = "A change of the correction cannot be carried out. Nothing was changed."

    @classmethod
    def of(cls, number: int, why: str) -> "InvalidCorrection":
        """``number``: which of the changes it is, from 1; ``why``: the middle of a sentence."""
        return cls(f"Change {number}: {why}. Nothing was changed.")
