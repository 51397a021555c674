'use strict';
// https_server - an HTTP server that misbehaves to order: the path says how. For http_test.c and others.
//
//     node tests/fake/https_server.js DIRECTORY      with leaf.pem, leaf.key, other.pem, other.key
//     -> one line: listening H1 H2 OTHER CLEAR MUTE RESET NOISE    (ports; ends when its standard input does)
// H1: HTTP/1.1 over TLS, every byte by hand. H2: HTTP/2. OTHER: H1 with the other certificate. CLEAR: H1 without TLS.
// MUTE: takes connections and says nothing. RESET: hangs up at once. NOISE: speaks no TLS. /counts tells what was asked so far, by port.
const fs = require('fs'), http2 = require('http2'), net = require('net'), path = require('path'), tls = require('tls'),
  zlib = require('zlib');

const dir = process.argv[2];
const pem = (name) => fs.readFileSync(path.join(dir, name));
const leaf = {cert: pem('leaf.pem'), key: pem('leaf.key')}, other = {cert: pem('other.pem'), key: pem('other.key')};
const PAGE = JSON.stringify({value: Array.from({length: 300}, (_, i) => ({id: i, displayName: 'Zoë ' + i}))});
const MIB = Buffer.alloc(1 << 20);
const counts = {};

function count(port, what) {
  const own = counts[port] ??= {};
  own[what] = (own[what] ?? 0) + 1;
}

// --- HTTP/1.1 by hand

const head = (status, ...lines) => `HTTP/1.1 ${status} Said\r\n` + lines.map((l) => l + '\r\n').join('') + '\r\n';
const whole = (status, body, ...lines) =>
  Buffer.concat([Buffer.from(head(status, 'Content-Length: ' + Buffer.byteLength(body), ...lines)), Buffer.from(body)]);
const chunk = (b) => Buffer.concat([Buffer.from(Buffer.byteLength(b).toString(16) + '\r\n'), Buffer.from(b), Buffer.from('\r\n')]);

// Writes as long as it is read; ends with the connection.
function pour(socket, piece, times) {
  let n = 0;
  const more = () => {
    while (n < times && !socket.destroyed) {
      n++;
      if (!socket.write(piece)) return socket.once('drain', more);
    }
  };
  more();
}

const json = 'Content-Type: application/json; odata.metadata=minimal';
const gzip = 'Content-Encoding: gzip', chunked = 'Transfer-Encoding: chunked';
const h1 = {
  '/small': (s) => s.write(whole(200, '{"ok":true}', 'Content-Type: application/json', 'X-Two: first', 'x-two: second', 'Retry-After: 2.128')),
  '/page': (s) => s.write(whole(200, PAGE)),
  '/echo': (s, r) => s.write(whole(200, JSON.stringify(r))),
  '/counts': (s) => s.write(whole(200, JSON.stringify(counts))),
  '/empty': (s) => s.write(head(204)),
  '/gzip': (s) => s.write(whole(200, zlib.gzipSync(PAGE), gzip)),
  '/deflate': (s) => s.write(whole(200, zlib.deflateSync(PAGE), 'Content-Encoding: deflate')),
  '/gzip-chunked': (s) => {
    const b = zlib.gzipSync(PAGE);
    s.write(head(200, gzip, chunked));
    for (let i = 0; i < b.length; i += 100) s.write(chunk(b.subarray(i, i + 100)));
    s.write('0\r\nX-Trailer: t\r\n\r\n');
  },
  '/chunked': (s) => {
    s.write(head(200, chunked));
    for (let i = 0; i < PAGE.length; i += 1000) s.write(chunk(PAGE.slice(i, i + 1000)));
    s.write('0\r\n\r\n');
  },
  '/slow': (s) => setTimeout(() => s.write(whole(200, 'slow')), 300),
  '/bomb': (s) => {
    const z = zlib.createGzip();
    s.write(head(200, gzip, chunked));
    z.on('data', (d) => s.destroyed || s.write(chunk(d)));
    pour(z, MIB, 300);
  },
  '/bomb-twice': (s) => s.write(whole(200, zlib.gzipSync(zlib.gzipSync(Buffer.alloc(64 << 20))), 'Content-Encoding: gzip, gzip')),
  '/big': (s) => (s.write(head(200, 'Content-Length: ' + 300 * MIB.length)), pour(s, MIB, 300)),
  '/big-chunked': (s) => (s.write(head(200, chunked)), pour(s, chunk(MIB), 300)),
  '/limit': (s) => s.write(whole(200, Buffer.alloc(1 << 20, 'x'))),
  '/limit-gzip': (s) => s.write(whole(200, zlib.gzipSync(Buffer.alloc(1 << 20, 'x')), gzip)),
  '/limit-1': (s) => s.write(whole(200, zlib.gzipSync(Buffer.alloc((1 << 20) + 1, 'x')), gzip)),
  '/bad-gzip': (s) => s.write(whole(200, 'this is no gzip', gzip)),
  '/bad-crc': (s) => {
    const b = zlib.gzipSync(PAGE);
    b[b.length - 6] ^= 1;
    s.write(whole(200, b, gzip));
  },
  '/cut-gzip': (s) => s.write(whole(200, zlib.gzipSync(PAGE).subarray(0, -40), gzip, json)),
  '/cut-length': (s) => s.end(head(200, 'Content-Length: 1000') + 'x'.repeat(500)),
  '/cut-length-hard': (s) => s.write(head(200, 'Content-Length: 1000') + 'x'.repeat(500), () => s.raw.destroy()),
  '/cut-chunk': (s) => s.end(head(200, chunked) + '100\r\nshort'),
  '/cut-last-chunk': (s) => s.end(head(200, chunked) + '5\r\nshort\r\n'),
  '/cut-head': (s) => s.end('HTTP/1.1 200 OK\r\nContent-Le'),
  '/until-close': (s) => s.end(head(200, 'Connection: close') + 'all of it'),
  '/until-close-json': (s) => s.end(head(200, json) + PAGE),
  '/until-cut-json': (s) => s.end(head(200, json) + PAGE.slice(0, 300)),
  '/until-close-error': (s) => s.end(head(429, 'Retry-After: 7') + 'slow dow'),
  '/until-cut': (s) => s.write(head(200, 'Connection: close') + 'half of i', () => s.raw.destroy()),
  '/nothing': (s) => s.end(),
  '/reset': (s) => s.raw.resetAndDestroy(),
  '/reset-in-body': (s) => s.write(head(200, 'Content-Length: 1000') + 'x'.repeat(500), () => s.raw.resetAndDestroy()),
  '/mute': () => {},
  '/stall': (s) => s.write(head(200, 'Content-Length: 1000') + 'x'.repeat(500)),
  '/drip': (s) => {
    s.write(head(200, 'Content-Length: 100000'));
    const timer = setInterval(() => s.destroyed ? clearInterval(timer) : s.write('x'), 50);
  },
  '/huge-header': (s) => s.write(head(200, 'Content-Length: 0', ...Array.from({length: 2000}, (_, i) => `X-${i}: ${'y'.repeat(60)}`))),
  '/huge-line': (s) => s.write(head(200, 'Content-Length: 0', 'X: ' + 'y'.repeat(300000))),
  '/endless-header': (s) => (s.write('HTTP/1.1 200 OK\r\n'), pour(s, 'X-More: ' + 'y'.repeat(1000) + '\r\n', 1e6)),
  '/endless-interim': (s) => pour(s, 'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n', 1e6),
  '/redirect': (s, r) => s.write(whole(302, 'elsewhere', `Location: https://${r.headers.host}/followed`)),
  '/cookie': (s) => s.write(whole(200, 'c', 'Set-Cookie: a=b; Path=/')),
  '/unauthorized': (s) => s.write(whole(401, 'who', 'WWW-Authenticate: Negotiate', 'WWW-Authenticate: Bearer')),
  '/no-http': (s) => s.end('220 mail.example ESMTP\r\n'),
  '/bad-length': (s) => s.write(head(200, 'Content-Length: x')),
  '/two-lengths': (s) => s.write(head(200, 'Content-Length: 5', 'Content-Length: 6') + 'hello'),
  '/nul-header': (s) => s.write(head(200, 'X-A: a\0b', 'Content-Length: 0')),
  '/idle-close': (s) => s.write(whole(200, 'bye'), () => setTimeout(() => s.end(), 20)),
};

function answer(routes, socket, request) {
  const [where, argument] = request.url.split('?')[0].split(/\/(?=\d+$)/);
  if (where === '/status') return socket.write(whole(Number(argument), 'status'));
  (routes[where] ?? ((s) => s.write(whole(404, 'no such path'))))(socket, request);
}

function serve_h1(socket, port) {
  let text = '';
  count(port, 'connections');
  socket.on('error', () => {});
  socket.on('data', (d) => {
    text += d.toString('latin1');
    for (let at; (at = text.indexOf('\r\n\r\n')) >= 0;) {
      const [first, ...lines] = text.slice(0, at).split('\r\n'), [method, url] = first.split(' ');
      const headers = Object.fromEntries(lines.map((l) => [l.split(':')[0].toLowerCase(), l.slice(l.indexOf(':') + 2)]));
      const length = Number(headers['content-length'] ?? 0);
      if (text.length < at + 4 + length) return;
      const body = text.slice(at + 4, at + 4 + length);
      text = text.slice(at + 4 + length);
      count(port, url.split('?')[0]);
      answer(h1, socket, {method, url, headers, body});
    }
  });
}

function tls_server(identity) {
  return net.createServer({noDelay: true}, (raw) => {
    const s = new tls.TLSSocket(raw, {isServer: true, ...identity, ALPNProtocols: ['http/1.1']});
    raw.on('error', () => {});
    s.raw = raw;
    serve_h1(s, raw.localPort);
  });
}

function clear_server() {
  return net.createServer({noDelay: true}, (raw) => {
    raw.raw = raw;
    serve_h1(raw, raw.localPort);
  });
}

// --- HTTP/2

const {NGHTTP2_REFUSED_STREAM, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR, NGHTTP2_ENHANCE_YOUR_CALM} = http2.constants;
const say = (s, body, more = {}) => (s.respond({':status': 200, 'content-length': Buffer.byteLength(body), ...more}), s.end(body));
const half = (s, more = {}, body = 'x'.repeat(500)) => (s.respond({':status': 200, ...more}), s.write(body));
const JSON_TYPE = {'content-type': 'application/json'};
const raws = new Map(); // TCP connections by the client's port: a session does not give its own away
// RST_STREAM and nothing else; close() and destroy() would end the body properly first.
const abort = (s, code) => s[Object.getOwnPropertySymbols(s).find((k) => k.description === 'kHandle')].rstStream(code);
const h2 = {
  '/small': (s) => say(s, '{"ok":true}', {'retry-after': '2.128', 'x-two': ['first', 'second']}),
  '/page': (s) => say(s, PAGE),
  '/echo': (s, r) => say(s, JSON.stringify(r)),
  '/counts': (s) => say(s, JSON.stringify(counts)),
  '/gzip': (s) => say(s, zlib.gzipSync(PAGE), {'content-encoding': 'gzip'}),
  '/slow-page': (s) => {
    s.respond({':status': 200, ...JSON_TYPE});
    const next = (i) => s.destroyed || s[i < 9 ? 'write' : 'end'](PAGE.slice(i * PAGE.length / 10, (i + 1) * PAGE.length / 10), () => i < 9 && setTimeout(next, 15, i + 1));
    next(0);
  },
  '/slow': (s) => setTimeout(() => s.destroyed || say(s, 'slow'), 300),
  '/bomb': (s) => {
    const z = zlib.createGzip();
    s.respond({':status': 200, 'content-encoding': 'gzip'});
    z.pipe(s);
    pour(z, MIB, 300);
  },
  '/big': (s) => (s.respond({':status': 200}), pour(s, MIB, 300)),
  '/mute': () => {},
  '/stall': (s) => half(s),
  '/redirect': (s, r) => (s.respond({':status': 302, location: `https://${r.headers[':authority']}/followed`}), s.end()),
  '/cut': (s) => (half(s), setTimeout(() => abort(s, NGHTTP2_INTERNAL_ERROR), 50)),
  '/cut-softly': (s) => (half(s, JSON_TYPE, PAGE.slice(0, 500)), setTimeout(() => abort(s, NGHTTP2_NO_ERROR), 50)),
  '/cut-length': (s) => (half(s, {'content-length': 1000}), setTimeout(() => abort(s, NGHTTP2_INTERNAL_ERROR), 50)),
  '/cut-softly-length': (s) => (half(s, {'content-length': 1000}), setTimeout(() => abort(s, NGHTTP2_NO_ERROR), 50)),
  '/short': (s) => (s.respond({':status': 200, 'content-length': 1000}), s.end('x'.repeat(500))),
  '/gone': (s) => (half(s), setTimeout(() => raws.get(s.session.socket.remotePort).destroy(), 50)),
  '/gone-length': (s) => (half(s, {'content-length': 1000}), setTimeout(() => raws.get(s.session.socket.remotePort).destroy(), 50)),
  '/refused': (s) => s.close(NGHTTP2_REFUSED_STREAM),
  '/calm': (s) => s.close(NGHTTP2_ENHANCE_YOUR_CALM),
  '/goaway': (s) => (s.session.goaway(NGHTTP2_ENHANCE_YOUR_CALM), setTimeout(() => s.session.destroy(), 50)),
  '/last': (s) => (s.session.goaway(), say(s, 'last')),
  '/huge-header': (s) => (s.respond({':status': 200, ...Object.fromEntries(Array.from({length: 800}, (_, i) => ['x-' + i, 'y'.repeat(60)]))}), s.end()),
  '/huger-header': (s) => (s.respond({':status': 200, ...Object.fromEntries(Array.from({length: 2000}, (_, i) => ['x-' + i, 'y'.repeat(60)]))}), s.end()),
};

function h2_server() {
  const server = http2.createSecureServer({...leaf, maxSendHeaderBlockLength: 1 << 20});
  server.on('connection', (raw) => raws.set(raw.remotePort, raw));
  server.on('session', (session) => {
    count(server.address().port, 'connections');
    session.on('error', () => {});
  });
  server.on('stream', (s, headers) => {
    const url = headers[':path'], body = [];
    count(server.address().port, url.split('?')[0]);
    s.on('error', () => {});
    s.on('data', (d) => body.push(d));
    s.on('end', () => (h2[url.split('?')[0]] ?? h2['/small'])(s, {method: headers[':method'], url, headers, body: Buffer.concat(body).toString('latin1')}));
  });
  server.on('sessionError', () => {});
  return server;
}

// --- all of them

const mute = net.createServer((s) => s.on('error', () => {}));
const reset = net.createServer((s) => (s.on('error', () => {}), s.resetAndDestroy()));
const noise = net.createServer((s) => (s.on('error', () => {}), s.write('220 mail.example ESMTP\r\n')));
const servers = [tls_server(leaf), h2_server(), tls_server(other), clear_server(), mute, reset, noise];
let left = servers.length;
for (const s of servers)
  s.listen(0, '127.0.0.1', () => --left || console.log('listening', ...servers.map((each) => each.address().port)));
process.stdin.on('end', () => process.exit(0)).resume();
process.on('uncaughtException', (e) => ['EPIPE', 'ECONNRESET', 'ERR_HTTP2_INVALID_STREAM', 'ERR_STREAM_DESTROYED'].includes(e.code) || (console.error(e), process.exit(1)));
