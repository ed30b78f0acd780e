"""Decode pictures and sound: whether they can be, what they show, how loud they are."""
