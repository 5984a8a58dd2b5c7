"""One module a group of routes; each route is a call of the domain."""
