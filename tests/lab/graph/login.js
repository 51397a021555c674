'use strict';
// login - the login service: token endpoint for client credentials, discovery documents, keys.
const crypto = require('crypto');
const { ClientError, fail } = require('./aadsts.js');
const { checkAssertion } = require('./assertion.js');

const CLAIMS =
  'sub iss cloud_instance_name aud exp iat auth_time acr nonce preferred_username name tid ver at_hash c_hash email'.split(
    ' ',
  );
const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const json = (status, value, headers = {}) => ({
  status,
  headers: { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store, no-cache', ...headers },
  body: JSON.stringify(value),
});

class Login {
  constructor(config, knobs, apps, tokens) {
    Object.assign(this, { config, knobs, apps, tokens, origin: '', graphOrigin: '', replayed: new Set() });
  }

  // One request in, one answer out, like Graph.answer().
  answer(request) {
    const [path, search = ''] = request.url.split('?');
    const correlation = request.headers['client-request-id'] || crypto.randomUUID();
    try {
      return { ...this.route(path, search, request), template: path.split('/').slice(2).join('/') || path };
    } catch (e) {
      if (!(e instanceof ClientError)) throw e;
      return {
        status: e.status,
        headers: { 'Content-Type': 'application/json; charset=utf-8' },
        body: e.body(correlation, this.origin),
        template: 'token',
      };
    }
  }

  route(path, search, request) {
    if (path === '/common/discovery/instance') return json(200, this.instance());
    const m =
      /^\/([^/]+)\/(oauth2\/v2\.0\/token|v2\.0\/\.well-known\/openid-configuration|\.well-known\/openid-configuration|discovery\/v2\.0\/keys)$/.exec(
        path,
      );
    if (!m) return json(404, { error: 'not_found' });
    const known = this.tenantOf(decodeURIComponent(m[1]));
    if (m[2].endsWith('keys')) return json(200, { keys: [this.tokens.jwk] });
    if (!known) throw fail(90002, m[1]);
    if (m[2].endsWith('openid-configuration')) return json(200, this.configuration(m[1]));
    if (request.method !== 'POST') throw fail(900561, request.method);
    return this.token(m[1], request);
  }

  tenantOf(name) {
    const n = name.toLowerCase(),
      c = this.config;
    return (
      n === c.tenant_id || n === c.initial_domain || c.domains.includes(n) || n === 'common' || n === 'organizations'
    );
  }

  instance() {
    const host = new URL(this.origin).host;
    return {
      tenant_discovery_endpoint: this.origin + '/' + this.config.tenant_id + '/v2.0/.well-known/openid-configuration',
      'api-version': '1.1',
      metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
    };
  }

  configuration(tenant) {
    const at = this.origin + '/' + tenant;
    return {
      token_endpoint: at + '/oauth2/v2.0/token',
      token_endpoint_auth_methods_supported: [
        'client_secret_post',
        'private_key_jwt',
        'client_secret_basic',
        'self_signed_tls_client_auth',
      ],
      jwks_uri: at + '/discovery/v2.0/keys',
      response_modes_supported: ['query', 'fragment', 'form_post'],
      subject_types_supported: ['pairwise'],
      id_token_signing_alg_values_supported: ['RS256'],
      response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
      scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
      issuer: this.origin + '/' + this.config.tenant_id + '/v2.0',
      request_uri_parameter_supported: false,
      userinfo_endpoint: this.graphOrigin + '/oidc/userinfo',
      authorization_endpoint: at + '/oauth2/v2.0/authorize',
      device_authorization_endpoint: at + '/oauth2/v2.0/devicecode',
      http_logout_supported: true,
      frontchannel_logout_supported: true,
      end_session_endpoint: at + '/oauth2/v2.0/logout',
      claims_supported: CLAIMS,
      tenant_region_scope: 'EU',
      cloud_instance_name: 'microsoftonline.com',
      cloud_graph_host_name: 'graph.windows.net',
      msgraph_host: new URL(this.graphOrigin).host,
      rbac_url: 'https://pas.windows.net',
    };
  }

  token(tenant, request) {
    const form = { ...Object.fromEntries(new URLSearchParams(request.body.toString())), ...basic(request.headers) };
    if (form.grant_type !== 'client_credentials') throw fail(70003, form.grant_type);
    if (!form.client_id) throw fail(900144, 'client_id');
    const app = this.apps.get(form.client_id);
    if (!app) throw fail(700016, form.client_id, this.config.display_name);
    this.credential(app, form, tenant);
    const issuer = `https://sts.windows.net/${this.config.tenant_id}/`;
    const { token, seconds } = this.tokens.issue(app, this.resource(form.scope), issuer);
    return json(200, { token_type: 'Bearer', expires_in: seconds, ext_expires_in: seconds, access_token: token });
  }

  credential(app, form, tenant) {
    if (form.client_assertion_type === ASSERTION && form.client_assertion) {
      checkAssertion(this, app, form.client_assertion, tenant);
      return;
    }
    if (form.client_secret === undefined) throw fail(7000216);
    const secret = app.secrets.find((s) => s.value === form.client_secret);
    if (!secret) throw fail(7000215, app.id);
    if (secret.expired) throw fail(7000222, app.id);
  }

  // scope is exactly one resource and /.default
  resource(scope = '') {
    const parts = scope.split(' ').filter((s) => s && !['openid', 'profile', 'offline_access'].includes(s));
    const m = parts.length === 1 && /^(\S+?)\/?\/\.default$/.exec(parts[0]);
    if (!m) throw fail(70011, scope);
    if (!this.tokens.audiences.has(m[1])) throw fail(500011, m[1], this.config.display_name);
    return m[1];
  }
}

// Client id and secret from an Authorization header: both are URL-encoded first.
function basic(headers) {
  const m = /^Basic ([A-Za-z0-9+/=]+)$/.exec(headers.authorization || '');
  if (!m) return {};
  const text = Buffer.from(m[1], 'base64').toString();
  const at = text.indexOf(':');
  const decode = (part) => decodeURIComponent(part.replace(/\+/g, ' '));
  return { client_id: decode(text.slice(0, at)), client_secret: decode(text.slice(at + 1)) };
}

module.exports = { Login };
