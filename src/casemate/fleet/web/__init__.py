"""The service on HTTP: pages, their JSON twins, and the door for controllers."""
