"""The whole product on one machine, on the servers of devstack: what `astegni up` and `astegni demo` run.

The only modules of `worker` that import devstack, which a production image does not have; so commands import them
inside functions, and only `environment` and `command` import nothing of it.
"""
