'use strict';
// edges - who is member of what: generated lists as functions of (seed, group, position), and overlays where history changed them.
const { mix } = require('./random.js');
const { KIND } = require('./schema.js');
const { Group } = require('./things.js');

const SHIFT = 4294967296;
const key = (kind, n) => kind * SHIFT + n;
const kindOf = (k) => Math.floor(k / SHIFT);
const numberOf = (k) => k % SHIFT;
const gcd = (a, b) => {
  while (b) [a, b] = [b, a % b];
  return a;
};

// n distinct users, scattered by a stride that is coprime to their number.
class Scatter {
  constructor(users, size, h, first = []) {
    this.users = users;
    this.first = first;
    this.size = this.live = Math.min(size, users + first.length);
    this.start = users ? h % users : 0;
    this.step = users > 2 ? 1 + (mix(h, 77) % (users - 1)) : 1;
    while (users > 2 && gcd(this.step, users) !== 1) this.step++;
  }

  at(i) {
    if (i < this.first.length) return this.first[i];
    return key(KIND.user, (this.start + (i - this.first.length) * this.step) % this.users);
  }
}

// A relation from objects of one kind to keys of any kind.
class Relation {
  constructor(generate) {
    this.generate = generate;
    this.changed = new Map(); // n -> Set of keys, the whole list
    this.arrays = new Map(); // n -> the same in order, with holes
    this.added = new Map(); // key -> Set of n, for the way back
  }

  // {size, live, at(i)}: what was removed leaves a hole (undefined), so that positions in page tokens stay what they were.
  list(n) {
    const set = this.changed.get(n),
      array = this.arrays.get(n);
    if (!set) return this.generate(n);
    return { size: array.length, live: set.size, at: (i) => array[i] };
  }

  has(n, k) {
    if (this.changed.has(n)) return this.changed.get(n).has(k);
    const list = this.generate(n);
    for (let i = 0; i < list.size; i++) if (list.at(i) === k) return true;
    return false;
  }

  open(n) {
    let set = this.changed.get(n);
    if (!set) {
      const list = this.generate(n);
      this.changed.set(n, (set = new Set()));
      for (let i = 0; i < list.size; i++) set.add(list.at(i));
      this.arrays.set(n, [...set]);
    }
    return set;
  }

  add(n, k) {
    const set = this.open(n),
      isNew = !set.has(k);
    if (isNew) this.arrays.get(n).push(k);
    set.add(k);
    if (!this.added.has(k)) this.added.set(k, new Set());
    this.added.get(k).add(n);
    return isNew;
  }

  remove(n, k) {
    const did = this.open(n).delete(k),
      array = this.arrays.get(n);
    if (did) array[array.indexOf(k)] = undefined;
    return did;
  }

  // All n whose list holds k; the way back is laid out once, in two typed arrays for users.
  holders(k, count, users) {
    this.back = this.back || this.turnRound(count, users);
    const base =
      kindOf(k) === KIND.user && numberOf(k) < users
        ? this.back.to.subarray(this.back.from[numberOf(k)], this.back.from[numberOf(k) + 1])
        : this.back.others.get(k) || [];
    const out = new Set();
    for (const n of base) if (!this.changed.has(n) || this.changed.get(n).has(k)) out.add(n);
    for (const n of this.added.get(k) || []) if (this.changed.get(n).has(k)) out.add(n);
    return out;
  }

  turnRound(count, users) {
    const from = new Int32Array(users + 2),
      others = new Map();
    const each = (f) => {
      for (let n = 0; n < count; n++) {
        const list = this.generate(n);
        for (let i = 0; i < list.size; i++) f(list.at(i), n);
      }
    };
    each((k, n) => {
      if (kindOf(k) === KIND.user) from[numberOf(k) + 2]++;
      else if (others.has(k)) others.get(k).push(n);
      else others.set(k, [n]);
    });
    for (let i = 2; i < from.length; i++) from[i] += from[i - 1];
    const to = new Int32Array(from[users + 1]);
    each((k, n) => {
      if (kindOf(k) === KIND.user) to[from[numberOf(k) + 1]++] = n;
    });
    return { from, to, others };
  }
}

// How many members each generated group has: empty ones, many small ones, a few large ones; the sum is config.memberships.
function groupSizes(tenant) {
  const { groups, users, memberships, large_groups: large } = tenant.config;
  const sizes = new Int32Array(groups),
    weights = new Float64Array(groups);
  let left = memberships,
    total = 0;
  for (let n = 0; n < groups; n++) {
    if (n < large.length) {
      sizes[n] = Math.min(large[n], users);
      left -= sizes[n];
    } else if (n !== 7 && mix(tenant.seed ^ 0x5151, n) % 100 >= 4) {
      weights[n] = (mix(tenant.seed ^ 0x5252, n) / SHIFT + 0.02) ** -0.9;
      total += weights[n];
    }
  }
  left = Math.max(0, left);
  let given = 0;
  for (let n = 0; n < groups; n++) {
    if (!weights[n]) continue;
    sizes[n] = Math.min(users, Math.floor((left * weights[n]) / total));
    given += sizes[n];
  }
  for (let round = 0; given < left && round < 1000; round++) {
    for (let n = 0; n < groups && given < left; n++) {
      if (weights[n] && sizes[n] < users) {
        sizes[n]++;
        given++;
      }
    }
  }
  return sizes;
}

// Members that are not users; 0, 1 and 2 contain each other in a circle.
function extras(tenant, g, size) {
  const { groups, devices, servicePrincipals, contacts } = tenant.config,
    out = [];
  if (g.unified || g.type === 'dynamic' || g.n < tenant.config.large_groups.length) return out;
  const h = g.hash(70);
  if (g.n < 3 && groups >= 3) out.push(key(KIND.group, (g.n + 1) % 3));
  else if (h % 8 === 0 && groups > 3 && g.type !== 'roles')
    out.push(key(KIND.group, (g.n + 1 + (h % (groups - 1))) % groups));
  if (devices && h % 9 === 1 && g.type !== 'roles') out.push(key(KIND.device, h % devices));
  if (servicePrincipals && (h % 12 === 2 || g.type === 'roles'))
    out.push(key(KIND.servicePrincipal, h % servicePrincipals));
  if (contacts && h % 20 === 3 && g.type !== 'roles') out.push(key(KIND.orgContact, h % contacts));
  return out.slice(0, size);
}

const EMPTY = { size: 0, live: 0, at: () => undefined };

function relations(tenant) {
  const { users, groups, servicePrincipals, administrativeUnits } = tenant.config;
  const sizes = groupSizes(tenant);
  const members = new Relation((n) => {
    if (n >= groups) return EMPTY;
    const g = new Group(tenant, n);
    return new Scatter(users, sizes[n], g.hash(71), extras(tenant, g, sizes[n]));
  });
  const owners = new Relation((n) => {
    if (n >= groups) return EMPTY;
    const g = new Group(tenant, n);
    if (g.type === 'synced') return EMPTY;
    const first =
      servicePrincipals && g.hash(73) % 15 === 0 ? [key(KIND.servicePrincipal, g.hash(74) % servicePrincipals)] : [];
    return new Scatter(users, g.hash(72) % 4, g.hash(75), first);
  });
  const inUnits = new Relation((n) => {
    if (n >= administrativeUnits) return EMPTY;
    const h = mix(tenant.seed ^ 0x6175, n);
    const first = groups > 10 ? [key(KIND.group, h % groups)] : [];
    return new Scatter(users, Math.min(users, 5 + (h % 40)), h, first);
  });
  return { members, owners, inUnits };
}

module.exports = { relations, key, kindOf, numberOf };
