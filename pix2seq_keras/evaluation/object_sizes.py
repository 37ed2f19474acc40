"""COCO's classes of object size: small up to 32² pixels, medium up to 96², large above."""

SIZES = ("small", "medium", "large")
SIZE_LIMITS = (32, 96)  # pixels, side of a square of the largest small and the largest medium area
