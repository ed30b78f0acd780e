"""Run revisions on the connection that `worker/migrate.py` passes: each in a transaction of its own."""

from alembic import context

connection = context.config.attributes["connection"]

# A revision that waits for a lock on a table blocks everybody behind it: it gives up after a second and is retried.
connection.exec_driver_sql("SET lock_timeout = '1s'")
# An index over a large table takes minutes; more than ten is an error.
connection.exec_driver_sql("SET statement_timeout = '10min'")
# Ends the transaction that the two SETs started: Alembic would join it, and all revisions would share one commit.
connection.commit()

context.configure(connection=connection, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
