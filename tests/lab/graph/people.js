'use strict';
// people - user n of the tenant: each property a function of the seed and n, computed only when it is asked for.
const { mix } = require('./random.js');
const words = require('./words.js');
const { KIND } = require('./schema.js');

const DAY = 86400000;
const dates = new Map();
const TWO = Array.from({ length: 60 }, (_, i) => String(i).padStart(2, '0'));

// 2026-11-01T00:00:00Z; the dates are kept, as there are few.
function when(ms) {
  const day = Math.floor(ms / DAY),
    s = Math.floor((ms - day * DAY) / 1000);
  let date = dates.get(day);
  if (!date) dates.set(day, (date = new Date(day * DAY).toISOString().slice(0, 11)));
  return date + TWO[Math.floor(s / 3600)] + ':' + TWO[Math.floor(s / 60) % 60] + ':' + TWO[s % 60] + 'Z';
}

const pick = (list, h) => list[h % list.length];
const JUNE_2018 = Date.UTC(2018, 5, 1); // older objects have no createdDateTime

class Person {
  constructor(tenant, n) {
    this.tenant = tenant;
    this.n = n;
    this.h = mix(tenant.seed ^ 0x75736572, n);
    this.h2 = mix(this.h, 2);
    this.given = pick(words.given, this.h);
    this.surname = pick(words.surnames, this.h >>> 8);
    this.guest = (this.h2 & 1023) < 72;
    this.synced = !this.guest && ((this.h2 >>> 10) & 1023) < tenant.config.synced * 1024;
    this.nick = this.given[1] + '.' + this.surname[1] + n;
  }

  hash(salt) {
    return mix(this.h, salt);
  }
  get domain() {
    return pick(this.tenant.config.domains, this.h >>> 20);
  }
  get address() {
    return this.nick + '@' + (this.guest ? pick(words.guestDomains, this.h2 >>> 4) : this.domain);
  }
  get upn() {
    return this.guest ? this.address.replace('@', '_') + '#EXT#@' + this.tenant.config.initial_domain : this.address;
  }
  get hasMail() {
    return this.hash(7) % 100 >= 8;
  }
  get enabled() {
    return this.hash(8) % 100 >= 6;
  }
  get createdMs() {
    return this.tenant.epoch - (this.hash(9) % 4200) * DAY - (this.hash(10) % DAY);
  }
  get sam() {
    return this.nick.slice(0, 20);
  }
}

function displayName(p) {
  const h = p.hash(3) % 1000,
    [g, s] = [p.given[0], p.surname[0]];
  if (h < 12) return pick(words.awkward, p.hash(4));
  if (h < 40) return s + ', ' + g;
  return h < 50 ? g + ' ' + s + ' (' + pick(['EXT', 'Admin', 'é'], h) + ')' : g + ' ' + s;
}

function sidOf(tenant, n) {
  const domain = [11, 12, 13].map((salt) => mix(tenant.seed, salt)).join('-');
  return `S-1-5-21-${domain}-${1000 + n}`;
}

// The 16 bytes that a directory's objectGUID would have, in base64.
const anchorBytes = Buffer.alloc(16);
function anchor(p) {
  for (let i = 0; i < 4; i++) anchorBytes.writeUInt32LE(p.hash(40 + i), 4 * i);
  return anchorBytes.toString('base64');
}

// S-1-12-1-...: the object id as four numbers, which is how Windows names a cloud object.
function cloudSid(id) {
  const part = (from, to) => parseInt(id.slice(from, to), 16);
  const swap = (x) => (((x & 255) << 24) | ((x & 65280) << 8) | ((x >>> 8) & 65280) | (x >>> 24)) >>> 0;
  const numbers = [
    part(0, 8),
    part(14, 18) * 65536 + part(9, 13),
    swap(part(19, 23) * 65536 + part(24, 28)),
    swap(part(28, 36)),
  ];
  return 'S-1-12-1-' + numbers.join('-');
}

function signIn(p) {
  const h = p.hash(20) % 100,
    day = (salt, spread) => when(p.tenant.epoch - (p.hash(salt) % (spread * DAY)));
  if (h < 8) return undefined; // never signed in: the property is absent
  const id = (salt) => p.tenant.guids.encode(40 + salt, p.n);
  const interactive = h < 11 ? '0001-01-01T00:00:00Z' : h < 16 ? null : day(21, 90);
  const out = {
    lastSignInDateTime: interactive,
    lastSignInRequestId: h < 16 ? (h < 11 ? '' : null) : id(1),
    lastNonInteractiveSignInDateTime: h < 20 ? null : day(22, 30),
    lastNonInteractiveSignInRequestId: h < 20 ? null : id(2),
  };
  if (h === 20) return { ...out, lastSuccessfulSignInDateTime: '', lastSuccessfulSignInRequestId: '' };
  if (h > 30)
    return {
      ...out,
      lastSuccessfulSignInDateTime: h < 16 ? null : interactive,
      lastSuccessfulSignInRequestId: h < 16 ? null : id(1),
    };
  return out; // h 21..30: no success since this property exists
}

const synced = (f) => (p) => (p.synced ? f(p) : null);
const E5 = '06ebc4ee-1bb5-47dd-8120-11324bc54e06',
  P1 = '078d2b04-f1bd-4111-bbd6-b4b1b354cef4';

const properties = {
  displayName,
  givenName: (p) => p.given[0],
  surname: (p) => p.surname[0],
  userPrincipalName: (p) => p.upn,
  mail: (p) => (p.hasMail ? p.address : null),
  mailNickname: (p) => (p.guest ? p.address.replace('@', '_') + '#EXT#' : p.nick),
  accountEnabled: (p) => p.enabled,
  userType: (p) => (p.guest ? 'Guest' : 'Member'),
  externalUserState: (p) => (p.guest ? pick(['Accepted', 'PendingAcceptance'], p.hash(14) % 5 ? 0 : 1) : null),
  externalUserStateChangeDateTime: (p) => (p.guest ? when(p.createdMs + DAY) : null),
  creationType: (p) => (p.guest ? 'Invitation' : null),
  createdDateTime: (p) => (p.createdMs < JUNE_2018 ? null : when(p.createdMs)),
  department: (p) => pick(words.departments, p.hash(15)),
  jobTitle: (p) => pick(words.titles, p.hash(16)),
  companyName: (p) => pick(words.companies, p.hash(17)),
  officeLocation: (p) => pick(words.offices, p.hash(18)),
  employeeId: (p) => (p.guest ? null : String(p.n).padStart(6, '0')),
  employeeType: (p) => pick(words.employeeTypes, p.hash(19)),
  employeeHireDate: (p) => (p.hash(23) % 3 ? null : when(p.createdMs).slice(0, 10) + 'T00:00:00Z'),
  employeeLeaveDateTime: (p) => (p.hash(24) % 50 ? null : when(p.tenant.epoch + 30 * DAY)),
  employeeOrgData: (p) => (p.hash(25) % 4 ? null : { division: 'EMEA', costCenter: String(p.hash(25) % 1000) }),
  businessPhones: (p) => (p.hash(26) % 3 ? [] : ['+1 425 555 ' + String(p.hash(26) % 10000).padStart(4, '0')]),
  mobilePhone: (p) => (p.hash(27) % 4 ? null : '+33 6 00 00 ' + String(p.hash(27) % 10000).padStart(4, '0')),
  preferredLanguage: (p) => pick(words.languages, p.hash(28)),
  city: (p) => pick(words.cities, p.hash(29)),
  country: (p) => pick(words.countries, p.hash(29)),
  usageLocation: (p) => pick(words.countries, p.hash(29)),
  otherMails: (p) => (p.guest ? [p.address] : []),
  proxyAddresses: (p) => (p.hasMail ? ['SMTP:' + p.address] : []),
  identities: (p) => [
    {
      signInType: p.guest ? 'federated' : 'userPrincipalName',
      issuer: p.guest ? 'ExternalAzureAD' : p.tenant.config.initial_domain,
      issuerAssignedId: p.guest ? null : p.upn,
    },
  ],
  lastPasswordChangeDateTime: (p) => when(Math.max(p.createdMs, p.tenant.epoch - (p.hash(30) % 400) * DAY)),
  signInSessionsValidFromDateTime: (p) => when(p.createdMs),
  passwordPolicies: (p) => (p.hash(31) % 10 ? null : 'DisablePasswordExpiration'),
  assignedLicenses: (p) =>
    p.guest || p.hash(32) % 10 > 7 ? [] : [{ disabledPlans: [], skuId: p.hash(32) & 16 ? E5 : P1 }],
  securityIdentifier: (p) => cloudSid(p.tenant.id(KIND.user, p.n)),
  authorizationInfo: (p) => ({ certificateUserIds: p.hash(33) % 20 ? [] : ['X509:<PN>' + p.upn] }),
  isManagementRestricted: (p) => (p.hash(34) % 40 ? null : true),
  isResourceAccount: () => null,
  showInAddressList: (p) => (p.guest ? false : null),
  onPremisesSyncEnabled: (p) => (p.synced ? true : p.hash(35) % 60 ? null : false),
  onPremisesSecurityIdentifier: synced((p) => sidOf(p.tenant, p.n)),
  onPremisesImmutableId: synced(anchor),
  onPremisesSamAccountName: synced((p) => p.sam),
  onPremisesDomainName: synced((p) => p.tenant.config.ad_domain),
  onPremisesUserPrincipalName: synced((p) => p.nick + '@' + p.tenant.config.ad_domain),
  onPremisesDistinguishedName: synced(
    (p) => 'CN=' + (p.surname[0] + ', ' + p.given[0]).replace(/,/g, '\\,') + ' ' + p.n + ',OU=Staff,' + p.tenant.adBase,
  ),
  onPremisesLastSyncDateTime: synced((p) => when(p.tenant.epoch - (p.hash(36) % DAY))),
  onPremisesExtensionAttributes: (p) =>
    Object.fromEntries(
      Array.from({ length: 15 }, (_, i) => ['extensionAttribute' + (i + 1), i || !p.synced ? null : 'x' + p.n]),
    ),
  signInActivity: signIn,
};

// Authentication methods of a user: what is registered, in the words of the per-user call (without "AuthenticationMethod").
function methods(p) {
  const h = p.hash(50) % 100,
    have = ['password'];
  if (h < 15) return have;
  if (h < 55) have.push('microsoftAuthenticator');
  if (h >= 45 && h < 65) have.push('phone');
  if (h >= 60 && h < 70) have.push('softwareOath');
  if (h >= 70 && h < 78) have.push('fido2');
  if (h >= 76 && h < 84) have.push('windowsHelloForBusiness');
  if (h >= 84 && h < 87) have.push('platformCredential');
  if (h >= 87 && h < 89) have.push('external');
  if (h >= 89 && h < 93) have.push('email');
  if (h >= 93 && h < 96) have.push('temporaryAccessPass');
  if (h >= 96 && h < 98) have.push('qrCodePin');
  return have;
}

module.exports = { Person, properties, methods, when, pick, sidOf, cloudSid, DAY, E5, P1 };
