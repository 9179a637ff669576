"""The agent of keyed.py in Python without arena: nothing but the protocol."""

import json
import sys

moves = 0
for line in sys.stdin:
    request = json.loads(line)
    kind = request["type"]
    if kind == "hello":
        answer = {"protocol": 1, "name": "keyed", "want": ["key"]}
    elif kind == "begin":
        moves = 0
        answer = {"ready": True}
    elif kind == "act":
        total = sum(map(ord, request["key"])) + moves
        moves += 1
        answer = {"action": request["actions"][total % len(request["actions"])]}
    elif kind == "end":
        answer = {"ok": True}
    else:  # quit
        break
    print(json.dumps(answer), flush=True)
