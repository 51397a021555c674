'use strict';
// login - the login service: token endpoint for client credentials, discovery documents, keys.
const crypto = require('crypto');
const { ClientError, fail } = require('./aadsts.js');
const { checkAssertion } = require('./assertion.js');

const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const json = (status, value, headers = {}) => ({ status, headers: { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store, no-cache', ...headers }, body: JSON.stringify(value) });

class Login {
  constructor(config, knobs, apps, tokens) {
    Object.assign(this, { config, knobs, apps, tokens, origin: '', graphOrigin: '', replayed: new Map() });
  }

  // One request in, one answer out, like Graph.answer().
  answer(request) {
    const [path, search = ''] = request.url.split('?');
    const correlation = request.headers['client-request-id'] || crypto.randomUUID();
    try {
      return { ...this.route(path, search, request), template: path.split('/').slice(2).join('/') || path };
    } catch (e) {
      if (!(e instanceof ClientError)) throw e;
      return { status: e.status, headers: { 'Content-Type': 'application/json; charset=utf-8', ...e.headers }, body: e.body(correlation, this.origin), template: 'token' };
    }
  }

  route(path, search, request) {
    if (path === '/common/discovery/instance') return json(200, this.instance());
    const m = /^\/([^/]+)\/(oauth2\/v2\.0\/token|v2\.0\/\.well-known\/openid-configuration|\.well-known\/openid-configuration|discovery\/v2\.0\/keys)$/.exec(path);
    if (!m) return json(404, { error: 'not_found' });
    const known = this.tenantOf(decodeURIComponent(m[1]));
    if (m[2].endsWith('keys')) return json(200, { keys: [this.tokens.jwk] });
    if (!known) throw fail(90002, 400, 'invalid_tenant', "Tenant '" + m[1] + "' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. "
      + 'Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.');
    if (m[2].endsWith('openid-configuration')) return json(200, this.configuration(m[1]));
    if (request.method !== 'POST') throw fail(900561, 405, 'invalid_request', 'The endpoint only accepts POST requests. Received a GET request.');
    return this.token(m[1], request);
  }

  tenantOf(name) {
    const n = name.toLowerCase(), c = this.config;
    return n === c.tenant_id || n === c.initial_domain || c.domains.includes(n) || n === 'common' || n === 'organizations';
  }

  instance() {
    const host = new URL(this.origin).host;
    return { tenant_discovery_endpoint: this.origin + '/' + this.config.tenant_id + '/v2.0/.well-known/openid-configuration', 'api-version': '1.1',
      metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }] };
  }

  configuration(tenant) {
    const at = this.origin + '/' + tenant;
    return { token_endpoint: at + '/oauth2/v2.0/token', token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic', 'self_signed_tls_client_auth'],
      jwks_uri: at + '/discovery/v2.0/keys', response_modes_supported: ['query', 'fragment', 'form_post'], subject_types_supported: ['pairwise'],
      id_token_signing_alg_values_supported: ['RS256'], response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
      scopes_supported: ['openid', 'profile', 'email', 'offline_access'], issuer: this.origin + '/' + this.config.tenant_id + '/v2.0', request_uri_parameter_supported: false,
      userinfo_endpoint: this.graphOrigin + '/oidc/userinfo', authorization_endpoint: at + '/oauth2/v2.0/authorize', device_authorization_endpoint: at + '/oauth2/v2.0/devicecode',
      http_logout_supported: true, frontchannel_logout_supported: true, end_session_endpoint: at + '/oauth2/v2.0/logout',
      claims_supported: ['sub', 'iss', 'cloud_instance_name', 'aud', 'exp', 'iat', 'auth_time', 'acr', 'nonce', 'preferred_username', 'name', 'tid', 'ver', 'at_hash', 'c_hash', 'email'],
      tenant_region_scope: 'EU', cloud_instance_name: 'microsoftonline.com', cloud_graph_host_name: 'graph.windows.net', msgraph_host: new URL(this.graphOrigin).host,
      rbac_url: 'https://pas.windows.net' };
  }

  token(tenant, request) {
    const form = Object.fromEntries(new URLSearchParams(request.body.toString()));
    const basic = /^Basic ([A-Za-z0-9+/=]+)$/.exec(request.headers.authorization || '');
    if (basic) {
      const text = Buffer.from(basic[1], 'base64').toString(), at = text.indexOf(':');
      const [id, secret] = [text.slice(0, at), text.slice(at + 1)].map((s) => decodeURIComponent(s.replace(/\+/g, ' ')));
      Object.assign(form, { client_id: form.client_id || id, client_secret: secret });
    }
    if (form.grant_type !== 'client_credentials') throw fail(70003, 400, 'unsupported_grant_type', "The app requested an unsupported grant type '" + (form.grant_type || '') + "'.");
    if (!form.client_id) throw fail(900144, 400, 'invalid_request', "The request body must contain the following parameter: 'client_id'.");
    const app = this.apps.get(form.client_id);
    if (!app) throw fail(700016, 400, 'unauthorized_client', "Application with identifier '" + form.client_id + "' was not found in the directory '" + this.config.display_name
      + "'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.");
    this.credential(app, form, tenant);
    const audience = this.resource(form.scope);
    const { token, seconds } = this.tokens.issue(app, audience, 'https://sts.windows.net/' + this.config.tenant_id + '/');
    return json(200, { token_type: 'Bearer', expires_in: seconds, ext_expires_in: seconds, access_token: token });
  }

  credential(app, form, tenant) {
    if (form.client_assertion_type === ASSERTION && form.client_assertion) return checkAssertion(this, app, form, tenant);
    if (form.client_secret === undefined) throw fail(7000216, 401, 'invalid_client', "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.");
    const secret = app.secrets.find((s) => s.value === form.client_secret);
    if (!secret) throw fail(7000215, 401, 'invalid_client', "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '"
      + app.id + "'.");
    if (secret.expired) throw fail(7000222, 401, 'invalid_client', "The provided client secret keys for app '" + app.id
      + "' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds.");
    return undefined;
  }

  // scope is exactly one resource and /.default
  resource(scope = '') {
    const parts = scope.split(' ').filter((s) => s && !['openid', 'profile', 'offline_access'].includes(s));
    const m = parts.length === 1 && /^(\S+?)\/?\/\.default$/.exec(parts[0]);
    if (!m) throw fail(70011, 400, 'invalid_scope', "The provided value for the input parameter 'scope' is not valid. The scope " + scope + ' is not valid.');
    if (m[1] !== this.graphOrigin && !this.tokens.audiences.has(m[1])) throw fail(500011, 400, 'invalid_resource', 'The resource principal named ' + m[1] + ' was not found in the tenant named '
      + this.config.display_name + '. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.');
    return m[1];
  }
}

module.exports = { Login };
