"""Videos: announced, uploaded straight to S3, kept for a day or saved."""
