"""What can be wrong with a video, in words that the person who filmed it understands."""


class Problem(Exception):
    """The input cannot be analysed and trying again will not help.

    Attributes:
        type: stable token for programs, such as ``"not-a-video"``.
        title: a few words for a heading.
        detail: one sentence the user can act on.
    """

    def __init__(self, type: str, title: str, detail: str) -> None:
        super().__init__(detail)
        self.type = type
        self.title = title
        self.detail = detail

    def __reduce__(self) -> tuple[type["Problem"], tuple[str, str, str]]:
        # Exceptions pickle their args, which here is the detail alone.
        return Problem, (self.type, self.title, self.detail)
