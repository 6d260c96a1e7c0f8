// A judge of notes, cosignatures, proofs of inclusion and proofs of guilt, written from the pages
// of C2SP and RFC 9162 on Node's own modules alone. One JSON object a line in; "good" or
// "bad: why" a line out.
import { createHash, createPublicKey, verify } from "node:crypto";
import { createInterface } from "node:readline";

const fail = (why) => { throw new Error(why); };
const sha = (...parts) => {
  const hash = createHash("sha256");
  parts.forEach((part) => hash.update(part));
  return hash.digest();
};

function strict64(text) {
  const raw = Buffer.from(text, "base64");
  return raw.toString("base64") === text ? raw : fail("base64");
}

function number(text) {
  if (!/^(0|[1-9][0-9]*)$/.test(text)) fail("number");
  const value = BigInt(text);
  return value < 1n << 63n ? value : fail("number");
}

const checkName = (name) => { if (name === "" || /[+\s]/u.test(name)) fail("name"); };

// DER of SubjectPublicKeyInfo: RFC 8410 for Ed25519, RFC 9881 for ML-DSA.
const OIDS = { 65: "0609608648016503040312", 44: "0609608648016503040311", 87: "0609608648016503040313" };
const LENGTHS = { ed25519: 32, 44: 1312, 65: 1952, 87: 2592 };

function der(tag, body) {
  const size = body.length;
  const head = size < 128 ? [tag, size] : [tag, 0x82, size >> 8, size & 255];
  return Buffer.concat([Buffer.from(head), body]);
}

function publicKey(alg, raw) {
  if (raw.length !== LENGTHS[alg]) fail("key length");
  const oid = Buffer.from(alg === "ed25519" ? "06032b6570" : OIDS[alg], "hex");
  const bits = der(0x03, Buffer.concat([Buffer.from([0]), raw]));
  const spki = der(0x30, Buffer.concat([der(0x30, oid), bits]));
  return createPublicKey({ key: spki, format: "der", type: "spki" });
}

function parseKey(text) {
  const [name, id, ...rest] = text.split("+");
  const typed = strict64(rest.join("+"));
  checkName(name);
  if (sha(`${name}\n`, typed).subarray(0, 4).toString("hex") !== id) fail("key id");
  const kind = typed[0];
  if (kind === 1 || kind === 4) return { name, id, kind, key: publicKey("ed25519", typed.subarray(1)) };
  if (kind === 6) return { name, id, kind, key: publicKey("44", typed.subarray(1)) };
  for (const alg of ["65", "87"]) {
    const head = Buffer.from(`\xffcasemate ml-dsa-${alg}\n`, "latin1");
    if (typed.subarray(0, head.length).equals(head)) {
      return { name, id, kind, key: publicKey(alg, typed.subarray(head.length)) };
    }
  }
  return fail("type");
}

function parseCheckpoint(data) {
  const whole = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
  if (/[\x00-\x09\x0b-\x1f]/.test(whole)) fail("control character");
  const at = whole.lastIndexOf("\n\n");
  if (at < 0 || !whole.endsWith("\n") || at + 2 === whole.length) fail("no signatures");
  const text = whole.slice(0, at + 1);
  const lines = whole.slice(at + 2, -1).split("\n").map((row) => {
    const parts = row.split(" ");
    if (parts.length !== 3 || parts[0] !== "\u2014") fail("signature line");
    checkName(parts[1]);
    const blob = strict64(parts[2]);
    if (blob.length < 5) fail("signature line");
    return { name: parts[1], blob };
  });
  const rows = text.split("\n");
  if (rows.length !== 4 || rows[0] === "") fail("not three lines");
  const root = strict64(rows[2]);
  if (root.length !== 32) fail("root");
  return { text, lines, origin: rows[0], size: number(rows[1]), root };
}

function u64(value) {
  const out = Buffer.alloc(8);
  out.writeBigUInt64BE(value);
  return out;
}

function short(text) {
  const raw = Buffer.from(text);
  return Buffer.concat([Buffer.from([raw.length]), raw]);
}

function checkLine(known, stated, blob) {
  let signature = blob.subarray(4);
  let message = Buffer.from(stated.text);
  if (known.kind === 4 || known.kind === 6) {
    if (signature.length < 8) fail("short");
    const at = signature.readBigUInt64BE(0);
    signature = signature.subarray(8);
    message = known.kind === 4
      ? Buffer.from(`cosignature/v1\ntime ${at}\n${stated.text}`)
      : Buffer.concat([Buffer.from("subtree/v1\n\0"), short(known.name), u64(at),
                       short(stated.origin), u64(0n), u64(stated.size), stated.root]);
  }
  if (!verify(null, message, known.key, signature)) fail(`signature of ${known.name}`);
}

function judgeNote(data, vkeys) {
  const stated = parseCheckpoint(data);
  for (const text of vkeys) {
    const known = parseKey(text);
    const own = stated.lines.filter((line) => line.name === known.name
      && line.blob.subarray(0, 4).toString("hex") === known.id);
    if (own.length === 0) fail(`not signed by ${known.name}`);
    own.forEach((line) => checkLine(known, stated, line.blob));
  }
  return stated;
}

const node = (left, right) => sha(Buffer.from([1]), left, right);

// RFC 9162, section 2.1.3.2.
function inclusion(index, size, leaf, path, root) {
  if (index >= size) fail("index");
  let fn = index, sn = size - 1n, r = leaf;
  for (const p of path) {
    if (sn === 0n) fail("path too long");
    if (fn & 1n || fn === sn) {
      r = node(p, r);
      while (!(fn & 1n) && fn !== 0n) { fn >>= 1n; sn >>= 1n; }
    } else r = node(r, p);
    fn >>= 1n; sn >>= 1n;
  }
  if (sn !== 0n || !r.equals(root)) fail("root");
}

// RFC 9162, section 2.1.4.2.
function consistency(first, second, given, firstRoot, secondRoot) {
  if (first === 0n || first >= second || given.length === 0) fail("sizes");
  const path = (first & (first - 1n)) === 0n ? [firstRoot, ...given] : given;
  let fn = first - 1n, sn = second - 1n;
  while (fn & 1n) { fn >>= 1n; sn >>= 1n; }
  let fr = path[0], sr = path[0];
  for (const c of path.slice(1)) {
    if (sn === 0n) fail("path too long");
    if (fn & 1n || fn === sn) {
      fr = node(c, fr); sr = node(c, sr);
      while (!(fn & 1n) && fn !== 0n) { fn >>= 1n; sn >>= 1n; }
    } else sr = node(sr, c);
    fn >>= 1n; sn >>= 1n;
  }
  if (sn !== 0n || !fr.equals(firstRoot) || !sr.equals(secondRoot)) fail("roots");
}

const hashes = (rows) => rows.map((row) => {
  const raw = strict64(row);
  return raw.length === 32 ? raw : fail("hash");
});

function judgeProof(data, entry, vkeys) {
  const text = data.toString("latin1");
  const at = text.indexOf("\n\n");
  const rows = text.slice(0, at).split("\n");
  if (at < 0 || rows.shift() !== "c2sp.org/tlog-proof@v1") fail("head");
  if (rows[0]?.startsWith("extra ")) strict64(rows.shift().slice(6));
  if (!rows[0]?.startsWith("index ")) fail("index");
  const index = number(rows.shift().slice(6));
  const stated = judgeNote(data.subarray(at + 2), vkeys);
  inclusion(index, stated.size, sha(Buffer.from([0]), entry), hashes(rows), stated.root);
}

function judgeGuilt(data, vkeys) {
  const g = JSON.parse(data.toString());
  if (g.format !== "casemate-log-guilt-1") fail("format");
  const one = judgeNote(Buffer.from(g.first), vkeys), two = judgeNote(Buffer.from(g.second), vkeys);
  if (one.origin !== two.origin || one.size > two.size) fail("order");
  if (one.size === two.size) {
    if (one.root.equals(two.root) || g.root !== "" || g.hashes.length) fail("the same root");
    return;
  }
  const root = strict64(g.root);
  if (root.length !== 32 || root.equals(one.root)) fail("no other root");
  consistency(one.size, two.size, hashes(g.hashes), root, two.root);
}

for await (const row of createInterface({ input: process.stdin })) {
  try {
    const q = JSON.parse(row);
    const data = Buffer.from(q.data, "base64");
    if (q.kind === "note") judgeNote(data, q.vkeys);
    else if (q.kind === "proof") judgeProof(data, Buffer.from(q.entry, "base64"), q.vkeys);
    else if (q.kind === "guilt") judgeGuilt(data, q.vkeys);
    else fail("kind");
    console.log("good");
  } catch (error) {
    console.log(`bad: ${error.message}`);
  }
}
