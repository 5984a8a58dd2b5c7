"""Why an account or a session is refused."""

from ascension.problems import Problem


class EmailTaken(Problem):
    type = "email-taken"
    title = "There is an account with this e-mail address"
    status = 409
    detail = "There is already an account with this e-mail address. Please log in, or use another address."


class WeakPassword(Problem):
    type = "weak-password"
    title = "The password is too weak"
    status = 422
    detail = "Please choose a password of at least eight characters that is not among the most common ones."


class WrongCredentials(Problem):
    type = "wrong-credentials"
    title = "Wrong e-mail address or password"
    status = 401
    detail = "The e-mail address or the password is wrong. Please check both and try again."


class NotAuthenticated(Problem):
    type = "not-authenticated"
    title = "Please log in"
    status = 401
    detail = "This needs a valid access token. Please log in again."

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": 'Bearer realm="ascension"'})


class InvalidRefreshToken(Problem):
    type = "invalid-refresh-token"
    title = "The session has ended"
    status = 401
    detail = "This refresh token is not valid any more. Please log in again."


class NeedsEnterprise(Problem):
    type = "needs-enterprise"
    title = "This needs Enterprise"
    status = 403
    detail = "This is part of Enterprise. Please talk to us about an upgrade."


class InvalidApiKey(Problem):
    type = "invalid-api-key"
    title = "The API key is not valid"
    status = 401
    detail = "This API key is not valid (any more). Please use another one."

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": 'ApiKey realm="ascension"'})


class ScopeMissing(Problem):
    type = "scope-missing"
    title = "The API key may not do this"
    status = 403
    detail = "This API key may not do this. Please use one with the scope that is needed."


class ApiKeyNotFound(Problem):
    type = "api-key-not-found"
    title = "There is no such API key"
    status = 404
    detail = "There is no such API key. Please check its id."


class TooManyApiKeys(Problem):
    type = "too-many-api-keys"
    title = "There are too many API keys"
    status = 409
    detail = "There can be at most 50 API keys at a time. Please revoke one that is not used any more."


class ExpiryHasPassed(Problem):
    """Not 422: whether a moment has passed no schema can say."""

    type = "expiry-has-passed"
    title = "The moment has passed"
    status = 409
    detail = "An API key cannot expire in the past. Please choose a moment in the future, or none."
