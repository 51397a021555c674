// graph - Microsoft's own Graph client: its page iterator, its batch classes, its retry on 429; says what it read.
import { BatchRequestContent, BatchResponseContent, Client, PageIterator } from '@microsoft/microsoft-graph-client';
import { ClientSecretCredential } from '@azure/identity';
import { client, graph, login, say, scope, secret, tenant } from './where.mjs';

const credential = new ClientSecretCredential(tenant, client, secret, {
  authorityHost: login,
  disableInstanceDiscovery: true,
});
const authProvider = { getAccessToken: async () => (await credential.getToken(scope)).token };
const api = Client.initWithMiddleware({ authProvider, baseUrl: graph, customHosts: new Set(['localhost']) });

async function all(path, headers = {}) {
  const rows = [],
    first = await api.api(path).headers(headers).get();
  await new PageIterator(
    api,
    first,
    (row) => {
      rows.push(row);
      return true;
    },
    { headers },
  ).iterate();
  return { rows, count: first['@odata.count'] };
}

const eventual = { ConsistencyLevel: 'eventual' };
const users = await all('/users?$select=id,displayName,mail&$top=50&$count=true', eventual);
const groups = await all('/groups?$select=id,displayName&$top=7');
const members = {};
for (const g of groups.rows)
  members[g.id] = (await all('/groups/' + g.id + '/members?$select=id&$top=20&$count=true', eventual)).rows
    .map((r) => r.id)
    .sort();

const content = new BatchRequestContent(
  groups.rows
    .slice(0, 20)
    .map((g, i) => ({ id: String(i), request: new Request(graph + '/groups/' + g.id + '/owners?$select=id') })),
);
const answers = new BatchResponseContent(await api.api('/$batch').post(await content.getContent()));
const owners = {};
for (const [id, response] of answers.getResponses())
  owners[groups.rows[Number(id)].id] =
    response.status === 200 ? (await response.json()).value.map((r) => r.id).sort() : response.status;

let refused = null;
try {
  await api.api('/users/00000000-0000-4000-8000-000000000000').get();
} catch (e) {
  refused = { status: e.statusCode, code: e.code, requestId: !!e.requestId };
}
say({
  users: users.rows.map((u) => u.id),
  names: Object.fromEntries(users.rows.map((u) => [u.id, u.displayName])),
  counted: users.count,
  members,
  owners,
  refused,
});
