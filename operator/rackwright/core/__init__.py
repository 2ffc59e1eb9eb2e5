"""The loop: observe, plan, guard, apply, verify, report. Pure where it decides; awaits only the driver and the store."""
