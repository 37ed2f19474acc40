"""Decodes encoded images in the graph, as strictly as a server needs: headers are checked before pixels are decoded."""
