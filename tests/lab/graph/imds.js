'use strict';
// imds - the instance metadata service of a virtual machine: tokens for its managed identity, over plain HTTP, numbers as text.

const refuse = (status, error, description) => ({
  status,
  headers: { 'Content-Type': 'application/json; charset=utf-8' },
  body: JSON.stringify({ error, error_description: description }),
});

class Imds {
  constructor(config, apps, tokens) {
    Object.assign(this, { config, apps, tokens });
  }

  answer(request) {
    return { template: 'imds', ...this.token(request) };
  }

  token(request) {
    const url = new URL(request.url, 'http://imds'),
      q = Object.fromEntries(url.searchParams);
    if (url.pathname !== '/metadata/identity/oauth2/token') return refuse(404, 'not_found', 'Not found');
    if (request.headers['x-forwarded-for'] !== undefined)
      return refuse(400, 'bad_request', 'X-Forwarded-For header present: the request came through a proxy');
    if (String(request.headers.metadata).toLowerCase() !== 'true')
      return refuse(400, 'bad_request_102', 'Required metadata header not specified');
    if (request.method !== 'GET') return refuse(405, 'method_not_allowed', 'GET only');
    if (!/^\d{4}-\d\d-\d\d$/.test(q['api-version'] || '') || q['api-version'] < '2018-02-01')
      return refuse(400, 'invalid_request', 'Invalid api-version');
    if (!q.resource) return refuse(400, 'invalid_request', 'Required audience parameter not specified');
    const identity = this.apps.managed,
      resource = q.resource.replace(/\/$/, '');
    const asked = q.client_id || q.object_id || q.msi_res_id;
    if (!identity || (asked && ![identity.client_id, identity.object_id, identity.resource_id].includes(asked)))
      return refuse(400, 'invalid_request', 'Identity not found');
    if (!this.tokens.audiences.has(resource)) {
      return refuse(
        400,
        'invalid_resource',
        'AADSTS500011: The resource principal named ' +
          q.resource +
          ' was not found in the tenant named ' +
          this.config.display_name +
          '.',
      );
    }
    const { token, seconds, now } = this.tokens.issue(
      this.apps.get(identity.client_id),
      resource,
      'https://sts.windows.net/' + this.config.tenant_id + '/',
    );
    return {
      status: 200,
      headers: { 'Content-Type': 'application/json; charset=utf-8' },
      body: JSON.stringify({
        access_token: token,
        client_id: identity.client_id,
        expires_in: String(seconds),
        expires_on: String(now + seconds),
        ext_expires_in: String(seconds),
        not_before: String(now),
        refresh_token: '',
        resource: q.resource,
        token_type: 'Bearer',
      }),
    };
  }
}

module.exports = { Imds };
