"""``python -m ascension.accounts set-tier EMAIL free|pro|enterprise``, for operators; DATABASE_URL says where."""

import argparse
import sys

from ascension.accounts.service import set_tier
from ascension.accounts.user import TIERS

parser = argparse.ArgumentParser(prog="python -m ascension.accounts", description="Manage accounts.")
commands = parser.add_subparsers(required=True, metavar="COMMAND")
tier_command = commands.add_parser("set-tier", help="move an account to another tier")
tier_command.add_argument("email")
tier_command.add_argument("tier", choices=TIERS)
arguments = parser.parse_args()

user = set_tier(arguments.email, arguments.tier)
if user is None:
    sys.exit(f"no account has the address {arguments.email}")
print(f"{user.email} is now {user.subscription_tier}")
