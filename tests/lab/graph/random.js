'use strict';
// random - everything the tenant makes up is a pure function of numbers: hashes, and GUIDs that can be read back.

// A good 32-bit hash of two numbers (the finalizer of murmur3, twice).
function mix(a, b) {
  let h = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ b;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
}

// A stream of numbers in [0, 1), for what happens in time order: history, faults, shuffles.
function stream(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    return mix(state, 0x51ed270b) / 4294967296;
  };
}

const HEX = Array.from({ length: 65536 }, (_, i) => (i + 65536).toString(16).slice(1));
const hex6 = (x) => HEX[x >>> 8] + HEX[(x & 255) << 8].slice(0, 2);
const hex8 = (x) => HEX[x >>> 16] + HEX[x & 65535];

// GUIDs: the first 48 bits are (kind, n) through four Feistel rounds, the rest a hash of them, so that foreign GUIDs are told apart.
class Guids {
  constructor(seed) {
    this.keys = [1, 2, 3, 4].map((i) => mix(seed, i));
  }

  tail(left, right) {
    const a = mix(left ^ this.keys[0], right);
    const b = mix(a, this.keys[1]);
    const text = hex8(a);
    return (
      '-4' +
      text.slice(0, 3) +
      '-' +
      '89ab'[b & 3] +
      text.slice(3, 6) +
      '-' +
      text.slice(6) +
      hex8(b) +
      hex8(mix(b, a)).slice(0, 2)
    );
  }

  encode(kind, n) {
    const value = kind * 4294967296 + n;
    let left = Math.floor(value / 16777216),
      right = value % 16777216;
    for (let i = 0; i < 4; i++) {
      const next = left ^ (mix(right, this.keys[i]) & 0xffffff);
      left = right;
      right = next;
    }
    const r = hex6(right);
    return hex6(left) + r.slice(0, 2) + '-' + r.slice(2) + this.tail(left, right);
  }

  // [kind, n], or null for a GUID that encode() did not make.
  decode(guid) {
    if (!/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(guid)) return null;
    let left = parseInt(guid.slice(0, 6), 16),
      right = parseInt(guid.slice(6, 8) + guid.slice(9, 13), 16);
    if (guid.slice(13) !== this.tail(left, right)) return null;
    for (let i = 3; i >= 0; i--) [left, right] = [right ^ (mix(left, this.keys[i]) & 0xffffff), left];
    const value = left * 16777216 + right;
    return [Math.floor(value / 4294967296), value % 4294967296];
  }
}

// Shuffles in place.
function shuffle(list, next) {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [list[i], list[j]] = [list[j], list[i]];
  }
  return list;
}

module.exports = { mix, stream, shuffle, Guids };
