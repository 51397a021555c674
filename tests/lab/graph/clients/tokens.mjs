// tokens - MSAL and Azure Identity get tokens with secret, certificate and another issuer's assertion; says what is in them.
import fs from 'node:fs';
import crypto from 'node:crypto';
import { ConfidentialClientApplication } from '@azure/msal-node';
import { ClientAssertionCredential, ClientCertificateCredential, ClientSecretCredential } from '@azure/identity';
import { certificate, client, federated, login, say, scope, secret, tenant } from './where.mjs';

const claims = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
const pem = fs.readFileSync(certificate, 'utf8'),
  x509 = new crypto.X509Certificate(pem.slice(pem.indexOf('-----BEGIN CERT')));
const privateKey = pem.slice(0, pem.indexOf('-----BEGIN CERT'));
const options = { authorityHost: login, disableInstanceDiscovery: true };

async function msal(credential) {
  const app = new ConfidentialClientApplication({
    auth: { clientId: client, authority: login + '/' + tenant, knownAuthorities: [new URL(login).host], ...credential },
  });
  const answer = await app.acquireTokenByClientCredential({ scopes: [scope] });
  return claims(answer.accessToken);
}

const identity = async (credential) => claims((await credential.getToken(scope)).token);

const out = {};
const attempt = async (name, f) => {
  try {
    const c = await f();
    out[name] = { appid: c.appid, roles: (c.roles || []).length };
  } catch (e) {
    out[name] = { error: e.errorCode || e.name, text: e.message, codes: e.errorResponse?.errorCodes };
  }
};

await attempt('msal secret', () => msal({ clientSecret: secret }));
await attempt('msal certificate, SHA-256', () =>
  msal({ clientCertificate: { thumbprintSha256: x509.fingerprint256.replaceAll(':', ''), privateKey } }),
);
await attempt('msal certificate, SHA-1', () =>
  msal({ clientCertificate: { thumbprint: x509.fingerprint.replaceAll(':', ''), privateKey } }),
);
await attempt('msal assertion', () => msal({ clientAssertion: federated() }));
await attempt('msal wrong secret', () => msal({ clientSecret: 'wrong' }));
await attempt('identity secret', () => identity(new ClientSecretCredential(tenant, client, secret, options)));
await attempt('identity certificate', () =>
  identity(new ClientCertificateCredential(tenant, client, { certificate: pem }, options)),
);
await attempt('identity assertion', () =>
  identity(new ClientAssertionCredential(tenant, client, async () => federated(), options)),
);
await attempt('identity wrong secret', () => identity(new ClientSecretCredential(tenant, client, 'wrong', options)));
say(out);
