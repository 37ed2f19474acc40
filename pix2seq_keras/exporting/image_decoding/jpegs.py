"""JPEGs: their scans are counted before any is decoded, by going from segment to segment as the decoder will."""

import tensorflow as tf

from pix2seq_keras.exporting.image_decoding.headers import refuse_unless, require_size

# A progressive JPEG has about ten. Each costs a pass over all pixels and may take but a few bytes.
MAX_SCANS = 64
# Profiles, depth maps and the like come in segments of 64 kB, of which there may be some hundred.
MAX_SEGMENTS = 4096

_SCAN, _START, _END = 0xDA, 0xD8, 0xD9


def decode_jpeg(data, max_pixels):
    """Decodes a JPEG.

    Args:
        data: string scalar tensor, the file.
        max_pixels: int.

    Returns:
        uint8 tensor (h, w, 3).
    """
    shape = tf.io.extract_jpeg_shape(data)
    scans, ended = _count_scans(data)
    checks = [
        require_size(shape[0], shape[1], max_pixels),
        refuse_unless(scans <= MAX_SCANS, f"A JPEG of more than {MAX_SCANS} scans is not decoded."),
        refuse_unless(ended | (scans > MAX_SCANS), f"A JPEG of more than {MAX_SEGMENTS} segments is not decoded."),
    ]
    with tf.control_dependencies(checks):
        return tf.io.decode_jpeg(tf.identity(data), channels=3)


def _count_scans(data):
    """The scans of the image, and whether its end was reached.

    The bytes that mark a scan may stand elsewhere by chance: inside of segments, and behind the image, where
    telephones put films.
    """
    content = tf.io.decode_raw(tf.strings.join([data, tf.constant(bytes(8))]), tf.uint8)
    last = tf.shape(content)[0] - 8
    places = tf.concat([_markers(content), [last]], 0)  # (m + 1,)
    byte = lambda place: tf.cast(content[place], tf.int32)

    def advance(position, scans, _):
        place = places[tf.searchsorted(places, position[None])[0]]
        kind, length = byte(place + 1), 256 * byte(place + 2) + byte(place + 3)
        ended = (place >= last) | tf.equal(kind, _END) | tf.equal(kind, _START)
        scans += tf.cast(tf.equal(kind, _SCAN), tf.int32)
        return tf.minimum(place + 2 + tf.maximum(length, 2), last), scans, ended

    _, scans, ended = tf.while_loop(
        lambda position, scans, ended: ~ended & (scans <= MAX_SCANS),
        advance,
        (tf.constant(2), tf.constant(0), tf.constant(False)),
        parallel_iterations=1,
        maximum_iterations=MAX_SEGMENTS,
    )
    return scans, ended


def _markers(content):
    """Where a marker can begin, int32 (m,): 0xFF, but not what fills up or stands inside of a scan."""
    first, second = content[:-1], content[1:]
    inside = tf.equal(second, 0) | tf.equal(second, 1) | ((second >= 0xD0) & (second <= 0xD7))
    return tf.cast(tf.where(tf.equal(first, 0xFF) & ~inside & (second < 0xFF))[:, 0], tf.int32)
