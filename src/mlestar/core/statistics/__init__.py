"""Statistics of the checks: effect size and significance together, each function citing its source."""
