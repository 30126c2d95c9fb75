from typing import Any

from .websocket_client_policy import WebsocketClientPolicy

class ActionChunkBroker:
    def __init__(self, policy: WebsocketClientPolicy, action_horizon: int) -> None: ...
    def infer(self, obs: dict[str, Any]) -> dict[str, Any]: ...
