'use strict';
// roleroutes - directoryRoles (the activated ones) and roleManagement/directory: definitions, assignments, eligibility.
const { errors } = require('./errors.js');
const { KIND, all } = require('./schema.js');
const { pageSize, advanced, checkSelect, Filter } = require('./query.js');
const { object, mixed, shown, encode } = require('./render.js');
const { pageOf, contextOf } = require('./pages.js');
const { readable } = require('./access.js');
const { key } = require('./edges.js');
const { roleNumber, roleKeys } = require('./members.js');

function listRoles(call) {
  checkSelect(call.query, 'directoryRole', true);
  if (call.query.top !== undefined) throw errors.option('$top');
  const properties = shown('directoryRole', call.query.select),
    { tenant } = call.graph;
  return pageOf(call, contextOf('directoryRoles', call.query.select), roleKeys(call), 1000, (k) =>
    object(tenant.row(k), properties),
  );
}

function getRole(call) {
  checkSelect(call.query, 'directoryRole', false);
  const row = call.graph.tenant.row(key(KIND.directoryRole, roleNumber(call)));
  const context = '"@odata.context":' + encode(call.graph.origin + '/v1.0/$metadata#directoryRoles/$entity');
  return { status: 200, body: object(row, shown('directoryRole', call.query.select), context) };
}

function picked(call, value) {
  const { select } = call.query;
  return JSON.stringify(
    select
      ? Object.fromEntries(Object.entries(value).filter(([name]) => select.includes(name) || name === 'id'))
      : value,
  );
}

function definitionOf(tenant, d) {
  return {
    id: d.id,
    description: tenant.roles.description(d),
    displayName: d.displayName,
    isBuiltIn: d.builtIn,
    isEnabled: true,
    resourceScopes: ['/'],
    templateId: d.id,
    version: d.builtIn ? '1' : null,
    rolePermissions: [{ allowedResourceActions: ['microsoft.directory/users/standard/read'], condition: null }],
  };
}

function definitions(call) {
  const { tenant } = call.graph,
    filter = call.query.filter ? new Filter(call.query.filter, true) : null;
  const list = tenant.roles.definitions
    .map((d) => definitionOf(tenant, d))
    .filter((d) => !filter || filter.test((p) => d[p]));
  return pageOf(
    call,
    contextOf('roleManagement/directory/roleDefinitions', call.query.select),
    list,
    pageSize(call.query, 999),
    (d) => picked(call, d),
    advanced(call) ? list.length : undefined,
  );
}

function definition(call) {
  const d = call.graph.tenant.roles.definition(call.params.id);
  if (!d) throw errors.notFound(call.params.id);
  return { status: 200, body: picked(call, definitionOf(call.graph.tenant, d)) };
}

// $expand=principal, roleDefinition
function expanded(call, a) {
  const { tenant } = call.graph;
  let out = '';
  for (const what of (call.query.expand || '').split(',').filter(Boolean)) {
    const name = what.split('(')[0];
    if (name === 'roleDefinition')
      out += ',"roleDefinition":' + JSON.stringify(definitionOf(tenant, tenant.roles.definition(a.role)));
    else if (name !== 'principal') throw errors.unknownProperty(name, 'unifiedRoleAssignment');
    else if (tenant.isLive(a.principal)) {
      const row = tenant.row(a.principal),
        select = /\$select=([^;)]*)/.exec(what)?.[1].split(',') || null;
      out += ',"principal":' + mixed(row, select, readable(call, row.type), all[row.type]);
    }
  }
  return out;
}

function listOf(call, name, table, shape) {
  const { tenant } = call.graph,
    filter = call.query.filter ? new Filter(call.query.filter, true) : null;
  const list = tenant.roles
    .listAssignments(table)
    .map((a) => ({ a, shown: shape(a, tenant.idByKey(a.principal)) }))
    .filter(({ shown: s }) => !filter || filter.test((p) => s[p]));
  const text = ({ a, shown: s }) => picked(call, s).slice(0, -1) + expanded(call, a) + '}';
  const context =
    'roleManagement/directory/' +
    name +
    (call.query.expand ? '(' + call.query.expand.replace(/\(.*?\)/g, '') + '())' : '');
  return pageOf(call, context, list, pageSize(call.query, 100), text, advanced(call) ? list.length : undefined);
}

const assignments = (call) =>
  listOf(call, 'roleAssignments', call.graph.tenant.roles.assignments, (a, principalId) => ({
    id: a.id,
    principalId,
    resourceScope: a.scope,
    directoryScopeId: a.scope,
    roleDefinitionId: a.role,
  }));

function eligibility(call) {
  if ((call.knobs.licence || call.graph.tenant.config.licence) !== 'P2') throw errors.notP2();
  const start = '2026-01-15T08:00:00Z';
  return listOf(call, 'roleEligibilityScheduleInstances', call.graph.tenant.roles.eligible, (a, principalId) => ({
    id: a.id,
    principalId,
    roleDefinitionId: a.role,
    directoryScopeId: a.scope,
    appScopeId: null,
    startDateTime: start,
    endDateTime: null,
    memberType: 'Direct',
    roleEligibilityScheduleId: a.id.slice(0, 36),
  }));
}

module.exports = { listRoles, getRole, definitions, definition, assignments, eligibility };
