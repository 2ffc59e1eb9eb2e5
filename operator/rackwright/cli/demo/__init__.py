"""`rackwright demo`: the person's side of a rack that builds and heals itself, on a simulated chassis.

The chassis and the operator are processes of their own. What is claimed at the end is read from the chassis' own tables
and counters, never from what the operator says about itself.
"""
