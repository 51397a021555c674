'use strict';
// writer - JSON straight into bytes: a page of 999 users is a megabyte and a half, and as strings most of its cost was their garbage.

const NULL = Buffer.from('null'),
  TRUE = Buffer.from('true'),
  FALSE = Buffer.from('false'),
  EMPTY = Buffer.from('[]');
const names = new Map();

function nameBytes(p) {
  let bytes = names.get(p);
  if (!bytes) names.set(p, (bytes = Buffer.from(JSON.stringify(p) + ':')));
  return bytes;
}

class Writer {
  constructor() {
    this.bytes = Buffer.allocUnsafe(1 << 16);
    this.at = 0;
  }

  room(n) {
    if (this.at + n <= this.bytes.length) return;
    const more = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.at + n));
    this.bytes.copy(more, 0, 0, this.at);
    this.bytes = more;
  }

  raw(b) {
    this.room(b.length);
    for (let i = 0; i < b.length; i++) this.bytes[this.at++] = b[i];
  }

  text(s) {
    this.room(3 * s.length);
    this.at += this.bytes.write(s, this.at);
  }

  // A JSON string; what has to be escaped, and what is beyond the basic plane, is left to JSON.stringify.
  string(s) {
    this.room(3 * s.length + 2);
    const { bytes } = this;
    let at = this.at;
    bytes[at++] = 34;
    for (let i = 0; i < s.length; i++) {
      const c = s.charCodeAt(i);
      if (c < 128) {
        if (c < 32 || c === 34 || c === 92) return this.text(JSON.stringify(s));
        bytes[at++] = c;
      } else if (c < 2048) {
        bytes[at++] = 192 | (c >> 6);
        bytes[at++] = 128 | (c & 63);
      } else {
        if (c >= 0xd800 && c < 0xe000) return this.text(JSON.stringify(s));
        bytes[at++] = 224 | (c >> 12);
        bytes[at++] = 128 | ((c >> 6) & 63);
        bytes[at++] = 128 | (c & 63);
      }
    }
    bytes[at++] = 34;
    this.at = at;
    return undefined;
  }

  value(v) {
    if (typeof v === 'string') this.string(v);
    else if (v === null) this.raw(NULL);
    else if (typeof v === 'boolean') this.raw(v ? TRUE : FALSE);
    else if (Array.isArray(v) && !v.length) this.raw(EMPTY);
    else this.text(JSON.stringify(v));
  }

  // "name":value, with a comma in front unless it is the first; undefined is left out. Returns whether something was written.
  property(name, v, first) {
    if (v === undefined) return false;
    this.room(1);
    if (!first) this.bytes[this.at++] = 44;
    this.raw(name);
    this.value(v);
    return true;
  }

  byte(b) {
    this.room(1);
    this.bytes[this.at++] = b;
  }

  taken() {
    return this.bytes.subarray(0, this.at);
  }
}

module.exports = { Writer, nameBytes };
