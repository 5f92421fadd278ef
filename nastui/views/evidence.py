"""What kind of unit one is, and the evidence for it, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from nastui.measure_records import ClassMeasures, Kind, MeasuredUnits
from nastui.records import UnitTable
from nastui.views.numbers import grouped, short_number
from nastui.views.plain import cut

NOT_MEASURED = "not measured: nastui measure RUN"
TO_BE_MEASURED = "measures come when the scan ends"


@dataclass(frozen=True, slots=True)
class _Rung:
    """How much is said: `name`, cells for a class's name; `details` of selectivity, 0 to 4, None for no selectivity."""

    name: int
    details: int | None
    is_short: bool = False
    has_rates: bool = True


_WHOLE = 1_000
_LADDER = (
    *(_Rung(name, 4) for name in (_WHOLE, 24)),
    *(_Rung(24, details) for details in (3, 2, 1, 0)),
    _Rung(24, 0, is_short=True),
    _Rung(12, 0, is_short=True),
    _Rung(24, None, is_short=True),
    _Rung(12, None, is_short=True),
    _Rung(24, None, is_short=True, has_rates=False),
    _Rung(8, None, is_short=True, has_rates=False),
)


def evidence_words(
    measured: MeasuredUnits | None,
    units: UnitTable,
    unit: int,
    names: Sequence[str],
    width: int,
    kind: Kind | None = None,
    *,
    n_units: int | None = None,
    is_finished: bool = True,
) -> str:
    """One line of at most `width` cells: the kind of a unit, the images that speak for it, and how well it tells its
    top class: `specialised · tench 41 of the top 50 · hit 0.82 · false alarm 0.01 · selectivity 0.71 (0.64–0.77, …)`.

    `names`: of the classes, as they are read. `kind`: what a person calls the unit; beside it stands the rule's, where
    that differs. `n_units`: of the layer, where `measured` has but the first of them. `is_finished`: the scan is.

    What does not fit goes in this order: the number of units that p is for, chance, p, the interval, words,
    selectivity, hit rate and false-alarm rate. Selectivity never stands without those two, because a high one alone may
    belong to a unit that tells no class (Gale et al. 2020, arXiv 2007.01062).
    """
    if measured is None:
        return cut(_joined(kind or "", NOT_MEASURED if is_finished else TO_BE_MEASURED), width)
    line = ""
    for rung in _LADDER:
        line = _Evidence(measured, units, unit, kind, names, rung, n_units or len(measured.rule_kinds)).line()
        if cell_len(line) <= width:
            return line
    return cut(line, width)


def kind_words(rule: Kind | None, kind: Kind | None) -> str:
    """The kind of a unit: a person's first, and beside it the rule's where it is another."""
    if kind is None:
        return "" if rule is None else str(rule)
    return str(kind) if rule in (None, kind) else f"{kind} (by rule {rule})"


@dataclass(frozen=True, slots=True)
class _Evidence:
    """The words about one unit, as many as a rung has."""

    measured: MeasuredUnits
    units: UnitTable
    unit: int
    kind: Kind | None
    names: Sequence[str]
    rung: _Rung
    n_units: int

    def line(self) -> str:
        kind = kind_words(self.measured.rule_kinds[self.unit], self.kind)
        rates = self._rates() if self.rung.has_rates else []
        return _joined(kind, *self._images(), *rates, self._selectivity() if rates else "")

    @property
    def shown_kind(self) -> Kind:
        return self.kind or self.measured.rule_kinds[self.unit]

    def _images(self) -> list[str]:
        """The values or images that the kind rests on."""
        m, unit, kind = self.measured.measures, self.unit, self.shown_kind
        lo, hi, n = float(self.units.lo[unit]), float(self.units.hi[unit]), int(self.units.n[unit])
        if n == 0:
            return ["no finite value"]
        if lo == hi:
            return [f"every value is {short_number(lo)}"]
        if kind is Kind.ZEROING and hi <= 0:
            return [f"no value above 0: hi {short_number(hi)}"]
        k = min(self.measured.top_k, n)
        the = "" if self.rung.is_short else "the "
        highest = self._share(int(m.precision_class[unit]), float(m.precision[unit]), k)
        lowest = f"{self._share(int(m.low_class[unit]), float(m.low_precision[unit]), k)} of {the}lowest {k}"
        if kind is Kind.POLYSEMANTIC and m.n_sharing[unit] > 1:
            second = self._share(int(m.second_precision_class[unit]), float(m.second_precision[unit]), k)
            others = int(m.n_sharing[unit]) - 2
            highest = f"{highest}, {second}" + (f" and {others} more" if others else "")
        highest = f"{highest} of {k}" if self.rung.is_short else f"{highest} of the top {k}"
        return {Kind.SUPPRESSING: [lowest], Kind.DIFFERENTIATING: [highest, lowest]}.get(kind, [highest])

    def _rates(self) -> list[str]:
        """Hit rate and false-alarm rate of the top class, which is named where the images name another one last."""
        m, unit = self.measured.measures, self.unit
        hit, false_alarm = float(m.hit_rate[unit]), float(m.false_alarm_rate[unit])
        if math.isnan(hit) or math.isnan(false_alarm):
            return []
        top = int(m.top_class[unit])
        names_top_last = self.shown_kind in (Kind.SPECIALISED, Kind.MIXED) and top == int(m.precision_class[unit])
        name = "" if names_top_last else f"{self._name(top)} "
        return [f"{name}hit {two_digits(hit)}", f"false alarm {two_digits(false_alarm)}"]

    def _selectivity(self) -> str:
        """Morcos's index, or the shifted one where that is not defined."""
        m, unit, details = self.measured.measures, self.unit, self.rung.details
        plain, shifted = float(m.selectivity[unit]), float(m.selectivity_shifted[unit])
        if details is None or (math.isnan(plain) and math.isnan(shifted)):
            return ""
        inside = _selectivity_details(m, unit, self.n_units, details)
        if math.isnan(plain):
            return f"shifted selectivity {two_digits(shifted)}{inside}"
        if not inside or two_digits(plain) == two_digits(shifted):
            return f"selectivity {two_digits(plain)}{inside}"
        return f"selectivity {two_digits(plain)}, shifted {two_digits(shifted)}{inside}"

    def _share(self, class_id: int, share: float, k: int) -> str:
        """A class and how many of k images are of it."""
        return "no class" if class_id < 0 or math.isnan(share) else f"{self._name(class_id)} {round(share * k)}"

    def _name(self, class_id: int) -> str:
        name = cut(self.names[class_id], self.rung.name)
        return f"‘{name}’" if name[:1].isdigit() or name[-1:].isdigit() else name  # numbers follow it


def _selectivity_details(m: ClassMeasures, unit: int, n_units: int, details: int) -> str:
    """What belongs beside the shifted selectivity: from 1, its interval; 2, p; 3, chance; 4, the units p is over."""
    lo, hi = float(m.shifted_lo[unit]), float(m.shifted_hi[unit])
    null, p = float(m.shifted_null[unit]), float(m.p_value[unit])
    words = []
    if details >= 1 and not math.isnan(lo):
        words.append(f"{two_digits(lo)}–{two_digits(hi)}")
    if details >= 3 and not math.isnan(null):
        words.append(f"chance {two_digits(null)}")
    if details >= 2 and not math.isnan(p):
        words.append(f"p {p_words(p)} over {grouped(n_units)} units" if details >= 4 else f"p {p_words(p)}")
    return f" ({', '.join(words)})" if words else ""


def two_digits(share: float) -> str:
    """A number of about 0 to 1 with two decimals; what is not quite 0 or 1 never reads as if it were."""
    if math.isnan(share):
        return "–"
    if 0 < share < 0.005:
        return "<0.01"
    if 0.995 <= share < 1:
        return ">0.99"
    return f"{share:.2f}".replace("-", "−")


def p_words(p: float) -> str:
    """A probability with two decimals, or with one digit where it is smaller."""
    return f"{p:.2f}" if p >= 0.005 else f"{p:.1g}"


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)
