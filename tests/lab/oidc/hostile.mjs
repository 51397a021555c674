// hostile - an OpenID provider that lies in one way at a time.
//   node hostile.mjs CONFIG     CONFIG: {cert, key}
// Prints {"issuer", "control", "foreign"}; ends with its standard input. POST control: {"lie": NAME, "client_id", "claims"}.
// It logs everybody in without asking; `foreign` is another origin of its, with keys of its own.
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { SignJWT, UnsecuredJWT, generateKeyPair, exportJWK, exportSPKI } from 'jose';

const config = JSON.parse(fs.readFileSync(process.argv[2]));
const tls = { cert: fs.readFileSync(config.cert), key: fs.readFileSync(config.key) };
const pair = await generateKeyPair('RS256', { modulusLength: 2048, extractable: true });
const weak = crypto.generateKeyPairSync('rsa', { modulusLength: 1024 });
const stranger = await generateKeyPair('RS256', { modulusLength: 2048, extractable: true });
const curve = await generateKeyPair('ES256', { extractable: true });

let state = { lie: 'none', client_id: 'rollcall', claims: {} };
let issuer, foreign;
const codes = new Map(); // code -> {nonce, challenge, redirect_uri}
const spent = new Set();

async function jwk(key, kid, more) {
  return { ...(await exportJWK(key)), kid, use: 'sig', ...more };
}

async function jwks() {
  if (state.lie === 'no keys') return { keys: [] };
  if (state.lie === 'weak key') return { keys: [{ ...weak.publicKey.export({ format: 'jwk' }), kid: 'weak', use: 'sig' }, await jwk(pair.publicKey, 'rsa')] };
  return { keys: [await jwk(pair.publicKey, 'rsa'), await jwk(curve.publicKey, 'ec')] };
}

function metadata() {
  const at = (path) => issuer + path;
  const told = {
    issuer: state.lie === 'discovery of another' ? 'https://accounts.example' : issuer,
    authorization_endpoint: at('/authorize'),
    token_endpoint: state.lie === 'foreign token endpoint' ? foreign + '/token' : at('/token'),
    jwks_uri: state.lie === 'foreign jwks' ? foreign + '/jwks' : at('/jwks'),
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: state.lie === 'only HS' ? ['HS256', 'none'] : ['RS256', 'ES256'],
    token_endpoint_auth_methods_supported: ['client_secret_post'],
    authorization_response_iss_parameter_supported: state.lie.startsWith('iss parameter'),
  };
  if (state.lie === 'no S256') told.code_challenge_methods_supported = ['plain'];
  return told;
}

const now = () => Math.floor(Date.now() / 1000);

function claims(of) {
  const told = { iss: issuer, sub: 'mallory', aud: state.client_id, exp: now() + 300, iat: now(), nonce: of.nonce, preferred_username: 'mallory', roles: ['boss'], ...state.claims };
  const lies = {
    'wrong nonce': { nonce: 'another' },
    'no nonce': { nonce: undefined },
    'wrong audience': { aud: 'someone-else' },
    'more audiences': { aud: [state.client_id, 'someone-else'] },
    'wrong azp': { azp: 'someone-else' },
    expired: { exp: now() - 61, iat: now() - 400 },
    'no exp': { exp: undefined },
    'not yet': { nbf: now() + 90 },
    future: { iat: now() + 90 },
    'other issuer': { iss: 'https://accounts.example' },
    'no subject': { sub: '' },
    'skew allowed': { exp: now() - 50, iat: now() - 400 },
    'two audiences, ours': { aud: [state.client_id, 'other'], azp: state.client_id },
  };
  return Object.fromEntries(Object.entries({ ...told, ...(lies[state.lie] || {}) }).filter(([, v]) => v !== undefined));
}

const sign = (payload, key, header) => new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid: 'rsa', ...header }).sign(key);
const part = (object) => Buffer.from(JSON.stringify(object)).toString('base64url');

// RFC 8725 2.1: the public key, as it is printed, as the secret of an HMAC.
async function hmac_with_public_key(payload) {
  const text = `${part({ alg: 'HS256', kid: 'rsa' })}.${part(payload)}`;
  return `${text}.${crypto.createHmac('sha256', await exportSPKI(pair.publicKey)).update(text).digest('base64url')}`;
}

async function id_token(of) {
  const payload = claims(of);
  switch (state.lie) {
    case 'alg none': return new UnsecuredJWT(payload).encode().replace(/\.$/, '.');
    case 'alg None': return `${part({ alg: 'None', typ: 'JWT' })}.${part(payload)}.`;
    case 'HS256 with the public key': return hmac_with_public_key(payload);
    case 'stranger signs': return sign(payload, stranger.privateKey);
    case 'unknown kid': return sign(payload, stranger.privateKey, { kid: 'nobody' });
    case 'key in the header': return sign(payload, stranger.privateKey, { kid: undefined, jwk: await exportJWK(stranger.publicKey) });
    case 'jku in the header': return sign(payload, stranger.privateKey, { kid: 'foreign', jku: foreign + '/jwks' });
    case 'weak key': {
      const text = `${part({ alg: 'RS256', kid: 'weak' })}.${part(payload)}`;
      return `${text}.${crypto.sign('sha256', Buffer.from(text), weak.privateKey).toString('base64url')}`;
    }
    case 'crit': return `${part({ alg: 'RS256', kid: 'rsa', crit: ['x'], x: 1 })}.${(await sign(payload, pair.privateKey)).split('.').slice(1).join('.')}`;
    case 'changed payload': return (await sign(payload, pair.privateKey)).split('.').map((p, i) => (i === 1 ? part({ ...payload, roles: ['boss', 'more'] }) : p)).join('.');
    case 'changed signature': return (await sign(payload, pair.privateKey)).replace(/.{6}$/, 'AAAAAA');
    case 'ES key for RS': return sign(payload, pair.privateKey, { kid: 'ec' });
    case 'encrypted': return 'a.b.c.d.e';
    case 'garbage': return '\u0000<script>';
    case 'huge': return 'A'.repeat(300000);
    default: return sign(payload, pair.privateKey);
  }
}

function authorize(url, response) {
  const q = url.searchParams, to = new URL(q.get('redirect_uri'));
  const code = crypto.randomBytes(16).toString('base64url');
  codes.set(code, { nonce: q.get('nonce'), challenge: q.get('code_challenge'), redirect_uri: q.get('redirect_uri') });
  to.searchParams.set('state', q.get('state'));
  if (state.lie === 'refuses') {
    to.searchParams.set('error', 'access_denied');
    to.searchParams.set('error_description', 'not you\u202e <script>alert(1)</script>');
  } else {
    to.searchParams.set('code', code);
  }
  if (state.lie === 'iss parameter wrong') to.searchParams.set('iss', 'https://accounts.example');
  if (state.lie === 'iss parameter right') to.searchParams.set('iss', issuer);
  response.writeHead(302, { Location: to.href });
  response.end();
}

async function token(form) {
  const code = form.get('code'), of = codes.get(code);
  if (!of || spent.has(code)) return [400, { error: 'invalid_grant', error_description: 'unknown or used code' }];
  const challenge = crypto.createHash('sha256').update(form.get('code_verifier') || '').digest('base64url');
  if (challenge !== of.challenge || form.get('redirect_uri') !== of.redirect_uri) return [400, { error: 'invalid_grant', error_description: 'PKCE' }];
  spent.add(code);
  if (state.lie === 'redirected token') return [307, {}, { Location: foreign + '/token' }];
  if (state.lie === 'no id token') return [200, { access_token: 'x', token_type: 'Bearer' }];
  return [200, { access_token: 'access-secret', token_type: 'Bearer', expires_in: 300, id_token: await id_token(of) }];
}

async function serve(request, response) {
  const url = new URL(request.url, issuer);
  if (url.pathname === '/authorize') return authorize(url, response);
  let told = [404, {}];
  if (url.pathname === '/.well-known/openid-configuration') told = state.lie === 'redirected discovery' ? [302, {}, { Location: foreign + '/x' }] : [200, metadata()];
  if (url.pathname === '/jwks') told = [200, await jwks()];
  if (url.pathname === '/token') {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    told = await token(new URLSearchParams(Buffer.concat(pieces).toString()));
  }
  response.writeHead(told[0], { 'Content-Type': 'application/json', ...told[2] });
  response.end(JSON.stringify(told[1]));
}

const visits = []; // of the foreign origin: nobody should come
async function serve_foreign(request, response) {
  visits.push(request.url);
  response.writeHead(200, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify({ keys: [await jwk(stranger.publicKey, 'foreign'), await jwk(stranger.publicKey, 'rsa')] }));
}

async function turn(request, response) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  state = { lie: 'none', client_id: 'rollcall', claims: {}, ...JSON.parse(Buffer.concat(pieces).toString() || '{}') };
  response.end(JSON.stringify({ visits }));
}

const listen = (server) => new Promise((done) => server.listen(0, '127.0.0.1', () => done(server.address().port)));
issuer = `https://localhost:${await listen(https.createServer(tls, serve))}`;
foreign = `https://localhost:${await listen(https.createServer(tls, serve_foreign))}`;
const control = await listen(http.createServer(turn));
console.log(JSON.stringify({ issuer, foreign, control: `http://127.0.0.1:${control}` }));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
