"""Run by the Python that has openpi-client: its broker between a robot at standard input and a policy's server.

Each line in is an observation, each line out the row to play or the error, all as JSON; the first line out is what the
server says of itself. Arguments: port, rows of a reply that are played, and a key, if one is needed.
"""

# pyright: reportMissingModuleSource=false
# openpi-client is installed where this runs, and not where it is checked.

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
from openpi_client import action_chunk_broker, websocket_client_policy


def said(value: Any) -> Any:
    """Arrays as lists."""
    return value.tolist() if hasattr(value, "tolist") else value


def heard(value: Any) -> Any:
    """Lists as arrays."""
    return np.array(value) if hasattr(value, "append") else value


def tell(found: Any) -> None:
    sys.stdout.write(json.dumps(found, default=said) + "\n")
    sys.stdout.flush()


def main(port: str, horizon: str, key: str = "") -> None:
    policy = websocket_client_policy.WebsocketClientPolicy("127.0.0.1", int(port), api_key=key or None)
    broker = action_chunk_broker.ActionChunkBroker(policy, action_horizon=int(horizon))
    tell(policy.get_server_metadata())
    for line in sys.stdin:
        seen: dict[str, Any] = json.loads(line)
        try:
            found = broker.infer({name: heard(value) for name, value in seen.items()})
        except RuntimeError as error:
            found = {"error": str(error)}
        tell(found)


if __name__ == "__main__":
    main(*sys.argv[1:])
