"""Which images are nearly the same, among a hundred thousand as quickly as among a hundred.

Two numbers of 64 bits that differ in at most six are equal in at least one of seven parts. So images are sorted by
each part of their hash in turn, and compared only with those that have the same.
"""

import numpy as np

# Of 364 photographs of blood cells, copies in JPEG quality 30, at half the size and 15 % brighter differ in at most
# 6 bits of either hash; two different photographs differ in at least 16 bits of one, and correlate by 0.75 at most.
MAX_DISTANCE = 6
MIN_LIKENESS = 0.95  # correlation of the small images
_MIN_SPREAD = 2.0  # levels of 255; plainer images have nothing to be told apart by
_LONG_RUN = 256  # images with an equal part; those of a fixed camera make long runs
_BLOCK = 1024


def near_duplicates(fingerprints, max_distance=MAX_DISTANCE):
    """Groups of images that look the same.

    Images are in one group if both their hashes differ in at most `max_distance` bits and they look alike, or if a
    chain of such images leads from one to the other. Images of one colour are in no group.

    Args:
        fingerprints: list of `Fingerprint`, of all images.
        max_distance: int, bits, 0…31.

    Returns:
        Groups of at least two indices, rising within a group; groups by their first.

    Example:
        >>> near_duplicates([fingerprint(image) for image in images])
        [[0, 17], [4, 5, 6]]
    """
    if not fingerprints:
        return []
    small = np.stack([one.small.reshape(-1) for one in fingerprints])  # (N, 256)
    chosen = np.flatnonzero(small.std(-1) >= _MIN_SPREAD)  # (n,)
    if not len(chosen):
        return []
    # Exact copies are in one group without a comparison: a thousand of them would be half a million pairs.
    _, first, of_chosen = np.unique(small[chosen], axis=0, return_index=True, return_inverse=True)
    different = chosen[first]  # (u,)
    words = np.asarray([(fingerprints[i].rows, fingerprints[i].columns) for i in different], np.uint64)  # (u, 2)
    looks = small[different].astype(np.float32)
    looks -= looks.mean(-1, keepdims=True)
    looks /= np.linalg.norm(looks, axis=-1, keepdims=True)  # (u, 256): a product is now a correlation

    groups = _joined(words, looks, max_distance)[of_chosen.reshape(-1)]  # (n,)
    order = np.argsort(groups, kind="stable")
    edges = np.flatnonzero(np.diff(groups[order])) + 1
    return sorted(chosen[part].tolist() for part in np.split(order, edges) if len(part) > 1)


def _joined(words, looks, max_distance):
    """The group of each image: int64 `(u,)`, the least index in it."""
    groups = np.arange(len(words))
    for part in _parts(words[:, 0], max_distance + 1):
        order = np.argsort(part, kind="stable")
        starts = np.flatnonzero(np.diff(part[order], prepend=~part[order[:1]]))  # where another part begins
        lengths = np.diff(starts, append=len(order))
        short = lengths <= _LONG_RUN
        for one, other in _near_in_short_runs(words[order], starts[short], lengths[short], max_distance):
            one, other = order[one], order[other]
            apart = groups[one] != groups[other]
            one, other = one[apart], other[apart]
            alike = np.einsum("ij,ij->i", looks[one], looks[other]) >= MIN_LIKENESS
            groups = _merged(groups, one[alike], other[alike])
        for start, length in zip(starts[~short].tolist(), lengths[~short].tolist(), strict=True):
            run = order[start : start + length]
            for one, other in _near_in_a_long_run(words[run], looks[run], max_distance):
                groups = _merged(groups, run[one], run[other])
    return groups


def _near_in_short_runs(words, starts, lengths, max_distance):
    """Yields near pairs within runs, as places `(m,)`, `(m,)`: all runs at once, each place with the one `step` on."""
    run_end = np.repeat(starts + lengths, lengths)
    first = np.concatenate([np.zeros(0, np.int64), *map(np.arange, starts, starts + lengths)])
    for step in range(1, _LONG_RUN):
        keep = first + step < run_end
        first, run_end = first[keep], run_end[keep]
        if not len(first):
            return
        near = first[(np.bitwise_count(words[first] ^ words[first + step]) <= max_distance).all(-1)]
        if len(near):
            yield near, near + step


def _near_in_a_long_run(words, looks, max_distance):
    """Yields pairs that are near and look alike, in blocks of a thousand times a thousand."""
    for top in range(0, len(words), _BLOCK):
        for left in range(top, len(words), _BLOCK):
            ys, xs = slice(top, top + _BLOCK), slice(left, left + _BLOCK)
            near = np.bitwise_count(words[ys, None, 0] ^ words[None, xs, 0]) <= max_distance  # (a, b)
            near &= np.bitwise_count(words[ys, None, 1] ^ words[None, xs, 1]) <= max_distance
            if near.any():
                one, other = np.nonzero(near & (looks[ys] @ looks[xs].T >= MIN_LIKENESS))
                yield top + one, left + other


def _parts(words, count):
    """The bits of words `(u,)` in `count` parts of nearly equal length."""
    ends = np.linspace(0, 64, count + 1).round().astype(int)
    return [
        (words >> np.uint64(start)) & np.uint64((1 << (stop - start)) - 1)
        for start, stop in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)
    ]


def _merged(groups, one, other):
    """The groups once each pair (one, other) is in the same."""
    while True:
        a, b = groups[one], groups[other]
        apart = a != b
        if not apart.any():
            return groups
        groups = groups.copy()
        np.minimum.at(groups, np.maximum(a, b)[apart], np.minimum(a, b)[apart])
        while (groups != groups[groups]).any():
            groups = groups[groups]
