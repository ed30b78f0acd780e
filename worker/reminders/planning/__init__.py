"""Which deliveries a change plans, for whom and when: alarms, preferences, quiet hours, announcements."""
