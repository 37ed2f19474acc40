"""What each subcommand does: typed functions, from which `pix2seq_keras.cli` derives the flags."""
