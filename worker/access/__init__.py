"""Authentication and authorisation: tokens, verified people, and what they may see and change.

Shared by all capabilities and entry points. What a capability does with a permission belongs there; no HTTP belongs
here.
"""
