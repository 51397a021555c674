'use strict';
// faults - what goes wrong on demand. A rule: {kind, match, where, count, skip, probability, in_batch, ...}.
// match: a route's template ("/groups/{id}/members", "token", "imds"), a regular expression on path and query when it begins with ^, or
// nothing for all. where: graph (default), login, imds. The first rule that fits acts; `count` limits how often, `skip` lets some pass.
const { errors, GraphError } = require('./errors.js');
const { fail } = require('./aadsts.js');
const { retryAfter } = require('./throttle.js');
const { find } = require('./routes.js');
const { edits } = require('./edits.js');

const UNAUTHORIZED = {
  a: 'Access token has expired or is not yet valid.',
  b: 'Lifetime validation failed, the token is expired.',
};
const CODES = {
  500: ['InternalServerError', 'Internal server error.'],
  502: ['BadGateway', ''],
  503: ['ServiceUnavailable', 'Service unavailable.'],
  504: ['GatewayTimeout', 'Gateway timeout.'],
  429: ['TooManyRequests', 'Too many requests.'],
  403: ['Authorization_RequestDenied', 'Insufficient privileges to complete the operation.'],
  400: ['Request_BadRequest', 'Bad request.'],
  404: ['Request_ResourceNotFound', 'Resource does not exist.'],
  410: ['', 'Gone'],
};

// Kinds that are not about the answer's content but about how it travels: the server acts on them.
const TRANSPORT = new Set([
  'reset_before',
  'reset_body',
  'truncate',
  'stall',
  'stall_before',
  'gzip_bomb',
  'huge',
  'slow',
]);

class Faults {
  constructor(graph, knobs) {
    Object.assign(this, { graph, knobs, given: null, rules: [] });
  }

  // The rule for this request, if any; counts it.
  pick(where, request, batched = false) {
    if (this.given !== this.knobs.faults) {
      this.given = this.knobs.faults;
      this.rules = this.given.map((r) => ({ ...r, seen: 0, done: 0 }));
    }
    if (!this.rules.length) return null;
    const template = this.templateOf(where, request);
    for (const r of this.rules) {
      if ((r.where || 'graph') !== where || (batched && !r.in_batch)) continue;
      if (
        r.match &&
        (r.match[0] === '^'
          ? !new RegExp(r.match).test(decodeURIComponent(request.url.replace(/%(?![0-9a-f]{2})/gi, '%25')))
          : r.match !== template)
      )
        continue;
      if (r.count !== undefined && r.done >= r.count) continue;
      if (r.seen++ < (r.skip || 0)) continue;
      if (r.probability !== undefined && this.graph.random() >= r.probability) continue;
      r.done++;
      return r;
    }
    return null;
  }

  templateOf(where, request) {
    if (where !== 'graph') return where === 'login' ? 'token' : where;
    const path = request.url.split('?')[0].replace(/^\/v1\.0/, '');
    return path === '/$batch' ? path : find(path)?.route.template;
  }

  // The answer as the rule makes it; `make` is the true answer.
  answer(rule, request, make) {
    const kind = rule.kind;
    const instead = ['status', '401', 'redirect'].includes(kind);
    if (instead && (rule.where || 'graph') === 'graph')
      this.graph.count(this.templateOf('graph', request) || 'unknown');
    if (kind === 'status' || kind === '401') return this.refusal(rule, request);
    if (kind === 'aadsts') return this.aadsts(rule);
    if (kind === 'redirect') return { status: rule.status || 302, headers: { Location: rule.location }, body: '' };
    const out = make();
    if (kind === 'headers') return { ...out, headers: { ...out.headers, ...rule.headers } };
    if (TRANSPORT.has(kind) || out.status >= 300 || out.body === undefined) return out;
    const edit = edits[kind];
    if (!edit) throw new Error('no such fault: ' + kind);
    return { ...out, ...edit(String(out.body), rule, request, this.graph) };
  }

  inBatch(request, make) {
    const rule = this.pick('graph', request, true);
    return rule ? this.answer(rule, request, make) : make();
  }

  refusal(rule, request) {
    const call = {
      requestId: '00000000-0000-4000-8000-000000000001',
      clientRequestId: request.headers['client-request-id'] || '',
    };
    const status = rule.kind === '401' ? 401 : rule.status,
      wait = rule.retry_after;
    const headers = { 'Content-Type': 'application/json', 'request-id': call.requestId, ...rule.headers };
    if (typeof wait === 'number')
      Object.assign(
        headers,
        retryAfter(rule.retry_after_form || (Number.isInteger(wait) ? 'integer' : 'fraction'), wait * 1000, 1),
      );
    else if (wait !== undefined) headers['Retry-After'] = wait;
    if (rule.location !== undefined) headers.Location = rule.location;
    if (rule.body !== undefined)
      return { status, headers, body: typeof rule.body === 'string' ? rule.body : JSON.stringify(rule.body) };
    const [code, message] = CODES[status] || ['UnknownError', ''];
    const e =
      status === 401
        ? errors.unauthorized(UNAUTHORIZED[rule.text || 'a'])
        : new GraphError(status, rule.code ?? code, rule.message ?? message);
    return { status, headers: { ...headers, ...e.headers }, body: e.body(call) };
  }

  aadsts(rule) {
    const e = fail(rule.code, '(on demand)');
    const headers = { 'Content-Type': 'application/json; charset=utf-8' };
    if (rule.retry_after !== undefined) headers['Retry-After'] = String(rule.retry_after);
    const body = e.body('00000000-0000-4000-8000-000000000002', 'https://login.example');
    return { status: rule.status || e.status, headers, body };
  }
}

module.exports = { Faults };
