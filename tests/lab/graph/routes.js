'use strict';
// routes - one table: path, handler, roles of which one is needed, base cost in units, bucket.
const { KIND } = require('./schema.js');
const { READERS } = require('./access.js');
const objects = require('./objects.js');
const members = require('./members.js');
const roles = require('./roleroutes.js');
const reports = require('./reports.js');
const company = require('./company.js');
const { delta } = require('./delta.js');

const DIRECTORY = 'Directory.Read.All';
const ROLE_READERS = ['RoleManagement.Read.Directory', DIRECTORY, 'RoleManagement.Read.All'];
const ANY = [...new Set(Object.values(READERS).flat())];
const HOLDERS = ['User.Read.All', 'GroupMember.Read.All', 'Group.Read.All', DIRECTORY];
const table = [];

function route(template, handler, roleNames, more = {}) {
  const path = template.split('/').slice(1);
  table.push({ template, path, handler, roles: roleNames, cost: 1, bucket: 'directory', method: 'GET', ...more });
}

// list, $count, delta and single objects of an entity set
function entitySet(path, kind, type, cost = 1) {
  route(path, objects.list(kind), READERS[type], { cost });
  route(path + '/$count', objects.count(kind), READERS[type], { cost });
  if (type !== 'orgContact') route(path + '/delta', delta(kind), READERS[type], { cost });
  route(path + '/{id}', objects.get(kind), READERS[type], { cost });
}

entitySet('/users', KIND.user, 'user', 2);
entitySet('/groups', KIND.group, 'group');
entitySet('/devices', KIND.device, 'device');
entitySet('/servicePrincipals', KIND.servicePrincipal, 'servicePrincipal');
entitySet('/contacts', KIND.orgContact, 'orgContact');
for (const path of ['/administrativeUnits', '/directory/administrativeUnits']) {
  entitySet(path, KIND.administrativeUnit, 'administrativeUnit');
  route(path + '/{id}/members', members.ofUnit(false), READERS.administrativeUnit);
  route(path + '/{id}/members/$count', members.ofUnit(true), READERS.administrativeUnit);
  route(path + '/{id}/members/{cast}', members.ofUnit(false), READERS.administrativeUnit);
}

for (const [name, relation, cost] of [
  ['members', 'members', 3],
  ['owners', 'owners', 1],
]) {
  const path = '/groups/{id}/' + name;
  route(path, members.ofGroup(relation, false), READERS.group, { cost });
  route(path + '/$count', members.ofGroup(relation, true), READERS.group, { cost });
  route(path + '/{cast}', members.ofGroup(relation, false), READERS.group, { cost });
  route(path + '/{cast}/$count', members.ofGroup(relation, true), READERS.group, { cost });
}
route('/groups/{id}/transitiveMembers', members.transitiveMembers, READERS.group, { cost: 5 });
route('/groups/{id}/transitiveMembers/{cast}', members.transitiveMembers, READERS.group, { cost: 5 });
route('/groups/{id}/memberOf', members.memberOf(KIND.group), HOLDERS);
route('/users/{id}/memberOf', members.memberOf(KIND.user), HOLDERS, { cost: 2 });
route('/users/{id}/memberOf/{cast}', members.memberOf(KIND.user), HOLDERS, { cost: 2 });
route('/users/{id}/transitiveMemberOf', members.transitiveMemberOf(KIND.user), HOLDERS, { cost: 2 });
route('/users/{id}/transitiveMemberOf/{cast}', members.transitiveMemberOf(KIND.user), HOLDERS, { cost: 2 });
route('/users/{id}/manager', objects.manager, READERS.user);
route('/users/{id}/authentication/methods', reports.methods, ['UserAuthenticationMethod.Read.All'], {
  bucket: 'methods',
});

route('/directoryRoles', roles.listRoles, ROLE_READERS);
route('/directoryRoles/delta', delta(KIND.directoryRole), ROLE_READERS);
route('/directoryRoles/{id}', roles.getRole, ROLE_READERS);
route('/directoryRoles/{id}/members', members.roleMembers, ROLE_READERS);
route('/directoryRoles/{id}/members/{cast}', members.roleMembers, ROLE_READERS);
route('/roleManagement/directory/roleDefinitions', roles.definitions, ROLE_READERS);
route('/roleManagement/directory/roleDefinitions/{id}', roles.definition, ROLE_READERS);
route('/roleManagement/directory/roleAssignments', roles.assignments, ROLE_READERS);
route('/roleManagement/directory/roleEligibilityScheduleInstances', roles.eligibility, [
  ...ROLE_READERS,
  'RoleEligibilitySchedule.Read.Directory',
]);

route('/reports/authenticationMethods/userRegistrationDetails', reports.list, null, { bucket: 'reports' });
route('/reports/authenticationMethods/userRegistrationDetails/{id}', reports.get, null, { bucket: 'reports' });
route('/organization', company.organization, ['Organization.Read.All', DIRECTORY]);
route('/organization/{id}', company.oneOrganization, ['Organization.Read.All', DIRECTORY]);
route('/domains', company.domains, ['Domain.Read.All', DIRECTORY]);
route('/subscribedSkus', company.skus, ['LicenseAssignment.Read.All', 'Organization.Read.All', DIRECTORY]);
route('/directory/deletedItems/microsoft.graph.user', objects.deleted(KIND.user), READERS.user);
route('/directory/deletedItems/microsoft.graph.group', objects.deleted(KIND.group), ['Group.Read.All', DIRECTORY]);
route('/directoryObjects/getByIds', objects.getByIds, ANY, { cost: 3, method: 'POST' });

// 'Users(\'x\')/memberOf' and 'users/x/memberOf' are the same path; delta() and microsoft.graph.delta() are delta.
function segments(path) {
  const out = [];
  for (const part of path.split('/').slice(1)) {
    const text = decodeURIComponent(part),
      m = /^(\w+)\((.+)\)$/.exec(text);
    if (m && m[1] !== 'microsoft') out.push(m[1], m[2].replace(/^'(.*)'$/, '$1'));
    else out.push(/^(microsoft\.graph\.)?delta(\(\))?$/i.test(text) ? 'delta' : text);
  }
  return out;
}

// {route, params}; a fixed segment wins over a placeholder.
function find(path) {
  let parts;
  try {
    parts = segments(path);
  } catch {
    return null;
  }
  let best = null;
  for (const r of table) {
    if (r.path.length !== parts.length) continue;
    const params = {};
    let fixed = 0;
    const fits = r.path.every((s, i) => {
      if (s[0] === '{') return parts[i] !== '' && ((params[s.slice(1, -1)] = parts[i]), true);
      fixed += 1 << (8 - i);
      return s.toLowerCase() === parts[i].toLowerCase();
    });
    if (fits && (!best || fixed > best.fixed)) best = { route: r, params, fixed };
  }
  return best;
}

module.exports = { find, table };
