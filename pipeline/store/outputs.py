"""Names of a run's outputs. Imports nothing."""

Output = tuple[str, str]
"""A node's id and the key of its output: two nodes write a Model, BaselineResolver and Trainer."""

EXAMPLES = ("ImageExampleGen", "examples")
CLASS_LIST = ("ImageExampleGen", "class_list")
INGEST_REPORT = ("ImageExampleGen", "ingest_report")
ACCEPTANCE = ("DataValidator", "acceptance")
TRANSFORM_GRAPH = ("Transform", "transform_graph")
BOTTLENECKS = ("BottleneckGen", "bottlenecks")
TUNER_RESULTS = ("Tuner", "tuner_results")
CANDIDATE = ("Trainer", "model")
MODEL_RUN = ("Trainer", "model_run")
PREDICTIONS = ("Evaluator", "predictions")
VERDICT = ("Evaluator", "verdict")
INFRA_BLESSING = ("InfraValidator", "blessing")
PUSHED_MODEL = ("Pusher", "pushed_model")
LITE_MODEL = ("LiteExport", "lite_model")
REPORT = ("Report", "report")
