import pytest
import tensorflow as tf

from pix2seq_keras.data.sources.tfds.tfrecords import TFRecords
from pix2seq_keras.errors import InputError

RECORDS = [b"first", b"", b"a longer record", b"last"]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "data.tfrecord"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in RECORDS:
            writer.write(record)
    return path


def test_records_are_read_at_any_index_from_parts_of_files(file):
    records = TFRecords([(file, 0, 4), (file, 1, 2)])

    assert list(records) == [*RECORDS, *RECORDS[1:3]]
    assert records.__getitems__([5, 0, 3]) == [b"a longer record", b"first", b"last"]


@pytest.mark.parametrize("missing_bytes", [1, 10, 25])
def test_a_truncated_file_is_named(file, missing_bytes):
    file.write_bytes(file.read_bytes()[:-missing_bytes])

    with pytest.raises(InputError, match=r"data\.tfrecord is truncated.*4 records, but only [23] are complete"):
        TFRecords([(file, 0, 4)])
