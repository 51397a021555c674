'use strict';
// things - groups, devices, service principals, administrative units, contacts and roles: functions of the seed and n.
const { mix } = require('./random.js');
const words = require('./words.js');
const { when, pick, sidOf, cloudSid, DAY } = require('./people.js');
const { KIND } = require('./schema.js');

class Thing {
  constructor(tenant, n, kind) {
    this.tenant = tenant;
    this.n = n;
    this.kind = kind;
    this.h = mix(tenant.seed ^ Math.imul(kind, 0x01000193), n);
  }

  hash(salt) {
    return mix(this.h, salt);
  }
  get id() {
    return this.tenant.id(this.kind, this.n);
  }
  get created() {
    return this.tenant.epoch - (this.hash(9) % 3000) * DAY - (this.hash(10) % DAY);
  }
}

// What kind of group n is; the first ten show every kind once.
class Group extends Thing {
  constructor(tenant, n) {
    super(tenant, n, KIND.group);
    const h = this.hash(1) % 100;
    this.type =
      n < 10
        ? ['security', 'unified', 'synced', 'dynamic', 'roles', 'hidden', 'mail', 'security', 'unified', 'synced'][n]
        : h < 40
          ? 'security'
          : h < 65
            ? 'unified'
            : h < 85
              ? 'synced'
              : h < 92
                ? 'dynamic'
                : h < 94
                  ? 'roles'
                  : h < 96
                    ? 'hidden'
                    : 'mail';
    this.unified = this.type === 'unified' || this.type === 'hidden';
    this.nick = 'group-' + n;
  }
}

const groupSynced = (f) => (g) => (g.type === 'synced' ? f(g) : null);
const group = {
  displayName: (g) =>
    g.hash(2) % 100 < 3
      ? pick(words.awkward, g.hash(3))
      : pick(words.teams, g.hash(4)) + (g.hash(5) % 4 ? ' ' + g.n : ''),
  description: (g) => (g.hash(6) % 3 ? 'Group of ' + pick(words.teams, g.hash(4)) : null),
  createdDateTime: (g) => when(g.created),
  renewedDateTime: (g) => when(g.created),
  expirationDateTime: (g) => (g.unified && g.hash(7) % 5 === 0 ? when(g.tenant.epoch + 100 * DAY) : null),
  groupTypes: (g) => (g.unified ? ['Unified'] : g.type === 'dynamic' ? ['DynamicMembership'] : []),
  securityEnabled: (g) => !(g.unified || g.type === 'mail'),
  mailEnabled: (g) => g.unified || g.type === 'mail',
  mail: (g) => (g.unified || g.type === 'mail' ? g.nick + '@' + g.tenant.config.domains[0] : null),
  mailNickname: (g) => g.nick,
  proxyAddresses: (g) => (g.unified || g.type === 'mail' ? ['SMTP:' + g.nick + '@' + g.tenant.config.domains[0]] : []),
  visibility: (g) =>
    g.type === 'hidden' ? 'HiddenMembership' : g.unified ? pick(['Public', 'Private'], g.hash(8)) : null,
  isAssignableToRole: (g) => (g.type === 'roles' ? true : g.unified ? null : false),
  membershipRule: (g) =>
    g.type === 'dynamic' ? '(user.department -eq "' + (pick(words.departments, g.hash(11)) || 'IT') + '")' : null,
  membershipRuleProcessingState: (g) => (g.type === 'dynamic' ? 'On' : null),
  uniqueName: (g) => (g.hash(12) % 20 ? null : 'unique-' + g.n),
  isManagementRestricted: (g) => (g.hash(13) % 40 ? null : true),
  securityIdentifier: (g) => cloudSid(g.id),
  onPremisesSyncEnabled: groupSynced(() => true),
  onPremisesSecurityIdentifier: groupSynced((g) => sidOf(g.tenant, 5000000 + g.n)),
  onPremisesSamAccountName: groupSynced((g) => g.nick),
  onPremisesDomainName: groupSynced((g) => g.tenant.config.ad_domain),
  onPremisesNetBiosName: groupSynced((g) => g.tenant.config.ad_domain.split('.')[0].toUpperCase()),
  onPremisesLastSyncDateTime: groupSynced((g) => when(g.tenant.epoch - (g.hash(14) % DAY))),
};

const deviceSynced = (f) => (d) => (d.hash(3) % 10 < 3 ? f(d) : null);
const system = (d) => pick(words.systems, d.hash(4));
const device = {
  displayName: (d) => 'DEV-' + String(d.n).padStart(6, '0'),
  deviceId: (d) => d.tenant.guids.encode(60, d.n),
  accountEnabled: (d) => d.hash(1) % 20 > 0,
  operatingSystem: (d) => system(d)[0],
  operatingSystemVersion: (d) => system(d)[1],
  trustType: (d) => (d.hash(3) % 10 < 3 ? 'ServerAd' : pick(['AzureAd', 'Workplace'], d.hash(5))),
  manufacturer: (d) => pick(words.makers, d.hash(6))[0],
  model: (d) => pick(words.makers, d.hash(6))[1],
  isManaged: (d) => pick([true, false, null], d.hash(7)),
  isCompliant: (d) => pick([true, false, null], d.hash(8)),
  deviceVersion: () => 2,
  deviceOwnership: (d) => pick(['Company', 'Personal', null], d.hash(11)),
  profileType: () => 'RegisteredDevice',
  approximateLastSignInDateTime: (d) => when(d.tenant.epoch - (d.hash(12) % 200) * DAY),
  registrationDateTime: (d) => when(d.created),
  onPremisesSyncEnabled: deviceSynced(() => true),
  onPremisesSecurityIdentifier: deviceSynced((d) => sidOf(d.tenant, 8000000 + d.n)),
  onPremisesLastSyncDateTime: deviceSynced((d) => when(d.tenant.epoch - (d.hash(13) % DAY))),
};

const managed = (s) => s.hash(2) % 4 === 0;
const servicePrincipal = {
  displayName: (s) => (s.n === 0 ? 'Microsoft Graph' : pick(words.teams, s.hash(3)) + ' app ' + s.n),
  appDisplayName: (s) =>
    s.n === 0 ? 'Microsoft Graph' : managed(s) ? null : pick(words.teams, s.hash(3)) + ' app ' + s.n,
  appId: (s) => (s.n === 0 ? '00000003-0000-0000-c000-000000000000' : s.tenant.guids.encode(61, s.n)),
  accountEnabled: (s) => s.hash(1) % 15 > 0,
  servicePrincipalType: (s) => (managed(s) && s.n ? 'ManagedIdentity' : 'Application'),
  appOwnerOrganizationId: (s) => (s.n === 0 ? 'f8cdef31-a31e-4b4a-93e4-5f571e91255a' : s.tenant.config.tenant_id),
  signInAudience: (s) => (managed(s) ? null : 'AzureADMyOrg'),
  appRoleAssignmentRequired: (s) => s.hash(4) % 3 === 0,
  servicePrincipalNames: (s) => [servicePrincipal.appId(s)],
  tags: (s) => (s.n && !managed(s) ? ['WindowsAzureActiveDirectoryIntegratedApp'] : []),
  alternativeNames: (s) =>
    managed(s) && s.n
      ? ['isExplicit=False', '/subscriptions/0/resourcegroups/lab/providers/Microsoft.Compute/virtualMachines/vm' + s.n]
      : [],
  keyCredentials: (s) =>
    s.hash(5) % 3
      ? []
      : [
          {
            customKeyIdentifier: 'AAAA',
            displayName: 'CN=app' + s.n,
            endDateTime: when(s.tenant.epoch + 60 * DAY),
            key: null,
            keyId: s.tenant.guids.encode(62, s.n),
            startDateTime: when(s.created),
            type: 'AsymmetricX509Cert',
            usage: 'Verify',
          },
        ],
  passwordCredentials: (s) =>
    s.hash(6) % 3
      ? []
      : [
          {
            customKeyIdentifier: null,
            displayName: 'secret',
            endDateTime: when(s.tenant.epoch + 20 * DAY),
            hint: 'abc',
            keyId: s.tenant.guids.encode(63, s.n),
            secretText: null,
            startDateTime: when(s.created),
          },
        ],
};

const administrativeUnit = {
  displayName: (u) => 'Unit ' + (pick(words.cities, u.hash(1)) || 'Nowhere') + ' ' + u.n,
  description: (u) => (u.hash(2) % 2 ? 'Administrative unit ' + u.n : null),
  visibility: (u) => (u.hash(3) % 10 ? null : 'HiddenMembership'),
  isMemberManagementRestricted: (u) => u.hash(4) % 10 === 0,
};

const orgContact = {
  displayName: (c) => pick(words.given, c.h)[0] + ' ' + pick(words.surnames, c.h >>> 8)[0],
  givenName: (c) => pick(words.given, c.h)[0],
  surname: (c) => pick(words.surnames, c.h >>> 8)[0],
  mail: (c) => 'contact' + c.n + '@partner.example',
  mailNickname: (c) => 'contact' + c.n,
  companyName: (c) => pick(words.companies, c.hash(2)),
  proxyAddresses: (c) => ['SMTP:contact' + c.n + '@partner.example'],
};

module.exports = { Thing, Group, tables: { group, device, servicePrincipal, administrativeUnit, orgContact } };
