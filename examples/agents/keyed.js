// The agent of keyed.py in JavaScript: `cmd:node examples/agents/keyed.js`.
"use strict";
const readline = require("node:readline");

let moves = 0;

const answers = {
  hello: () => ({ protocol: 1, name: "keyed", want: ["key"] }),
  begin: () => {
    moves = 0;
    return { ready: true };
  },
  act: ({ key, actions }) => {
    let total = moves++;
    for (const letter of key) total += letter.codePointAt(0);
    return { action: actions[total % actions.length] };
  },
  end: () => ({ ok: true }),
  quit: () => process.exit(0),
};

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const request = JSON.parse(line);
  process.stdout.write(JSON.stringify(answers[request.type](request)) + "\n");
});
