"""`astegni demo`: its users, and the steps of a lesson."""
