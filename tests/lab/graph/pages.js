'use strict';
// pages - opaque tokens of nextLinks and deltaLinks (sealed, with the time they were given), and answers made of rows of text.
const crypto = require('crypto');
const { errors } = require('./errors.js');
const { mix } = require('./random.js');

class Sealer {
  constructor(seed) {
    this.key = crypto
      .createHash('sha256')
      .update('page tokens of ' + seed)
      .digest();
  }

  seal(state) {
    const iv = crypto.randomBytes(12),
      cipher = crypto.createCipheriv('aes-256-gcm', this.key, iv);
    const text = Buffer.concat([cipher.update(JSON.stringify({ ...state, t: Date.now() })), cipher.final()]);
    return Buffer.concat([iv, text, cipher.getAuthTag()]).toString('base64url');
  }

  // null for what was not sealed here.
  open(token) {
    try {
      const all = Buffer.from(token, 'base64url'),
        d = crypto.createDecipheriv('aes-256-gcm', this.key, all.subarray(0, 12));
      d.setAuthTag(all.subarray(-16));
      return JSON.parse(d.update(all.subarray(12, -16), undefined, 'utf8') + d.final('utf8'));
    } catch {
      return null;
    }
  }
}

// The position in a page token of this request: 0 when there is none.
function position(call) {
  if (call.query.skiptoken === undefined) return { pos: 0 };
  const state = call.graph.sealer.open(call.query.skiptoken);
  if (!state || state.p !== call.path) throw errors.badPage();
  const { page_token_ms: life } = call.knobs;
  if ((life && Date.now() - state.t > life) || state.t < call.graph.pagesExpired) throw errors.expiredPage();
  return state;
}

function link(call, state) {
  const token = call.graph.sealer.seal({ ...state, p: call.path });
  return call.graph.origin + '/v1.0' + call.path + '?' + [...call.query.parts, '$skiptoken=' + token].join('&');
}

// How many rows this page shall have: all, fewer, or none (then the same position comes again on the next page).
function rowsWanted(call, state, size) {
  const chance = mix(call.graph.tenant.seed ^ state.pos, 31) / 4294967296,
    { empty_pages: empty, short_pages: short } = call.knobs;
  if (empty && !state.e && chance < empty) return 0;
  return short && chance < short ? Math.max(1, size >> 2) : size;
}

// {status, body} of a collection; the rows are texts, or bytes of rowsOf(). `next` is the link, `count` the number to tell.
function collection(call, context, rows, { next, count, delta } = {}) {
  let body = '{"@odata.context":' + JSON.stringify(call.graph.origin + '/v1.0/$metadata#' + context);
  if (count !== undefined) body += ',"@odata.count":' + count;
  if (next) body += ',"@odata.nextLink":' + JSON.stringify(next);
  if (delta) body += ',"@odata.deltaLink":' + JSON.stringify(delta);
  body += ',"value":[';
  if (!rows.bytes) return { status: 200, body: body + rows.join(',') + ']}', rows: rows.length };
  return { status: 200, body: Buffer.concat([Buffer.from(body), rows.bytes, Buffer.from(']}')]), rows: rows.length };
}

// A page of a list in memory of which `text(item)` makes a row.
function pageOf(call, context, list, size, text, count) {
  const state = position(call),
    wanted = rowsWanted(call, state, size),
    rows = [];
  for (let i = state.pos; i < list.length && rows.length < wanted; i++) rows.push(text(list[i]));
  const pos = state.pos + rows.length;
  const next = pos < list.length ? link(call, { pos, e: wanted === 0 ? 1 : 0 }) : null;
  return collection(call, context, rows, { next, count });
}

const contextOf = (name, select) => name + (select ? '(' + select.join(',') + ')' : '');
const countText = (n) => ({ status: 200, body: String(n), type: 'text/plain' });

module.exports = { Sealer, position, link, rowsWanted, collection, pageOf, contextOf, countText };
