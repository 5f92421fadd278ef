"""What a report says of one unit, and of the images that were judged, as Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from nastui.records import Address, ImageInfo
from nastui.reports.findings import Findings, FoundUnits, kind_said
from nastui.reports.markdown import code, lines, picture, quote, table, text
from nastui.review_records import STAR, Review
from nastui.views.classes import display_name
from nastui.views.evidence import evidence_words, two_digits
from nastui.views.facts import unit_words
from nastui.views.numbers import grouped

_ALL_OF_IT = 10_000  # cells, for words that know how to be cut


def address_of(part: FoundUnits, unit: int) -> str:
    return str(Address(part.layer.path, unit, part.layer.basis))


def index_row(findings: Findings, part: FoundUnits, unit: int, place: int) -> list[str]:
    """A unit in the list at the top: its address, which leads to its section, its kind and evidence, what was said."""
    reviews = findings.reviews_of(part.layer, unit)
    verdicts = dict.fromkeys(review.verdict for review in reviews if review.verdict)
    return [
        f"[{code(address_of(part, unit))}](#unit-{place})",
        text(_evidence(findings, part, unit)),
        ", ".join(map(text, verdicts)),
        _tags([tag for review in reviews for tag in review.tags]),
    ]


def unit_part(findings: Findings, part: FoundUnits, unit: int, place: int, pictures: Sequence[str]) -> Iterator[str]:
    """A unit's section: pictures (their paths), evidence, measures, and what people said."""
    address, reviews = address_of(part, unit), findings.reviews_of(part.layer, unit)
    star = " ★" if any(review.is_starred for review in reviews) else ""
    yield f'<a id="unit-{place}"></a>\n\n### {code(address)}{star}'
    yield text(_evidence(findings, part, unit))
    footprint, *strips = pictures
    yield picture(footprint, f"footprint of {address}")
    for path in strips:
        yield picture(path, f"images at the top, in the middle and at the bottom of {address}")
    yield f"Values: {text(unit_words(part.table, unit).replace('  ', ' · '))}"
    if further := _further_measures(findings, part, unit):
        yield f"Measures: {further}"
    if reviews:
        yield table(["reviewer", "verdict", "kind", "tags"], map(_review_row, reviews))
    for review in reviews:
        if review.note:
            yield f"{quote(review.note)}<br>— {text(review.reviewer)}"


def image_row(findings: Findings, image: ImageInfo, path: str | None, reviews: Sequence[Review]) -> list[str]:
    """An image that was judged, as a row of IMAGE_COLUMNS."""
    predicted = text(display_name(image.predicted)) if image.predicted else "nothing"
    notes = [f"{lines(review.note)} — {text(review.reviewer)}" for review in reviews if review.note]
    return [
        picture(path, f"image {image.id}") if path else "no picture",
        f"{code(f'image:{image.id}')}<br>{text(image.source)}",
        text(findings.slots.names[image.class_id]),
        f"{predicted}{' (wrong)' if image.is_wrong else ''}",
        "<br>".join(f"{text(review.verdict)} ({text(review.reviewer)})" for review in reviews if review.verdict),
        _tags([tag for review in reviews for tag in review.tags]),
        "<br>".join(notes),
    ]


IMAGE_COLUMNS = ("", "image", "labelled", "predicted", "verdict", "tags", "notes")


def _evidence(findings: Findings, part: FoundUnits, unit: int) -> str:
    kind = kind_said(findings.reviews_of(part.layer, unit))
    is_finished = findings.info.finished is not None
    return evidence_words(
        part.measured, part.table, unit, findings.slots.names, _ALL_OF_IT, kind, is_finished=is_finished
    )


def _review_row(review: Review) -> list[str]:
    verdict = text(review.verdict) if review.verdict else ""
    return [text(review.reviewer), verdict, review.kind or "", _tags(review.tags)]


def _tags(tags: Sequence[str]) -> str:
    """Tags, each once, with the star before them."""
    others = sorted({*tags} - {STAR})
    return " ".join((["★"] if STAR in tags else []) + [code(tag) for tag in others])


def _further_measures(findings: Findings, part: FoundUnits, unit: int) -> str:
    """The measures that the evidence does not name; what is not defined is left out."""
    if part.measured is None:
        return ""
    m, names, k = part.measured.measures, findings.slots.names, part.measured.top_k
    of_class = [
        ("AUROC", m.auroc[unit], m.auroc_class[unit]),
        ("average precision", m.ap[unit], m.ap_class[unit]),
        (f"precision at {grouped(k)}", m.precision[unit], m.precision_class[unit]),
        (f"share of the lowest {grouped(k)}", m.low_precision[unit], m.low_class[unit]),
    ]
    words = [
        f"{name} {two_digits(float(value))} ({text(names[int(class_id)])})"
        for name, value, class_id in of_class
        if not math.isnan(value) and class_id >= 0
    ]
    plain = [
        ("sparseness", m.sparseness[unit]),
        ("Hoyer", m.hoyer[unit]),
        ("entropy of the top range", m.top_entropy[unit]),
        ("bimodality", m.bimodality[unit]),
    ]
    words += [f"{name} {two_digits(float(value))}" for name, value in plain if not math.isnan(value)]
    return " · ".join(words)
