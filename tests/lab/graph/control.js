'use strict';
// control - the test's hand on the simulator: plain HTTP with JSON, on its own port.
const http = require('http');
const { turn } = require('./config.js');
const { KIND, SET } = require('./schema.js');
const { key } = require('./edges.js');
const { Throttle } = require('./throttle.js');
const { oracle } = require('./oracle.js');
const jwt = require('./jwt.js');

const actions = {
  'POST /set': (lab, body) => set(lab, body),
  'GET /knobs': (lab) => lab.knobs,
  'POST /app': (lab, body) => {
    lab.apps.put(body);
    return {};
  },
  'POST /apply': (lab, body) => lab.history.apply(body),
  'POST /advance': (lab, body) => lab.history.advance(body.steps ?? 1),
  'GET /oracle': (lab, body, q) => oracle(lab.graph.tenant, q.kinds ? q.kinds.split(',') : null),
  'GET /counters': (lab) => ({ ...lab.graph.counters, tokens: lab.tokens.issued, foreign: lab.foreign.length }),
  'POST /reset': (lab) => {
    lab.graph.resetCounters();
    lab.tokens.issued = 0;
    return {};
  },
  'GET /log': (lab, body, q) => lab.log.since(Number(q.since || 0)),
  'GET /totals': (lab) =>
    Object.fromEntries(
      Object.entries(SET)
        .filter(([, kind]) => kind < 7)
        .map(([name, kind]) => [name, lab.graph.tenant.live[kind]]),
    ),
  'GET /foreign': (lab) => lab.foreign,
  'GET /id': (lab, body, q) => ({ id: lab.graph.tenant.id(KIND[q.kind], Number(q.n)) }),
  'GET /object': (lab, body, q) => object(lab.graph.tenant, q),
  'POST /expire': (lab, body) => expire(lab, body),
  'POST /federated': (lab, body) => ({ assertion: federated(lab, body) }),
};

// Other limits begin with full buckets.
function set(lab, body) {
  turn(lab.knobs, body);
  if (Object.keys(body).some((name) => /^(throttle|.*_units|.*_requests|.*_window_ms)$/.test(name)))
    lab.graph.throttle = new Throttle();
  return lab.knobs;
}

// Everything given before now is refused: page tokens, delta tokens, access tokens.
function expire(lab, what) {
  const now = Date.now() + 1;
  if (what.pages) lab.graph.pagesExpired = now;
  if (what.delta) lab.graph.deltaExpired = now;
  if (what.tokens) lab.tokens.generation++;
  return {};
}

function federated(lab, { issuer, subject, audience = 'api://AzureADTokenExchange', seconds = 600 }) {
  const now = Math.floor(Date.now() / 1000);
  return jwt.sign(
    { alg: 'RS256', typ: 'JWT', kid: 'other' },
    { iss: issuer, sub: subject, aud: audience, iat: now, nbf: now, exp: now + seconds },
    lab.issuer.privateKey,
  );
}

function object(tenant, { id, properties, kind, n }) {
  const k = id ? tenant.find(id.toLowerCase()) : key(KIND[kind], Number(n));
  if (k === undefined) return null;
  const row = tenant.row(k);
  return Object.fromEntries(properties.split(',').map((p) => [p, row.get(p)]));
}

function serve(lab) {
  const server = http.createServer((req, res) => {
    const parts = [];
    req.on('data', (b) => parts.push(b));
    req.on('end', () => {
      const url = new URL(req.url, 'http://control');
      let status = 200,
        out;
      try {
        const action = actions[req.method + ' ' + url.pathname];
        if (!action) throw new Error('no such action: ' + req.method + ' ' + url.pathname);
        out = action(lab, parts.length ? JSON.parse(Buffer.concat(parts)) : {}, Object.fromEntries(url.searchParams));
      } catch (e) {
        status = 400;
        out = { error: e.message, stack: e.stack };
      }
      res.writeHead(status, { 'Content-Type': 'application/json' });
      res.end(JSON.stringify(out));
    });
  });
  return new Promise((done) => server.listen(0, '127.0.0.1', () => done(server.address().port)));
}

module.exports = { serve };
