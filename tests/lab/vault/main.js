'use strict';
// main - a stand-in for a HashiCorp Vault or OpenBao server: its published HTTP API as far as key/value secrets need it.
//   node main.js --cert FILE --key FILE [--log FILE]     prints {"url": ..., "control": ...}, ends with its standard input
// POST control: a JSON object is merged into the state (state.js shows its shape), {"reset": true} starts anew.
const fs = require('fs');
const http = require('http');
const https = require('https');
const { fresh } = require('./state.js');
const { answer } = require('./api.js');

const options = {};
for (let i = 2; i < process.argv.length; i += 2) options[process.argv[i].slice(2)] = process.argv[i + 1];

let state = fresh();
const BODY_MAX = 1 << 20;

function collect(request, done) {
  let text = '';
  request.setEncoding('utf8');
  request.on('data', (piece) => {
    text += piece;
    if (text.length > BODY_MAX) request.destroy();
  });
  request.on('end', () => done(text));
}

// What the tests ask of: who was given which token.
function log(request, status) {
  if (!options.log) return;
  const { 'x-vault-token': token, 'x-vault-namespace': namespace, 'x-vault-request': asked } = request.headers;
  fs.appendFileSync(options.log, JSON.stringify({ method: request.method, url: request.url, token: token || null, namespace, asked, status }) + '\n');
}

function serve(request, response) {
  collect(request, (text) => {
    const told = answer(state, request, text);
    log(request, told.status);
    const body = typeof told.body === 'string' ? told.body : JSON.stringify(told.body);
    const type = typeof told.body === 'string' ? 'text/html' : 'application/json';
    response.writeHead(told.status, { 'Content-Type': type, 'Cache-Control': 'no-store', ...told.headers });
    response.end(body);
  });
}

function turn(request, response) {
  collect(request, (text) => {
    const { reset, ...changes } = JSON.parse(text);
    if (reset) state = fresh();
    Object.assign(state, changes);
    response.end('{}');
  });
}

const front = options.cert
  ? https.createServer({ cert: fs.readFileSync(options.cert), key: fs.readFileSync(options.key) }, serve)
  : http.createServer(serve);
const control = http.createServer(turn);
front.listen(0, '127.0.0.1', () =>
  control.listen(0, '127.0.0.1', () => {
    const scheme = options.cert ? 'https' : 'http';
    console.log(
      JSON.stringify({
        url: `${scheme}://127.0.0.1:${front.address().port}`,
        control: `http://127.0.0.1:${control.address().port}`,
      }),
    );
  }),
);
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
