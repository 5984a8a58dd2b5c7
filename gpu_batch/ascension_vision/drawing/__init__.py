"""Pictures of a result: the skeleton over its video, and a page that sums the climb up."""
