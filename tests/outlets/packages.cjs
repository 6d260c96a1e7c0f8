// Answers by packages of npm: reads questions from stdin, a JSON a line, and writes an answer a
// line; an error is an answer.
"use strict";
const readline = require("node:readline");
const { Webhook } = require("standardwebhooks");
const sparkplug = require("sparkplug-payload").get("spBv1.0");
const snmp = require("net-snmp");

const plain = (_key, value) =>
  typeof value === "bigint" || (value && value.constructor && value.constructor.name === "Long")
    ? Number(value.toString()) : value;

const answers = {
  decode: ({ payload }) => sparkplug.decodePayload(Buffer.from(payload, "base64")),
  rebirth: ({ at }) => Buffer.from(sparkplug.encodePayload({
    timestamp: at,
    metrics: [{ name: "Node Control/Rebirth", timestamp: at, type: "Boolean", value: true }],
  })).toString("base64"),
  webhook: ({ secret, headers, body }) =>
    new Webhook(secret).verify(Buffer.from(body, "base64"), headers),
  mib: ({ files, module }) => {
    const store = snmp.createModuleStore();
    for (const each of files) store.loadFromFile(each);
    return store.getModule(module);
  },
};

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  let told;
  try {
    const asked = JSON.parse(line);
    told = { answer: answers[asked.ask](asked) };
  } catch (error) {
    told = { error: String(error) };
  }
  process.stdout.write(JSON.stringify(told, plain) + "\n");
});
