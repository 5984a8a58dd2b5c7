"""How the networks that ship with the analysis were trained. Nothing here runs in the product."""
