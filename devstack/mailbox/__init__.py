"""A mailbox for one machine: an SMTP server that keeps what it gets, and a page that shows it.

It exists so that a laptop, the tests and `astegni up` need no mail provider and reach nobody by mistake. It delivers
nothing further, and nothing of our own product may enter: to a sender it is a mail server like any other.
"""
