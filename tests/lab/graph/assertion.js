'use strict';
// assertion - a JWT in place of a secret: signed by the application's own certificate, or by another issuer (federated).
const jwt = require('./jwt.js');
const { fail } = require('./aadsts.js');

const refuse = (code, message) => fail(code, 401, 'invalid_client', message);
const SECOND = 1000, LONGEST = 24 * 3600;

function checkAssertion(login, app, form, tenant) {
  const token = jwt.read(form.client_assertion);
  if (!token) throw refuse(50027, 'JWT token is invalid or malformed.');
  const { header, claims } = token;
  if (header['x5t#S256'] === undefined && header.x5t === undefined) return federated(login, app, token);
  const certificate = app.certificates.find((c) => (header['x5t#S256'] !== undefined ? c.sha256 === header['x5t#S256'] : c.sha1 === header.x5t));
  if (!certificate) throw refuse(700027, 'The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found., Thumbprint of key used by client: \''
    + (header['x5t#S256'] || header.x5t) + "', Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see configured keys for app Id '" + app.id + "'.]");
  if (certificate.until < Date.now()) throw refuse(700027, 'Client assertion failed signature validation. [Reason - The key used is expired.]');
  if (!jwt.verify(token, certificate.key)) throw refuse(700027, 'Client assertion failed signature validation.');
  const audiences = [login.origin + '/' + tenant + '/oauth2/v2.0/token', login.origin + '/' + login.config.tenant_id + '/oauth2/v2.0/token', login.origin + '/' + login.config.tenant_id + '/v2.0'];
  if (!audiences.includes(claims.aud)) throw refuse(700023, 'Client assertion audience claim does not match Realm issuer. Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials.');
  if (claims.iss !== app.id || claims.sub !== app.id) throw refuse(700021, "Client assertion application identifier doesn't match 'client_id' parameter.");
  return checkTimes(login, app, claims);
}

function checkTimes(login, app, claims) {
  const now = Date.now() / SECOND;
  const range = () => refuse(700024, 'Client assertion is not within its valid time range. Current time: ' + new Date().toISOString() + ', assertion valid from '
    + new Date((claims.nbf || 0) * SECOND).toISOString() + ', expiry time of assertion ' + new Date((claims.exp || 0) * SECOND).toISOString() + '.');
  if (typeof claims.exp !== 'number' || claims.exp < now - 300) throw range();
  if (claims.nbf !== undefined && claims.nbf > now + 300) throw range();
  if (claims.exp - (claims.nbf ?? now) > LONGEST) throw range();
  if (!claims.jti) throw refuse(50027, "JWT token is invalid or malformed: claim 'jti' is missing.");
  const name = app.id + '|' + claims.jti;
  if (login.knobs.jti_replay && login.replayed.has(name)) throw refuse(700027, 'Client assertion failed replay validation: the assertion was used before.');
  login.replayed.set(name, true);
}

// Kubernetes, CI systems: the JWT's issuer, subject and audience have to be those registered for the application.
function federated(login, app, token) {
  const { iss, sub, aud, exp, nbf } = token.claims;
  const match = app.federated.find((f) => f.issuer === iss && f.subject === sub && f.audience === aud);
  if (!match) throw fail(70021, 400, 'invalid_request', "No matching federated identity record found for presented assertion. Assertion Issuer: '" + iss + "'. Assertion Subject: '" + sub
    + "'. Assertion Audience: '" + aud + "'. https://docs.microsoft.com/en-us/azure/active-directory/develop/workload-identity-federation");
  if (!jwt.verify(token, match.key || login.issuer.publicKey)) throw refuse(700027, 'Client assertion failed signature validation.');
  const now = Date.now() / SECOND;
  if (exp < now || nbf > now + 300) throw refuse(700024, 'Client assertion is not within its valid time range. Current time: ' + new Date().toISOString() + '.');
}

module.exports = { checkAssertion };
