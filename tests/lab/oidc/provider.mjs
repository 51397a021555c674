// provider - a third party's OpenID provider (npm oidc-provider) with its own log-in forms, on loopback.
//   node provider.mjs CONFIG     CONFIG: {cert, key, redirect_uris[], users{login: claims}}
// Prints {"issuer", "control"}; ends with its standard input. POST control {"rotate": true}: new signing keys.
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { generateKeyPair, exportJWK } from 'jose';
import Provider from 'oidc-provider';

const config = JSON.parse(fs.readFileSync(process.argv[2]));

async function keys() {
  const made = [];
  for (const [alg, more] of [
    ['RS256', { modulusLength: 2048 }],
    ['ES256', {}],
  ]) {
    const { privateKey } = await generateKeyPair(alg, { extractable: true, ...more });
    made.push({ ...(await exportJWK(privateKey)), use: 'sig', kid: `${alg}-${Math.random().toString(36).slice(2)}` });
  }
  return { keys: made };
}

const client = (client_id, more) => ({
  client_id,
  client_secret: 'S3cret+of/the&client=%',
  redirect_uris: config.redirect_uris,
  post_logout_redirect_uris: config.post_logout_redirect_uris || [],
  grant_types: ['authorization_code'],
  response_types: ['code'],
  token_endpoint_auth_method: 'client_secret_post',
  ...more,
});

function make(issuer, jwks) {
  return new Provider(issuer, {
    jwks,
    clients: [
      client('rollcall'),
      client('rollcall-ps', { id_token_signed_response_alg: 'PS256' }),
      client('rollcall-es', { id_token_signed_response_alg: 'ES256' }),
      client('rollcall-hs', { id_token_signed_response_alg: 'HS256' }),
      client('rollcall-basic', { token_endpoint_auth_method: 'client_secret_basic' }),
      client('rollcall-public', { token_endpoint_auth_method: 'none', client_secret: undefined }),
    ],
    clientAuthMethods: config.auth_methods || ['client_secret_post', 'client_secret_basic', 'none'],
    claims: { openid: ['sub'], profile: ['preferred_username', 'name', 'roles', 'groups', 'realm_access'], email: ['email'] },
    conformIdTokenClaims: false,
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'HS256'] },
    pkce: { methods: ['S256'], required: () => true },
    cookies: { keys: ['of the tests'] },
    findAccount: (ctx, id) => ({
      accountId: id,
      claims: () => ({ sub: id, preferred_username: `${id}@corp.example`, ...(config.users[id] || {}) }),
    }),
  });
}

const server = https.createServer({ cert: fs.readFileSync(config.cert), key: fs.readFileSync(config.key) }, (q, r) => handle(q, r));
let handle;
server.listen(0, '127.0.0.1', async () => {
  const issuer = `https://localhost:${server.address().port}`;
  handle = make(issuer, await keys()).callback();
  const control = http.createServer(async (q, r) => {
    handle = make(issuer, await keys()).callback();
    r.end('{}');
  });
  control.listen(0, '127.0.0.1', () =>
    console.log(JSON.stringify({ issuer, control: `http://127.0.0.1:${control.address().port}` })),
  );
});
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
