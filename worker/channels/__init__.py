"""How a message is sent: by mail, to a webhook, through the services that apprise speaks to.

It knows neither lessons nor reminders, no table and no queue: who is told what, and when, is decided elsewhere.
"""
