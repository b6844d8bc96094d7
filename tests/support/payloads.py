"""The integration guide's five example objects, word for word."""

from __future__ import annotations

from typing import Any

GUIDE: dict[str, dict[str, Any]] = {
    "projectDetails": {
        "name": "Marketing AI Model",
        "goal": "Improve engagement by 30%",
        "data": "10000 social media posts",
        "timeline": "4 weeks",
    },
    "modelConfig": {"algorithm": "transformer", "epochs": 10, "batchSize": 32, "learningRate": 0.001},
    "modelMetrics": {"accuracy": 0.92, "precision": 0.89, "recall": 0.91, "f1": 0.90},
    "deploymentConfig": {"environment": "production", "replicas": 3, "autoScale": True, "monitoring": "enabled"},
    "projectArtifacts": {"documentation": "complete", "tests": 150, "coverage": 0.85, "security": "audited"},
}
