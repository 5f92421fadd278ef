"""Reviewing a run: what people say about its units and images, in its file at once, with undo."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from nastui.errors import NotARun, StoreError, StoreFull, StoreLocked
from nastui.measure_records import Kind, Listing
from nastui.records import LayerInfo
from nastui.review_records import LayerReviews, Review, Standing, Step, Subject
from nastui.store import left_off
from nastui.store.connection import identity_of, leave_one_file, merge_wal, open_to_read, open_to_write
from nastui.store.faults import translated
from nastui.store.review_log import newest_event, read_step, step_to_redo, step_to_undo, write_step
from nastui.store.review_merge import Merged, merge_reviews
from nastui.store.review_rows import (
    Change,
    Target,
    changes_to,
    changes_without_tag,
    check_has_kind,
    find_targets,
    read_all_reviews,
    read_image_verdicts,
    read_layer_reviews,
    read_reviews,
    read_tags,
)
from nastui.store.review_steps import NOTHING, describe_step
from nastui.store.review_text import (
    checked_filter_name,
    checked_note,
    checked_reviewer,
    checked_tag,
    checked_verdict,
)
from nastui.store.transactions import snapshot, transaction


class Reviews:
    """What people say about a run, and what `reviewer` says from now on. Any number of threads may use it.

    Every change is one transaction, on the disk when the call returns: it outlives this program's end, however that
    comes, and a power cut too, as far as the disk keeps what it said it wrote. What is so already is no step: then the
    call returns NOTHING, whose id is 0. Undo and redo follow the log of events, so they go on where the reviewer's last
    program ended, and several windows of one reviewer share a history. Nobody's rows are touched by anybody else.

    A run that cannot be written can be looked at; every change raises StoreFull then. Any call may raise NotARun.
    """

    def __init__(self, path: str | Path, reviewer: str) -> None:
        """Look at the reviews in the run at `path`. Raises UsageError for a reviewer without a name."""
        self._path = Path(path)
        self._reviewer = checked_reviewer(reviewer)
        self._reads, self._writes = threading.Lock(), threading.Lock()
        self._reader: sqlite3.Connection | None = open_to_read(self._path)
        self._writer: sqlite3.Connection | None = None
        self._identity = identity_of(self._path)

    @property
    def reviewer(self) -> str:
        """Whose reviews are changed."""
        return self._reviewer

    def layer_reviews(self, layer: LayerInfo) -> LayerReviews:
        """What the reviewer said about a layer's units."""
        with self._reading() as connection:
            return read_layer_reviews(connection, layer.basis_id, layer.n_units, self._reviewer)

    def reviews_of(self, subject: Subject) -> tuple[Review, ...]:
        """What was said about a subject: the reviewer's own first, then others', by name; nobody who said nothing.

        Raises AddressNotFound.
        """
        with self._reading() as connection:
            reviews = read_reviews(connection, find_targets(connection, [subject])[0])
        return tuple(sorted(reviews, key=lambda review: review.reviewer != self._reviewer))

    def image_verdicts(self) -> Mapping[int, str]:
        """What the reviewer decided about images, by their ids."""
        with self._reading() as connection:
            return read_image_verdicts(connection, self._reviewer)

    def all_reviews(self) -> list[tuple[Subject, Review]]:
        """Everything that anybody said: units before images, each in order, then by reviewer."""
        with self._reading() as connection:
            return read_all_reviews(connection)

    def tags(self) -> tuple[str, ...]:
        """The tags that anybody gave, the most frequent first; without the star."""
        with self._reading() as connection:
            return read_tags(connection)

    def version(self) -> int:
        """A number that grows with every change that anybody makes to the reviews; nothing else changes it."""
        with self._reading() as connection:
            return newest_event(connection)

    def give_verdict(self, subjects: Sequence[Subject], verdict: str | None) -> Step:
        """Decide about subjects; None takes the verdict back. Raises UsageError, AddressNotFound and StoreFull."""
        value = None if verdict is None else checked_verdict(verdict)
        return self._set("verdict", subjects, value)

    def add_tag(self, subjects: Sequence[Subject], tag: str) -> Step:
        """Put a tag (one word) on subjects. Raises UsageError, AddressNotFound and StoreFull."""
        return self._set("tag", subjects, checked_tag(tag))

    def remove_tag(self, subjects: Sequence[Subject], tag: str) -> Step:
        """Take a tag off subjects. Raises UsageError, AddressNotFound and StoreFull."""
        name = checked_tag(tag)
        return self._step(
            subjects, lambda connection, targets: changes_without_tag(connection, self._reviewer, targets, name)
        )

    def write_note(self, subjects: Sequence[Subject], note: str) -> Step:
        """Write the note of subjects; an empty one removes it. Raises UsageError, AddressNotFound and StoreFull."""
        return self._set("note", subjects, checked_note(note) or None)

    def give_kind(self, subjects: Sequence[Subject], kind: Kind | None) -> Step:
        """Say of what kind units are; None leaves it to the rule. Raises UsageError, AddressNotFound and StoreFull."""
        check_has_kind(subjects)
        return self._set("kind", subjects, kind and kind.value)

    def merge(self, reviews: Sequence[tuple[Subject, Review]]) -> Merged:
        """Take over what was said elsewhere, all or nothing, as one step of each reviewer in it: see merge_reviews."""
        with self._changing() as connection:
            return merge_reviews(connection, reviews)

    def undo(self) -> Step | None:
        """Take back the reviewer's newest step that stands, and return it; None where there is none."""
        return self._take(step_to_undo, is_undo=True)

    def redo(self) -> Step | None:
        """Do again, and return, the step that was taken back last; None where there is none, or a new one was done."""
        return self._take(step_to_redo, is_undo=False)

    def typed_filters(self) -> tuple[str, ...]:
        """The conditions that the reviewer typed, the newest first, each once."""
        with self._reading() as connection:
            return left_off.read_typed(connection, self._reviewer)

    def remember_filter(self, condition: str) -> None:
        """Remember a condition as the newest that was typed."""
        with self._changing() as connection:
            left_off.write_typed(connection, self._reviewer, condition)

    def named_filters(self) -> Mapping[str, str]:
        """The conditions with a name, everybody's, by name."""
        with self._reading() as connection:
            return left_off.read_named(connection)

    def name_filter(self, name: str, condition: str) -> None:
        """Give a condition a name, for everybody; an empty condition takes the name away. Raises UsageError."""
        with self._changing() as connection:
            left_off.write_named(connection, self._reviewer, checked_filter_name(name), condition)

    def leave_at(self, layer: LayerInfo, unit: int, listing: Listing) -> None:
        """Keep where the reviewer is on a layer."""
        with self._changing() as connection:
            left_off.write_standing(connection, self._reviewer, layer.basis_id, unit, listing)

    def standings(self) -> tuple[Standing, ...]:
        """Where the reviewer left each layer, the newest first."""
        with self._reading() as connection:
            return left_off.read_standings(connection, self._reviewer)

    def close(self) -> None:
        """Let go of the file. A second call does nothing."""
        with self._writes, self._reads:
            was_open = self._reader is not None
            if self._reader is not None:
                self._reader.close()
            if self._writer is not None:
                merge_wal(self._writer)
                self._writer.close()
            self._reader = self._writer = None
        if was_open:
            leave_one_file(self._path)

    def __enter__(self) -> Reviews:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _set(self, table: str, subjects: Sequence[Subject], value: str | None) -> Step:
        return self._step(
            subjects, lambda connection, targets: changes_to(connection, table, self._reviewer, targets, value)
        )

    def _step(
        self, subjects: Sequence[Subject], find: Callable[[sqlite3.Connection, list[Target]], Iterable[Change]]
    ) -> Step:
        with self._changing() as connection:
            changes = list(find(connection, find_targets(connection, subjects)))
            if not changes:
                return NOTHING
            return describe_step(connection, write_step(connection, self._reviewer, changes), changes)

    def _take(self, find: Callable[[sqlite3.Connection, str], int | None], *, is_undo: bool) -> Step | None:
        with self._changing() as connection:
            step = find(connection, self._reviewer)
            if step is None:
                return None
            changes = read_step(connection, self._reviewer, step)
            try:
                if is_undo:
                    write_step(connection, self._reviewer, [change.reversed for change in changes], undoes=step)
                else:
                    write_step(connection, self._reviewer, changes, redoes=step)
            except sqlite3.IntegrityError as exc:
                raise StoreError(
                    f"Another program than nastui changed the reviews in {self._path}: {exc}.",
                    hint="What was done before that cannot be undone or redone.",
                ) from exc
            return describe_step(connection, step, changes)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._reads, translated(self._path):
            if self._reader is None:
                raise NotARun(f"{self._path} was closed.", hint="Open it again.")
            with snapshot(self._reader):
                yield self._reader

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        with self._writes:
            try:
                with translated(self._path):
                    connection = self._writing_connection()
                    with transaction(connection):
                        yield connection
            except (StoreFull, StoreLocked) as exc:
                exc.hint = f"Nothing was changed. {_what_to_do(exc)}"
                raise

    def _writing_connection(self) -> sqlite3.Connection:
        """The connection that writes. Raises NotARun where it was closed, or the path leads to another file by now."""
        if self._reader is None:
            raise NotARun(f"{self._path} was closed.", hint="Open it again.")
        if identity_of(self._path) != self._identity:
            raise NotARun(f"{self._path} was replaced while it was open.", hint="Open it again to see the new run.")
        if self._writer is None:
            self._writer = open_to_write(self._path)
            # A person's decision is worth the fsync that a scan's rows are not: they can be had again.
            self._writer.execute("PRAGMA synchronous = FULL")
        return self._writer


def _what_to_do(error: StoreFull | StoreLocked) -> str:
    if isinstance(error, StoreLocked):
        return "Do it again when the other program has ended its write."
    if getattr(error.__cause__, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
        return "Free some space, and do it again."
    return "Make the file and its folder writable, and do it again."
