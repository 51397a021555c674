// http2 - GETs over HTTP/2, one connection each: what came of them. argv: token, then paths.
import fs from 'node:fs';
import http2 from 'node:http2';
import { graph, say } from './where.mjs';

const ca = fs.readFileSync(process.env.NODE_EXTRA_CA_CERTS),
  [token, ...paths] = process.argv.slice(2);

const get = (path) =>
  new Promise((done) => {
    const session = http2.connect(graph, { ca }),
      out = { bytes: 0 };
    const end = (how) => {
      session.destroy();
      done({ ...out, ...how });
    };
    session.on('error', (e) => end({ error: e.code }));
    session.on('close', () => end({ error: 'cut' }));
    session.setTimeout(1500, () => end({ error: 'timeout' }));
    const request = session.request({ ':path': '/v1.0' + path, authorization: 'Bearer ' + token });
    request.on('response', (headers) => {
      out.status = headers[':status'];
    });
    request.on('data', (b) => {
      out.bytes += b.length;
    });
    request.on('error', (e) => end({ error: e.code }));
    request.on('close', () => end(request.rstCode || request.aborted || !out.status ? { error: 'cut' } : {}));
  });

const answers = [];
for (const path of paths) answers.push(await get(path));
say(answers);
