"""Stubs of hydra.v1, made by make_stubs.sh."""
