"""The errors that Interlock raises: broken promises only; a refusal is a value, never an exception."""

from __future__ import annotations


class InterlockError(Exception):
    """Base of every error that Interlock raises on purpose."""


class UnusableInput(InterlockError):
    """A file or a value that cannot be read as what it claims to be; the message says what to do."""


class ForecastExhausted(InterlockError):
    """The forecast used up its budget of queries; the judge turns this into a veto."""


class LogDegraded(InterlockError):
    """The record cannot be made durable; nothing may be permitted until a new log is opened."""


class PermitRefused(InterlockError):
    """A robot was handed a permit that is used, expired, or meant for another robot."""


class SelfTestFailed(InterlockError):
    """The supervisor did not refuse its own provocations, so it does not run."""
