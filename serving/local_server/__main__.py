"""`python -m serving.local_server --model-dir DIR`: a server for development and tests."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from serving.local_server import __doc__ as description
from serving.local_server import serve


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m serving.local_server",
        description=description,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--model-dir", type=Path, required=True, help="the push directory")
    parser.add_argument("--name", default="classifier", help="what requests call the model")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--port", type=int, default=8500, help="for gRPC; 0 takes a free one")
    parser.add_argument("--rest-port", type=int, default=8501, help="for REST; likewise")
    arguments = parser.parse_args()
    try:
        serve(**vars(arguments))
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
