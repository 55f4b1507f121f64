"""Stubs of google.rpc, of errors' details, made by make_stubs.sh."""
