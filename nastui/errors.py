"""Every error that nastui raises on purpose.

NastuiError                  something went wrong that a person can put right
├── UsageError               the options contradict each other                     exit 2
│   └── FilterError          a condition on units, or a query, that cannot be run
├── ScanError                a scan cannot start or go on                          exit 3
│   ├── ModelNotFound        no such model, file or factory, or it does not build
│   ├── WeightsError         the weights are missing, unsafe, or do not fit
│   ├── LayerNotFound        no layer matches what was asked
│   ├── UnsupportedOutput    a layer returns something that is not one tensor per image
│   ├── DataNotFound         no such image set, or no class or image in it
│   ├── ClassNotFound        a class that the image set or the model does not have
│   ├── OtherProcessFailed   another process that shares the scan has failed or is lost
│   └── ScanInterrupted      stopped by Ctrl-C; the file can be resumed            exit 130
├── StoreError               a run's file cannot be used                           exit 4
│   ├── NotARun              the file is not a nastui run
│   ├── SchemaTooNew         the file was written by a newer nastui
│   ├── OutputExists         the output file is there already and is another run
│   ├── StoreLocked          another process is writing to the file
│   ├── StoreFull            the disk is full or the file cannot be written
│   └── AddressNotFound      no such layer, basis or unit in this run
└── TerminalError            the interface needs a terminal and has none           exit 5

Exit statuses: 0 fine, 1 a fault of nastui itself, 2 wrong usage, 3 scan, 4 store, 5 terminal, 130 interrupted.
"""

from __future__ import annotations

from typing import ClassVar


class NastuiError(Exception):
    """Something went wrong that a person can put right.

    `message` says what happened and with what value; `hint` says what to do next.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class UsageError(NastuiError):
    """The options contradict each other, or one has a value that makes no sense."""

    exit_code = 2


class FilterError(UsageError):
    """A condition on units, an order of them or a query cannot be run.

    `message` says what is wrong, on the lines below it where: the line of SQL, and what points at a place in it.
    `place`: that place in the text that was given, None where there is none.
    """

    def __init__(self, message: str, *, hint: str = "", place: range | None = None) -> None:
        super().__init__(message, hint=hint)
        self.place = place


class ScanError(NastuiError):
    """A scan cannot start or go on."""

    exit_code = 3


class ModelNotFound(ScanError):
    """No such model, file or factory, or it does not build."""


class WeightsError(ScanError):
    """The weights file is missing, would run code when loaded, or does not fit the model."""


class LayerNotFound(ScanError):
    """No layer of the model matches what was asked; the hint lists the candidates."""


class UnsupportedOutput(ScanError):
    """A layer returns something that is not one tensor with a row per image."""


class DataNotFound(ScanError):
    """No such image set, or no class or image in it."""


class ClassNotFound(ScanError):
    """A class was asked for that the image set or the model does not have."""


class OtherProcessFailed(ScanError):
    """Another process that shares the scan has failed, and said why, or is lost."""


class ScanInterrupted(ScanError):
    """The person stopped the scan; everything up to the last batch is in the file."""

    exit_code = 130


class StoreError(NastuiError):
    """A run's file cannot be read or written."""

    exit_code = 4


class NotARun(StoreError):
    """The file is missing, is not SQLite, or is SQLite without a nastui run in it."""


class SchemaTooNew(StoreError):
    """The file was written by a newer nastui than this one."""


class OutputExists(StoreError):
    """The output file is there already and holds something else than this scan."""


class StoreLocked(StoreError):
    """Another process is writing to the file."""


class StoreFull(StoreError):
    """The disk is full, or the file or its folder cannot be written."""


class AddressNotFound(StoreError):
    """No such layer, basis or unit in this run."""


class TerminalError(NastuiError):
    """The interface needs a terminal and has none that it can use."""

    exit_code = 5
