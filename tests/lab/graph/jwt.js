'use strict';
// jwt - JSON Web Tokens by hand: compact form, RS256 and PS256.
const crypto = require('crypto');

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

function options(alg, key) {
  return alg === 'PS256'
    ? { key, padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }
    : { key, padding: crypto.constants.RSA_PKCS1_PADDING };
}

function sign(header, claims, key) {
  const text = encode(header) + '.' + encode(claims);
  return text + '.' + crypto.sign('sha256', Buffer.from(text), options(header.alg, key)).toString('base64url');
}

// {header, claims, text, signature}, or null for what is no JWT.
function read(token) {
  const parts = String(token).split('.');
  if (parts.length !== 3) return null;
  try {
    const [header, claims] = parts.slice(0, 2).map((p) => JSON.parse(Buffer.from(p, 'base64url').toString()));
    return { header, claims, text: parts[0] + '.' + parts[1], signature: Buffer.from(parts[2], 'base64url') };
  } catch {
    return null;
  }
}

function verify(jwt, key) {
  const { alg } = jwt.header;
  if (alg !== 'RS256' && alg !== 'PS256') return false;
  return crypto.verify('sha256', Buffer.from(jwt.text), options(alg, key), jwt.signature);
}

module.exports = { sign, read, verify };
