"""torchrun without its import of torch in every process: reads `{"count": N, "arguments": […]}` a line, and runs
nastui so in N processes that it forks, watched by torch's own agent. Says "ended STATUS" after each.
"""

from __future__ import annotations

import json
import sys

from torch.distributed.elastic.agent.server import api  # noqa: F401  (it takes its time, once)
from torch.distributed.elastic.multiprocessing import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

import nastui.engine.scan  # noqa: F401  (once, not in each of them)
from nastui.cli import execute


def work(arguments: list[str]) -> None:
    sys.exit(execute(arguments))


def main() -> None:
    print("ready", flush=True)
    for line in sys.stdin:
        wanted = json.loads(line)
        config = LaunchConfig(
            min_nodes=1,
            max_nodes=1,
            nproc_per_node=wanted["count"],
            rdzv_backend="c10d",
            rdzv_endpoint="localhost:0",
            start_method="fork",
            max_restarts=wanted.get("restarts", 0),
            monitor_interval=0.1,
        )
        status = "fine"
        try:
            elastic_launch(config, work)(wanted["arguments"])
        except ChildFailedError as exc:
            status = f"failed {[failure.exitcode for failure in exc.failures.values()]}"
        except SignalException as exc:
            status = f"signal {exc.sigval.name}"
        print(f"ended {status}", flush=True)


if __name__ == "__main__":
    main()
