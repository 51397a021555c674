'use strict';
// config - what the simulator is told at its start (the tenant, its applications) and the knobs that can be turned while it runs.
const fs = require('fs');

const READ_ROLES = ['User.Read.All', 'GroupMember.Read.All', 'Member.Read.Hidden', 'RoleManagement.Read.Directory', 'AuditLog.Read.All',
  'UserAuthenticationMethod.Read.All', 'Device.Read.All', 'Application.Read.All', 'AdministrativeUnit.Read.All', 'Organization.Read.All',
  'Domain.Read.All', 'OrgContact.Read.All'];

const tenant = {
  seed: 1,
  epoch: '2026-11-01T00:00:00Z',      // what the tenant takes for the present
  tenant_id: '5a3e0c1d-7b64-4f0e-9d1b-2c6f8a9b0c1d',
  display_name: 'Contoso',
  domains: ['contoso.example', 'fabrikam.example'],
  initial_domain: 'contoso.onmicrosoft.com',
  ad_domain: 'corp.example.test',     // of what is synchronized from on-premises
  synced: 0.6,                        // part of the members that is
  licence: 'P2',                      // none, P1, P2
  users: 100, groups: 20, devices: 10, servicePrincipals: 8, administrativeUnits: 3, contacts: 3,
  memberships: 400,                   // direct edges of generated groups
  large_groups: [],                   // members of group 0, 1, ...
  role_assignments: 20, role_eligibilities: 5, custom_roles: 3,
  objects: {},                        // stated objects, see stated.js
  apps: [],                           // {client_id, secrets, certificates, federated, roles, token_seconds}
  managed_identity: null,             // {client_id, object_id, roles}
  http2: true,
};

const knobs = {
  // tokens
  token_seconds: 3599, jti_replay: true, token_roles_claim: true,
  // answers
  latency_ms: 0, latency_jitter_ms: 0, answer_size: 0, gzip: true, pieces: 0, header_case: 'as-is', escape_unicode: false,
  // paging
  page_token_ms: 0, short_pages: 0, empty_pages: 0, report_page_cap: 999, max_select: 0,
  // licences and sign-in activity
  licence: null, signin_cap: 500, signin_failures: 0, report_failures: 0, expand_fails: 0,
  // delta
  delta_page: 200, delta_members: 100, delta_repeat: 0, delta_replay: 0, delta_reorder: false, delta_lag_ms: 0, delta_token_ms: 0,
  delta_expired: '410', delta_miss_restore: false, delta_hard_delete_members: false,
  // throttling
  throttle: false, directory_units: 8000, directory_window_ms: 10000, reports_requests: 5, reports_window_ms: 10000,
  methods_requests: 0, methods_window_ms: 10000, signin_in_reports: true, retry_after: 'integer', batch_disorder: true,
  // faults: see faults.js
  faults: [],
};

function merge(defaults, given, what) {
  for (const name of Object.keys(given)) if (!(name in defaults)) throw new Error('unknown ' + what + ': ' + name);
  return { ...defaults, ...given };
}

// Reads the file: tenant settings at the top, knobs under "knobs".
function load(file) {
  const { knobs: turned = {}, ...rest } = JSON.parse(fs.readFileSync(file, 'utf8'));
  const config = merge(tenant, rest, 'setting');
  for (const app of config.apps) app.roles = app.roles || READ_ROLES;
  return { config, knobs: merge(knobs, turned, 'knob') };
}

// Turns knobs; null puts one back to what it is at first. Numbers are numbers: a page of null rows would never end.
function turn(current, given) {
  merge(knobs, given, 'knob');
  for (const [name, value] of Object.entries(given)) {
    const usual = knobs[name];
    if (value === null) current[name] = usual;
    else if (typeof usual !== 'number' || name === 'signin_cap' || (Number.isFinite(value) && value >= 0)) current[name] = value;
    else throw new Error(name + ': not a number from 0');
  }
}

module.exports = { load, turn, READ_ROLES };
