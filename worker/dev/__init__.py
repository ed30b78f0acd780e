"""The embedded parts: real servers from wheels, run as processes that we own and that never outlive us.

For a laptop, the tests and `astegni up`. A production process must not need this room, and no rule of a capability
lives here: a part is started, waited for, named by its URL, watched and stopped.
"""
