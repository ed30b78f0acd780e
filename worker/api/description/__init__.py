"""The OpenAPI document: complete responses, the meaning of every name, and the page that shows it."""
