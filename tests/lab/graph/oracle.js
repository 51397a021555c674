'use strict';
// oracle - the true state of the tenant, compact, for comparison with what a client believes.
const { KIND } = require('./schema.js');
const { numberOf } = require('./edges.js');
const { hasMfa, reported } = require('./reports.js');

const FIELDS = {
  user: [
    'displayName',
    'userPrincipalName',
    'mail',
    'accountEnabled',
    'userType',
    'department',
    'jobTitle',
    'officeLocation',
    'onPremisesSecurityIdentifier',
  ],
  group: ['displayName', 'description', 'mail', 'securityEnabled', 'visibility', 'isAssignableToRole', 'groupTypes'],
  device: ['displayName', 'accountEnabled', 'operatingSystem'],
  servicePrincipal: ['displayName', 'appId', 'accountEnabled', 'servicePrincipalType'],
  administrativeUnit: ['displayName', 'visibility'],
  orgContact: ['displayName', 'mail'],
};
const SETS = {
  users: 'user',
  groups: 'group',
  devices: 'device',
  servicePrincipals: 'servicePrincipal',
  administrativeUnits: 'administrativeUnit',
  contacts: 'orgContact',
};

function liveIds(tenant, list) {
  const out = [];
  for (let i = 0; i < list.size; i++)
    if (list.at(i) !== undefined && tenant.isLive(list.at(i))) out.push(tenant.idByKey(list.at(i)));
  return out.sort();
}

function describe(tenant, k, type) {
  const row = tenant.row(k),
    out = Object.fromEntries(FIELDS[type].map((p) => [p, row.get(p) ?? null]));
  if (type === 'user') {
    const m = tenant.manager(k);
    out.manager = m !== null && tenant.isLive(m) ? tenant.idByKey(m) : null;
    out.lastSignIn = row.get('signInActivity')?.lastSignInDateTime ?? null;
  }
  if (type === 'group')
    Object.assign(out, {
      members: liveIds(tenant, tenant.members.list(numberOf(k))),
      owners: liveIds(tenant, tenant.owners.list(numberOf(k))),
    });
  if (type === 'administrativeUnit') out.members = liveIds(tenant, tenant.inUnits.list(numberOf(k)));
  return out;
}

const roleTable = (tenant, table) =>
  tenant.roles
    .listAssignments(table)
    .map((a) => ({
      id: a.id,
      principalId: tenant.idByKey(a.principal),
      roleDefinitionId: a.role,
      directoryScopeId: a.scope,
    }));

// {users: {id: {...}}, groups: {id: {..., members, owners}}, ..., roleAssignments, roleEligibilities, mfa: {id: true | false | null}, deleted: {id: "soft" | "hard"}}
function oracle(tenant, kinds) {
  const out = {},
    wanted = (name) => !kinds || kinds.includes(name);
  for (const [set, type] of Object.entries(SETS)) {
    if (!wanted(set)) continue;
    out[set] = {};
    for (const k of tenant.page(KIND[type], 0, Infinity).keys) out[set][tenant.idByKey(k)] = describe(tenant, k, type);
  }
  if (wanted('roleAssignments')) out.roleAssignments = roleTable(tenant, tenant.roles.assignments);
  if (wanted('roleEligibilities')) out.roleEligibilities = roleTable(tenant, tenant.roles.eligible);
  if (wanted('mfa')) {
    out.mfa = {}; // null: not in the report
    for (const k of tenant.page(KIND.user, 0, Infinity).keys)
      out.mfa[tenant.idByKey(k)] = reported(tenant, k) ? hasMfa(tenant.methods(k)) : null;
  }
  if (wanted('deleted'))
    out.deleted = Object.fromEntries([...tenant.gone].map(([k, g]) => [tenant.idByKey(k), g.hard ? 'hard' : 'soft']));
  out.changes = tenant.changes.length;
  return out;
}

module.exports = { oracle };
