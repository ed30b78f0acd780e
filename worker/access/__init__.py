"""Who comes in, and what they may see and change: tokens, verified people, visibility.

Common ground for every capability and door. What a capability does with a permission stays in that capability; no
HTTP enters here.
"""
