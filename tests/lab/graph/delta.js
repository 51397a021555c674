'use strict';
// delta - change tracking: a first round with everything, later rounds with what changed since the deltaLink's position in the log of changes.
// Token state: {d: 1 a deltaLink}, k kind, s selection, f ids, a from (null: first round), b to, i position, m position among members.
const { errors, GraphError } = require('./errors.js');
const { KIND, NAME, all, contextName } = require('./schema.js');
const { object, shown, encode, typeText } = require('./render.js');
const { collection } = require('./pages.js');
const { Filter } = require('./query.js');
const { seesHidden } = require('./access.js');
const { key, kindOf, numberOf } = require('./edges.js');
const { mix, stream, shuffle } = require('./random.js');

const LINKS = {
  [KIND.user]: ['manager'],
  [KIND.group]: ['members', 'owners'],
  [KIND.administrativeUnit]: ['members'],
  [KIND.directoryRole]: ['members'],
};
const NOT_TRACKED = ['signInActivity', 'memberOf', 'transitiveMemberOf', 'authentication'];
const asList = (array) => ({ size: array.length, at: (i) => array[i] });

// The last change that this request sees; changes may be slow to show.
function visible(call) {
  const { changes } = call.graph.tenant,
    { delta_lag_ms: lag } = call.knobs;
  let n = changes.length;
  while (lag && n && changes[n - 1].at > Date.now() - lag) n--;
  return n;
}

function checkQuery(call, kind) {
  const { query } = call,
    type = NAME[kind];
  if (query.expand) throw errors.deltaSelect([query.expand]);
  if (query.orderby) throw errors.option('$orderby');
  const refused = (query.select || []).filter((p) => NOT_TRACKED.includes(p));
  if (refused.length) throw errors.deltaSelect(refused);
  for (const p of query.select || [])
    if (!all[type].has(p) && !(LINKS[kind] || []).includes(p)) throw errors.unknownProperty(p, type);
  const filter = query.filter ? new Filter(query.filter, false, 50) : null;
  if (filter && !filter.ids) throw errors.unsupportedQuery();
  return filter && filter.ids;
}

function gone(call, kind, state) {
  const select = state?.s ? '$select=' + state.s.join(',') + '&' : '';
  const location = call.graph.origin + '/v1.0' + call.path + '?' + select + '$deltatoken=';
  const how = call.knobs.delta_expired;
  if (how === '400-resync')
    return new GraphError(400, 'resyncRequired', "Resync required. Replace any local items with the server's version.");
  if (how === '400-syncstate')
    return new GraphError(400, 'syncStateNotFound', 'The sync state generation is not found.');
  return new GraphError(
    410,
    how === '410-resync' ? 'resyncRequired' : '',
    'The delta token is no longer valid: start again without it.',
    { Location: location },
  );
}

// Where this request stands: {a, b, i, m, s, f}.
function begin(call, kind) {
  const { query, graph, knobs } = call;
  if (query.skiptoken !== undefined) {
    const state = graph.sealer.open(query.skiptoken);
    if (!state || state.k !== kind || state.d) throw errors.badPage();
    if ((knobs.page_token_ms && Date.now() - state.t > knobs.page_token_ms) || state.t < graph.pagesExpired)
      throw errors.expiredPage();
    return state;
  }
  if (query.deltatoken && query.deltatoken !== 'latest') {
    const state = graph.sealer.open(query.deltatoken);
    if (!state || state.k !== kind || !state.d) throw errors.badPage();
    if ((knobs.delta_token_ms && Date.now() - state.t > knobs.delta_token_ms) || state.t < graph.deltaExpired)
      throw gone(call, kind, state);
    return { k: kind, s: state.s, f: state.f, a: state.b, b: Math.max(state.b, visible(call)), i: 0 };
  }
  const f = checkQuery(call, kind),
    b = visible(call);
  return { k: kind, s: query.select, f, a: query.deltatoken === 'latest' ? b : null, b, i: 0, m: 0 };
}

function linkText(tenant, k, removed) {
  return (
    '{' +
    typeText(NAME[kindOf(k)]) +
    ',"id":' +
    encode(tenant.idByKey(k)) +
    (removed ? ',"@removed":{"reason":"deleted"}' : '') +
    '}'
  );
}

const linksText = (name, entries) => '"' + name + '@delta":[' + entries.join(',') + ']';

function relationOf(tenant, k, name) {
  const kind = kindOf(k),
    n = numberOf(k);
  if (kind === KIND.directoryRole) return asList(tenant.roles.members(n));
  if (name === 'manager') return asList([tenant.manager(k)].filter((m) => m !== null));
  return (name === 'owners' ? tenant.owners : kind === KIND.group ? tenant.members : tenant.inUnits).list(n);
}

class Round {
  constructor(call, kind, state) {
    Object.assign(this, { call, kind, state, tenant: call.graph.tenant, knobs: call.knobs });
    const own = state.s && state.s.filter((p) => !(LINKS[kind] || []).includes(p));
    this.links = state.s ? (LINKS[kind] || []).filter((p) => state.s.includes(p)) : [];
    this.properties = shown(NAME[kind], own);
    this.minimal = /return=minimal/.test(call.headers.prefer || '');
    this.most = Math.max(1, this.knobs.delta_members); // or no round would ever end
    this.rowsAPage = Math.max(1, this.knobs.delta_page);
    this.next = stream(mix(state.a ?? -1, state.b) ^ this.tenant.seed);
  }

  hides(k, name) {
    return name === 'members' && this.tenant.get(k, 'visibility') === 'HiddenMembership' && !seesHidden(this.call);
  }

  text(k, properties, extra) {
    return object(this.tenant.row(k), properties, '', extra);
  }

  // --- first round: every object, groups with their members in slices ------------------------------------------------

  keys() {
    const { tenant, kind, state } = this;
    if (state.f)
      return state.f
        .map((id) => tenant.find(id))
        .filter((k) => k !== undefined && kindOf(k) === kind && tenant.isLive(k));
    return kind === KIND.directoryRole
      ? [...tenant.roles.activated].sort((a, b) => a - b).map((n) => key(kind, n))
      : null;
  }

  first() {
    const { tenant, kind, knobs } = this,
      rows = [],
      fixed = this.keys();
    let { i, m } = this.state,
      room = this.most;
    const total = fixed ? fixed.length : tenant.total[kind];
    if (i > 0 && knobs.delta_repeat && this.call.graph.random() < knobs.delta_repeat) {
      const k = fixed ? fixed[0] : key(kind, mix(i, 3) % i);
      if (tenant.isLive(k)) rows.push(this.text(k, this.properties, ''));
    }
    for (; i < total && rows.length < this.rowsAPage && room > 0; i++) {
      const k = fixed ? fixed[i] : key(kind, i);
      if (!tenant.isLive(k)) continue;
      const slice = this.slice(k, m, room);
      rows.push(this.text(k, this.properties, slice.text));
      room -= slice.used;
      if (slice.rest !== null) {
        m = slice.rest;
        return this.page(rows, { i, m });
      }
      m = 0;
    }
    return this.page(rows, i < total ? { i, m: 0 } : null);
  }

  // Members of k from position `from`, at most `room`; owners and manager come with the first slice.
  slice(k, from, room) {
    const { tenant, links } = this,
      parts = [],
      exists = (other) => other !== undefined && !tenant.gone.get(other)?.hard;
    let used = 0,
      rest = null;
    for (const name of links) {
      const list = this.hides(k, name) ? asList([]) : relationOf(tenant, k, name),
        entries = [];
      if (name !== 'members') {
        for (let i = 0; from === 0 && i < list.size; i++)
          if (exists(list.at(i))) entries.push(linkText(tenant, list.at(i), false));
      } else {
        let i = from;
        for (; i < list.size && entries.length < room; i++)
          if (exists(list.at(i))) entries.push(linkText(tenant, list.at(i), false));
        if (i < list.size) rest = i;
        used = entries.length;
      }
      if (entries.length) parts.push(linksText(name, entries));
    }
    return { text: parts.join(','), used, rest };
  }

  // --- later rounds ---------------------------------------------------------------------------------------------------

  // key -> {props, whole, links: name -> other -> removed?} of all changes after `from`
  gather(from) {
    const items = new Map(),
      { tenant, kind, state } = this;
    for (let s = from; s < state.b; s++) {
      const c = tenant.changes[s];
      if (kindOf(c.key) !== kind || (state.f && !state.f.includes(tenant.idByKey(c.key)))) continue;
      let item = items.get(c.key);
      if (!item) items.set(c.key, (item = { props: new Set(), whole: false, links: {} }));
      if (c.op === 'create' || c.op === 'delete' || c.op === 'purge') item.whole = true;
      if (c.op === 'restore' && !(this.knobs.delta_miss_restore && state.s)) item.whole = item.again = true;
      for (const p of c.props || []) item.props.add(p);
      if (c.rel) (item.links[c.rel] = item.links[c.rel] || new Map()).set(c.other, c.op === 'unlink');
    }
    return items;
  }

  later() {
    const { state, knobs, tenant } = this,
      rows = [],
      behind = [];
    for (const [k, item] of this.gather(Math.max(0, state.a - knobs.delta_replay))) {
      const gone = tenant.gone.get(k);
      if (gone) {
        if (item.whole)
          rows.push(
            '{"id":' +
              encode(tenant.idByKey(k)) +
              ',"@removed":{"reason":"' +
              (gone.hard ? 'deleted' : 'changed') +
              '"}}',
          );
        continue;
      }
      const texts = this.changed(k, item);
      rows.push(...texts.slice(0, 1));
      behind.push(...texts.slice(1));
    }
    rows.push(...behind);
    for (const row of rows.slice()) if (this.next() < knobs.delta_repeat) rows.push(row);
    if (knobs.delta_reorder) shuffle(rows, this.next);
    const page = rows.slice(state.i, state.i + this.rowsAPage),
      i = state.i + page.length;
    return this.page(page, i < rows.length ? { i } : null);
  }

  // The rows for a changed object: one, or more when many members changed; none when nothing selected did.
  changed(k, item) {
    const slices = [];
    for (const name of this.links) {
      const links = item.again ? this.allLinks(k, name, item.links[name]) : item.links[name] || [];
      const entries = this.hides(k, name)
        ? []
        : [...links].map(([other, removed]) => linkText(this.tenant, other, removed));
      for (let i = 0; i < entries.length; i += this.most)
        slices.push(linksText(name, entries.slice(i, i + this.most)));
    }
    const touched = this.properties.filter((p) => item.props.has(p));
    if (!item.whole && !touched.length && !slices.length) return [];
    const properties = this.minimal && !item.whole ? ['id', ...touched] : this.properties;
    return slices.length ? slices.map((s) => this.text(k, properties, s)) : [this.text(k, properties, '')];
  }

  // What came back from the recycle bin came back with its links.
  allLinks(k, name, changes) {
    const list = relationOf(this.tenant, k, name),
      out = new Map(changes);
    for (let i = 0; i < list.size; i++) if (list.at(i) !== undefined) out.set(list.at(i), false);
    return out;
  }

  page(rows, further) {
    const { call, state, kind } = this,
      { sealer, origin } = call.graph,
      base = origin + '/v1.0' + call.path + '?';
    const empty = further && !state.e && call.graph.random() < this.knobs.empty_pages; // says nothing, comes again
    const next = empty ? { ...state, e: 1 } : further && { ...state, ...further, e: 0 };
    const own = state.s && state.s.filter((p) => !(LINKS[kind] || []).includes(p)),
      context = contextName[NAME[kind]] + (own && own.length ? '(' + own.join(',') + ')' : '');
    return collection(call, context, empty ? [] : rows, {
      next: next && base + '$skiptoken=' + sealer.seal(next),
      delta: !next && base + '$deltatoken=' + sealer.seal({ d: 1, k: kind, s: state.s, f: state.f, b: state.b }),
    });
  }
}

const delta = (kind) => (call) => {
  const round = new Round(call, kind, begin(call, kind));
  return round.state.a === null ? round.first() : round.later();
};

module.exports = { delta };
