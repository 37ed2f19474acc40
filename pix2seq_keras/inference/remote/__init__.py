"""Clients of model servers. Their libraries are imported only when a URL is opened."""
