"""The id of the request that is being served, for whoever writes a log line or calls another program on its behalf."""

from contextvars import ContextVar

# Empty outside of a request.
current_request_id: ContextVar[str] = ContextVar("current_request_id", default="")
