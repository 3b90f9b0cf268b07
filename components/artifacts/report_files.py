"""Names of a Report artifact's files. Imports nothing: `runs` and `report` have to answer at once."""

REPORT_PAGE = "report.html"
CONFIGURATION = "configuration.json"
"""The run's whole configuration."""
