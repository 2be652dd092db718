"""What goes wrong with what a user gave: one sentence, one exit status."""

import errno

_NO_ROOM = "what is finished is kept, and the same command goes on from there once there is room"
_NO_RIGHT = "give another place with --out, or for caches and runs with PLM_GEOMETRY_WORK"
# What can fail about the disk that is written to, and what to do about it.
DISK_TROUBLE = dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), _NO_ROOM) | dict.fromkeys(
    (errno.EACCES, errno.EPERM, errno.EROFS), _NO_RIGHT
)


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


def sentence(error: OSError) -> str:
    """Return what the system refused, where, and what to do about it."""
    said = f"{error.filename or 'the disk'}: {error.strerror or error}"
    advice = DISK_TROUBLE.get(error.errno or 0)
    return f"{said}; {advice}." if advice else f"{said}."
