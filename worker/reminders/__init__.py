"""People are told in time: what is due when, to whom, by which way and in which words.

How a channel speaks (SMTP, HTTP, apprise) is `worker.channels`; who changes a lesson is a workflow. Neither enters.
"""
