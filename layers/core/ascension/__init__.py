"""What Ascension's functions share: the domain (accounts, videos, analyses, …), the database, settings, problems."""

VERSION = "0.1.0"
