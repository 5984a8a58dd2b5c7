"""Why a network is refused."""

from ascension.problems import Problem


class ModelTooLarge(Problem):
    type = "model-too-large"
    title = "The model is too large"
    # Not 413: that request is small, what it announces is not.
    status = 422
    detail = "A model may have at most 200 MB. Please send a smaller one."


class ModelNotFound(Problem):
    type = "model-not-found"
    title = "There is no such model"
    status = 404
    detail = "The account has no model of this kind: its analyses are made with the built-in one."
