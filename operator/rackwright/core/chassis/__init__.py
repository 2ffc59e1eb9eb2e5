"""What a chassis, its pools and its nodes should be, and the plan that brings them there. Pure, all of it."""
