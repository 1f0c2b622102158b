"""Commands that trade with other tools: our chip for them, their programs for our chip."""
