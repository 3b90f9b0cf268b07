"""Names of a Report artifact's files. Imports nothing: `report` has to answer at once."""

REPORT_PAGE = "report.html"
CONFIGURATION = "configuration.json"
"""The run's whole configuration."""
