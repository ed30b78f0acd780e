"""The whole product on one machine, on the servers of devstack: what `astegni up` and `astegni demo` run.

The only modules of `worker` that import devstack, which production images lack; commands therefore import them inside
functions. Only `environment` and `command` do not import it.
"""
