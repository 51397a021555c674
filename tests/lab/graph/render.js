'use strict';
// render - rows to JSON; the rows of the large lists straight into bytes, because a page is up to 999 rows of fifty properties.
const { usual } = require('./schema.js');
const { Writer, nameBytes } = require('./writer.js');

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

// Of generated objects, that nothing was laid over, the properties' functions are called without a look at each name.
const plans = new WeakMap();
function planOf(row, properties) {
  let plan = plans.get(properties);
  if (!plan || plan.table !== row.table) {
    plans.set(
      properties,
      (plan = {
        table: row.table,
        names: properties.map(nameBytes),
        makers: row.table && properties.map((p) => row.maker(p)),
      }),
    );
  }
  return plan;
}

// {"id":...} of the properties into a Writer; `annotations` is text to put in front, `extra` text to put behind.
function write(w, row, properties, annotations = '', extra = '') {
  const { names, makers } = planOf(row, properties),
    base = row.plain();
  let first = true;
  w.byte(123);
  if (annotations) {
    w.text(annotations);
    first = false;
  }
  for (let i = 0; i < names.length; i++) {
    if (w.property(names[i], base ? makers[i](base) : row.get(properties[i]), first)) first = false;
  }
  if (extra) w.text(first ? extra : ',' + extra);
  w.byte(125);
}

// Two writers are enough for all: nothing is written between the rows of one page.
const one = new Writer(),
  many = new Writer();

// The same as a string.
function object(row, properties, annotations, extra) {
  one.at = 0;
  write(one, row, properties, annotations, extra);
  return one.taken().toString();
}

// The rows of a page, with commas between: bytes that collection() copies at once.
function rowsOf(keys, writeRow) {
  many.at = 0;
  keys.forEach((k, i) => {
    if (i) many.byte(44);
    writeRow(many, k);
  });
  return { bytes: many.taken(), length: keys.length };
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
  for (const p of wanted) if (p !== 'id') out += ',' + quote(p) + ':' + (Array.isArray(row.unset(p)) ? '[]' : 'null');
  return out + '}';
}

module.exports = { object, write, rowsOf, mixed, shown, encode, quote, typeText };
