"""Breast cancer screening: order a reading list by the probability of malignancy."""
