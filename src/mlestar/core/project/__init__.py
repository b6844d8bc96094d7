"""What a project keeps beside its code: automation, deployment, models, objectives, rules."""
