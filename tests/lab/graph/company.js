'use strict';
// company - the tenant as a whole: organization, domains, licences.
const { errors } = require('./errors.js');
const { collection, contextOf } = require('./pages.js');
const { E5, P1, when, DAY } = require('./people.js');

const PLANS = {
  none: [],
  P1: ['41781fb2-bc02-4b7c-bd55-b576c07bb09d'],
  P2: ['41781fb2-bc02-4b7c-bd55-b576c07bb09d', 'eec0eb4f-6444-4f95-aba0-50c24d67f998'],
};
const PLAN_NAMES = {
  '41781fb2-bc02-4b7c-bd55-b576c07bb09d': 'AAD_PREMIUM',
  'eec0eb4f-6444-4f95-aba0-50c24d67f998': 'AAD_PREMIUM_P2',
};

const licenceOf = (call) => call.knobs.licence || call.graph.tenant.config.licence;

function company(call) {
  const { config, epoch } = call.graph.tenant;
  const plans = PLANS[licenceOf(call)].map((id) => ({
    assignedDateTime: when(epoch - 900 * DAY),
    capabilityStatus: 'Enabled',
    service: 'AADPremiumService',
    servicePlanId: id,
  }));
  plans.push({
    assignedDateTime: when(epoch - 900 * DAY),
    capabilityStatus: 'Enabled',
    service: 'exchange',
    servicePlanId: 'efb87545-963c-4e0d-99df-69c6916d9eb0',
  });
  return {
    id: config.tenant_id,
    deletedDateTime: null,
    businessPhones: ['8006427676'],
    city: 'Redmond',
    country: null,
    countryLetterCode: 'US',
    createdDateTime: when(epoch - 3000 * DAY),
    defaultUsageLocation: null,
    displayName: config.display_name,
    isMultipleDataLocationsForServicesEnabled: null,
    marketingNotificationEmails: [],
    onPremisesLastSyncDateTime: config.synced ? when(epoch - DAY / 48) : null,
    onPremisesSyncEnabled: config.synced ? true : null,
    partnerTenantType: null,
    postalCode: null,
    preferredLanguage: 'en',
    privacyProfile: null,
    securityComplianceNotificationMails: [],
    securityComplianceNotificationPhones: [],
    state: null,
    street: null,
    technicalNotificationMails: ['admin@' + config.domains[0]],
    tenantType: 'AAD',
    assignedPlans: plans,
    provisionedPlans: [{ capabilityStatus: 'Enabled', provisioningStatus: 'Success', service: 'exchange' }],
    verifiedDomains: [...config.domains, config.initial_domain].map((name, i) => ({
      capabilities: 'Email, OfficeCommunicationsOnline',
      isDefault: i === 0,
      isInitial: name === config.initial_domain,
      name,
      type: 'Managed',
    })),
  };
}

function picked(value, select) {
  return JSON.stringify(
    select
      ? Object.fromEntries(Object.entries(value).filter(([name]) => name === 'id' || select.includes(name)))
      : value,
  );
}

const organization = (call) =>
  collection(call, contextOf('organization', call.query.select), [picked(company(call), call.query.select)]);

function oneOrganization(call) {
  if (call.params.id.toLowerCase() !== call.graph.tenant.config.tenant_id) throw errors.notFound(call.params.id);
  return { status: 200, body: picked(company(call), call.query.select) };
}

function domains(call) {
  const { config } = call.graph.tenant;
  const rows = [...config.domains, config.initial_domain].map((id, i) =>
    picked(
      {
        id,
        authenticationType: i === 1 ? 'Federated' : 'Managed',
        availabilityStatus: null,
        isAdminManaged: true,
        isDefault: i === 0,
        isInitial: id === config.initial_domain,
        isRoot: true,
        isVerified: true,
        supportedServices: ['Email', 'OfficeCommunicationsOnline'],
        manufacturer: null,
        model: null,
        passwordValidityPeriodInDays: 2147483647,
        passwordNotificationWindowInDays: 14,
        state: null,
      },
      call.query.select,
    ),
  );
  return collection(call, contextOf('domains', call.query.select), rows);
}

function skus(call) {
  const { config } = call.graph.tenant,
    licence = licenceOf(call),
    bought =
      licence === 'none'
        ? []
        : licence === 'P1'
          ? [[P1, 'AAD_PREMIUM']]
          : [
              [E5, 'SPE_E5'],
              [P1, 'AAD_PREMIUM'],
            ];
  const rows = bought.map(([skuId, skuPartNumber]) =>
    picked(
      {
        id: config.tenant_id + '_' + skuId,
        accountId: config.tenant_id,
        accountName: config.display_name,
        appliesTo: 'User',
        capabilityStatus: 'Enabled',
        consumedUnits: Math.floor(config.users / 2),
        prepaidUnits: { enabled: config.users, suspended: 0, warning: 0, lockedOut: 0 },
        skuId,
        skuPartNumber,
        subscriptionIds: [],
        servicePlans: PLANS[licence].map((id) => ({
          servicePlanId: id,
          servicePlanName: PLAN_NAMES[id],
          provisioningStatus: 'Success',
          appliesTo: 'User',
        })),
      },
      call.query.select,
    ),
  );
  return collection(call, contextOf('subscribedSkus', call.query.select), rows);
}

module.exports = { organization, oneOrganization, domains, skus };
