"""The integration guide's own requests, as the OpenAPI document shows them; a test holds them to its text."""

from __future__ import annotations

from typing import Any

EXAMPLES: dict[str, dict[str, Any]] = {
    "ScopingBody": {
        "projectDetails": {
            "name": "Marketing AI Model",
            "goal": "Improve engagement by 30%",
            "data": "10000 social media posts",
            "timeline": "4 weeks",
        }
    },
    "TrainingBody": {"modelConfig": {"algorithm": "transformer", "epochs": 10, "batchSize": 32, "learningRate": 0.001}},
    "AnalysisBody": {"modelMetrics": {"accuracy": 0.92, "precision": 0.89, "recall": 0.91, "f1": 0.9}},
    "ReliabilityBody": {
        "deploymentConfig": {"environment": "production", "replicas": 3, "autoScale": True, "monitoring": "enabled"}
    },
    "ExcellenceBody": {
        "projectArtifacts": {"documentation": "complete", "tests": 150, "coverage": 0.85, "security": "audited"}
    },
    "PipelineBody": {
        "name": "Marketing Model Pipeline",
        "config": {
            "data": {"source": "marketing_dataset"},
            "features": {"textFeatures": ["content", "hashtags"]},
            "training": {"algorithm": "transformer"},
            "evaluation": {"metrics": ["accuracy", "f1"]},
            "deployment": {"environment": "production"},
        },
    },
    "TrainBody": {
        "name": "ContentOptimizer",
        "dataSize": 10000,
        "algorithm": "transformer",
        "epochs": 10,
        "batchSize": 32,
    },
    "UpdateBody": {"windowId": 1, "content": {"step": "training", "progress": 0.5}, "priority": 4},
    "ThinkBody": {
        "problem": "Optimize content for maximum engagement",
        "steps": [
            "Analyze historical engagement data",
            "Identify key engagement factors",
            "Generate optimization strategies",
            "Test and validate approaches",
            "Deploy best performing model",
        ],
    },
    "IntegrateBody": {
        "modelConfig": {
            "name": "EngagementPredictor",
            "training": {"epochs": 10},
            "metrics": {"accuracy": 0.89},
            "deployment": {"environment": "staging"},
            "docs": {"complete": True},
        }
    },
}
