"""A program that plays its part of a transcript, and notes what it was asked.

    python transcript.py ANSWERS NOTES

ANSWERS holds one answer a line; every request is appended to NOTES.
"""

import sys

with open(sys.argv[1], encoding="utf-8") as file:
    answers = iter(file.read().splitlines())
with open(sys.argv[2], "w", encoding="utf-8") as notes:
    for line in sys.stdin:
        notes.write(line)
        notes.flush()
        answer = next(answers, None)
        if answer is None:
            break
        print(answer, flush=True)
