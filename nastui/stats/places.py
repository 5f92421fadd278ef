"""Places of the classes, filled with images again and again: with shuffled ones, or with some drawn from the class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nastui.records import Float32, Int32, Int64
from nastui.stats.fillings import Fillings
from nastui.stats.labels import Labels


@dataclass(frozen=True, slots=True)
class Places:
    """As many places for images as there are, N, each of one of the K classes that have any.

    The classes are numbered by size, the largest first. `sizes`: (K,), how many places each has. `number_of`: the
    number of a class by its id. `of_place`: (N,), the number of each place's class. With `in_turn` the places go round
    the classes, each getting its first, then its second one, and so on; else they go class by class. Either way sums
    over classes take few steps.
    """

    sizes: Int64
    number_of: Int64
    of_place: Int64
    in_turn: bool

    @classmethod
    def of(cls, labels: Labels) -> Places:
        """There has to be an image."""
        sizes = labels.sizes[labels.present]
        largest_first = np.argsort(-sizes, kind="stable")
        sizes = sizes[largest_first]
        numbers = np.arange(len(sizes))
        number_of = np.zeros(labels.n_classes, dtype=np.int64)
        number_of[labels.present[largest_first]] = numbers
        in_turn = len(sizes) > sizes[0]
        if in_turn:
            of_place = np.concatenate([numbers[sizes > turn] for turn in range(sizes[0])])
        else:
            of_place = np.repeat(numbers, sizes)
        return cls(sizes, number_of, of_place, in_turn)

    def shuffled(self, count: int, seed: int) -> Fillings:
        """The image at each place, all of them in any order."""

        def draw(rng: np.random.Generator) -> Int32:
            images = np.arange(len(self.of_place), dtype=np.int32)
            rng.shuffle(images)
            return images

        return Fillings(draw, count, (seed, 1), len(self.of_place))

    def sampled(self, labels: Labels, count: int, seed: int) -> Fillings:
        """The image at each place, drawn with replacement from those of its class."""
        starts = np.empty_like(self.sizes)
        starts[self.number_of[labels.present]] = labels.starts

        def draw(rng: np.random.Generator) -> Int32:
            drawn = starts[self.of_place] + rng.integers(0, self.sizes[self.of_place])
            return labels.order[drawn].astype(np.int32)

        return Fillings(draw, count, (seed, 2), len(self.of_place))

    def members(self, fillings: list[Int32]) -> NDArray[np.uint8]:
        """Which images stand at the places of each class but the last, 1 or 0, filling by filling, and 1 for all in the
        end: (N, fillings x (K - 1) + 1). What is left of the sum of all is the last class's."""
        n_images, n_others = len(self.of_place), len(self.sizes) - 1
        members = np.zeros((n_images, len(fillings) * n_others + 1), dtype=np.uint8)
        members[:, -1] = 1
        inside = np.flatnonzero(self.of_place < n_others)
        for number, images in enumerate(fillings):
            members[images[inside], number * n_others + self.of_place[inside]] = 1
        return members

    def class_sums(self, values: Float32, images: Int32) -> Float32:
        """The sums of `values` (N, U) over the images that stand at the places of each class, (K, U).

        `images`: (N,), the image at each place. A few rows are gathered at a time: they stay in the processor's cache.
        """
        sums = np.zeros((len(self.sizes), values.shape[1]), dtype=np.float32)
        start = 0
        if self.in_turn:
            for turn in range(self.sizes[0]):
                count = int(np.count_nonzero(self.sizes > turn))
                sums[:count] += np.take(values, images[start : start + count], axis=0)
                start += count
        else:
            for number, size in enumerate(self.sizes.tolist()):
                np.einsum("nu->u", np.take(values, images[start : start + size], axis=0), out=sums[number])
                start += size
        return sums
