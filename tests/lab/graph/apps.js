'use strict';
// apps - the registered applications: their credentials and roles.
const crypto = require('crypto');
const { READ_ROLES } = require('./config.js');

function certificate(pem) {
  const c = new crypto.X509Certificate(pem);
  return {
    key: c.publicKey,
    sha1: crypto.createHash('sha1').update(c.raw).digest('base64url'),
    sha256: crypto.createHash('sha256').update(c.raw).digest('base64url'),
    until: Date.parse(c.validTo),
  };
}

// {client_id, secrets: ["value" or {value, id, expired}], certificates: [PEM], federated: [{issuer, subject, audience, key}], roles, token_seconds}
function application(given) {
  const secrets = (given.secrets || []).map((s) => (typeof s === 'string' ? { value: s } : s));
  return {
    id: given.client_id,
    secrets,
    certificates: (given.certificates || []).map(certificate),
    federated: given.federated || [],
    roles: new Set(given.roles || READ_ROLES),
    token_seconds: given.token_seconds,
  };
}

class Apps {
  constructor(config) {
    this.byId = new Map();
    for (const app of config.apps) this.put(app);
    this.managed = config.managed_identity;
    if (this.managed) this.put({ client_id: this.managed.client_id, roles: this.managed.roles });
  }

  put(given) {
    const before = this.byId.get(given.client_id);
    const made = application(given);
    if (before) {
      // only what is given changes
      for (const name of ['secrets', 'certificates', 'federated', 'roles', 'token_seconds'])
        if (given[name] === undefined) made[name] = before[name];
    }
    this.byId.set(made.id, made);
  }

  get(id) {
    return this.byId.get(id);
  }
}

module.exports = { Apps };
