"""Why a network is refused."""

from ascension.problems import Problem


class ModelTooLarge(Problem):
    type = "model-too-large"
    title = "The model is too large"
    status = 413
    detail = "A model may have at most 200 MB. Please send a smaller one."
