"""SeaMicro SM15000 by its command line over SSH."""
