"""The errors of the gateway: whose fault it is, and whether trying again can help.

    GatewayError
    ├── CallerError                 the caller's own fault: never retried, never cached
    │   ├── InvalidInput            a member breaks a documented rule
    │   ├── UnknownResource         no such campaign or filter
    │   ├── UnknownRanking          never an id of a ranking of this caller
    │   └── RankingGone             a pinned ranking whose time is up
    ├── RankingAway                 where rankings are kept cannot be asked now
    ├── Overloaded                  this gateway has no room for the request now
    └── UpstreamError               a call did not give an answer that can be believed
        ├── Throttled               the campaign refused the call for its rate        (retryable)
        ├── Busy                    no room for the call before its deadline: it was not made
        ├── Unavailable             5xx, refused, reset, no route                     (retryable)
        │   ├── Resting             the campaign failed too often of late: the call was not made
        │   └── Untrusted           its endpoint cannot show that it is the service
        ├── Malformed               an answer that breaks its own contract            (retryable)
        ├── DeadlineExceeded        no answer before the deadline
        └── AccessDenied            credentials are missing, expired or not allowed

HTTP status codes are given at the doors (`web`), vendor exceptions are translated at the seam (`adapters`);
neither appears here. No message carries a user id, an item id or a secret: messages travel into logs and answers.
"""


class GatewayError(Exception):
    """Root of everything that the gateway raises on purpose."""

    retryable = False


class CallerError(GatewayError):
    """The caller's own fault; the message may be shown to the caller as it is."""


class InvalidInput(CallerError):
    """A member of the request breaks a documented rule."""


class UnknownResource(CallerError):
    """The request names a campaign or filter that does not exist or may not be called."""


class UnknownRanking(CallerError):
    """The id is not one that was given to this caller for a pinned ranking."""


class RankingGone(CallerError):
    """The pinned ranking is not kept any more."""


class RankingAway(GatewayError):
    """Whether the pinned ranking is still there cannot be told now."""


class Overloaded(GatewayError):
    """The gateway has as many requests under way as it may have."""


class UpstreamError(GatewayError):
    """A call upstream gave no answer that can be believed."""


class Throttled(UpstreamError):
    """The campaign refused the call because of its rate; `retry_after_s` is how long it asked to be left alone."""

    retryable = True

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unavailable(UpstreamError):
    """The campaign could not be reached, or failed by itself (5xx)."""

    retryable = True


class Resting(Unavailable):
    """The campaign failed too often of late and is left alone for a while: the call was not made."""

    retryable = False


class Untrusted(Unavailable):
    """TLS failed: wrong authority, expired, of another host. Trying again is no cure, nor is looking away."""

    retryable = False


class Busy(UpstreamError):
    """As many calls are under way or waiting as can be answered by the deadline: the call was not made."""


class Malformed(UpstreamError):
    """The answer breaks its own contract (see `answer.check_answer`)."""

    retryable = True


class DeadlineExceeded(UpstreamError):
    """No answer came before the request's deadline."""


class AccessDenied(UpstreamError):
    """The gateway's own credentials are missing, expired, or not allowed to make the call."""
