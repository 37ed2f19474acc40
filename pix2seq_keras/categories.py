"""The one table between a dataset's category ids, the model's contiguous classes and their names."""

import operator
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import keras

from pix2seq_keras.errors import InputError

_INT64 = range(-(2**63), 2**63)


@keras.saving.register_keras_serializable(package="pix2seq_keras")
@dataclass(frozen=True)
class Categories:
    """Class `i` of the model is the dataset's category `ids[i]` and is called `names[i]`.

    Inside the package only the contiguous classes 0…K-1 are used; dataset ids come back at the edges
    (evaluation JSON, served outputs), names on images and in tables.

    Args:
        ids: K different integers, the dataset's own category ids. Gaps are fine (COCO: 1…90 for 80 classes).
        names: K different non-empty strings, in the same order.

    Raises:
        InputError: if there is none, the two differ in length, or an id or name is ill-typed or repeated.

    Example:
        >>> cells = Categories(ids=(1, 2, 7), names=("RBC", "WBC", "Platelets"))
        >>> len(cells), cells.class_of(7), cells.class_of(3)
        (3, 2, None)
    """

    ids: tuple[int, ...]
    names: tuple[str, ...]
    _classes: dict[int, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self):
        ids, names = tuple(self.ids), tuple(self.names)
        if len(ids) != len(names) or not ids:
            raise InputError(
                "Categories need one name for every id, and at least one of them. "
                f"Received: {len(ids)} ids and {len(names)} names."
            )
        for value in ids:
            if not _is_id(value):
                raise InputError(f"A category id must be an integer of 64 bits. Received: {value!r}.")
        for name in names:
            if not isinstance(name, str) or not name.strip():
                raise InputError(f"A category name must be a non-empty string. Received: {name!r}.")
        ids = tuple(operator.index(value) for value in ids)  # NumPy integers would not go into JSON
        for what, values in (("id", ids), ("name", names)):
            twice = [value for value, count in Counter(values).items() if count > 1]
            if twice:
                raise InputError(f"Category {what} {twice[0]!r} is given more than once; each must be unique.")
        object.__setattr__(self, "ids", ids)
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "_classes", {value: index for index, value in enumerate(ids)})

    def __len__(self):
        return len(self.ids)

    @classmethod
    def from_names(cls, names, first_id=1):
        """Categories numbered `first_id`, `first_id + 1`, … in the order of `names`.

        Args:
            names: iterable of str, different non-empty strings, one a class.
            first_id: int, dataset id of class 0. Defaults to 1, as COCO counts.

        Returns:
            The `Categories`.
        """
        names = tuple(names)
        return cls(ids=tuple(range(first_id, first_id + len(names))), names=names)

    @classmethod
    def from_coco(cls, records):
        """Categories of a COCO file's `"categories"` list, sorted by id.

        Two categories of one name stay two classes: each gets its id added,
        "crane (id 3)" and "crane (id 9)".

        Args:
            records: list of `{"id": int, "name": str, …}`; other keys are ignored.

        Returns:
            The `Categories`; class 0 has the smallest id.

        Raises:
            InputError: naming the record that is no dictionary, lacks a usable id or name, or repeats an id.
        """
        if not isinstance(records, Sequence) or isinstance(records, str) or not records:
            raise InputError(f'"categories" must be a list with at least one record. Received: {records!r:.80}.')
        names = {}
        for position, record in enumerate(records):
            where = f"Category record {position} ({record!r:.80})"
            if not isinstance(record, Mapping):
                raise InputError(f'{where} is not a dictionary with "id" and "name".')
            identifier, name = record.get("id"), record.get("name")
            if not _is_id(identifier):
                raise InputError(f'{where} has no usable "id": it must be an integer of 64 bits.')
            if not isinstance(name, str) or not name.strip():
                raise InputError(f'{where} has no usable "name": it must be a non-empty string.')
            if identifier in names:
                raise InputError(
                    f"{where} repeats the id {identifier}, which {names[identifier]!r} already has. "
                    "Give every category an id of its own."
                )
            names[identifier] = name
        bearers = Counter(names.values())
        ids = sorted(names)
        shown = [names[i] if bearers[names[i]] == 1 else f"{names[i]} (id {i})" for i in ids]
        return cls(ids=tuple(ids), names=tuple(shown))

    @classmethod
    def merge(cls, tables):
        """One table with the classes of all, those of the same name made one.

        Args:
            tables: iterable of `Categories`, of which each may repeat names of the ones before it, or bring further
                ones.

        Returns:
            The `Categories`: names in the order in which they are met. An id stays what it is in the first table
            that has the name, unless another name already has it; it is then one above the largest so far.

        Example:
            >>> Categories.merge([Categories((1, 7), ("cat", "dog")), Categories((0, 1), ("dog", "cow"))])
            Categories(ids=(1, 7, 8), names=('cat', 'dog', 'cow'))
        """
        ids: dict[str, int] = {}
        taken: set[int] = set()
        for table in tables:
            for identifier, name in zip(table.ids, table.names, strict=True):
                if name not in ids:
                    ids[name] = identifier if identifier not in taken else max(taken) + 1
                    taken.add(ids[name])
        return cls(ids=tuple(ids.values()), names=tuple(ids))

    def class_of(self, dataset_id):
        """The class 0…K-1 of a dataset's category id, or None where the table does not have it."""
        return self._classes.get(dataset_id)

    def get_config(self):
        """The table as plain lists that go into JSON."""
        return {"ids": list(self.ids), "names": list(self.names)}

    @classmethod
    def from_config(cls, config):
        """The table that `get_config` described."""
        return cls(ids=tuple(config["ids"]), names=tuple(config["names"]))


def _is_id(value):
    # bool is an int to Python, but `true` as an id is a mistake in the file.
    if isinstance(value, bool):
        return False
    try:
        return operator.index(value) in _INT64
    except TypeError:
        return False
