"""What can go wrong with a service. Each branch is a different decision."""

from __future__ import annotations


class ConnectorError(Exception):
    """A service did not do what was asked. Says why and what a person does next.

    `service` and `operation` name who was asked for what; `cause` and `remedy` are sentences for the
    operator; `request_id` is the service's own reference for its support.
    """

    def __init__(
        self, *, service: str, operation: str, cause: str, remedy: str, request_id: str = "", status: int | None = None
    ) -> None:
        super().__init__(f"{service}, {operation}: {cause} {remedy}".strip())
        self.service = service
        self.operation = operation
        self.cause = cause
        self.remedy = remedy
        self.request_id = request_id
        self.status = status


class ConnectorUnavailable(ConnectorError):
    """Nothing happened: the request was not executed. Safe to repeat later."""


class RateLimited(ConnectorUnavailable):
    """Not executed because a limit was reached; `retry_after` seconds until it is worth asking again."""

    def __init__(
        self,
        *,
        service: str,
        operation: str,
        cause: str,
        remedy: str,
        request_id: str = "",
        status: int | None = None,
        retry_after: float,
    ) -> None:
        super().__init__(
            service=service, operation=operation, cause=cause, remedy=remedy, request_id=request_id, status=status
        )
        self.retry_after = retry_after


class ResultLost(ConnectorUnavailable):
    """What the service prepared for us is gone, or was never finished: it has to be asked for anew."""


class AccountResting(RateLimited):
    """Not executed because the service has closed the account for a while (unpaid bill, lock, suspicion, its own
    fault). It is left alone for `retry_after` seconds and asked again: work waits for it and goes on by itself."""


class OutcomeUnknown(ConnectorError):
    """Sent, and no readable answer came: look it up or repeat with the same key, never guess."""


class RequestRejected(ConnectorError):
    """Understood and refused: a person, or a fresh plan, changes the data."""


class Gone(RequestRejected):
    """What the request is about is not there any more: link it again, or make it anew."""


class HandleTaken(RequestRejected):
    """Another product has the handle; `holder_ref` is its reference."""

    def __init__(
        self, *, service: str, operation: str, cause: str, remedy: str, request_id: str = "", holder_ref: str
    ) -> None:
        super().__init__(service=service, operation=operation, cause=cause, remedy=remedy, request_id=request_id)
        self.holder_ref = holder_ref


class CredentialsRejected(ConnectorError):
    """The account is refused (token, scope, frozen shop): a person changes settings; the store is paused."""


class FeatureNotSupported(ConnectorError):
    """Cannot be expressed to this service: said before anything is sent."""
