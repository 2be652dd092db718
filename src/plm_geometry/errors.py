"""What goes wrong with what a user gave: one sentence, one exit status."""


class InputError(ValueError):
    """Something that was given cannot be used.

    ``str(error)`` is one sentence that says what is wrong, where, and what to do about it;
    the command prints it and ends with `exit_status`.
    """

    exit_status = 2


class NothingLeftError(InputError):
    """The input is sound, but no protein is left to work on."""

    exit_status = 1


class ComputationError(RuntimeError):
    """A chapter, the book or a block of work failed; the text holds what its program said."""
