"""Which deliveries a change requires, for whom and when: alarms, preferences, quiet hours, announcements."""
