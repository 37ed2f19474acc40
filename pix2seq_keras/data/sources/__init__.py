"""Where images and their objects come from; every one gives the same examples."""
