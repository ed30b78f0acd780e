"""The calls of the API: their parameters, responses, uploads and downloads."""
