'use strict';
// tokens - access tokens with real RS256 signatures: issued by the login service, verified by Graph.
const crypto = require('crypto');
const jwt = require('./jwt.js');
const { errors } = require('./errors.js');

class Tokens {
  constructor(config, knobs, apps) {
    Object.assign(this, { config, knobs, apps, seen: new Map(), issued: 0, generation: 0 });
    const pair = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
    this.key = pair.privateKey;
    this.jwk = { ...pair.publicKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' };
    this.jwk.kid = this.jwk.x5t = crypto.createHash('sha1').update(this.jwk.n).digest('base64url');
    this.publicKey = pair.publicKey;
    this.audiences = new Set([
      'https://graph.microsoft.com',
      'https://localhost',
      '00000003-0000-0000-c000-000000000000',
    ]);
  }

  issue(app, audience, issuer) {
    const now = Math.floor(Date.now() / 1000),
      seconds = app.token_seconds || this.knobs.token_seconds,
      { config } = this;
    const claims = {
      aud: audience,
      iss: issuer,
      iat: now,
      nbf: now,
      exp: now + seconds,
      appid: app.id,
      appidacr: '1',
      idtyp: 'app',
      oid: crypto
        .createHash('md5')
        .update(app.id)
        .digest('hex')
        .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
      tid: config.tenant_id,
      ver: '1.0',
      uti: crypto.randomBytes(12).toString('base64url'),
      xms_generation: this.generation,
    };
    if (app.roles.size && this.knobs.token_roles_claim) claims.roles = [...app.roles];
    this.issued++;
    return {
      token: jwt.sign({ typ: 'JWT', alg: 'RS256', x5t: this.jwk.x5t, kid: this.jwk.kid }, claims, this.key),
      seconds,
      now,
    };
  }

  // The application behind an Authorization header; its roles are those in the token, not today's. 401 for everything else.
  application(header) {
    const m = /^Bearer (\S+)$/i.exec(header || '');
    if (!m) throw errors.unauthorized('Access token is empty.');
    const app = this.seen.get(m[1]) || this.check(m[1]);
    if (app.exp * 1000 <= Date.now() || app.generation < this.generation)
      throw errors.unauthorized('Lifetime validation failed, the token is expired.');
    return app;
  }

  check(text) {
    const token = jwt.read(text);
    if (!token) throw errors.unauthorized('CompactToken parsing failed with error code: 80049217');
    if (token.header.alg !== 'RS256' || !jwt.verify(token, this.publicKey))
      throw errors.unauthorized('Access token validation failure. Invalid signature.');
    if (!this.audiences.has(token.claims.aud))
      throw errors.unauthorized('Access token validation failure. Invalid audience.');
    const app = {
      id: token.claims.appid,
      roles: new Set(token.claims.roles || []),
      exp: token.claims.exp,
      generation: token.claims.xms_generation,
    };
    if (this.seen.size > 1000) this.seen.clear();
    this.seen.set(text, app);
    return app;
  }
}

module.exports = { Tokens };
