'use strict';
// reports - the registration report (disabled users are not in it) and the methods of one user.
const { errors } = require('./errors.js');
const { KIND } = require('./schema.js');
const { pageSize, advanced, Filter } = require('./query.js');
const { position, link, rowsWanted, collection, pageOf, contextOf } = require('./pages.js');
const { needReport } = require('./access.js');
const { numberOf } = require('./edges.js');
const { target } = require('./objects.js');
const { Person, when, DAY } = require('./people.js');

// per-user word -> the report's word, and whether it makes MFA
const IN_REPORT = {
  phone: ['mobilePhone', true],
  email: ['email', false],
  microsoftAuthenticator: ['microsoftAuthenticatorPush', true],
  softwareOath: ['softwareOneTimePasscode', true],
  fido2: ['passKeyDeviceBound', true],
  windowsHelloForBusiness: ['windowsHelloForBusiness', true],
  platformCredential: ['macOsSecureEnclaveKey', true],
  temporaryAccessPass: ['temporaryAccessPass', false],
  qrCodePin: ['qrCodePin', false],
  external: ['externalAuthMethod', true],
};
const PASSWORDLESS = ['fido2', 'windowsHelloForBusiness', 'platformCredential'];
const PREFERRED = { microsoftAuthenticator: 'push', phone: 'sms', softwareOath: 'oath' };

const hasMfa = (methods) => methods.some((m) => IN_REPORT[m]?.[1]);

function details(tenant, k) {
  const row = tenant.row(k),
    methods = tenant.methods(k),
    mfa = hasMfa(methods);
  const preferred = methods.map((m) => PREFERRED[m]).find(Boolean);
  return {
    id: row.id,
    userPrincipalName: row.get('userPrincipalName'),
    userDisplayName: row.get('displayName') ?? '',
    isAdmin: tenant.roles.heldBy(k).length > 0,
    isSsprRegistered: methods.length > 1,
    isSsprEnabled: true,
    isSsprCapable: methods.length > 1,
    isMfaRegistered: mfa,
    isMfaCapable: mfa,
    isPasswordlessCapable: methods.some((m) => PASSWORDLESS.includes(m)),
    methodsRegistered: methods.map((m) => IN_REPORT[m]?.[0]).filter(Boolean),
    isSystemPreferredAuthenticationMethodEnabled: true,
    systemPreferredAuthenticationMethods: preferred ? [preferred] : [],
    userPreferredMethodForSecondaryAuthentication: preferred || 'none',
    lastUpdatedDateTime: when(tenant.epoch - DAY / 4).slice(0, 19) + '.6195833Z',
    userType: row.get('userType') === 'Guest' ? 'guest' : 'member',
  };
}

const reported = (tenant, k) => {
  const over = tenant.over.get(k);
  return tenant.get(k, 'accountEnabled') === true && !(over && over.registered === false);
};

function text(call, k) {
  const d = details(call.graph.tenant, k),
    { select } = call.query;
  return JSON.stringify(
    select ? Object.fromEntries(Object.entries(d).filter(([name]) => name === 'id' || select.includes(name))) : d,
  );
}

function list(call) {
  needReport(call, call.knobs.report_failures);
  const { tenant } = call.graph,
    size = pageSize(call.query, 100, call.knobs.report_page_cap);
  const context = contextOf('reports/authenticationMethods/userRegistrationDetails', call.query.select);
  if (call.query.filter) {
    const filter = new Filter(call.query.filter, true);
    const keys = tenant.page(KIND.user, 0, Infinity, (k) => {
      const d = reported(tenant, k) && details(tenant, k);
      return d && filter.test((p) => d[p]);
    }).keys;
    return pageOf(call, context, keys, size, (k) => text(call, k), call.query.count ? keys.length : undefined);
  }
  const state = position(call),
    wanted = rowsWanted(call, state, size);
  const page = wanted
    ? tenant.page(KIND.user, state.pos, wanted, (k) => reported(tenant, k))
    : { keys: [], next: state.pos };
  const next = page.next === null ? null : link(call, { pos: page.next, e: wanted ? 0 : 1 });
  return collection(
    call,
    context,
    page.keys.map((k) => text(call, k)),
    { next, count: advanced(call) ? countReported(call) : undefined },
  );
}

const countReported = (call) =>
  call.graph.cached(
    'reported',
    () => call.graph.tenant.page(KIND.user, 0, Infinity, (k) => reported(call.graph.tenant, k)).keys,
  ).length;

function get(call) {
  needReport(call, call.knobs.report_failures);
  const k = target(call, KIND.user);
  if (!reported(call.graph.tenant, k)) throw errors.notFound(call.params.id);
  return { status: 200, body: text(call, k) };
}

// The eleven types that exist in v1.0, each with its own properties.
function method(type, row, h) {
  const created = when(row.tenant.epoch - (h % 700) * DAY),
    id = row.tenant.guids.encode(50 + Object.keys(SHAPES).indexOf(type), row.n);
  return {
    '@odata.type': '#microsoft.graph.' + type + 'AuthenticationMethod',
    id: type === 'password' ? '28c10230-6103-485e-b985-444c60001490' : id,
    createdDateTime: type === 'external' ? undefined : created,
    ...SHAPES[type](row, h),
  };
}

const SHAPES = {
  password: () => ({ password: null }),
  phone: (row, h) => ({
    phoneNumber: '+33 6' + String(h % 100000000).padStart(8, '0'),
    phoneType: 'mobile',
    smsSignInState: 'notAllowedByPolicy',
  }),
  email: (row) => ({ emailAddress: 'private' + row.n + '@mail.example' }),
  microsoftAuthenticator: (row) => ({
    displayName: 'Phone of ' + row.n,
    deviceTag: 'SoftwareTokenActivated',
    phoneAppVersion: '6.2409.6094',
  }),
  softwareOath: () => ({ secretKey: null }),
  fido2: () => ({
    displayName: 'Red key',
    aaGuid: '2fc0579f-8113-47ea-b116-555a8db9202a',
    model: 'NFC key',
    attestationCertificates: [],
    attestationLevel: 'attested',
    passkeyType: 'deviceBound',
  }),
  windowsHelloForBusiness: () => ({ displayName: 'Laptop', keyStrength: 'normal' }),
  platformCredential: () => ({ displayName: 'Mac', keyStrength: 'normal', platform: 'macOS' }),
  temporaryAccessPass: () => ({
    temporaryAccessPass: null,
    startDateTime: '2026-10-31T00:00:00Z',
    lifetimeInMinutes: 60,
    isUsableOnce: true,
    isUsable: false,
    methodUsabilityReason: 'Expired',
  }),
  qrCodePin: () => ({}),
  external: () => ({ displayName: 'Adatum MFA', configurationId: '85c9c3a1-5a3c-4ba8-8e2a-0f2f8b0c5f10' }),
};

function methods(call) {
  const k = target(call, KIND.user),
    { tenant } = call.graph,
    row = tenant.row(k),
    h = new Person(tenant, numberOf(k)).hash(51);
  const out = tenant.methods(k).map((type) => JSON.stringify(method(type, row, h)));
  return collection(call, "users('" + call.params.id + "')/authentication/methods", out);
}

module.exports = { list, get, methods, hasMfa, reported, METHODS: Object.keys(SHAPES) };
