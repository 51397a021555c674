'use strict';
// server - sockets: HTTPS with HTTP/2 and HTTP/1.1, latency, compression, odd chunks, and the faults that are about transport.
const http2 = require('http2');
const http = require('http');
const zlib = require('zlib');

const KEEP = [
  'consistencylevel',
  'prefer',
  'x-ms-throttle-priority',
  'client-request-id',
  'user-agent',
  'accept',
  'accept-encoding',
  'metadata',
  'content-type',
  'x-forwarded-for',
  'return-client-request-id',
];
const MOST_BODY = 4 << 20,
  ODD = [1, 7, 2, 61, 3, 499, 13, 4093, 5];

class Service {
  // answer(request) -> {status, headers, body, template}
  constructor(name, answer, lab) {
    Object.assign(this, { name, answer, lab, sockets: new Map() });
  }

  listenTls(files, wantHttp2) {
    const options = {
      key: files.key,
      cert: files.cert,
      allowHTTP1: true,
      ...(wantHttp2 ? {} : { ALPNProtocols: ['http/1.1'] }),
    };
    const server = http2.createSecureServer(options, (req, res) => this.serve(req, res));
    server.on('secureConnection', (socket) => {
      this.sockets.set(socket.remotePort, socket);
      socket.on('close', () => this.sockets.delete(socket.remotePort));
    });
    server.on('tlsClientError', () => {
      this.lab.graph.counters.tls_errors = (this.lab.graph.counters.tls_errors || 0) + 1;
    });
    server.on('sessionError', () => {});
    return this.listen(server);
  }

  listenPlain() {
    return this.listen(http.createServer((req, res) => this.serve(req, res)));
  }

  listen(server) {
    this.server = server;
    server.timeout = 0;
    return new Promise((done) => server.listen(0, '127.0.0.1', () => done(server.address().port)));
  }

  serve(req, res) {
    const parts = [];
    let size = 0;
    req.on('error', () => {});
    res.on('error', () => {});
    req.on('data', (b) => {
      size += b.length;
      if (size <= MOST_BODY) parts.push(b);
    });
    req.on('end', () =>
      this.handle(
        {
          method: req.method,
          url: req.url,
          headers: req.headers,
          body: Buffer.concat(parts),
          http2: req.httpVersionMajor === 2,
        },
        req,
        res,
      ),
    );
  }

  handle(request, req, res) {
    const { lab } = this,
      { knobs, graph } = lab,
      began = Date.now(),
      isGraph = this.name === 'graph';
    if (isGraph) graph.counters.max_in_flight = Math.max(graph.counters.max_in_flight, ++graph.counters.in_flight);
    res.on('close', () => {
      if (isGraph) graph.counters.in_flight--;
    });
    const rule = lab.faults.pick(this.name, request);
    let out;
    try {
      out = rule ? lab.faults.answer(rule, request, () => this.answer(request)) : this.answer(request);
    } catch (e) {
      process.stderr.write(request.url + ': ' + e.stack + '\n');
      out = { status: 500, headers: { 'Content-Type': 'text/plain' }, body: 'simulator: ' + e.stack };
    }
    if (isGraph && out.status < 300 && knobs.answer_size > (out.body || '').length)
      out.body = padded(String(out.body), knobs.answer_size);
    lab.log.add(this.name, request, out, rule, began, KEEP);
    const wait =
      (isGraph ? knobs.latency_ms + graph.random() * knobs.latency_jitter_ms : 0) +
      (rule?.kind === 'slow' ? rule.ms || 1000 : 0);
    const go = () => this.send(request, out, rule, req, res);
    if (wait > 0) setTimeout(go, wait);
    else go();
  }

  // Ends the TCP connection without a word.
  cut(req) {
    const socket = this.sockets.get(req.socket?.remotePort);
    if (socket) socket.destroy();
    else req.socket?.destroy();
  }

  send(request, out, rule, req, res) {
    const kind = rule?.kind;
    if (res.destroyed || (res.stream && res.stream.destroyed)) return;
    if (kind === 'reset_before') return this.cut(req);
    if (kind === 'stall_before') return;
    const escape = this.lab.knobs.escape_unicode && this.name === 'graph' && out.body;
    const text = escape
      ? Buffer.from(escaped(out.body))
      : Buffer.isBuffer(out.body)
        ? out.body
        : Buffer.from(out.body || '');
    const headers = { Date: new Date().toUTCString(), ...out.headers };
    if (kind === 'huge' || kind === 'gzip_bomb') return this.flood(res, out.status, headers, rule);
    if (kind === 'reset_body' || kind === 'truncate' || kind === 'stall')
      return this.half(res, req, out.status, headers, text, kind);
    const zipped =
      this.lab.knobs.gzip && text.length > 1000 && /\bgzip\b/.test(request.headers['accept-encoding'] || '');
    if (!zipped) return this.write(request, res, out.status, headers, text);
    return zlib.gzip(text, { level: 1 }, (e, bytes) =>
      this.write(request, res, out.status, { ...headers, 'Content-Encoding': 'gzip', Vary: 'Accept-Encoding' }, bytes),
    );
  }

  write(request, res, status, headers, bytes) {
    if (res.destroyed || (res.stream && res.stream.destroyed)) return;
    const { pieces } = this.lab.knobs;
    res.writeHead(status, this.cased(request, headers));
    if (!pieces || this.name !== 'graph') {
      res.end(bytes);
      return;
    }
    let at = 0,
      i = 0;
    const more = () => {
      if (res.destroyed) return;
      if (at >= bytes.length) {
        res.end();
        return;
      }
      const n = Math.min(pieces, ODD[i++ % ODD.length]);
      res.write(bytes.subarray(at, (at += n)));
      setImmediate(more);
    };
    more();
  }

  cased(request, headers) {
    const how = this.lab.knobs.header_case;
    if (request.http2 || how === 'as-is') return headers;
    const change =
      how === 'upper'
        ? (s) => s.toUpperCase()
        : how === 'lower'
          ? (s) => s.toLowerCase()
          : (s) => s.replace(/./g, (c, i) => (i % 2 ? c.toUpperCase() : c.toLowerCase()));
    return Object.fromEntries(Object.entries(headers).map(([name, value]) => [change(name), value]));
  }

  // Half of the body, and then: the connection is cut, the answer ends short of its length, or nothing more comes.
  half(res, req, status, headers, bytes, kind) {
    res.writeHead(status, kind === 'truncate' ? { ...headers, 'Content-Length': bytes.length } : headers);
    res.write(bytes.subarray(0, bytes.length >> 1), () => {
      if (kind === 'stall') return;
      setTimeout(
        () =>
          kind === 'truncate' && res.stream ? res.stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR) : this.cut(req),
        20,
      );
    });
  }

  // A body of rule.bytes (default 1 GiB) in one long string; compressed it is small.
  flood(res, status, headers, rule) {
    const zip = rule.kind === 'gzip_bomb',
      chunk = Buffer.alloc(1 << 20, 'A'),
      out = zip ? zlib.createGzip({ level: 1 }) : res;
    res.writeHead(status, zip ? { ...headers, 'Content-Encoding': 'gzip' } : headers);
    if (zip) out.pipe(res);
    let left = Math.ceil((rule.bytes || 1 << 30) / chunk.length);
    const more = () => {
      while (left-- > 0) {
        if (res.destroyed || (res.stream && res.stream.destroyed)) return;
        if (!out.write(chunk)) {
          out.once('drain', more);
          return;
        }
      }
      out.end('"}]}');
    };
    out.write('{"value":[{"id":"00000000-0000-4000-8000-000000000000","displayName":"');
    more();
  }
}

const padded = (text, size) =>
  text[0] === '{' ? '{"@simulator.padding":"' + 'x'.repeat(size - text.length) + '",' + text.slice(1) : text;
const escaped = (text) =>
  String(text).replace(/[\u0080-\uffff]/g, (c) => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'));

// Every request, the newest hundred thousand; never a token, only whether there was one.
class Log {
  constructor() {
    this.entries = [];
    this.n = 0;
  }

  add(service, request, out, rule, at, keep) {
    const headers = {};
    for (const name of keep) if (request.headers[name] !== undefined) headers[name] = request.headers[name];
    this.entries.push({
      n: ++this.n,
      at,
      service,
      protocol: request.http2 ? 'h2' : 'http/1.1',
      method: request.method,
      url: request.url,
      template: out.template,
      status: out.status,
      headers,
      authorization: request.headers.authorization !== undefined,
      bytes: (out.body || '').length,
      fault: rule?.kind,
      body: service === 'login' ? formOf(request) : undefined,
    });
    if (this.entries.length > 200000) this.entries.splice(0, 100000);
  }

  since(n) {
    return this.entries.filter((e) => e.n > n);
  }
}

// What a token request held, without what is secret.
function formOf(request) {
  const form = Object.fromEntries(new URLSearchParams(request.body.toString()));
  for (const name of ['client_secret', 'client_assertion'])
    if (form[name] !== undefined) form[name] = '(' + form[name].length + ' characters)';
  return form;
}

module.exports = { Service, Log };
