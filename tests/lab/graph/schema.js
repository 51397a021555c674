'use strict';
// schema - the property names of Microsoft Graph v1.0 that the simulator knows, per kind; lists are never null.

const KIND = { user: 1, group: 2, device: 3, servicePrincipal: 4, administrativeUnit: 5, orgContact: 6, directoryRole: 7 };
const NAME = Object.fromEntries(Object.entries(KIND).map(([name, number]) => [number, name]));
const SET = { users: 1, groups: 2, devices: 3, servicePrincipals: 4, administrativeUnits: 5, contacts: 6, directoryRoles: 7 };

const words = (text) => text.trim().split(/\s+/);

const usual = {
  user: words('businessPhones displayName givenName jobTitle mail mobilePhone officeLocation preferredLanguage surname userPrincipalName id'),
  group: words(`id deletedDateTime classification createdDateTime description displayName expirationDateTime groupTypes isAssignableToRole mail
    mailEnabled mailNickname membershipRule membershipRuleProcessingState onPremisesDomainName onPremisesLastSyncDateTime onPremisesNetBiosName
    onPremisesSamAccountName onPremisesSecurityIdentifier onPremisesSyncEnabled preferredDataLocation preferredLanguage proxyAddresses
    renewedDateTime resourceBehaviorOptions resourceProvisioningOptions securityEnabled securityIdentifier theme uniqueName visibility
    onPremisesProvisioningErrors serviceProvisioningErrors`),
  device: words(`id deletedDateTime accountEnabled approximateLastSignInDateTime complianceExpirationDateTime deviceCategory deviceId deviceMetadata
    deviceOwnership deviceVersion displayName enrollmentProfileName enrollmentType isCompliant isManaged isRooted managementType manufacturer
    mdmAppId model onPremisesLastSyncDateTime onPremisesSecurityIdentifier onPremisesSyncEnabled operatingSystem operatingSystemVersion
    physicalIds profileType registrationDateTime systemLabels trustType alternativeSecurityIds`),
  servicePrincipal: words(`id deletedDateTime accountEnabled addIns alternativeNames appDescription appDisplayName appId applicationTemplateId
    appOwnerOrganizationId appRoleAssignmentRequired appRoles description disabledByMicrosoftStatus displayName homepage keyCredentials
    loginUrl logoutUrl notes notificationEmailAddresses oauth2PermissionScopes passwordCredentials preferredSingleSignOnMode
    preferredTokenSigningKeyThumbprint replyUrls servicePrincipalNames servicePrincipalType signInAudience tags tokenEncryptionKeyId`),
  administrativeUnit: words(`id deletedDateTime displayName description isMemberManagementRestricted membershipRule membershipRuleProcessingState
    membershipType visibility`),
  orgContact: words(`id deletedDateTime companyName department displayName givenName jobTitle mail mailNickname onPremisesLastSyncDateTime
    onPremisesSyncEnabled proxyAddresses surname addresses phones onPremisesProvisioningErrors serviceProvisioningErrors`),
  directoryRole: words('id deletedDateTime description displayName roleTemplateId'),
};

const more = {
  user: words(`deletedDateTime accountEnabled ageGroup assignedLicenses assignedPlans authorizationInfo city companyName consentProvidedForMinor country
    createdDateTime creationType customSecurityAttributes department employeeHireDate employeeId employeeLeaveDateTime employeeOrgData
    employeeType externalUserState externalUserStateChangeDateTime faxNumber identities imAddresses isManagementRestricted isResourceAccount
    lastPasswordChangeDateTime legalAgeGroupClassification licenseAssignmentStates mailNickname onPremisesDistinguishedName
    onPremisesDomainName onPremisesExtensionAttributes onPremisesImmutableId onPremisesLastSyncDateTime onPremisesProvisioningErrors
    onPremisesSamAccountName onPremisesSecurityIdentifier onPremisesSyncEnabled onPremisesUserPrincipalName otherMails passwordPolicies
    passwordProfile postalCode preferredDataLocation provisionedPlans proxyAddresses securityIdentifier serviceProvisioningErrors
    showInAddressList signInActivity signInSessionsValidFromDateTime state streetAddress usageLocation userType`),
  group: words('assignedLabels assignedLicenses hasMembersWithLicenseErrors isManagementRestricted licenseProcessingState organizationId'),
  device: words('isManagementRestricted'),
  servicePrincipal: words('createdByAppId customSecurityAttributes info resourceSpecificApplicationPermissions samlSingleSignOnSettings verifiedPublisher isDisabled'),
  administrativeUnit: [], orgContact: [], directoryRole: [],
};

// Asking for these in a list of users is answered with 501 (they live in SharePoint).
const notInLists = new Set(words('aboutMe birthday hireDate interests mySite pastProjects preferredName responsibilities schools skills mailboxSettings'));

const lists = new Set(words(`businessPhones assignedLicenses assignedPlans otherMails provisionedPlans proxyAddresses identities imAddresses groupTypes
  resourceBehaviorOptions resourceProvisioningOptions infoCatalogs alternativeSecurityIds physicalIds systemLabels addIns alternativeNames appRoles
  keyCredentials notificationEmailAddresses oauth2PermissionScopes passwordCredentials replyUrls servicePrincipalNames tags addresses phones
  onPremisesProvisioningErrors serviceProvisioningErrors licenseAssignmentStates assignedLabels resourceSpecificApplicationPermissions`));

const all = Object.fromEntries(Object.keys(usual).map((k) => [k, new Set([...usual[k], ...more[k]])]));
const contextName = { user: 'users', group: 'groups', device: 'devices', servicePrincipal: 'servicePrincipals',
  administrativeUnit: 'administrativeUnits', orgContact: 'contacts', directoryRole: 'directoryRoles' };

module.exports = { KIND, NAME, SET, usual, all, lists, notInLists, contextName };
