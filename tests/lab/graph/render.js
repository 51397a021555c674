'use strict';
// render - rows to JSON text; written out by hand, because a page is up to 999 rows of fifty properties.
const { usual } = require('./schema.js');

const PLAIN = /^[^"\\\u0000-\u001f\ud800-\udfff]*$/;
const quote = (s) => (PLAIN.test(s) ? '"' + s + '"' : JSON.stringify(s));

function encode(v) {
  if (v === null) return 'null';
  if (typeof v === 'string') return quote(v);
  if (v === true) return 'true';
  if (v === false) return 'false';
  if (Array.isArray(v) && v.length === 0) return '[]';
  return JSON.stringify(v);
}

const names = new Map();
function nameText(p) {
  let text = names.get(p);
  if (!text) names.set(p, text = quote(p) + ':');
  return text;
}

// Of generated objects, that nothing was laid over, the properties' functions are called without a look at each name.
const plans = new WeakMap();
function planOf(row, properties) {
  let plan = plans.get(properties);
  if (!plan || plan.table !== row.table) plans.set(properties, plan = { table: row.table, names: properties.map(nameText), makers: row.table && properties.map((p) => row.maker(p)) });
  return plan;
}

// {"id":...} of the properties; `annotations` is text to put in front, `extra` text to put behind.
function object(row, properties, annotations = '', extra = '') {
  const out = [annotations], base = row.plain(), { names: texts, makers } = planOf(row, properties);
  let sep = annotations ? ',' : '';
  for (let i = 0; i < texts.length; i++) {
    const v = base ? makers[i](base) : row.get(properties[i]);
    if (v === undefined) continue;
    out.push(sep, texts[i], encode(v));
    sep = ',';
  }
  return '{' + out.join('') + (extra ? sep + extra : '') + '}';
}

const typeText = (type) => '"@odata.type":"#microsoft.graph.' + type + '"';

// The properties to show: what was selected (id always comes), else the default ones.
function shown(type, select) {
  if (!select) return usual[type];
  return select.includes('id') ? select : [...select, 'id'];
}

// An object in a mixed list. Of types that the application may not read only type and id are told; the rest is null.
function mixed(row, select, readable, allOf) {
  const annotation = typeText(row.type);
  const wanted = shown(row.type, select).filter((p) => !select || p === 'id' || allOf.has(p));
  if (readable) return object(row, wanted, annotation);
  let out = '{' + annotation + ',"id":' + quote(row.id);
  for (const p of wanted) if (p !== 'id') out += ',' + nameText(p) + (Array.isArray(row.unset(p)) ? '[]' : 'null');
  return out + '}';
}

module.exports = { object, mixed, shown, encode, quote, typeText };
