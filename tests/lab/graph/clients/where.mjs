// where - what each client is told about the simulator, from the environment; the CA comes through NODE_EXTRA_CA_CERTS.
import fs from 'node:fs';
import { webcrypto } from 'node:crypto';

globalThis.crypto ??= webcrypto; // Node 18 has it elsewhere

const { LOGIN, GRAPH, TENANT, CLIENT, SECRET, CERTIFICATE, FEDERATED } = process.env;
export const login = LOGIN,
  graph = GRAPH,
  tenant = TENANT,
  client = CLIENT,
  secret = SECRET,
  certificate = CERTIFICATE;
export const scope = GRAPH + '/.default';
export const federated = () => fs.readFileSync(FEDERATED, 'utf8');
export const say = (value) => console.log(JSON.stringify(value));
