'use strict';
// members - the edges: members and owners of groups, members of roles and units, what a user is member of, and the closures.
const { errors } = require('./errors.js');
const { KIND, NAME, all } = require('./schema.js');
const { pageSize, advanced, Filter } = require('./query.js');
const { mixed } = require('./render.js');
const { position, link, rowsWanted, collection, pageOf, contextOf, countText } = require('./pages.js');
const { readable, seesHidden } = require('./access.js');
const { key, kindOf, numberOf } = require('./edges.js');
const { target } = require('./objects.js');

const CAST = /^microsoft\.graph\.(\w+)$/;

function castKind(call) {
  const { cast } = call.params;
  if (cast === undefined || cast === '$count') return null;
  const kind = KIND[CAST.exec(cast)?.[1]];
  if (!kind) throw errors.noSegment(cast);
  return kind;
}

// Whether a key is shown: live, of the type asked for, and service principals only in advanced queries.
function visible(call, kind, isAdvanced, withApps) {
  const { tenant } = call.graph;
  const filter = call.query.filter ? new Filter(call.query.filter, isAdvanced) : null;
  return (k) => {
    if (k === undefined) return false; // a hole
    const its = kindOf(k);
    if (kind && its !== kind) return false;
    if (its === KIND.servicePrincipal && !isAdvanced && !withApps) return false;
    if (tenant.gone.size && !tenant.isLive(k)) return false;
    if (!filter) return true;
    const row = tenant.row(k);
    return filter.test((p) => row.get(p));
  };
}

const rowText = (call) => (k) => {
  const row = call.graph.tenant.row(k);
  return mixed(row, call.query.select, readable(call, row.type), all[row.type]);
};

function countOf(list, wanted) {
  let n = 0;
  for (let i = 0; i < list.size; i++) if (wanted(list.at(i))) n++;
  return n;
}

// A page of a relation's list, which may have a hundred thousand entries: only this page is made.
function edgePage(call, list, wanted, count) {
  const state = position(call),
    size = pageSize(call.query, 100),
    n = rowsWanted(call, state, size),
    text = rowText(call),
    rows = [];
  let i = state.pos;
  for (; i < list.size && rows.length < n; i++) if (wanted(list.at(i))) rows.push(text(list.at(i)));
  while (i < list.size && n && !wanted(list.at(i))) i++;
  const next = i < list.size ? link(call, { pos: i, e: n ? 0 : 1 }) : null;
  return collection(call, contextOf('directoryObjects', call.query.select), rows, { next, count });
}

function answer(call, list, { withApps = false, counted = false } = {}) {
  const kind = castKind(call);
  if (counted) {
    if (String(call.headers.consistencylevel || '').toLowerCase() !== 'eventual') throw errors.noCount();
    return countText(countOf(list, visible(call, kind, true, true)));
  }
  const isAdvanced = advanced(call),
    wanted = visible(call, kind, isAdvanced, withApps);
  const plain = !kind && !call.query.filter && !call.graph.tenant.gone.size; // then the list knows its count
  return edgePage(call, list, wanted, isAdvanced ? (plain ? list.live : countOf(list, wanted)) : undefined);
}

const EMPTY = { size: 0, live: 0, at: () => undefined };
const asList = (array) => ({ size: array.length, live: array.length, at: (i) => array[i] });

// A group (or unit) whose membership is hidden looks empty to those without Member.Read.Hidden.
const hidden = (call, k) => call.graph.tenant.get(k, 'visibility') === 'HiddenMembership' && !seesHidden(call);

const ofGroup = (relation, counted) => (call) => {
  const k = target(call, KIND.group),
    { tenant } = call.graph;
  const list = relation === 'members' && hidden(call, k) ? EMPTY : tenant[relation].list(numberOf(k));
  return answer(call, list, { counted, withApps: relation === 'owners' });
};

const ofUnit = (counted) => (call) => {
  const k = target(call, KIND.administrativeUnit);
  return answer(call, hidden(call, k) ? EMPTY : call.graph.tenant.inUnits.list(numberOf(k)), {
    counted,
    withApps: true,
  });
};

function transitiveMembers(call) {
  const { tenant } = call.graph,
    first = target(call, KIND.group),
    seen = new Set(),
    todo = [first];
  while (todo.length) {
    const k = todo.pop();
    if (hidden(call, k)) continue;
    const list = tenant.members.list(numberOf(k));
    for (let i = 0; i < list.size; i++) {
      const member = list.at(i);
      if (member === undefined || seen.has(member)) continue;
      seen.add(member);
      if (kindOf(member) === KIND.group && tenant.isLive(member)) todo.push(member);
    }
  }
  return answer(call, asList([...seen]), { counted: call.params.cast === '$count' });
}

// Groups, roles and units that hold k directly.
function holdersOf(call, k) {
  const { tenant } = call.graph,
    out = [];
  for (const n of tenant.members.holders(k, tenant.base[KIND.group], tenant.base[KIND.user]))
    out.push(key(KIND.group, n));
  for (const n of tenant.roles.heldBy(k)) out.push(key(KIND.directoryRole, n));
  for (const n of tenant.inUnits.holders(k, tenant.base[KIND.administrativeUnit], tenant.base[KIND.user]))
    out.push(key(KIND.administrativeUnit, n));
  return out.filter((h) => kindOf(h) === KIND.directoryRole || (tenant.isLive(h) && !hidden(call, h)));
}

const memberOf = (kind) => (call) =>
  answer(call, asList(holdersOf(call, target(call, kind))), { counted: call.params.cast === '$count', withApps: true });

const transitiveMemberOf = (kind) => (call) => {
  if (call.params.cast && !advanced(call)) throw errors.unsupportedQuery();
  const seen = new Set(),
    todo = [target(call, kind)];
  while (todo.length)
    for (const h of holdersOf(call, todo.pop()))
      if (!seen.has(h)) {
        seen.add(h);
        if (kindOf(h) === KIND.group) todo.push(h);
      }
  return answer(call, asList([...seen]), { withApps: true });
};

// directoryRoles: those activated; addressed by their id or roleTemplateId=...
function roleNumber(call) {
  const { roles, guids } = call.graph.tenant,
    name = call.params.id,
    m = /roleTemplateId=['"]?([0-9a-f-]{36})/i.exec(name);
  const n = m
    ? roles.numberOf(m[1].toLowerCase())
    : (guids.decode(name.toLowerCase()) || [])[0] === KIND.directoryRole
      ? guids.decode(name.toLowerCase())[1]
      : -1;
  if (!roles.activated.has(n)) throw errors.notFound(m ? m[1] : name);
  return n;
}

const roleMembers = (call) =>
  answer(call, asList(call.graph.tenant.roles.members(roleNumber(call))), {
    withApps: true,
    counted: call.params.cast === '$count',
  });

function roleKeys(call) {
  const { tenant } = call.graph,
    filter = call.query.filter ? new Filter(call.query.filter, true) : null;
  const keys = [...tenant.roles.activated].sort((a, b) => a - b).map((n) => key(KIND.directoryRole, n));
  return filter
    ? keys.filter((k) => {
        const row = tenant.row(k);
        return filter.test((p) => row.get(p));
      })
    : keys;
}

module.exports = {
  ofGroup,
  ofUnit,
  transitiveMembers,
  memberOf,
  transitiveMemberOf,
  roleMembers,
  roleNumber,
  roleKeys,
  NAME,
};
