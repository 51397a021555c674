'use strict';
// graph - Microsoft Graph v1.0: one request in, one answer out ({status, headers, body}); knows nothing of sockets.
const crypto = require('crypto');
const { errors, GraphError } = require('./errors.js');
const query = require('./query.js');
const { find } = require('./routes.js');
const { need } = require('./access.js');
const { Sealer } = require('./pages.js');
const { Throttle, unitsOf } = require('./throttle.js');
const { stream } = require('./random.js');
const { batch } = require('./batch.js');

const JSON_TYPE = 'application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8';

const DIAGNOSTIC =
  '{"ServerInfo":{"DataCenter":"West Europe","Slice":"E","Ring":"5","ScaleUnit":"003","RoleInstance":"AM2PEPF0001"}}';

const newCounters = () => ({
  requests: {},
  total: 0,
  units: 0,
  buckets: {},
  throttled: 0,
  throttled_by: {},
  batches: 0,
  batch_parts: 0,
  statuses: {},
  rows: 0,
  tokens: 0,
  in_flight: 0,
  max_in_flight: 0,
});

class Graph {
  constructor(tenant, knobs, tokens) {
    this.tenant = tenant;
    this.knobs = knobs;
    this.tokens = tokens; // verifies access tokens
    this.origin = ''; // https://localhost:port, known when listening
    this.sealer = new Sealer(tenant.seed);
    this.throttle = new Throttle();
    this.random = stream(tenant.seed ^ 0x67726170);
    this.counters = newCounters();
    this.pagesExpired = 0; // page tokens and delta tokens given before are refused
    this.deltaExpired = 0;
    this.lists = new Map();
  }

  resetCounters() {
    const { in_flight: now } = this.counters;
    this.counters = { ...newCounters(), in_flight: now, max_in_flight: now };
  }

  // A list that costs a walk over the tenant, kept until something changes.
  cached(name, make) {
    const full = name + '|' + this.tenant.changes.length + '|' + this.tenant.gone.size + '|' + this.tenant.total[1];
    if (!this.lists.has(full)) {
      if (this.lists.size >= 6) this.lists.delete(this.lists.keys().next().value);
      this.lists.set(full, make());
    }
    return this.lists.get(full);
  }

  // request: {method, url (path and query), headers, body}; app is set for the parts of a batch.
  answer(request, app = null) {
    const call = {
      graph: this,
      knobs: this.knobs,
      headers: request.headers,
      body: request.body,
      answerHeaders: {},
      app,
      requestId: crypto.randomUUID(),
      query: {},
      params: {},
    };
    call.clientRequestId = request.headers['client-request-id'] || call.requestId;
    call.json = () => {
      try {
        return JSON.parse(call.body.toString());
      } catch {
        throw errors.body();
      }
    };
    let out;
    try {
      out = this.handle(call, request);
    } catch (e) {
      if (!(e instanceof GraphError)) throw e;
      out = { status: e.status, headers: e.headers, body: e.body(call) };
    }
    const headers = {
      'Content-Type': out.type || (out.status < 300 ? JSON_TYPE : 'application/json'),
      'Cache-Control': 'no-cache',
      'request-id': call.requestId,
      'client-request-id': call.clientRequestId,
      'x-ms-ags-diagnostic': DIAGNOSTIC,
      'Strict-Transport-Security': 'max-age=31536000',
      ...call.answerHeaders,
      ...out.headers,
    };
    if (out.status < 300 && !out.type) headers['OData-Version'] = '4.0';
    this.counters.statuses[out.status] = (this.counters.statuses[out.status] || 0) + 1;
    this.counters.rows += out.rows || 0;
    return { status: out.status, headers, body: out.body, template: call.template || null, app: call.app };
  }

  handle(call, request) {
    const at = request.url.indexOf('?'),
      path = at < 0 ? request.url : request.url.slice(0, at);
    call.app = call.app || this.tokens.application(request.headers.authorization);
    if (!path.startsWith('/v1.0/')) throw errors.noSegment(path.split('/')[1] || '');
    call.path = path.slice(5).replace(/\/$/, '');
    if (call.path === '/$batch') return batch(call, request);
    const found = find(call.path);
    if (!found) throw errors.noSegment(call.path.split('/').pop());
    const { route, params } = found;
    Object.assign(call, { params, template: route.template });
    if (request.method !== route.method) throw errors.method();
    call.query = query.parse(at < 0 ? '' : request.url.slice(at + 1));
    this.account(call, route);
    if (route.roles) need(call, route.roles);
    return route.handler(call);
  }

  // Requests are counted whoever answers them: the route, or a fault in its place.
  count(template) {
    this.counters.total++;
    this.counters.requests[template] = (this.counters.requests[template] || 0) + 1;
  }

  account(call, route) {
    const { counters, knobs } = this,
      units = unitsOf(route, call.query);
    const signIn = knobs.signin_in_reports && call.query.select?.includes('signInActivity');
    const bucket = signIn ? 'reports' : route.bucket;
    this.count(route.template);
    counters.buckets[bucket] = (counters.buckets[bucket] || 0) + 1;
    counters.units += units;
    call.answerHeaders['x-ms-resource-unit'] = String(units);
    this.throttle.charge(call, bucket, units);
  }
}

module.exports = { Graph };
