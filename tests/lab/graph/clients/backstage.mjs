// backstage - a whole directory connector of somebody else's, pointed at the simulator: Backstage's Microsoft Graph module.
import backstage from '@backstage/plugin-catalog-backend-module-msgraph';
import { ClientSecretCredential } from '@azure/identity';
import { client, graph, login, say, secret, tenant } from './where.mjs';

const { MicrosoftGraphClient, readMicrosoftGraphOrg } = backstage;
const quiet = {
  debug() {},
  info() {},
  warn() {},
  error(text) {
    console.error(text);
  },
  child() {
    return quiet;
  },
};
const api = new MicrosoftGraphClient(
  graph + '/v1.0',
  new ClientSecretCredential(tenant, client, secret, { authorityHost: login, disableInstanceDiscovery: true }),
);
const { users, groups } = await readMicrosoftGraphOrg(api, tenant, { logger: quiet, queryMode: 'basic' });
const id = 'graph.microsoft.com/';
say({
  users: Object.fromEntries(
    users.map((u) => [
      u.metadata.annotations[id + 'user-id'],
      { name: u.spec.profile.displayName, groups: u.spec.memberOf.length },
    ]),
  ),
  groups: Object.fromEntries(
    groups
      .filter((g) => g.metadata.annotations[id + 'group-id'])
      .map((g) => [g.metadata.annotations[id + 'group-id'], { name: g.spec.profile.displayName }]),
  ),
  root: groups.filter((g) => g.metadata.annotations[id + 'tenant-id']).map((g) => g.spec.profile.displayName),
});
