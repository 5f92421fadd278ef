"""What is known and said of a unit or an image as one line, read from the file for the clipboard."""

from __future__ import annotations

from dataclasses import replace

from nastui.records import ImageInfo
from nastui.review_records import Review, Subject
from nastui.screens.session import Session
from nastui.views.classes import display_name
from nastui.views.evidence import evidence_words
from nastui.views.report_line import report_line

_ALL = 10_000  # characters: a line for the clipboard leaves nothing out


def unit_line(session: Session, subject: Subject) -> str:
    """Address, run, kind and evidence, and what people say about a unit."""
    run, layer = session.run, next(layer for layer in session.layers if layer.basis_id == subject.basis_id)
    reviews = _reviews_of(session, subject)
    own = (review.kind for review in reviews if session.reviews and review.reviewer == session.reviews.reviewer)
    kind = next(own, None)
    evidence = evidence_words(
        run.unit_measures(layer),
        run.unit_table(layer),
        subject.number,
        session.slots.names,
        _ALL,
        kind,
        is_finished=session.info.finished is not None,
    )
    address = str(replace(layer.address, unit=subject.number))
    return report_line(address, session.info.name, [evidence], reviews)


def image_line(session: Session, image: ImageInfo) -> str:
    """Address and file of an image, its class, what the model made of it, and what people say about it."""
    reviews = _reviews_of(session, Subject.image(image.id))
    predicted = f"predicted {display_name(image.predicted)}" if image.is_wrong and image.predicted else ""
    words = [image.source, display_name(image.class_name), predicted]
    return report_line(f"image:{image.id}", session.info.name, words, reviews)


def _reviews_of(session: Session, subject: Subject) -> tuple[Review, ...]:
    return () if session.reviews is None else session.reviews.reviews_of(subject)
