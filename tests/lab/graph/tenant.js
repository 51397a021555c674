'use strict';
// tenant - the directory itself: generated objects (functions of the seed), what history laid over them, and the log of changes.
// An object is (kind, n) or both in one number, its key; n below config is generated, n above was made later or stated in the config.
const { Guids } = require('./random.js');
const { KIND, NAME, lists } = require('./schema.js');
const people = require('./people.js');
const { Thing, Group, tables } = require('./things.js');
const { relations, key, kindOf, numberOf } = require('./edges.js');
const { Roles } = require('./roles.js');

const USER_DEFAULTS = { accountEnabled: true, userType: 'Member' };
const DEFAULTS = {
  user: USER_DEFAULTS,
  group: { securityEnabled: true, mailEnabled: false },
  device: { accountEnabled: true },
  servicePrincipal: { accountEnabled: true, servicePrincipalType: 'Application' },
  administrativeUnit: {},
  orgContact: {},
  directoryRole: {},
};

class Tenant {
  constructor(config) {
    this.config = config;
    this.seed = config.seed >>> 0;
    this.epoch = Date.parse(config.epoch);
    this.adBase = config.ad_domain
      .split('.')
      .map((part) => 'DC=' + part)
      .join(',');
    this.guids = new Guids(this.seed);
    this.over = new Map(); // key -> properties laid over
    this.bare = new Set(); // keys of stated objects: what is not stated is unset
    this.gone = new Map(); // key -> {hard, at}
    this.ids = new Map(); // stated id -> key
    this.idOf = new Map(); // key -> stated id
    this.names = new Map(); // UPN in lower case -> key, of users whose UPN does not follow from n
    this.live = {
      1: config.users,
      2: config.groups,
      3: config.devices,
      4: config.servicePrincipals,
      5: config.administrativeUnits,
      6: config.contacts,
    };
    this.total = { ...this.live };
    this.base = { ...this.live };
    this.changes = []; // {seq, at, key, op, props, rel, other}; seq = position + 1
    Object.assign(this, relations(this));
    this.roles = new Roles(this);
    this.clock = this.epoch; // the tenant's time, moved by history
  }

  id(kind, n) {
    const stated = this.idOf.size ? this.idOf.get(key(kind, n)) : undefined;
    return stated || this.guids.encode(kind, n);
  }

  idByKey(k) {
    return this.id(kindOf(k), numberOf(k));
  }

  // The key of an id, whether or not the object is deleted; undefined for unknown ones.
  find(id) {
    const stated = this.ids.get(id);
    if (stated) return stated;
    const found = this.guids.decode(id);
    if (!found) return undefined;
    const [kind, n] = found;
    if (kind === KIND.directoryRole) return n < this.roles.definitions.length ? key(kind, n) : undefined;
    return n < (this.total[kind] || 0) && !this.idOf.has(key(kind, n)) ? key(kind, n) : undefined;
  }

  findUser(idOrName) {
    const name = idOrName.toLowerCase(),
      k = this.find(name);
    if (k !== undefined) return kindOf(k) === KIND.user ? k : undefined;
    if (this.names.has(name)) return this.names.get(name);
    const m = /^[a-z.]*?(\d+)[@_]/.exec(name);
    if (!m || Number(m[1]) >= this.total[KIND.user]) return undefined;
    const candidate = key(KIND.user, Number(m[1]));
    return this.get(candidate, 'userPrincipalName').toLowerCase() === name ? candidate : undefined;
  }

  isLive(k) {
    return !this.gone.has(k) && numberOf(k) < (this.total[kindOf(k)] ?? this.roles.definitions.length);
  }

  // One property as a value: undefined = absent from answers.
  get(k, property) {
    return this.row(k).get(property);
  }

  row(k) {
    return new Row(this, k);
  }

  // All live keys of a kind from position n on; stops after `limit`.
  page(kind, from, limit, wanted) {
    const keys = [];
    let n = from;
    for (; n < this.total[kind] && keys.length < limit; n++) {
      const k = key(kind, n);
      if (this.gone.size && this.gone.has(k)) continue;
      if (!wanted || wanted(k)) keys.push(k);
    }
    while (n < this.total[kind] && this.gone.has(key(kind, n))) n++;
    return { keys, next: n < this.total[kind] ? n : null };
  }

  manager(k) {
    const over = this.over.get(k);
    if (over && 'manager' in over) return over.manager;
    const n = numberOf(k);
    if (this.bare.has(k) || n < 1 || n >= this.base[KIND.user] || new people.Person(this, n).hash(60) % 10 === 0)
      return null;
    return key(KIND.user, Math.floor(n / 8));
  }

  methods(k) {
    const over = this.over.get(k);
    if (over && over.methods) return over.methods;
    return this.bare.has(k) ? ['password'] : people.methods(new people.Person(this, numberOf(k)));
  }

  // New object; returns its key. `properties` of a stated object are all it has.
  add(kind, properties, stated) {
    const k = key(kind, this.total[kind]++);
    this.live[kind]++;
    const { id, ...rest } = properties;
    if (id) {
      this.ids.set(id.toLowerCase(), k);
      this.idOf.set(k, id.toLowerCase());
    }
    if (stated) this.bare.add(k);
    this.lay(k, rest);
    return k;
  }

  lay(k, properties) {
    const over = this.over.get(k) || {};
    this.over.set(k, Object.assign(over, properties));
    if (properties.userPrincipalName) this.names.set(properties.userPrincipalName.toLowerCase(), k);
  }

  record(k, op, more) {
    const change = { seq: this.changes.length + 1, at: Date.now(), key: k, op, ...more };
    this.changes.push(change);
    return change;
  }

  now() {
    return people.when(this.clock);
  }
}

class Row {
  constructor(tenant, k) {
    this.tenant = tenant;
    this.key = k;
    this.kind = kindOf(k);
    this.n = numberOf(k);
    this.type = NAME[this.kind];
    this.over = tenant.over.size ? tenant.over.get(k) : undefined;
    this.bare = this.over !== undefined && tenant.bare.has(k);
    this.base = undefined;
    this.table = this.kind === KIND.user ? people.properties : tables[this.type];
  }

  make() {
    const { tenant, n, kind } = this;
    this.base =
      kind === KIND.user
        ? new people.Person(tenant, n)
        : kind === KIND.group
          ? new Group(tenant, n)
          : new Thing(tenant, n, kind);
    return this.base;
  }

  get(property) {
    if (property === 'id') return this.tenant.id(this.kind, this.n);
    if (this.kind === KIND.directoryRole) return this.tenant.roles.property(this.n, property);
    if (property === 'deletedDateTime') return this.tenant.gone.get(this.key)?.at ?? null;
    if (this.over && property in this.over) return this.over[property];
    if (this.bare) return this.unset(property);
    const f = this.table[property];
    return f ? f(this.base || this.make()) : this.unset(property);
  }

  // The object that the functions of properties take, or null when something was laid over it (or it has no such functions).
  plain() {
    return !this.table || this.over || this.tenant.gone.has(this.key) ? null : this.base || this.make();
  }

  // The function of one property, for plain() objects of this kind.
  maker(property) {
    if (property === 'id') return (base) => base.tenant.id(this.kind, base.n);
    if (this.table[property]) return this.table[property];
    const value = this.unset(property);
    return () => value;
  }

  unset(property) {
    if (property === 'signInActivity') return undefined;
    if (lists.has(property)) return [];
    if (property === 'userPrincipalName') return this.id + '@' + this.tenant.config.initial_domain;
    return DEFAULTS[this.type][property] ?? null;
  }

  get id() {
    return this.tenant.id(this.kind, this.n);
  }
}

module.exports = { Tenant, Row };
