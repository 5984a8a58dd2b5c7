"""What Ascension's functions share: the domain (accounts, videos, analyses, notifications), the database, settings, problems."""

VERSION = "0.1.0"
