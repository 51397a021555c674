'use strict';
// query - OData options of a URL, checked as far as the service checks them, and the part of $filter that clients use.
const { errors } = require('./errors.js');
const { all, notInLists } = require('./schema.js');

const KNOWN = new Set(['$select', '$top', '$count', '$filter', '$orderby', '$expand', '$skiptoken', '$deltatoken']);

function decode(text) {
  try {
    return decodeURIComponent(text.replace(/\+/g, ' '));
  } catch {
    throw errors.filter('The URI is malformed.');
  }
}

// 'a=1&b=2' -> options; the raw parts are kept for the links to later pages.
function parse(search) {
  const q = { parts: [] };
  for (const part of search.split('&')) {
    if (!part) continue;
    const at = part.indexOf('='),
      name = decode(at < 0 ? part : part.slice(0, at)).toLowerCase(),
      value = at < 0 ? '' : decode(part.slice(at + 1));
    if (name[0] === '$' && !KNOWN.has(name)) throw errors.option(name);
    if (name !== '$skiptoken' && name !== '$deltatoken') q.parts.push(part);
    q[name[0] === '$' ? name.slice(1) : name] = value;
  }
  if (q.select !== undefined) q.selectText = q.select;
  q.select = q.select
    ? q.select
        .split(',')
        .map((s) => s.trim())
        .filter(Boolean)
    : null;
  return q;
}

function pageSize(q, usual, cap = 999) {
  if (q.top === undefined) return Math.min(usual, cap);
  const top = Number(q.top);
  if (!Number.isInteger(top) || top < 1 || top > 999) throw errors.pageSize(q.top);
  return Math.min(top, cap);
}

// $count needs ConsistencyLevel: eventual; together they make a query "advanced".
function advanced(call) {
  const eventual = String(call.headers.consistencylevel || '').toLowerCase() === 'eventual',
    count = String(call.query.count).toLowerCase() === 'true';
  if (count && !eventual) throw errors.noCount();
  return eventual && count;
}

function checkSelect(q, type, inList) {
  for (const name of q.select || []) {
    if (type === 'user' && notInLists.has(name)) {
      if (inList) throw errors.notInList();
    } else if (!all[type].has(name)) throw errors.unknownProperty(name, type);
  }
}

// --- $filter: or, and, not, eq ne gt ge lt le in, startswith endswith, any ---------------------------------------

const TOKEN = /\s*(?:'((?:[^']|'')*)'|([()=,:])|([^\s()',:]+(?::\d\d:[\d.]+Z?)?))/y;

function tokens(text) {
  const out = [];
  TOKEN.lastIndex = 0;
  const end = text.trimEnd().length;
  while (TOKEN.lastIndex < end) {
    const at = TOKEN.lastIndex,
      m = TOKEN.exec(text);
    if (!m) throw errors.filter('Syntax error at position ' + at + '.');
    out.push(m[1] !== undefined ? { string: m[1].replace(/''/g, "'") } : { word: m[2] || m[3] });
  }
  return out;
}

const literal = (t) =>
  t.string !== undefined
    ? t.string
    : t.word === 'null'
      ? null
      : t.word === 'true'
        ? true
        : t.word === 'false'
          ? false
          : t.word;
const lower = (v) => (typeof v === 'string' ? v.toLowerCase() : v);
const COMPARE = {
  eq: (a, b) => lower(a ?? null) === lower(b),
  ne: (a, b) => lower(a ?? null) !== lower(b),
  ge: (a, b) => a != null && a >= b,
  gt: (a, b) => a != null && a > b,
  le: (a, b) => a != null && a <= b,
  lt: (a, b) => a != null && a < b,
};

// The ids of a filter that is nothing but "id in (...)" or "id eq ... or id eq ...", for which nobody needs to be looked through.
function plainIds(text) {
  const pure = /^\s*id in \(([^()]*)\)\s*$|^\s*(id eq '[^']*'(?: or id eq '[^']*')*)\s*$/i.exec(text);
  return pure ? [...(pure[1] || pure[2]).matchAll(/'([^']*)'/g)].map((m) => m[1].toLowerCase()) : null;
}

class Filter {
  constructor(text, isAdvanced, most = 15) {
    this.list = tokens(text);
    this.at = 0;
    this.advanced = isAdvanced;
    this.most = most;
    this.ids = plainIds(text);
    this.test = this.either();
    if (this.at < this.list.length) throw errors.filter('Syntax error.');
  }

  peek(word) {
    return this.list[this.at] && this.list[this.at].word === word;
  }
  take() {
    if (this.at >= this.list.length) throw errors.filter('Syntax error: unexpected end.');
    return this.list[this.at++];
  }
  expect(word) {
    if (!this.peek(word)) throw errors.filter("'" + word + "' expected.");
    this.at++;
  }

  either() {
    const tests = [this.both()];
    while (this.peek('or')) {
      this.at++;
      tests.push(this.both());
    }
    if (tests.length > this.most) throw errors.tooManyClauses(tests.length);
    return tests.length === 1 ? tests[0] : (get) => tests.some((t) => t(get));
  }

  both() {
    const tests = [this.one()];
    while (this.peek('and')) {
      this.at++;
      tests.push(this.one());
    }
    return tests.length === 1 ? tests[0] : (get) => tests.every((t) => t(get));
  }

  one() {
    if (this.peek('not')) {
      this.at++;
      this.needAdvanced();
      const test = this.one();
      return (get) => !test(get);
    }
    if (this.peek('(')) {
      this.at++;
      const test = this.either();
      this.expect(')');
      return test;
    }
    const name = this.take().word || '';
    if (name === 'startswith' || name === 'endswith') return this.with(name);
    if (name.endsWith('/any')) return this.any(name.slice(0, -4));
    return this.comparison(name);
  }

  needAdvanced() {
    if (!this.advanced) throw errors.unsupportedQuery();
  }

  with(f) {
    this.expect('(');
    const property = this.take().word;
    this.expect(',');
    const text = lower(literal(this.take()));
    this.expect(')');
    if (f === 'endswith') this.needAdvanced();
    return (get) =>
      typeof get(property) === 'string' && lower(get(property))[f === 'startswith' ? 'startsWith' : 'endsWith'](text);
  }

  // groupTypes/any(c:c eq 'Unified')
  any(property) {
    this.expect('(');
    const name = this.take().word;
    this.expect(':');
    if (this.take().word !== name) throw errors.filter('Syntax error in any().');
    this.expect('eq');
    const value = lower(literal(this.take()));
    this.expect(')');
    return (get) => (get(property) || []).some((v) => lower(v) === value);
  }

  comparison(property) {
    const op = this.take().word;
    if (op === 'in') return this.among(property);
    if (!COMPARE[op]) throw errors.filter("operator '" + op + "'.");
    if (op === 'ne') this.needAdvanced();
    const value = literal(this.take());
    const path = property.split('/');
    return (get) =>
      COMPARE[op](
        path.slice(1).reduce((v, p) => v?.[p], get(path[0])),
        value,
      );
  }

  among(property) {
    const values = [];
    this.expect('(');
    do values.push(lower(literal(this.take())));
    while (this.peek(',') && ++this.at);
    this.expect(')');
    if (values.length > this.most) throw errors.tooManyClauses(values.length);
    return (get) => values.includes(lower(get(property) ?? null));
  }
}

module.exports = { parse, pageSize, advanced, checkSelect, Filter };
