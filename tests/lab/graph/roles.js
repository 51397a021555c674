'use strict';
// roles - role definitions, who holds them (assignments) and who may (PIM eligibility); small tables, kept as such.
const { mix } = require('./random.js');
const { KIND } = require('./schema.js');
const { key } = require('./edges.js');
const { Group } = require('./things.js');
const { builtIn } = require('./roledefs.js');

// The identifier that the service gives an assignment: both GUIDs' bytes in base64url, and a number.
function assignmentId(role, principal, number) {
  const bytes = (guid) => {
    const b = Buffer.from(guid.replace(/-/g, ''), 'hex');
    return Buffer.concat([
      b.subarray(0, 4).reverse(),
      b.subarray(4, 6).reverse(),
      b.subarray(6, 8).reverse(),
      b.subarray(8),
    ]);
  };
  return Buffer.concat([bytes(role), bytes(principal)]).toString('base64url') + '-' + number;
}

class Roles {
  constructor(tenant) {
    this.tenant = tenant;
    this.definitions = builtIn.map((d) => ({ ...d, builtIn: true }));
    for (let i = 0; i < tenant.config.custom_roles; i++) this.define({ displayName: 'Custom role ' + (i + 1) });
    this.assignments = new Map(); // id -> {id, principal (key), role (id), scope}
    this.eligible = new Map();
    this.activated = new Set(); // numbers of definitions
    this.generate();
  }

  define({ id, displayName, description }) {
    const made = {
      id: id || this.tenant.guids.encode(70, this.definitions.length),
      displayName,
      description,
      builtIn: false,
    };
    this.definitions.push(made);
    return made;
  }

  // By id or name.
  definition(wanted) {
    return this.definitions.find((d) => d.id === wanted || d.displayName === wanted);
  }

  assign(principal, role, scope = '/', table = this.assignments) {
    for (const a of table.values()) if (a.principal === principal && a.role === role && a.scope === scope) return null;
    const made = {
      id: assignmentId(role, this.tenant.idByKey(principal), table.size + 1 + (table === this.eligible ? 'e' : '')),
      principal,
      role,
      scope,
    };
    while (table.has(made.id)) made.id += '1';
    table.set(made.id, made);
    if (table === this.assignments) this.activated.add(this.definitions.findIndex((d) => d.id === role));
    return made;
  }

  generate() {
    const {
      users,
      groups,
      servicePrincipals: apps,
      administrativeUnits: units,
      role_assignments: many,
      role_eligibilities: eligible,
    } = this.tenant.config;
    const h = (i, salt) => mix(mix(this.tenant.seed ^ 0x726f, i), salt);
    const roleGroups = [];
    for (let n = 0; n < Math.min(groups, 2000); n++) if (new Group(this.tenant, n).type === 'roles') roleGroups.push(n);
    for (let i = 0; i < many; i++) {
      const role = this.definitions[i < 12 ? i : h(i, 1) % this.definitions.length].id,
        which = h(i, 2) % 10;
      const scope =
        units && (i === 3 || h(i, 3) % 6 === 0)
          ? '/administrativeUnits/' + this.tenant.id(KIND.administrativeUnit, h(i, 4) % units)
          : '/';
      if (roleGroups.length && (i === 1 || which === 0))
        this.assign(key(KIND.group, roleGroups[h(i, 5) % roleGroups.length]), role, scope);
      else if (apps && (i === 2 || which === 1)) this.assign(key(KIND.servicePrincipal, h(i, 6) % apps), role, scope);
      else if (users) this.assign(key(KIND.user, h(i, 7) % users), role, scope);
    }
    for (let i = 0; users && i < eligible; i++)
      this.assign(key(KIND.user, h(i, 8) % users), this.definitions[h(i, 9) % 30].id, '/', this.eligible);
  }

  // directoryRole n as an object: the role activated in this tenant.
  property(n, name) {
    const d = this.definitions[n];
    return name === 'displayName'
      ? d.displayName
      : name === 'roleTemplateId'
        ? d.id
        : name === 'description'
          ? this.description(d)
          : null;
  }

  description(d) {
    return d.description ?? (d.builtIn ? 'Members of ' + d.displayName + ' can do what its name says.' : null);
  }

  numberOf(roleId) {
    return this.definitions.findIndex((d) => d.id === roleId);
  }

  // Keys of those who hold role n everywhere.
  members(n) {
    const role = this.definitions[n].id,
      out = [];
    for (const a of this.assignments.values())
      if (a.role === role && a.scope === '/' && this.tenant.isLive(a.principal)) out.push(a.principal);
    return out;
  }

  // Numbers of the roles a principal holds itself.
  heldBy(k) {
    const out = [];
    for (const a of this.assignments.values())
      if (a.principal === k && a.scope === '/') out.push(this.numberOf(a.role));
    return out;
  }

  listAssignments(table) {
    return [...table.values()].filter((a) => this.tenant.isLive(a.principal));
  }
}

module.exports = { Roles };
