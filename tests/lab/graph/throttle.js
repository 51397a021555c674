'use strict';
// throttle - resource units per application: token buckets for the directory, the reports and (if asked for) authentication methods.
const { GraphError } = require('./errors.js');
const { mix } = require('./random.js');

// Units of a request: the route's base cost, one less for $select, one more for $expand, one less for a $top below 20; at least 1.
function unitsOf(route, query) {
  const units =
    route.cost -
    (query.select ? 1 : 0) +
    (query.expand ? 1 : 0) -
    (query.top !== undefined && Number(query.top) < 20 ? 1 : 0);
  return Math.max(1, units);
}

class Bucket {
  constructor() {
    this.level = null;
    this.at = 0;
  }

  // Takes `units` when there are enough, else says after how many ms there will be; a refused request costs too.
  take(units, capacity, windowMs) {
    const now = Date.now(),
      rate = capacity / windowMs;
    this.level = this.level === null ? capacity : Math.min(capacity, this.level + (now - this.at) * rate);
    this.at = now;
    if (this.level >= units) {
      this.level -= units;
      return 0;
    }
    const wait = (units - this.level) / rate;
    this.level = Math.max(-capacity / 10, this.level - units / 10);
    return Math.max(1, wait);
  }

  used(capacity) {
    return 1 - Math.max(0, this.level ?? capacity) / capacity;
  }
}

const FORMS = ['integer', 'fraction', 'date', 'absent'];

function retryAfter(form, waitMs, salt) {
  if (form === 'mixed') form = FORMS[mix(salt, 5) % FORMS.length];
  if (form === 'absent') return {};
  if (form === 'fraction') return { 'Retry-After': (Math.ceil(waitMs) / 1000).toFixed(3) };
  if (form === 'date') return { 'Retry-After': new Date(Date.now() + waitMs + 999).toUTCString() };
  return { 'Retry-After': String(Math.max(1, Math.ceil(waitMs / 1000))) };
}

class Throttle {
  constructor() {
    this.buckets = new Map();
  }

  limits(name, knobs) {
    if (name === 'reports') return [knobs.reports_requests, knobs.reports_window_ms];
    if (name === 'methods') return [knobs.methods_requests, knobs.methods_window_ms];
    return [knobs.directory_units, knobs.directory_window_ms];
  }

  // Charges a call to its bucket; throws the 429.
  charge(call, bucket, units) {
    const { knobs, graph } = call;
    if (!knobs.throttle) return;
    if (bucket === 'methods' && !knobs.methods_requests) bucket = 'directory';
    const [capacity, windowMs] = this.limits(bucket, knobs),
      name = bucket + '|' + call.app.id;
    if (!this.buckets.has(name)) this.buckets.set(name, new Bucket());
    const b = this.buckets.get(name),
      wait = b.take(bucket === 'directory' ? units : 1, capacity, windowMs);
    const used = b.used(capacity);
    if (used > 0.8) call.answerHeaders['x-ms-throttle-limit-percentage'] = Math.min(1.8, used).toFixed(1);
    if (!wait) return;
    graph.counters.throttled++;
    graph.counters.throttled_by[bucket] = (graph.counters.throttled_by[bucket] || 0) + 1;
    const report = bucket === 'reports';
    throw new GraphError(
      429,
      report ? 'UnknownError' : 'TooManyRequests',
      report
        ? 'This request is throttled. Please try again after the value specified in the Retry-After header. CorrelationId: ' +
            call.requestId
        : 'Too many requests from Identifier:' +
            call.app.id +
            ' under category:aadgraph.app.tenant_large. Please try again later.',
      {
        ...retryAfter(knobs.retry_after, wait, graph.counters.throttled),
        'x-ms-throttle-scope': 'Tenant_Application/ReadWrite/' + call.app.id + '/' + graph.tenant.config.tenant_id,
        'x-ms-throttle-information': 'ResourceUnitLimitExceeded',
      },
    );
  }
}

module.exports = { Throttle, unitsOf, retryAfter };
