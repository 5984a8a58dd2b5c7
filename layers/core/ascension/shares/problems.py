"""Why a link is refused."""

from ascension.problems import Problem


class SharingNeedsPro(Problem):
    type = "sharing-needs-pro"
    title = "Sharing needs Pro"
    status = 403
    detail = "Sharing an analysis by link is part of Pro. Please upgrade."


class TooManyShares(Problem):
    type = "too-many-shares"
    title = "There are too many links"
    status = 409
    detail = "There can be at most 20 links to an analysis at a time. Please revoke one that is not used any more."


class ShareNotFound(Problem):
    """The same for a link that was revoked, has expired or whose analysis was deleted as for one that never was."""

    type = "share-not-found"
    title = "There is no such link"
    status = 404
    detail = "This link does not show anything (any more). Please ask whoever sent it for another one."
