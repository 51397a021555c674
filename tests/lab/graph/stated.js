'use strict';
// stated - objects that the config states, added to the generated ones: exactly these properties, everything else unset.
// {users: [{id, displayName, ..., manager, methods, registered}], groups: [{..., members, owners}], devices, servicePrincipals, contacts,
//  administrativeUnits: [{..., members}], roleDefinitions: [{id, displayName}], roleAssignments: [{principal, role, scope}], roleEligibilities}
// A reference is an id, a UPN, a display name, or "user:5" for generated user 5.
const { KIND, SET, all } = require('./schema.js');
const { key, numberOf } = require('./edges.js');

const BESIDE = ['members', 'owners', 'manager', 'methods', 'registered'];

class Names {
  constructor(tenant) {
    this.tenant = tenant;
    this.byName = new Map();
  }

  learn(k, given) {
    for (const name of [given.displayName, given.userPrincipalName]) if (name) this.byName.set(name, k);
  }

  find(reference) {
    const m = /^(\w+):(\d+)$/.exec(reference);
    if (m && KIND[m[1]]) return key(KIND[m[1]], Number(m[2]));
    const k =
      this.byName.get(reference) ??
      this.tenant.find(String(reference).toLowerCase()) ??
      this.tenant.findUser(String(reference));
    if (k === undefined) throw new Error('no such object: ' + reference);
    return k;
  }
}

function add(tenant, kind, given) {
  const own = Object.fromEntries(Object.entries(given).filter(([name]) => !BESIDE.includes(name)));
  const unknown = Object.keys(own).filter((p) => !all[Object.keys(KIND)[kind - 1]].has(p));
  if (unknown.length) throw new Error('no such property: ' + unknown.join(', '));
  const k = tenant.add(kind, own, true);
  for (const name of ['methods', 'registered']) if (given[name] !== undefined) tenant.lay(k, { [name]: given[name] });
  return k;
}

function connect(tenant, names, k, kind, given) {
  for (const m of given.members || [])
    (kind === KIND.group ? tenant.members : tenant.inUnits).add(numberOf(k), names.find(m));
  for (const o of given.owners || []) tenant.owners.add(numberOf(k), names.find(o));
  if (kind === KIND.user) tenant.lay(k, { manager: given.manager ? names.find(given.manager) : null });
}

// Returns the names by which they can be referred to.
function state(tenant, objects) {
  const names = new Names(tenant),
    made = [];
  for (const [set, kind] of Object.entries(SET)) {
    for (const given of objects[set] || []) {
      const k = add(tenant, kind, given);
      names.learn(k, given);
      made.push([k, kind, given]);
    }
  }
  for (const [k, kind, given] of made) connect(tenant, names, k, kind, given);
  for (const d of objects.roleDefinitions || []) tenant.roles.define(d);
  for (const [list, table] of [
    ['roleAssignments', tenant.roles.assignments],
    ['roleEligibilities', tenant.roles.eligible],
  ]) {
    for (const { principal, role, scope = '/' } of objects[list] || []) {
      const definition = tenant.roles.definition(role);
      if (!definition) throw new Error('no such role: ' + role);
      const m = /^\/administrativeUnits\/(.+)$/.exec(scope);
      tenant.roles.assign(
        names.find(principal),
        definition.id,
        m ? '/administrativeUnits/' + tenant.idByKey(names.find(m[1])) : scope,
        table,
      );
    }
  }
  return names;
}

module.exports = { state, add };
