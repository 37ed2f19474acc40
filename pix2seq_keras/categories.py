"""The table of a dataset's category ids, the model's contiguous classes and their names."""

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
    """Class `i` of the model has the dataset's category id `ids[i]` and the name `names[i]`.

    The package uses the contiguous classes 0…K-1. Dataset ids appear only in files and served outputs, names only on
    images and in tables.

    Args:
        ids: sequence of K different int, the dataset's category ids. Gaps are allowed (COCO: 1…90 for 80 classes).
        names: sequence of K different non-empty str, in the same order.

    Raises:
        InputError: if `ids` is empty, if the lengths differ, or if an id or a name has the wrong type or is repeated.

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
                "`ids` and `names` must have the same length, at least 1. "
                f"Received: {len(ids)} ids and {len(names)} names."
            )
        for value in ids:
            if not _is_id(value):
                raise InputError(f"`ids` must be 64-bit integers. Received: {value!r}.")
        for name in names:
            if not isinstance(name, str) or not name.strip():
                raise InputError(f"`names` must be non-empty strings. Received: {name!r}.")
        ids = tuple(operator.index(value) for value in ids)  # NumPy integers cannot be serialised to JSON
        for argument, values in (("ids", ids), ("names", names)):
            repeated = [value for value, count in Counter(values).items() if count > 1]
            if repeated:
                raise InputError(f"`{argument}` must be unique. Received: {repeated[0]!r} more than once.")
        object.__setattr__(self, "ids", ids)
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "_classes", {value: index for index, value in enumerate(ids)})

    def __len__(self):
        return len(self.ids)

    @classmethod
    def from_names(cls, names, first_id=1):
        """Categories numbered `first_id`, `first_id + 1`, … in the order of `names`.

        Args:
            names: iterable of str, one different non-empty name for each class.
            first_id: int, dataset id of class 0. Defaults to 1, as in COCO.

        Returns:
            `Categories`.

        Raises:
            InputError: as for the class.

        Example:
            >>> Categories.from_names(["cat", "dog"])
            Categories(ids=(1, 2), names=('cat', 'dog'))
        """
        names = tuple(names)
        return cls(ids=tuple(range(first_id, first_id + len(names))), names=names)

    @classmethod
    def from_coco(cls, records):
        """Categories of a COCO file's `"categories"` list, sorted by id.

        Two categories with the same name stay two classes; the id is added to both names: "crane (id 3)" and
        "crane (id 9)".

        Args:
            records: list of `{"id": int, "name": str, …}`; other keys are ignored.

        Returns:
            `Categories`; class 0 has the smallest id.

        Raises:
            InputError: if a record is not a dictionary, has no usable id or name, or repeats an id. The message names
                the record.
        """
        if not isinstance(records, Sequence) or isinstance(records, str) or not records:
            raise InputError(f'"categories" must be a list with at least one record. Received: {records!r:.80}.')
        names = {}
        for position, record in enumerate(records):
            where = f"Category record {position} ({record!r:.80})"
            if not isinstance(record, Mapping):
                raise InputError(f'{where} must be a dictionary with "id" and "name".')
            identifier, name = record.get("id"), record.get("name")
            if not _is_id(identifier):
                raise InputError(f'{where} must have an "id" that is a 64-bit integer.')
            if not isinstance(name, str) or not name.strip():
                raise InputError(f'{where} must have a "name" that is a non-empty string.')
            if identifier in names:
                raise InputError(
                    f"{where} repeats the id {identifier} of {names[identifier]!r}. Give every category a different id."
                )
            names[identifier] = name
        name_counts = Counter(names.values())
        ids = sorted(names)
        unique_names = [names[i] if name_counts[names[i]] == 1 else f"{names[i]} (id {i})" for i in ids]
        return cls(ids=tuple(ids), names=tuple(unique_names))

    @classmethod
    def merge(cls, tables):
        """Merges several tables into one; classes with the same name become one class.

        Args:
            tables: iterable of `Categories`.

        Returns:
            `Categories` with the names in the order of their first appearance. A name keeps the id of the first table
            that has it, unless another name already uses that id; it then gets the largest id so far plus one.

        Example:
            >>> Categories.merge([Categories((1, 7), ("cat", "dog")), Categories((0, 1), ("dog", "cow"))])
            Categories(ids=(1, 7, 8), names=('cat', 'dog', 'cow'))
        """
        ids = {}  # name -> id
        used_ids, largest = set(), None
        for table in tables:
            for identifier, name in zip(table.ids, table.names, strict=True):
                if name not in ids:
                    ids[name] = identifier if identifier not in used_ids else largest + 1
                    largest = ids[name] if largest is None else max(largest, ids[name])
                    used_ids.add(ids[name])
        return cls(ids=tuple(ids.values()), names=tuple(ids))

    def class_of(self, dataset_id):
        """Looks up the class of a dataset's category id.

        Args:
            dataset_id: int, the dataset's category id.

        Returns:
            int, the class 0…K-1, or `None` if no category has this id.
        """
        return self._classes.get(dataset_id)

    def get_config(self):
        """The table as lists that can be serialised to JSON."""
        return {"ids": list(self.ids), "names": list(self.names)}

    @classmethod
    def from_config(cls, config):
        """Creates the table from the output of `get_config`."""
        return cls(ids=tuple(config["ids"]), names=tuple(config["names"]))


def _is_id(value):
    # A bool is an int in Python, but `true` as an id is a mistake in the file.
    if isinstance(value, bool):
        return False
    try:
        return operator.index(value) in _INT64
    except TypeError:
        return False
