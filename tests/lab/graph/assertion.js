'use strict';
// assertion - a JWT in place of a secret: signed by the application's own certificate, or by another issuer (federated).
const jwt = require('./jwt.js');
const { fail } = require('./aadsts.js');

const LONGEST = 24 * 3600; // from nbf to exp, in seconds
const SKEW = 300;

function checkAssertion(login, app, text, tenant) {
  const token = jwt.read(text);
  if (!token) throw fail(50027);
  const { header, claims } = token;
  const sha256 = header['x5t#S256'],
    sha1 = header.x5t;
  if (sha256 === undefined && sha1 === undefined) {
    federated(login, app, token);
    return;
  }
  const certificate = app.certificates.find((c) => (sha256 !== undefined ? c.sha256 === sha256 : c.sha1 === sha1));
  if (!certificate) throw fail(700027, `The key was not found., Thumbprint of key used by client: '${sha256 || sha1}'`);
  if (certificate.until < Date.now()) throw fail(700027, 'The key used is expired.');
  if (!jwt.verify(token, certificate.key))
    throw fail(700027, 'The provided signature value did not match the expected signature value.');
  const { tenant_id: id } = login.config;
  const audiences = [`${tenant}/oauth2/v2.0/token`, `${id}/oauth2/v2.0/token`, `${id}/v2.0`].map(
    (path) => `${login.origin}/${path}`,
  );
  if (!audiences.includes(claims.aud)) throw fail(700023);
  if (claims.iss !== app.id || claims.sub !== app.id) throw fail(700021);
  checkTimes(claims);
  checkOnce(login, app, claims);
}

function checkTimes({ nbf, exp }) {
  const now = Date.now() / 1000;
  const ok =
    typeof exp === 'number' &&
    exp >= now - SKEW &&
    (nbf === undefined || nbf <= now + SKEW) &&
    exp - (nbf ?? now) <= LONGEST;
  if (!ok) throw fail(700024, ...[now, nbf || 0, exp || 0].map((seconds) => new Date(seconds * 1000).toISOString()));
}

function checkOnce(login, app, { jti }) {
  if (!jti) throw fail(50027, ": claim 'jti' is missing");
  const name = app.id + '|' + jti;
  if (login.knobs.jti_replay && login.replayed.has(name)) throw fail(700027, 'The assertion was used before.');
  login.replayed.add(name);
}

// Kubernetes, CI systems: the JWT's issuer, subject and audience have to be those registered for the application.
function federated(login, app, token) {
  const { iss, sub, aud } = token.claims;
  const match = app.federated.find((f) => f.issuer === iss && f.subject === sub && f.audience === aud);
  if (!match) throw fail(70021, iss, sub, aud);
  if (!jwt.verify(token, match.key || login.issuer.publicKey)) throw fail(700027, 'The key was not found.');
  checkTimes(token.claims);
}

module.exports = { checkAssertion };
