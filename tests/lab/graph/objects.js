'use strict';
// objects - lists and single objects of users, groups, devices, service principals, administrative units, contacts and roles.
const { errors } = require('./errors.js');
const { KIND, NAME, all, contextName } = require('./schema.js');
const { pageSize, advanced, checkSelect, Filter } = require('./query.js');
const { object, write, rowsOf, mixed, shown, encode } = require('./render.js');
const { position, link, rowsWanted, collection, pageOf, contextOf, countText } = require('./pages.js');
const { has, needReport, readable } = require('./access.js');
const { kindOf, numberOf } = require('./edges.js');

const ORDERED = { user: ['displayName', 'userPrincipalName'], group: ['displayName'] };

// What $select asks for beyond reading users.
function checkFields(call, type, inList) {
  const { query, knobs } = call;
  checkSelect(query, type, inList);
  if (knobs.max_select && (query.selectText || '').length > knobs.max_select) throw errors.longSelect();
  if (type !== 'user' || !query.select) return;
  if (query.select.includes('employeeLeaveDateTime') && !has(call, 'User-LifeCycleInfo.Read.All'))
    throw errors.denied();
  if (query.select.includes('signInActivity')) needReport(call, knobs.signin_failures);
}

// Sign-in activity comes from the reports: fewer rows a page, and how that is told has changed over the years.
function capOf(call, type) {
  if (type !== 'user' || !call.query.select?.includes('signInActivity')) return 999;
  const cap = call.knobs.signin_cap;
  if (cap === '120-error' && Number(call.query.top) > 120) throw errors.signIn120();
  return typeof cap === 'number' ? cap : 120;
}

// Keys of a kind in the order asked for, or null when plain order and no filter make a list needless.
function chosen(call, kind) {
  const { query, graph } = call,
    type = NAME[kind],
    isAdvanced = advanced(call);
  const order = query.orderby ? query.orderby.trim().split(/\s+/) : null;
  if (order && !isAdvanced && (!ORDERED[type]?.includes(order[0]) || query.filter))
    throw errors.orderBy(order[0], type[0].toUpperCase() + type.slice(1));
  if (!query.filter && !order) return null;
  const filter = query.filter ? new Filter(query.filter, isAdvanced) : null;
  if (filter?.ids)
    return filter.ids
      .map((id) => graph.tenant.find(id))
      .filter((k) => k !== undefined && kindOf(k) === kind && graph.tenant.isLive(k));
  return graph.cached(kind + '|' + query.filter + '|' + query.orderby, () => {
    const wanted =
      filter &&
      ((k) => {
        const row = graph.tenant.row(k);
        return filter.test((p) => row.get(p));
      });
    const { keys } = graph.tenant.page(kind, 0, Infinity, wanted);
    return order ? sorted(graph.tenant, keys, order) : keys;
  });
}

function sorted(tenant, keys, [property, direction]) {
  const values = new Map(keys.map((k) => [k, String(tenant.get(k, property) ?? '')])),
    sign = direction === 'desc' ? -1 : 1;
  return keys.sort((a, b) => {
    const x = values.get(a),
      y = values.get(b);
    return x < y ? -sign : x > y ? sign : a - b;
  });
}

// $expand: manager($select=...), members, owners; at most 20 of a list, and no way to tell that there are more.
function expander(call, type) {
  const { expand } = call.query,
    { tenant } = call.graph;
  if (!expand) return () => '';
  const m = /^(manager|members|owners|memberOf)(?:\((.*)\))?$/.exec(expand);
  if (!m || (m[1] === 'manager') !== (type === 'user' && m[1] === 'manager'))
    throw errors.unknownProperty(expand, type);
  const select = /\$select=([^;)]*)/.exec(m[2] || '')?.[1].split(',') || null;
  const text = (k) => {
    const row = tenant.row(k);
    return mixed(row, select, readable(call, row.type), all[row.type]);
  };
  if (m[1] === 'manager') {
    let last, told; // neighbours often have the same one
    return (row) => {
      const k = tenant.manager(row.key);
      if (k === null || !tenant.isLive(k)) return '';
      if (k !== last) [last, told] = [k, '"manager":' + text(k)];
      return told;
    };
  }
  const relation = tenant[m[1] === 'owners' ? 'owners' : 'members'];
  return (row) => {
    const list = relation.list(row.n),
      out = [];
    const most = call.graph.random() < call.knobs.expand_fails ? 0 : 20;
    for (let i = 0; i < list.size && out.length < most; i++)
      if (list.at(i) !== undefined && tenant.isLive(list.at(i)) && kindOf(list.at(i)) !== KIND.servicePrincipal)
        out.push(text(list.at(i)));
    return '"' + m[1] + '":[' + out.join(',') + ']';
  };
}

const list = (kind) => (call) => {
  const { tenant } = call.graph,
    { query } = call,
    type = NAME[kind];
  const size = pageSize(query, 100, capOf(call, type));
  const keys = chosen(call, kind),
    isAdvanced = advanced(call);
  checkFields(call, type, true);
  const properties = shown(type, query.select),
    expand = expander(call, type);
  const text = (k) => {
    const row = tenant.row(k);
    return object(row, properties, '', expand(row));
  };
  const context = contextOf(contextName[type], query.select);
  const count = isAdvanced ? (keys ? keys.length : tenant.live[kind]) : undefined;
  if (keys) return pageOf(call, context, keys, size, text, count);
  const state = position(call),
    wanted = rowsWanted(call, state, size);
  const page = wanted ? tenant.page(kind, state.pos, wanted) : { keys: [], next: state.pos };
  const next = page.next === null ? null : link(call, { pos: page.next, e: wanted ? 0 : 1 });
  const rows = rowsOf(page.keys, (w, k) => {
    const row = tenant.row(k);
    write(w, row, properties, '', expand(row));
  });
  return collection(call, context, rows, { next, count });
};

// The object that an id in the path names; 404 when it is not there or is deleted.
function target(call, kind, name = call.params.id) {
  const { tenant } = call.graph;
  const k = kind === KIND.user ? tenant.findUser(name) : tenant.find(name.toLowerCase());
  if (k === undefined || kindOf(k) !== kind || !tenant.isLive(k)) throw errors.notFound(name);
  return k;
}

const get = (kind) => (call) => {
  const type = NAME[kind],
    { query, graph } = call;
  const k = target(call, kind);
  if (query.select?.includes('signInActivity') && call.params.id.includes('@')) throw errors.signInByName();
  checkFields(call, type, false);
  const row = graph.tenant.row(k);
  const context =
    '"@odata.context":' +
    encode(graph.origin + '/v1.0/$metadata#' + contextOf(contextName[type], query.select) + '/$entity');
  return { status: 200, body: object(row, shown(type, query.select), context, expander(call, type)(row)) };
};

const count = (kind) => (call) => {
  if (String(call.headers.consistencylevel || '').toLowerCase() !== 'eventual') throw errors.noCount();
  call.query.count = 'true';
  const keys = chosen(call, kind);
  return countText(keys ? keys.length : call.graph.tenant.live[kind]);
};

function manager(call) {
  const { tenant } = call.graph,
    k = tenant.manager(target(call, KIND.user));
  if (k === null || !tenant.isLive(k)) throw errors.notFound('manager');
  const row = tenant.row(k),
    context = '"@odata.context":' + encode(call.graph.origin + '/v1.0/$metadata#directoryObjects/$entity');
  return {
    status: 200,
    body: object(row, shown('user', call.query.select), context + ',"@odata.type":"#microsoft.graph.user"'),
  };
}

// Soft-deleted objects of a kind; hard-deleted ones are nowhere.
const deleted = (kind) => (call) => {
  const { tenant } = call.graph,
    type = NAME[kind];
  checkFields(call, type, true);
  const keys = [...tenant.gone]
    .filter(([k, g]) => kindOf(k) === kind && !g.hard)
    .map(([k]) => k)
    .sort((a, b) => numberOf(a) - numberOf(b));
  const properties = call.query.select
    ? shown(type, call.query.select)
    : [...new Set([...shown(type, null), 'deletedDateTime'])];
  return pageOf(
    call,
    contextOf(contextName[type], call.query.select),
    keys,
    pageSize(call.query, 100),
    (k) => object(tenant.row(k), properties),
    advanced(call) ? keys.length : undefined,
  );
};

// POST /directoryObjects/getByIds {"ids": [...], "types": [...]}
function getByIds(call) {
  const { ids, types } = call.json();
  if (!Array.isArray(ids) || ids.length > 1000) throw errors.body();
  const { tenant } = call.graph,
    rows = [];
  for (const id of ids) {
    const k = tenant.find(String(id).toLowerCase());
    if (k === undefined || !tenant.isLive(k)) continue;
    const row = tenant.row(k);
    if (types && !types.includes(row.type) && !types.includes('directoryObject')) continue;
    rows.push(mixed(row, call.query.select, readable(call, row.type), all[row.type]));
  }
  return collection(call, 'directoryObjects', rows);
}

module.exports = { list, get, count, manager, deleted, getByIds, target, checkFields };
