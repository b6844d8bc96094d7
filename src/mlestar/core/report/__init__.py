"""A judgement as a document: Markdown, HTML, SARIF."""
