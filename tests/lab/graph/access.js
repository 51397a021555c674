'use strict';
// access - what an application's roles let it see. A ReadWrite role grants what its Read role does.
const { errors } = require('./errors.js');

function has(call, role) {
  const roles = call.app.roles;
  return roles.has(role) || roles.has(role.replace('.Read.', '.ReadWrite.'));
}

function need(call, roles) {
  if (!roles.some((role) => has(call, role))) throw errors.denied();
}

const DIRECTORY = 'Directory.Read.All';
const READERS = {
  user: ['User.Read.All', DIRECTORY],
  group: ['GroupMember.Read.All', 'Group.Read.All', DIRECTORY],
  device: ['Device.Read.All', DIRECTORY],
  servicePrincipal: ['Application.Read.All', DIRECTORY],
  administrativeUnit: ['AdministrativeUnit.Read.All', DIRECTORY],
  orgContact: ['OrgContact.Read.All', DIRECTORY],
  directoryRole: ['RoleManagement.Read.Directory', DIRECTORY],
};

const readable = (call, type) => READERS[type].some((role) => has(call, role));
const seesHidden = (call) => has(call, 'Member.Read.Hidden');

// Reports and sign-in activity: permission first, then the licence; both fail the whole page.
function needReport(call, failures) {
  if (!has(call, 'AuditLog.Read.All')) throw errors.reportDenied('AuditLog.Read.All');
  const licence = call.knobs.licence || call.graph.tenant.config.licence;
  if (licence === 'none' || call.graph.random() < failures) throw errors.notPremium();
}

module.exports = { has, need, needReport, readable, seesHidden, READERS };
