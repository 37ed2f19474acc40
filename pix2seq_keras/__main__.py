"""The `pix2seq` command: `python -m pix2seq_keras`."""

from pix2seq_keras.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
