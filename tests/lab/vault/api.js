'use strict';
// api - one request to /v1/, answered as the documentation of the API says.
// developer.hashicorp.com/vault/api-docs: system/health, system/internal-ui-mounts, auth/token, auth/approle, secret/kv
const crypto = require('crypto');

const fail = (status, ...errors) => ({ status, body: { errors } });
const denied = () => fail(403, '1 error occurred:\n\t* permission denied\n\n');
const tell = (data, more) => ({
  status: 200,
  body: {
    request_id: crypto.randomUUID(),
    lease_id: '',
    renewable: false,
    lease_duration: 0,
    data,
    wrap_info: null,
    warnings: null,
    auth: null,
    ...more,
  },
});

// --- policies ---------------------------------------------------------------------------------------------------

function covers(pattern, path) {
  if (pattern.endsWith('*')) return path.startsWith(pattern.slice(0, -1));
  return pattern === path;
}

function capabilities(call, path) {
  if (!call.token) return [];
  if (call.token.policies.includes('root')) return ['root'];
  const found = new Set();
  for (const name of call.token.policies)
    for (const [pattern, words] of Object.entries(call.state.policies[name] || {}))
      if (covers(pattern, path)) words.forEach((word) => found.add(word));
  return [...found];
}

const may = (call, path, word) => capabilities(call, path).some((one) => one === word || one === 'root');

// Has the token any right on something below this mount?
function sees(call, mount) {
  if (!call.token) return false;
  if (call.token.policies.includes('root')) return true;
  return call.token.policies.some((name) =>
    Object.keys(call.state.policies[name] || {}).some((pattern) => pattern.startsWith(mount) || covers(pattern, mount)),
  );
}

// --- system ------------------------------------------------------------------------------------------------------

function health(call) {
  const { state, query } = call;
  const body = {
    initialized: state.initialized,
    sealed: state.sealed,
    standby: Boolean(state.standby),
    performance_standby: false,
    replication_performance_mode: 'disabled',
    server_time_utc: Math.floor(Date.now() / 1000),
    version: '1.18.3',
    cluster_name: 'lab',
  };
  if (!state.initialized) return { status: 501, body };
  if (state.sealed) return { status: 503, body };
  if (state.standby && query.get('standbyok') !== 'true') return { status: 429, body };
  return { status: 200, body };
}

const mounts_of = (call) => call.state.namespaces[call.namespace] || {};
const mount_of = (call, path) => Object.keys(mounts_of(call)).find((mount) => path.startsWith(mount));

function which_mount(call, path) {
  const name = mount_of(call, path + '/');
  if (!call.state.knows_mounts) return fail(404);
  if (!name || !sees(call, name))
    return fail(403, `preflight capability check returned 403, please ensure client's policies grant access to path "${path}/"`);
  const mount = mounts_of(call)[name];
  return tell({ path: name, type: mount.type, options: mount.version ? { version: mount.version } : null, description: '' });
}

function own_capabilities(call) {
  const told = {};
  for (const path of call.body.paths || []) told[path] = capabilities(call, path).length ? capabilities(call, path) : ['deny'];
  const first = Object.values(told)[0] || [];
  return tell({ ...told, capabilities: first }, { capabilities: first, ...told });
}

const lookup_self = (call) =>
  call.token
    ? tell({ policies: call.token.policies, ttl: call.token.ttl, renewable: true, type: 'service', display_name: 'token' })
    : denied();

// --- AppRole -----------------------------------------------------------------------------------------------------

function login(call, mount) {
  const roles = (call.state.approles[call.namespace] || {})[mount];
  if (!roles) return denied(); // as of every path that nobody may use without a token
  const { role_id, secret_id } = call.body;
  if (!role_id) return fail(400, 'missing role_id');
  const role = roles[role_id];
  if (!role) return fail(400, 'invalid role or secret ID');
  if (role.needs_secret && !secret_id) return fail(400, 'missing secret_id');
  const id = role.secret_ids[secret_id];
  if (role.needs_secret && !id) return fail(400, 'invalid role or secret ID');
  if (id && id.uses && --id.uses === 0) delete role.secret_ids[secret_id];
  const client_token = 'hvs.' + crypto.randomBytes(18).toString('base64url');
  call.state.tokens[client_token] = { policies: role.policies, ttl: 1200, namespace: call.namespace };
  return tell(null, {
    auth: { client_token, accessor: crypto.randomUUID(), policies: role.policies, token_policies: role.policies, lease_duration: 1200, renewable: true, token_type: 'service' },
  });
}

// --- key/value ------------------------------------------------------------------------------------------------------

function read_2(mount, path, query) {
  if (!path.startsWith('data/'))
    return {
      status: 404,
      body: { errors: [], warnings: ["Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use. If using the Vault CLI, use 'vault kv get' for this operation."] },
    };
  const versions = mount.secrets[path.slice(5)];
  const number = Number(query.get('version')) || (versions || []).length;
  const found = (versions || [])[number - 1];
  if (!found) return fail(404);
  const gone = found.destroyed || found.deletion_time;
  const { created_time, deletion_time, destroyed } = found;
  const metadata = { created_time, custom_metadata: null, deletion_time, destroyed, version: number };
  return { ...tell({ data: gone ? null : found.data, metadata }), status: gone ? 404 : 200 };
}

function read(call, path) {
  if (!may(call, path, 'read')) return denied();
  const name = mount_of(call, path);
  if (!name) return fail(404, `no handler for route "${path}". route entry not found.`);
  const mount = mounts_of(call)[name];
  const below = path.slice(name.length);
  if (mount.type !== 'kv') return fail(404, '1 error occurred:\n\t* unsupported path\n\n');
  if (mount.version === '2') return read_2(mount, below, call.query);
  const found = mount.secrets[below];
  return found ? tell(found) : fail(404);
}

// ---------------------------------------------------------------------------------------------------------------------

function weather(call) {
  const { state, path } = call;
  if (state.foreign) return { status: 200, body: '<html>Welcome to nginx</html>' };
  if (path === 'sys/health') return null;
  if (state.sealed) return fail(503, 'Vault is sealed');
  if (state.standby)
    return { status: 307, body: '', headers: { Location: `https://active.vault.example:8200/v1/${path}` } };
  if (state.broken > 0 && state.broken--) return fail(500, 'internal error');
  if (state.throttled > 0 && state.throttled--)
    return { ...fail(429, `request path "${path}": rate limit quota exceeded`), headers: { 'Retry-After': '0.05' } };
  return null;
}

function dispatch(call) {
  const { path, method } = call;
  if (path === 'sys/health') return health(call);
  const approle = /^auth\/(.+)\/login$/.exec(path);
  if (approle && method === 'POST') return login(call, approle[1]);
  if (!call.token) return denied();
  if (path === 'auth/token/lookup-self') return lookup_self(call);
  if (path === 'sys/capabilities-self' && method === 'POST') return own_capabilities(call);
  if (path.startsWith('sys/internal/ui/mounts/')) return which_mount(call, path.slice(23));
  return method === 'GET' ? read(call, path) : fail(405, 'unsupported operation');
}

function answer(state, request, text) {
  const url = new URL(request.url, 'http://x');
  if (!url.pathname.startsWith('/v1/')) return { status: 404, body: '404 page not found' };
  const namespace = (request.headers['x-vault-namespace'] || '').replace(/^\/|\/$/g, '');
  const token = state.tokens[request.headers['x-vault-token']];
  const call = {
    state,
    method: request.method,
    path: decodeURIComponent(url.pathname.slice(4)),
    query: url.searchParams,
    namespace,
    token: token && token.namespace === namespace ? token : null,
    body: {},
  };
  try {
    if (text) call.body = JSON.parse(text);
  } catch {
    return fail(400, 'failed to parse JSON input');
  }
  return weather(call) || dispatch(call);
}

module.exports = { answer };
