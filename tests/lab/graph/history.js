'use strict';
// history - what happens in the tenant: one stated change, or a seeded day of them. Everything goes through apply(), so that delta sees it.
const { stream } = require('./random.js');
const { KIND, NAME } = require('./schema.js');
const { key, kindOf, numberOf } = require('./edges.js');
const { when } = require('./people.js');
const { add } = require('./stated.js');

const MINUTE = 60000;
const STRONG = [
  'microsoftAuthenticator',
  'phone',
  'softwareOath',
  'fido2',
  'windowsHelloForBusiness',
  'platformCredential',
  'external',
];

// Changes by name: (history, order) -> what to tell the test.
const changes = {
  create(h, { kind, properties = {}, generated }) {
    const { tenant } = h,
      number = KIND[kind];
    const made = { createdDateTime: when(tenant.clock), ...properties };
    if (!['user', 'group'].includes(kind)) delete made.createdDateTime;
    const k = generated ? tenant.add(number, made) : add(tenant, number, made);
    tenant.record(k, 'create');
    h.names.learn(k, properties);
    const id = tenant.idByKey(k),
      relation = kind === 'group' ? 'members' : 'inUnits';
    for (const m of properties.members || []) h.link(relation, 'members', id, m, true);
    for (const m of properties.owners || []) h.link('owners', 'owners', id, m, true);
    return { id };
  },
  update(h, { id, properties }) {
    const k = h.live(id);
    h.tenant.lay(k, properties);
    h.tenant.record(k, 'update', { props: Object.keys(properties) });
    return { id: h.tenant.idByKey(k) };
  },
  disable: (h, { id }) => changes.update(h, { id, properties: { accountEnabled: false } }),
  enable: (h, { id }) => changes.update(h, { id, properties: { accountEnabled: true } }),

  // Users and groups go to the recycle bin, all else goes at once.
  delete(h, { id }) {
    const k = h.live(id),
      hard = ![KIND.user, KIND.group].includes(kindOf(k));
    h.tenant.gone.set(k, { hard, at: when(h.tenant.clock) });
    h.tenant.live[kindOf(k)]--;
    h.tenant.record(k, hard ? 'purge' : 'delete');
    return { id: h.tenant.idByKey(k) };
  },
  restore(h, { id }) {
    const k = h.find(id);
    if (!h.tenant.gone.has(k) || h.tenant.gone.get(k).hard) throw new Error('not in the recycle bin: ' + id);
    h.tenant.gone.delete(k);
    h.tenant.live[kindOf(k)]++;
    h.tenant.record(k, 'restore');
    return { id: h.tenant.idByKey(k) };
  },
  purge(h, { id }) {
    const k = h.find(id),
      { tenant } = h;
    if (!tenant.gone.has(k)) tenant.live[kindOf(k)]--;
    tenant.gone.set(k, { hard: true, at: when(tenant.clock) });
    tenant.record(k, 'purge');
    if (h.knobs.delta_hard_delete_members)
      for (const n of tenant.members.holders(k, tenant.base[2], tenant.base[1]))
        tenant.record(key(KIND.group, n), 'unlink', { rel: 'members', other: k });
    return { id: tenant.idByKey(k) };
  },

  member_add: (h, { group, member }) => h.link('members', 'members', group, member, true),
  member_remove: (h, { group, member }) => h.link('members', 'members', group, member, false),
  owner_add: (h, { group, member }) => h.link('owners', 'owners', group, member, true),
  owner_remove: (h, { group, member }) => h.link('owners', 'owners', group, member, false),
  unit_add: (h, { unit, member }) => h.link('inUnits', 'members', unit, member, true),
  unit_remove: (h, { unit, member }) => h.link('inUnits', 'members', unit, member, false),

  manager(h, { id, manager }) {
    const k = h.live(id),
      before = h.tenant.manager(k),
      after = manager ? h.live(manager) : null;
    h.tenant.lay(k, { manager: after });
    if (before !== null) h.tenant.record(k, 'unlink', { rel: 'manager', other: before });
    if (after !== null) h.tenant.record(k, 'link', { rel: 'manager', other: after });
    return { id: h.tenant.idByKey(k) };
  },
  assign(h, { principal, role, scope = '/' }) {
    const k = h.live(principal),
      d = h.tenant.roles.definition(role);
    const made = h.tenant.roles.assign(k, d.id, scope);
    if (made && scope === '/')
      h.tenant.record(key(KIND.directoryRole, h.tenant.roles.numberOf(d.id)), 'link', { rel: 'members', other: k });
    return { assignment: made && made.id };
  },
  unassign(h, { assignment }) {
    const a = h.tenant.roles.assignments.get(assignment);
    if (!a) throw new Error('no such assignment: ' + assignment);
    h.tenant.roles.assignments.delete(assignment);
    if (a.scope === '/')
      h.tenant.record(key(KIND.directoryRole, h.tenant.roles.numberOf(a.role)), 'unlink', {
        rel: 'members',
        other: a.principal,
      });
    return { assignment };
  },
  mfa(h, { id, methods }) {
    h.tenant.lay(h.live(id), { methods });
    return { id };
  },
  sign_in(h, { id, at }) {
    const k = h.live(id),
      time = at || when(h.tenant.clock);
    h.tenant.lay(k, {
      signInActivity: {
        lastSignInDateTime: time,
        lastSignInRequestId: '00000000-0000-4000-8000-000000000009',
        lastNonInteractiveSignInDateTime: null,
        lastNonInteractiveSignInRequestId: null,
        lastSuccessfulSignInDateTime: time,
        lastSuccessfulSignInRequestId: '00000000-0000-4000-8000-000000000009',
      },
    });
    return { id };
  },
};

// What a day is made of: weight and a maker of orders.
const { user: USER, group: GROUP, device: DEVICE, servicePrincipal: APP, administrativeUnit: UNIT } = KIND;
const to = (kind, change) => (h) => ({ change, id: h.any(kind) });
const update = (kind, make) => (h) => ({ change: 'update', id: h.any(kind), properties: make(h) });
const fromBin = (kind, change) => (h) => ({ change, id: h.binned(kind) });
const create = (kind) => () => ({ change: 'create', kind, generated: true });
const NAMES = ['Renamed, "R" ', '=Renamed ', 'Renommée é🦊 '];
const newGroup = (n) => ({
  displayName: 'New group ' + n,
  mailNickname: 'new' + n,
  securityEnabled: true,
  mailEnabled: false,
});

const DAY = [
  [14, update(USER, (h) => ({ [h.one(['jobTitle', 'department', 'officeLocation'])]: 'Changed ' + h.serial++ }))],
  [4, update(USER, (h) => ({ displayName: h.one(NAMES) + h.serial++ }))],
  [6, create('user')],
  [5, to(USER, 'disable')],
  [3, to(USER, 'enable')],
  [5, to(USER, 'delete')],
  [3, fromBin(USER, 'restore')],
  [2, fromBin(USER, 'purge')],
  [3, (h) => ({ change: 'create', kind: 'group', properties: newGroup(h.serial++) })],
  [3, update(GROUP, (h) => ({ displayName: 'Renamed group ' + h.serial++ }))],
  [2, to(GROUP, 'delete')],
  [1, fromBin(GROUP, 'restore')],
  [1, fromBin(GROUP, 'purge')],
  [
    18,
    (h) => ({ change: 'member_add', group: h.any(GROUP), member: h.any(h.one([USER, USER, USER, USER, DEVICE, APP])) }),
  ],
  [12, (h) => h.some('members', 'member_remove')],
  [4, (h) => ({ change: 'owner_add', group: h.any(GROUP), member: h.any(USER) })],
  [3, (h) => h.some('owners', 'owner_remove')],
  [3, (h) => ({ change: 'assign', principal: h.any(USER), role: h.one(h.tenant.roles.definitions).id })],
  [2, (h) => ({ change: 'unassign', assignment: h.one([...h.tenant.roles.assignments.keys()]) })],
  [5, (h) => ({ change: 'mfa', id: h.any(USER), methods: ['password', h.one(STRONG)] })],
  [8, to(USER, 'sign_in')],
  [2, create('device')],
  [2, update(DEVICE, () => ({ accountEnabled: false }))],
  [1, to(DEVICE, 'delete')],
  [1, create('servicePrincipal')],
  [1, update(APP, (h) => ({ displayName: 'Renamed app ' + h.serial++ }))],
  [3, (h) => ({ change: 'manager', id: h.any(USER), manager: h.any(USER) })],
  [2, (h) => ({ change: 'unit_add', unit: h.any(UNIT), member: h.any(USER) })],
  [1, (h) => h.some('inUnits', 'unit_remove')],
];
const WEIGHT = DAY.reduce((sum, [w]) => sum + w, 0);

class History {
  constructor(tenant, knobs, names) {
    Object.assign(this, { tenant, knobs, next: stream(tenant.seed ^ 0x68697374), serial: 1, names });
  }

  find(id) {
    return this.names.find(id);
  }

  live(id) {
    const k = this.find(id);
    if (!this.tenant.isLive(k)) throw new Error('is deleted: ' + id);
    return k;
  }

  one(list) {
    return list[Math.floor(this.next() * list.length)];
  }

  any(kind) {
    for (let tries = 0; tries < 50; tries++) {
      const k = key(kind, Math.floor(this.next() * this.tenant.total[kind]));
      if (this.tenant.total[kind] && this.tenant.isLive(k)) return this.tenant.idByKey(k);
    }
    return undefined;
  }

  binned(kind) {
    const list = [...this.tenant.gone]
      .filter(([k, g]) => kindOf(k) === kind && !g.hard)
      .map(([k]) => this.tenant.idByKey(k));
    return list.length ? this.one(list) : undefined;
  }

  // An order that removes one existing edge.
  some(relation, change) {
    const kind = relation === 'inUnits' ? KIND.administrativeUnit : KIND.group,
      id = this.any(kind);
    if (!id) return {};
    const list = this.tenant[relation].list(numberOf(this.find(id)));
    const other = list.size ? list.at(Math.floor(this.next() * list.size)) : undefined;
    if (other === undefined) return {};
    return { change, [relation === 'inUnits' ? 'unit' : 'group']: id, member: this.tenant.idByKey(other) };
  }

  link(relation, name, holder, member, adding) {
    const k = this.live(holder),
      other = this.find(member),
      list = this.tenant[relation];
    const did = adding ? list.add(numberOf(k), other) : list.remove(numberOf(k), other);
    if (did) this.tenant.record(k, adding ? 'link' : 'unlink', { rel: name, other });
    return { done: did };
  }

  apply(order) {
    const f = changes[order.change];
    if (!f) throw new Error('no such change: ' + order.change + '; there are ' + Object.keys(changes).join(' '));
    return { change: order.change, ...f(this, order) };
  }

  // `steps` changes, each a minute after the last; returns them.
  advance(steps) {
    const done = [];
    while (done.length < steps) {
      let w = this.next() * WEIGHT;
      const order = DAY.find(([weight]) => (w -= weight) < 0)[1](this);
      if (!order.change || Object.entries(order).some(([, v]) => v === undefined)) continue;
      this.tenant.clock += MINUTE;
      done.push({ ...order, ...this.apply(order) });
    }
    return done;
  }
}

module.exports = { History, NAME };
