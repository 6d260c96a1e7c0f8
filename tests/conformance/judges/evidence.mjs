// A judge of evidence tokens on Node's standard library alone (24 or newer). Nothing of Casemate is
// in it: it follows docs/formats/evidence.md. Input and output are those of evidence.go.
import { createHash, createPublicKey, verify } from "node:crypto";
import { createInterface } from "node:readline";

class Bad extends Error {}
const need = (condition, why) => {
  if (!condition) throw new Bad(why);
};

class Reader {
  constructor(data) {
    this.data = data;
    this.at = 0;
  }

  take(count) {
    need(this.at + count <= this.data.length, "form");
    this.at += count;
    return this.data.subarray(this.at - count, this.at);
  }

  head() {
    const first = this.take(1)[0];
    const info = first & 31;
    if (info < 24) return [first >> 5, BigInt(info), first];
    need(info < 28, "form");
    const width = 1 << (info - 24);
    const size = this.take(width).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    need(size >= (width === 1 ? 24n : 1n << BigInt(4 * width)), "form");
    return [first >> 5, size, first];
  }

  item(depth) {
    const [major, size, first] = this.head();
    if (major === 0) return size;
    if (major === 1) return -1n - size;
    if (major === 7) {
      need(first === 0xf4 || first === 0xf5 || first === 0xf6, "form");
      return first === 0xf6 ? null : first === 0xf5;
    }
    need(major !== 6 && size <= BigInt(this.data.length), "form");
    const count = Number(size);
    if (major === 2) return this.take(count);
    if (major === 3) {
      try {
        return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.take(count));
      } catch {
        throw new Bad("form");
      }
    }
    need(depth > 0, "form");
    if (major === 4) return Array.from({ length: count }, () => this.item(depth - 1));
    const map = new Map();
    let last = Buffer.alloc(0);
    for (let i = 0; i < count; i++) {
      const from = this.at;
      const key = this.item(depth - 1);
      need(typeof key === "bigint" || typeof key === "string", "form");
      const written = this.data.subarray(from, this.at);
      need(Buffer.compare(last, written) < 0, "form");
      last = written;
      map.set(key, this.item(depth - 1));
    }
    return map;
  }
}

const whole = (data, depth) => {
  const reader = new Reader(data);
  const value = reader.item(depth);
  need(reader.at === data.length, "form");
  return value;
};

const head = (major, size) => {
  const m = major << 5;
  if (size < 24) return Buffer.from([m | size]);
  if (size < 0x100) return Buffer.from([m | 24, size]);
  if (size < 0x10000) return Buffer.from([m | 25, size >> 8, size & 255]);
  return Buffer.from([m | 26, size >>> 24, (size >> 16) & 255, (size >> 8) & 255, size & 255]);
};
const octets = (raw) => Buffer.concat([head(2, raw.length), raw]);
const text = (value) => Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);

const P = 2n ** 255n - 19n;
const Y8 = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n;
const SMALL = [0n, 1n, P - 1n, Y8, P - Y8];
const strict = (data) => {
  const y = BigInt("0x" + Buffer.from(data).reverse().toString("hex")) & (2n ** 255n - 1n);
  return y < P && !SMALL.includes(y);
};

// number of the algorithm and last byte of its object identifier, by size of the key
const SETS = { 1312: [-48, 17], 1952: [-49, 18], 2592: [-50, 19] };

const spki = (identifier, raw) => {
  const sequence = (body) => {
    const size = body.length < 128 ? [body.length] : [0x82, body.length >> 8, body.length & 255];
    return Buffer.concat([Buffer.from([0x30, ...size]), body]);
  };
  const length = raw.length + 1;
  const size = length < 128 ? [length] : [0x82, length >> 8, length & 255];
  const bits = Buffer.concat([Buffer.from([3, ...size, 0]), raw]);
  const algorithm = sequence(Buffer.from([6, identifier.length, ...identifier]));
  const key = sequence(Buffer.concat([algorithm, bits]));
  return createPublicKey({ key, format: "der", type: "spki" });
};

const keyOf = (raw) => {
  let alg = -19;
  let written = Buffer.concat([Buffer.from([0xa3, 1, 1, 0x20, 6, 0x21]), octets(raw)]);
  let identifier = [0x2b, 0x65, 0x70];
  if (raw.length !== 32) {
    need(raw.length in SETS, "key");
    const [number, last] = SETS[raw.length];
    alg = number;
    identifier = [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, last];
    const start = Buffer.concat([Buffer.from([0xa3, 1, 7, 3]), head(1, -1 - alg)]);
    written = Buffer.concat([start, Buffer.from([0x20]), octets(raw)]);
  }
  const kid = createHash("sha256").update(written).digest().subarray(0, 16);
  const holds = (message, signature) =>
    (alg !== -19 || (signature.length === 64 && strict(raw) && strict(signature.subarray(0, 32)))) &&
    verify(null, message, spki(identifier, raw), signature);
  return { alg, kid, holds };
};

const judge = (data, keys) => {
  need(data.length <= 65535 && data[0] === 0xd8 && data[1] === 98, "form");
  const top = whole(data.subarray(2), 4);
  need(Array.isArray(top) && top.length === 4, "form");
  const [outer, unprotected, payload, signatures] = top;
  const typ = Buffer.concat([Buffer.from([0xa1, 16]), text("application/eat+cwt")]);
  need(Buffer.isBuffer(outer) && outer.equals(typ), "type");
  need(unprotected instanceof Map && unprotected.size === 0 && Buffer.isBuffer(payload), "form");
  need(Array.isArray(signatures) && keys.length && signatures.length === keys.length, "signatures");
  signatures.forEach((each, i) => {
    const { alg, kid, holds } = keyOf(keys[i]);
    const inner = Buffer.concat([
      Buffer.from([0xa2, 1]), head(1, -1 - alg), Buffer.from([4]), octets(kid),
    ]);
    need(Array.isArray(each) && each.length === 3, "form");
    need(Buffer.isBuffer(each[0]) && each[0].equals(inner), "signature's form");
    need(each[1] instanceof Map && each[1].size === 0 && Buffer.isBuffer(each[2]), "form");
    const message = Buffer.concat([
      Buffer.from([0x85]), text("Signature"), octets(outer), octets(inner),
      Buffer.from([0x40]), octets(payload),
    ]);
    need(holds(message, each[2]), "signature");
  });
  const claims = whole(payload, 6);
  need(claims instanceof Map, "claims");
  need(claims.get(265n) === "tag:casemate.example,2026:evidence/1", "profile");
  const said = [-70001n, -70002n, -70004n, -70007n, -70003n].map((label) => claims.get(label));
  need(said.every((each) => typeof each === "string" || typeof each === "bigint"), "claims");
  return ["good", ...said].join(" ");
};

for await (const line of createInterface({ input: process.stdin })) {
  const [data, ...keys] = line.trim().split(" ").map((each) => Buffer.from(each, "hex"));
  let said;
  try {
    said = judge(data, keys);
  } catch (error) {
    if (!(error instanceof Bad)) throw error;
    said = "bad " + error.message;
  }
  console.log(said);
}
