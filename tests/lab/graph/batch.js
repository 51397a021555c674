'use strict';
// batch - POST /$batch: up to twenty requests, each answered, limited and refused on its own; the outer answer is 200 whatever happens inside.
const { GraphError, errors } = require('./errors.js');
const { shuffle } = require('./random.js');

function check(requests) {
  if (!Array.isArray(requests) || !requests.length) throw errors.body();
  if (requests.length > 20)
    throw new GraphError(400, 'BadRequest', "Number of batch request steps exceeds the maximum value of '20'.");
  const ids = new Set(requests.map((r) => r.id));
  if (ids.size !== requests.length || ids.has(undefined))
    throw new GraphError(400, 'BadRequest', 'Request ids have to be given and unique.');
  for (const r of requests) {
    if (typeof r.url !== 'string' || typeof r.method !== 'string') throw errors.body();
    for (const other of r.dependsOn || [])
      if (!ids.has(other))
        throw new GraphError(400, 'BadRequest', "Request '" + other + "' in dependsOn does not exist.");
  }
}

const FAILED =
  '{"error":{"code":"FailedDependency","message":"Request failed because a request it depends on failed."}}';

function part(call, r, done) {
  if ((r.dependsOn || []).some((id) => !(done.get(id) < 400)))
    return { status: 424, headers: { 'Content-Type': 'application/json' }, body: FAILED };
  const headers = Object.fromEntries(
    Object.entries(r.headers || {}).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const url = '/v1.0' + (r.url[0] === '/' ? '' : '/') + r.url;
  const request = {
    method: r.method.toUpperCase(),
    url,
    headers,
    body: r.body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(r.body)),
    inBatch: true,
  };
  call.graph.counters.batch_parts++;
  return call.graph.faults
    ? call.graph.faults.inBatch(request, () => call.graph.answer(request, call.app))
    : call.graph.answer(request, call.app);
}

function batch(call, request) {
  if (request.method !== 'POST') throw errors.method();
  if (request.inBatch) throw errors.body();
  call.template = '/$batch';
  const { requests } = call.json();
  check(requests);
  call.graph.counters.batches++;
  const done = new Map(),
    out = [];
  for (const r of requests) {
    const a = part(call, r, done);
    done.set(r.id, a.status);
    const body = !a.body ? 'null' : /json/.test(a.headers['Content-Type']) ? String(a.body) : JSON.stringify(a.body);
    out.push(
      '{"id":' +
        JSON.stringify(String(r.id)) +
        ',"status":' +
        a.status +
        ',"headers":' +
        JSON.stringify(a.headers) +
        ',"body":' +
        body +
        '}',
    );
  }
  if (call.knobs.batch_disorder) shuffle(out, call.graph.random);
  return { status: 200, body: '{"responses":[' + out.join(',') + ']}', type: 'application/json' };
}

module.exports = { batch };
