"""`python -m serving.local_server --model-dir DIR`: a server for development and tests."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from serving.local_server import __doc__ as description
from serving.local_server import serve
from serving.options import ServeOptions


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m serving.local_server",
        description=description,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    models = parser.add_mutually_exclusive_group(required=True)
    models.add_argument("--model-dir", type=Path, help="the push directory")
    models.add_argument("--model-config-file", type=Path, help="models, policies and labels")
    add("--name", default="classifier", help="the model's name, with --model-dir")
    add("--host", default="127.0.0.1", help="the address to listen on")
    add("--port", type=int, default=8500, help="port for gRPC; 0 takes a free one")
    add(
        "--rest-port", type=int, default=8501, help="port for REST and the page; 0 takes a free one"
    )
    add(
        "--model-config-file-poll-wait-seconds",
        type=int,
        default=10,
        help="seconds between two looks at --model-config-file; 0 reads it once",
    )
    add("--batching-parameters-file", type=Path, help="how clients' requests are joined")
    add("--ssl-config-file", type=Path, help="keys and certificates for gRPC")
    try:
        serve(ServeOptions(**vars(parser.parse_args())))
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
