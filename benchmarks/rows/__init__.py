"""The statements of the product on tables with 100,000 and with 10,000,000 rows."""
