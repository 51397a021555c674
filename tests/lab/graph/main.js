'use strict';
// main - node main.js --config FILE --dir DIR: a Microsoft Entra tenant on loopback. Prints one line of JSON when it is ready, ends on SIGTERM.
const crypto = require('crypto');
const { load } = require('./config.js');
const { Tenant } = require('./tenant.js');
const { state } = require('./stated.js');
const { Apps } = require('./apps.js');
const { Tokens } = require('./tokens.js');
const { Login } = require('./login.js');
const { Imds } = require('./imds.js');
const { Graph } = require('./graph.js');
const { Faults } = require('./faults.js');
const { History } = require('./history.js');
const { Service, Log } = require('./server.js');
const certificates = require('./certificates.js');
const control = require('./control.js');

function build(config, knobs) {
  const tenant = new Tenant(config),
    apps = new Apps(config),
    tokens = new Tokens(config, knobs, apps);
  const names = state(tenant, config.objects);
  const graph = new Graph(tenant, knobs, tokens),
    login = new Login(config, knobs, apps, tokens);
  const lab = {
    knobs,
    apps,
    tokens,
    graph,
    login,
    imds: new Imds(config, apps, tokens),
    history: new History(tenant, knobs, names),
    log: new Log(),
    foreign: [],
    issuer: crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }),
    faults: new Faults(graph, knobs),
  };
  login.issuer = lab.issuer;
  graph.faults = lab.faults;
  return lab;
}

// Nobody should come here: records who does.
function foreignService(lab) {
  const service = new Service(
    'foreign',
    (request) => {
      lab.foreign.push({
        method: request.method,
        url: request.url,
        authorization: request.headers.authorization !== undefined,
      });
      return { status: 200, headers: { 'Content-Type': 'application/json' }, body: '{"value":[]}' };
    },
    lab,
  );
  return service;
}

async function start() {
  const argument = (name) => process.argv[process.argv.indexOf('--' + name) + 1];
  const { config, knobs } = load(argument('config')),
    dir = argument('dir');
  const files = certificates.make(dir),
    lab = build(config, knobs);
  const services = {
    login: new Service('login', (r) => lab.login.answer(r), lab),
    graph: new Service('graph', (r) => lab.graph.answer(r), lab),
    imds: new Service('imds', (r) => lab.imds.answer(r), lab),
    foreign: foreignService(lab),
  };
  const login = 'https://localhost:' + (await services.login.listenTls(files, config.http2));
  const graph = 'https://localhost:' + (await services.graph.listenTls(files, config.http2));
  const foreign = 'https://localhost:' + (await services.foreign.listenTls(files, config.http2));
  services.foreign.server.on('connection', () => lab.foreign.push({ connection: true }));
  const imds = 'http://127.0.0.1:' + (await services.imds.listenPlain());
  lab.login.origin = login;
  lab.login.graphOrigin = lab.graph.origin = graph;
  lab.tokens.audiences.add(graph);
  const port = await control.serve(lab);
  console.log(
    JSON.stringify({
      ready: true,
      login,
      graph,
      imds,
      foreign,
      control: 'http://127.0.0.1:' + port,
      ca: files.ca,
      tenant_id: config.tenant_id,
    }),
  );
}

if (process.argv.includes('--until-eof')) process.stdin.on('end', () => process.exit(0)).resume(); // the test that started this is gone
process.on('SIGTERM', () => process.exit(0));
start().catch((e) => {
  process.stderr.write(e.stack + '\n');
  process.exit(1);
});
