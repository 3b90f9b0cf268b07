"""Names of a Report artifact's files. Imports nothing: `report` has to answer at once."""

REPORT_PAGE = "report.html"
CONFIGURATION = "configuration.json"
"""The run's whole configuration."""
DOUBTS = "doubts.json.gz"
"""A row per picture whose label nobody has confirmed, the most doubtful first: {"file", "sha256",
"split", "label", "suggested", "score", "label_score", "in_doubt"}."""
